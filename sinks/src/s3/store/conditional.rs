//! Whether a store keeps its word about `If-None-Match`.
//!
//! The Java sink protects files of scheduled rotation with it; here cuts are decided before they are made,
//! and no file needs it. Who asks for it explicitly, perhaps because Java workers write to the same bucket,
//! is told when the store does not keep it. Asked once per bucket and process, with an empty object below
//! `topics.dir` that is deleted again. Its name begins with a dot: readers of lakes pass over such names.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload};

use super::Store;
use crate::s3::config::S3Config;

/// What was found.
#[derive(Debug)]
enum Finding {
    /// An existing object was not replaced.
    Honest,
    /// It was, although the request forbade it.
    Lies,
    /// The question itself failed.
    Unknown(Error),
}

/// A probe to make.
#[derive(Clone, Debug)]
pub(super) struct Probe {
    /// Identifies server and bucket.
    place: String,
    name: Path,
}

impl Probe {
    /// `None` unless `config` asks for conditional writes where the Java sink makes them: with scheduled
    /// rotation, and without objects of keys and headers.
    pub(super) fn new(config: &S3Config, connector: &str) -> Option<Self> {
        let is_scheduled = config.settings.connector.rotate_schedule_interval_ms > 0;
        let has_companions = config.companion.store_keys || config.companion.store_headers;
        if !config.asks_for_conditions || !is_scheduled || has_companions {
            return None;
        }
        let file = format!(".lakeward-probe-{connector}");
        let name = match config.settings.layout.topics_dir.as_str() {
            "" => Path::from(file),
            top => Path::parse(top).ok()?.join(file),
        };
        let server = config.store_url.as_deref().unwrap_or(&config.bucket.region);
        Some(Self { place: format!("{server} {}", config.bucket.bucket), name })
    }

    async fn ask(&self, client: &dyn ObjectStore) -> Finding {
        let mut created_count = 0;
        let finding = loop {
            // Another worker may delete the object in between, but hardly again and again.
            if created_count == TRIES {
                break Finding::Lies;
            }
            let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
            match client.put_opts(&self.name, PutPayload::new(), options).await {
                Ok(_) => created_count += 1,
                Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => break Finding::Honest,
                Err(err) => break Finding::Unknown(err),
            }
        };
        // One that a dead worker left is taken away, too. Whoever asks right now makes it again.
        let is_there = created_count > 0 || matches!(finding, Finding::Honest);
        if is_there && let Err(err) = client.delete(&self.name).await {
            tracing::info!(object = %self.name, error = %err, "the empty object of a probe stays there");
        }
        finding
    }
}

impl Store {
    /// Says in the log when conditional writes are asked for and the store cannot be trusted with them.
    pub(super) async fn probe_conditions(&self) {
        let Some(probe) = &self.probe else { return };
        if !ASKED.lock().unwrap_or_else(PoisonError::into_inner).insert(probe.place.clone()) {
            return;
        }
        let meaning = "files of Lakeward need no conditions; those of Java workers on this bucket are not \
                       protected by enable.conditional.writes";
        match probe.ask(&*self.client).await {
            Finding::Honest => tracing::debug!("the store honours conditional writes"),
            Finding::Lies => {
                tracing::warn!(
                    bucket = %self.bucket, meaning,
                    "the store replaced an object although If-None-Match forbade it"
                );
            }
            Finding::Unknown(err) => {
                // Asked again by the next task.
                ASKED.lock().unwrap_or_else(PoisonError::into_inner).remove(&probe.place);
                tracing::warn!(
                    bucket = %self.bucket, error = %err, meaning,
                    "the store did not answer whether it honours conditional writes"
                );
            }
        }
    }
}

const TRIES: u32 = 4;

/// Buckets that were asked: one name each.
static ASKED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

#[cfg(test)]
mod tests {
    use futures::stream::BoxStream;
    use object_store::memory::InMemory;
    use object_store::{
        CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, PutMultipartOptions,
        PutResult, Result,
    };

    use super::*;

    /// A store in memory that takes no notice of conditions.
    #[derive(Debug, Default)]
    struct Careless(InMemory);

    impl std::fmt::Display for Careless {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Careless")
        }
    }

    #[async_trait::async_trait]
    impl ObjectStore for Careless {
        async fn put_opts(&self, name: &Path, payload: PutPayload, _: PutOptions) -> Result<PutResult> {
            self.0.put_opts(name, payload, PutOptions::default()).await
        }

        async fn put_multipart_opts(
            &self,
            name: &Path,
            options: PutMultipartOptions,
        ) -> Result<Box<dyn MultipartUpload>> {
            self.0.put_multipart_opts(name, options).await
        }

        async fn get_opts(&self, name: &Path, options: GetOptions) -> Result<GetResult> {
            self.0.get_opts(name, options).await
        }

        fn delete_stream(&self, names: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
            self.0.delete_stream(names)
        }

        fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
            self.0.list(prefix)
        }

        async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
            self.0.list_with_delimiter(prefix).await
        }

        async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
            self.0.copy_opts(from, to, options).await
        }
    }

    fn probe() -> Probe {
        Probe { place: "here".to_owned(), name: Path::from("topics/.lakeward-probe-c") }
    }

    #[tokio::test]
    async fn a_store_that_keeps_its_word_is_told_from_one_that_does_not() {
        let honest = InMemory::new();
        assert!(matches!(probe().ask(&honest).await, Finding::Honest));
        assert!(honest.head(&probe().name).await.is_err(), "the probe leaves nothing behind");
        let careless = Careless::default();
        assert!(matches!(probe().ask(&careless).await, Finding::Lies));
        assert!(careless.0.head(&probe().name).await.is_err(), "the probe leaves nothing behind");
    }

    #[tokio::test]
    async fn a_probe_that_stayed_behind_answers_at_once_and_goes() {
        let store = InMemory::new();
        store.put(&probe().name, PutPayload::new()).await.unwrap();
        assert!(matches!(probe().ask(&store).await, Finding::Honest));
        assert!(store.head(&probe().name).await.is_err(), "a worker that was killed left it");
    }
}
