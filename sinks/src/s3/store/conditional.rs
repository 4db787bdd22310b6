//! Whether a store keeps its word about conditions of writes (`If-None-Match`, `ifGenerationMatch`).
//!
//! The Java sinks protect files of scheduled rotation with them; here cuts are decided before they are made
//! (decision 0009), and no file needs it. Who runs the store still wants to know what it does when two
//! writers meet, so every sink of an object store has it asked: once per store and process, when the first
//! task has found its bucket, beside the task and without a part in its fate. What is asked with is an empty
//! object below the top directory that is deleted again. Its name begins with a dot: readers of lakes pass
//! over such names.
//!
//! Objects of one request are asked about first. Where those keep conditions, an upload in parts is completed
//! over the same object: some servers of S3 keep the condition of `PutObject` and forget that of
//! `CompleteMultipartUpload`.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use lakeward_api::metrics::{Conditions, StoreConditions};
use lakeward_objectstore::fault::is_unsupported;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload};

use super::Store;
use crate::s3::config::S3Config;
use crate::s3::error::S3SinkError;

/// Makes objects in parts, as large files are stored.
#[async_trait]
pub(crate) trait InParts: fmt::Debug + Send + Sync {
    /// Makes an empty object by completing an upload, under the condition that there is none of this name.
    /// Nothing is left of the upload otherwise.
    ///
    /// # Errors
    /// `Precondition` or `AlreadyExists` when there is one.
    async fn create(&self, name: &Path) -> Result<(), Error>;
}

/// A store that can be asked.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Identifies server and bucket.
    name: String,
    /// How it is asked about uploads in parts; `None`: it is not.
    in_parts: Option<Arc<dyn InParts>>,
    /// What its conditions protect under this configuration; `None` for nothing of its own.
    protected: Option<&'static str>,
}

impl Place {
    /// That of S3. The Java sink makes conditions with scheduled rotation, and without objects of keys and
    /// headers.
    pub(super) fn of(config: &S3Config) -> Self {
        let is_scheduled = config.settings.connector.rotate_schedule_interval_ms > 0;
        let has_companions = config.companion.store_keys || config.companion.store_headers;
        let is_relied_on = config.asks_for_conditions && is_scheduled && !has_companions;
        let server = config.store_url.as_deref().unwrap_or(&config.bucket.region);
        Self {
            name: format!("{server} {}", config.bucket.bucket),
            in_parts: None,
            protected: is_relied_on.then_some(
                "files of Lakeward need no conditions; those of Java workers on this bucket are not \
                 protected by enable.conditional.writes",
            ),
        }
    }

    /// That of a client which makes conditions itself when `is_conditional`.
    pub(crate) fn seen_by(name: String, is_conditional: bool) -> Self {
        let protected = is_conditional.then_some(
            "no record is lost or stored twice by that; enable.conditional.writes cannot keep another writer \
             from replacing an object unseen",
        );
        Self { name, in_parts: None, protected }
    }

    /// The same, which can be asked about uploads in parts.
    pub(crate) fn with_parts(mut self, in_parts: Arc<dyn InParts>) -> Self {
        self.in_parts = Some(in_parts);
        self
    }
}

/// A question to a store.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    asked: Arc<Asked>,
    object: Path,
    in_parts: Option<Arc<dyn InParts>>,
    protected: Option<&'static str>,
}

/// What is known about a store, and whether somebody asks or asked it.
#[derive(Debug)]
struct Asked {
    is_taken: AtomicBool,
    conditions: Arc<StoreConditions>,
}

/// What is found out in one go.
struct Findings {
    writes: Finding,
    /// `None`: not asked.
    completions: Option<Finding>,
}

/// What an answer means.
#[derive(Debug)]
enum Finding {
    /// An existing object was not replaced.
    Honest,
    /// It was, although the request forbade it.
    Lies,
    /// The question itself failed.
    Unknown(Error),
    /// The store knows no such requests.
    Unsupported,
}

impl Store {
    /// What is known about this store's conditions, and the question if a task may have to ask it. `home` is
    /// the directory of its objects, empty for none.
    pub(crate) fn conditions(&self, home: &str, is_wanted: bool) -> (Arc<StoreConditions>, Option<Probe>) {
        let not_asked = |why| (Arc::new(StoreConditions::new(Conditions::NotAsked(why))), None);
        let Some(place) = &self.place else { return not_asked("not an object store") };
        if !is_wanted {
            return not_asked("lakeward.probe.conditional.writes is false");
        }
        let object = match Path::parse(home) {
            Ok(home) => home.join(OBJECT),
            Err(_) => return not_asked("objects have no directory that a probe could be in"),
        };
        let asked = Asked::of(&place.name);
        let conditions = Arc::clone(&asked.conditions);
        let (in_parts, protected) = (place.in_parts.clone(), place.protected);
        (conditions, Some(Probe { asked, object, in_parts, protected }))
    }

