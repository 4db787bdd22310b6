//! What admin clients tell about themselves: statistics and log lines.
//!
//! The library's wrapper of an admin client waits for answers only; what else the client tells would pile up
//! in its queue for as long as it lives. One thread of the process empties the queues of all of them.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use rdkafka::admin::AdminClient;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError as LibraryError;

use crate::client_metrics::ClientStatistics;
use crate::{secrets, sys};

/// How often the queues are looked at.
const TURN: Duration = Duration::from_millis(250);

/// Gets what one admin client tells.
pub(crate) struct AdminContext {
    pub(super) client_id: String,
    pub(super) statistics: Arc<ClientStatistics>,
}

impl ClientContext for AdminContext {
    fn stats_raw(&self, statistics: &[u8]) {
        self.statistics.told(statistics);
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        let (client, text) = (&*self.client_id, secrets::hide(text));
        match level {
            RDKafkaLogLevel::Debug | RDKafkaLogLevel::Info | RDKafkaLogLevel::Notice => {
                tracing::debug!(client, facility, "{text}");
            }
            RDKafkaLogLevel::Warning => tracing::info!(client, facility, "{text}"),
            _ => tracing::warn!(client, facility, "{text}"),
        }
    }

    fn error(&self, err: LibraryError, reason: &str) {
        tracing::warn!(client = self.client_id, error = %err, reason = %secrets::hide(reason), "trouble");
    }
}

/// A client whose queue is emptied as long as it lives.
type Watched = Weak<AdminClient<AdminContext>>;

#[derive(Default)]
struct Clients {
    watched: Mutex<Vec<Watched>>,
    is_wanted: Condvar,
}

/// The queue of `client` is emptied from now on.
pub(super) fn watch(client: &Arc<AdminClient<AdminContext>>) {
    static CLIENTS: OnceLock<Arc<Clients>> = OnceLock::new();
    let clients = CLIENTS.get_or_init(|| {
        let clients = Arc::new(Clients::default());
        let own = Arc::clone(&clients);
        let thread = thread::Builder::new().name("kafka-admins".to_owned());
        if let Err(err) = thread.spawn(move || own.run()) {
            tracing::error!(error = %err, "no thread for what admin clients tell");
        }
        clients
    });
    clients.lock().push(Arc::downgrade(client));
    clients.is_wanted.notify_one();
}

impl Clients {
    fn lock(&self) -> MutexGuard<'_, Vec<Watched>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes on for as long as the process.
    fn run(&self) -> ! {
        loop {
            let mut watched = self.lock();
            watched.retain(|client| client.strong_count() > 0);
            while watched.is_empty() {
                watched = self.is_wanted.wait(watched).unwrap_or_else(PoisonError::into_inner);
            }
            let clients: Vec<_> = watched.iter().filter_map(Weak::upgrade).collect();
            drop(watched);
            for client in clients {
                // The last one to hold a client ends it: that may wait, here as well as elsewhere.
                sys::serve_main_queue(client.inner());
            }
            thread::sleep(TURN);
        }
    }
}
