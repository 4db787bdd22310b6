//! The thread that keeps the tokens of all logins fresh.
//!
//! A login lives as long as a client that uses it; the end of a client is noticed when the next token is due.
//! A first token that cannot be had is told to the clients, whose owners decide; later ones are tried again
//! and again while the last one is used, as by Java's clients.
//!
//! Memory: a token for each login.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::{Duration, SystemTime};

use tokio::runtime::Builder;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::refresh::random;
use super::{LoginSettings, Token};
use crate::secrets;
use crate::sys::{TokenTaker, give_token, refuse_token};

/// Java's pause after a token that could not be had.
const AFTER_FAILURE: Duration = Duration::from_secs(10);

/// Gives `taker` the tokens of this login from now on. Never waits for one.
pub(crate) fn attach(settings: &Arc<LoginSettings>, taker: Weak<dyn TokenTaker>) {
    static LOGINS: OnceLock<Logins> = OnceLock::new();
    LOGINS.get_or_init(Logins::start).attach(settings, taker);
}

struct Logins {
    all: Arc<Mutex<Vec<Arc<Login>>>>,
    /// Bounded by the logins in use.
    begin: UnboundedSender<Arc<Login>>,
}

struct Login {
    settings: Arc<LoginSettings>,
    state: Mutex<State>,
    /// A client came that there is no token for.
    is_wanted: Notify,
}

#[derive(Default)]
struct State {
    takers: Vec<Weak<dyn TokenTaker>>,
    token: Option<Token>,
    /// The problem that was logged last.
    told: Option<String>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Logins {
    fn start() -> Self {
        let all = Arc::default();
        let (begin, begun) = unbounded_channel();
        let own = Arc::clone(&all);
        let thread = thread::Builder::new().name("kafka-logins".to_owned());
        if let Err(err) = thread.spawn(move || run(&own, begun)) {
            tracing::error!(error = %err, "no thread for the tokens of Kafka clients");
        }
        Self { all, begin }
    }

    fn attach(&self, settings: &Arc<LoginSettings>, taker: Weak<dyn TokenTaker>) {
        let mut all = lock(&self.all);
        if let Some(login) = all.iter().find(|login| login.settings == *settings) {
            login.add(taker);
            return;
        }
        let state = Mutex::new(State { takers: vec![taker], ..State::default() });
        let login = Arc::new(Login { settings: Arc::clone(settings), state, is_wanted: Notify::new() });
        all.push(Arc::clone(&login));
        if self.begin.send(login).is_err() {
            tracing::error!("the thread for the tokens of Kafka clients ended");
        }
    }
}

/// Goes on for as long as the process.
fn run(all: &Arc<Mutex<Vec<Arc<Login>>>>, mut begun: UnboundedReceiver<Arc<Login>>) {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(err) => {
            tracing::error!(error = %err, "no runtime for the tokens of Kafka clients");
            return;
        }
    };
    runtime.block_on(async {
        while let Some(login) = begun.recv().await {
            tokio::spawn(keep(login, Arc::clone(all)));
        }
    });
}

/// Fetches one token after the other, as long as there are clients.
async fn keep(login: Arc<Login>, all: Arc<Mutex<Vec<Arc<Login>>>>) {
    while !ends(&login, &all) {
        let pause = match login.settings.source.obtain(login.settings.retry).await {
            Ok(token) => login.hand_out(token),
            Err(problem) => {
                login.failed(&secrets::hide(&problem));
                AFTER_FAILURE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = login.is_wanted.notified() => {}
        }
    }
}

/// Takes a login without clients off the list.
fn ends(login: &Arc<Login>, all: &Mutex<Vec<Arc<Login>>>) -> bool {
    // Held while looking: a client that comes now finds the login, or makes its own.
    let mut all = lock(all);
    let is_over = login.takers().is_empty();
    if is_over {
        all.retain(|found| !Arc::ptr_eq(found, login));
    }
    is_over
}

impl Login {
    fn add(&self, taker: Weak<dyn TokenTaker>) {
        let mut state = lock(&self.state);
        let token = state.token.clone().filter(|token| token.expires > SystemTime::now());
        state.takers.retain(|taker| taker.strong_count() > 0);
        state.takers.push(Weak::clone(&taker));
        drop(state);
        match (token, taker.upgrade()) {
            (Some(token), Some(taker)) => self.give(&*taker, &token),
            _ => self.is_wanted.notify_one(),
        }
    }

    /// The clients that live.
    fn takers(&self) -> Vec<Arc<dyn TokenTaker>> {
        lock(&self.state).takers.iter().filter_map(Weak::upgrade).collect()
    }

    /// Gives the clients their token; how long until the next one.
    fn hand_out(&self, token: Token) -> Duration {
        let refresh = self.settings.refresh;
        let pause = refresh.after(SystemTime::now(), token.issued, token.expires, random());
        tracing::debug!(principal = token.principal, next_s = pause.as_secs(), "logged in to Kafka");
        // Kept first: a client that comes now gets it, perhaps twice.
        lock(&self.state).token = Some(token.clone());
        for taker in self.takers() {
            self.give(&*taker, &token);
        }
        // Tokens that end at once must not keep this thread busy.
        pause.max(Duration::from_secs(1))
    }

    fn give(&self, taker: &dyn TokenTaker, token: &Token) {
        if let Err(problem) = give_token(taker, token, &self.settings.extensions) {
            let problem = secrets::hide(&problem);
            tracing::error!(problem, "a Kafka client does not take its token");
            refuse_token(taker, &problem);
        }
    }

    fn failed(&self, problem: &str) {
        let has_token = lock(&self.state).token.is_some();
        if has_token {
            let again_s = AFTER_FAILURE.as_secs();
            tracing::warn!(problem, again_s, "no new token for Kafka clients, using the last one");
            return;
        }
        // Clients that are being closed may wait for a while yet: said once is enough.
        let is_known = lock(&self.state).told.replace(problem.to_owned()).as_deref() == Some(problem);
        if !is_known {
            tracing::error!(problem, "no token for Kafka clients");
        }
        for taker in self.takers() {
            refuse_token(&*taker, problem);
        }
    }
}