    /// Asks unless somebody did. Without an answer the next task asks again.
    pub(crate) async fn probe(&self, probe: Probe) {
        if probe.asked.is_taken.swap(true, Ordering::Relaxed) {
            return;
        }
        let Findings { writes, completions } = probe.ask(&*self.client).await;
        let writes = self.conditions_of(writes, &probe.object);
        self.tell(&writes, &WRITES, probe.protected);
        let completions = match completions {
            Some(found) => {
                let found = self.conditions_of(found, &probe.object);
                self.tell(&found, &COMPLETIONS, probe.protected);
                found
            }
            None => {
                Conditions::NotAsked("objects of one request do not keep conditions, or are all there is")
            }
        };
        let is_open = [&writes, &completions].iter().any(|one| matches!(one, Conditions::Unknown(_)));
        probe.asked.conditions.set(writes, completions);
        if is_open {
            probe.asked.is_taken.store(false, Ordering::Relaxed);
        }
    }

    fn conditions_of(&self, finding: Finding, object: &Path) -> Conditions {
        match finding {
            Finding::Honest => Conditions::Honoured,
            Finding::Lies => Conditions::Ignored,
            Finding::Unsupported => {
                Conditions::Unsupported("the store answers 501 Not Implemented".to_owned())
            }
            Finding::Unknown(err) => {
                tracing::debug!(%object, error = %err, "a question about conditions failed");
                Conditions::Unknown(self.why_unknown(object, err))
            }
        }
    }

    /// In the words of errors, without those of the client.
    fn why_unknown(&self, object: &Path, err: Error) -> String {
        match self.explain(err) {
            S3SinkError::AccessDenied { .. } => format!(
                "the identity may not create {object}: allow it, or set lakeward.probe.conditional.writes to \
                 false"
            ),
            err => err.to_string(),
        }
    }

    /// A person must act only where something relies on the store's word and it does not keep it. Who may not
    /// ask is not bothered with that: the answer of `/connectors/{name}/delivery` has the cause.
    fn tell(&self, found: &Conditions, words: &Words, protected: Option<&'static str>) {
        let (bucket, cause, kind) = (&*self.bucket, found.cause().unwrap_or_default(), words.kind);
        let finding = match found {
            Conditions::Ignored => words.lie,
            Conditions::Unsupported(_) => "the store knows no conditions of such requests",
            Conditions::Unknown(_) => "the store did not answer whether it honours conditions",
            Conditions::Asking | Conditions::Honoured | Conditions::NotAsked(_) => {
                tracing::debug!(bucket, kind, "the store honours conditions");
                return;
            }
        };
        match (found, protected) {
            (Conditions::Unknown(_), _) => tracing::debug!(bucket, kind, cause, "{finding}"),
            (_, Some(meaning)) => tracing::warn!(bucket, kind, cause, meaning, "{finding}"),
            (_, None) => tracing::info!(bucket, kind, cause, "{finding}; delivery does not depend on it"),
        }
    }
}

/// What lines in the log say about a kind of request.
struct Words {
    kind: &'static str,
    lie: &'static str,
}

const WRITES: Words =
    Words { kind: "conditional writes", lie: "the store replaced an object although the request forbade it" };
const COMPLETIONS: Words = Words {
    kind: "conditional completions of uploads",
    lie: "the store replaced an object by an upload whose completion forbade it",
};

impl Asked {
    /// What is shared by all that write to `place`.
    fn of(place: &str) -> Arc<Self> {
        let mut known = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = known.entry(place.to_owned()).or_insert_with(|| {
            let conditions = Arc::new(StoreConditions::new(Conditions::Asking));
            Arc::new(Self { is_taken: AtomicBool::new(false), conditions })
        });
        Arc::clone(asked)
    }
}

impl Probe {
    async fn ask(&self, client: &dyn ObjectStore) -> Findings {
        let found = self.ask_with(client, &self.object).await;
        if !found.lies() {
            return found;
        }
        // Another worker may have deleted the object in between: nobody else knows this name.
        let own = RandomState::new().build_hasher().finish();
        let object = Path::parse(format!("{}-{own:016x}", self.object));
        self.ask_with(client, &object.expect("a name with letters and digits added is one")).await
    }

    async fn ask_with(&self, client: &dyn ObjectStore, object: &Path) -> Findings {
        let (writes, is_there) = create_twice(client, object).await;
        let completions = match (&writes, &self.in_parts) {
            (Finding::Honest, Some(in_parts)) => {
                Some(Finding::of(in_parts.create(object).await).unwrap_or(Finding::Lies))
            }
            _ => None,
        };
        if is_there {
            delete(client, object).await;
        }
        Findings { writes, completions }
    }
}

impl Findings {
    fn lies(&self) -> bool {
        [Some(&self.writes), self.completions.as_ref()].iter().any(|one| matches!(one, Some(Finding::Lies)))
    }
}

impl Finding {
    /// What the answer to a request means whose object must not be there; `None`: it was made.
    fn of<T>(answer: Result<T, Error>) -> Option<Self> {
        match answer {
            Ok(_) => None,
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Some(Self::Honest),
            Err(err) if is_unsupported(&err) => Some(Self::Unsupported),
            Err(err) => Some(Self::Unknown(err)),
        }
    }
}

/// Creates an object that must not be there when it is created again. Answers whether there may be one.
async fn create_twice(client: &dyn ObjectStore, object: &Path) -> (Finding, bool) {
    let mut created_count = 0;
    let finding = loop {
        if created_count == 2 {
            break Finding::Lies;
        }
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match Finding::of(client.put_opts(object, PutPayload::new(), options).await) {
            Some(finding) => break finding,
            None => created_count += 1,
        }
    };
    // One that a dead worker left is taken away, too. Whoever asks right now makes it again.
    let is_there = created_count > 0 || matches!(finding, Finding::Honest);
    (finding, is_there)
}

async fn delete(client: &dyn ObjectStore, object: &Path) {
    match client.delete(object).await {
        // Gone already: another worker asks, too.
        Ok(()) | Err(Error::NotFound { .. }) => {}
        Err(err) => tracing::info!(
            %object, error = %err,
            "the empty object that asked about conditional writes cannot be deleted and stays"
        ),
    }
}

/// One name for all: who may not delete leaves one object behind, not one per connector.
const OBJECT: &str = ".lakeward-probe";

/// Stores that were asked: one entry each, as long as the process lives.
static PLACES: Mutex<BTreeMap<String, Arc<Asked>>> = Mutex::new(BTreeMap::new());

#[cfg(test)]
mod tests {
    use futures::stream::{BoxStream, StreamExt as _};
    use lakeward_objectstore::fault::failed;
    use object_store::memory::InMemory;
    use object_store::{
        CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, PutMultipartOptions,
        PutResult, Result,
    };

    use super::*;

    /// A store in memory that takes no notice of conditions, or refuses every write with this status.
    #[derive(Debug, Default)]
    struct Odd {
        objects: InMemory,
        refusal: Option<u16>,
    }

    impl std::fmt::Display for Odd {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Odd")
        }
    }

    #[async_trait::async_trait]
    impl ObjectStore for Odd {
        async fn put_opts(&self, name: &Path, payload: PutPayload, _: PutOptions) -> Result<PutResult> {
            match self.refusal.map(|status| http::StatusCode::from_u16(status).unwrap()) {
                Some(status) => Err(failed("storing an object", status, b"")),
                None => self.objects.put_opts(name, payload, PutOptions::default()).await,
            }
        }

        async fn put_multipart_opts(
            &self,
            name: &Path,
            options: PutMultipartOptions,
        ) -> Result<Box<dyn MultipartUpload>> {
            self.objects.put_multipart_opts(name, options).await
        }

        async fn get_opts(&self, name: &Path, options: GetOptions) -> Result<GetResult> {
            self.objects.get_opts(name, options).await
        }

        fn delete_stream(&self, names: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
            self.objects.delete_stream(names)
        }

        fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
            self.objects.list(prefix)
        }

        async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
            self.objects.list_with_delimiter(prefix).await
        }

        async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
            self.objects.copy_opts(from, to, options).await
        }
    }

    /// Completions that come to this: the object is made, or the store's error.
    struct Completing(fn() -> Result<()>);

    impl fmt::Debug for Completing {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Completing")
        }
    }

    #[async_trait]
    impl InParts for Completing {
        async fn create(&self, name: &Path) -> Result<()> {
            assert!(name.as_ref().contains(OBJECT));
            (self.0)()
        }
    }

    const PROBE: &str = "topics/.lakeward-probe";

    /// A store over `client` that nobody asked yet.
    fn place(client: impl ObjectStore, name: &str) -> Store {
        Store::over(Arc::new(client)).at(Place::seen_by(name.to_owned(), false))
    }

    async fn asked(store: &Store) -> Conditions {
        let (conditions, probe) = store.conditions("topics", true);
        store.probe(probe.expect("it is a store")).await;
        conditions.get()
    }

    #[tokio::test]
    async fn a_store_that_keeps_its_word_is_told_from_one_that_does_not() {
        let honest = place(InMemory::new(), "honest");
        assert_eq!(honest.conditions("topics", true).0.get(), Conditions::Asking);
        assert_eq!(asked(&honest).await, Conditions::Honoured);
        assert!(honest.client.head(&Path::from(PROBE)).await.is_err(), "the probe leaves nothing behind");
        let careless = place(Odd::default(), "careless");
        assert_eq!(asked(&careless).await, Conditions::Ignored);
        assert!(careless.client.list(None).next().await.is_none(), "the probe leaves nothing behind");
    }

    #[tokio::test]
    async fn a_probe_that_stayed_behind_answers_at_once_and_goes() {
        let store = place(InMemory::new(), "left-behind");
        store.client.put(&Path::from(PROBE), PutPayload::new()).await.unwrap();
        assert_eq!(asked(&store).await, Conditions::Honoured);
        assert!(store.client.head(&Path::from(PROBE)).await.is_err(), "a worker that was killed left it");
    }

    #[tokio::test]
    async fn a_store_is_asked_once_and_again_only_without_an_answer() {
        let first = place(InMemory::new(), "once");
        assert_eq!(asked(&first).await, Conditions::Honoured);
        let same = place(Odd::default(), "once");
        assert_eq!(asked(&same).await, Conditions::Honoured, "what is known is shared");
        let refused = place(Odd { refusal: Some(403), ..Odd::default() }, "again");
        let Conditions::Unknown(cause) = asked(&refused).await else { panic!("nothing was found") };
        assert!(cause.contains(PROBE) && cause.contains("lakeward.probe.conditional.writes"), "{cause}");
        assert_eq!(asked(&place(InMemory::new(), "again")).await, Conditions::Honoured);
    }

    #[tokio::test]
    async fn a_store_that_knows_no_conditions_says_so() {
        let found = asked(&place(Odd { refusal: Some(501), ..Odd::default() }, "old")).await;
        assert_eq!(found.name(), "unsupported");
    }

    /// What is found of writes and completions where those come to `completing`.
    async fn completed(name: &str, client: impl ObjectStore, completing: fn() -> Result<()>) -> [String; 2] {
        let place = Place::seen_by(name.to_owned(), false).with_parts(Arc::new(Completing(completing)));
        let store = Store::over(Arc::new(client)).at(place);
        let (conditions, probe) = store.conditions("topics", true);
        store.probe(probe.expect("it is a store")).await;
        assert!(store.client.list(None).next().await.is_none(), "the probe leaves nothing behind");
        [conditions.get(), conditions.completions()].map(|found| found.name().to_owned())
    }

    #[tokio::test]
    async fn a_store_that_keeps_conditions_of_small_objects_only_is_found_out() {
        let refused = || Err(failed("completing", http::StatusCode::PRECONDITION_FAILED, b""));
        let unknown = || Err(failed("completing", http::StatusCode::NOT_IMPLEMENTED, b""));
        let denied = || Err(failed("completing", http::StatusCode::FORBIDDEN, b""));
        for (completing, expected) in [
            ((|| Ok(())) as fn() -> Result<()>, "ignored"),
            (refused, "honoured"),
            (unknown, "unsupported"),
            (denied, "unknown"),
        ] {
            let name = format!("completions-{expected}");
            assert_eq!(completed(&name, InMemory::new(), completing).await, ["honoured", expected]);
        }
        let careless = completed("careless-of-all", Odd::default(), || unreachable!("not asked")).await;
        assert_eq!(careless, ["ignored", "not_asked"]);
    }

    #[test]
    fn nobody_asks_what_is_no_store_or_must_not_be_asked() {
        let store = place(InMemory::new(), "unwanted");
        let (conditions, probe) = store.conditions("topics", false);
        assert_eq!((conditions.get().name(), probe.is_none()), ("not_asked", true));
        let (conditions, probe) = Store::over(Arc::new(InMemory::new())).conditions("topics", true);
        assert_eq!((conditions.get().name(), probe.is_none()), ("not_asked", true));
    }
}
