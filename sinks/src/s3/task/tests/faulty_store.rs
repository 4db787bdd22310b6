//! A store in memory whose requests fail on demand, wait at a gate, and are counted.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures::stream::BoxStream;
use futures::{FutureExt as _, StreamExt as _};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
};
use tokio::sync::Semaphore;

/// What a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Begin,
    Complete,
    List,
    Part,
    Put,
}

/// The store; clones share everything.
#[derive(Clone, Debug)]
pub(super) struct FaultyStore {
    inner: Arc<InMemory>,
    state: Arc<State>,
}

/// Which requests fail, and how.
type Fault = (Request, fn() -> Error);

#[derive(Debug)]
struct State {
    fault: Mutex<Option<Fault>>,
    /// Gates of the single puts to come, in order; a put without one passes.
    gates: Mutex<VecDeque<Arc<Semaphore>>>,
    part_gate: Option<Arc<Semaphore>>,
    begun: AtomicUsize,
    parts: AtomicUsize,
    aborted: AtomicUsize,
    completed: AtomicUsize,
}

impl FaultyStore {
    /// A store that works.
    pub(super) fn new() -> Self {
        Self::with_part_gate(None)
    }

    /// A store whose parts each need a permit of `part_gate`.
    pub(super) fn with_part_gate(part_gate: Option<Arc<Semaphore>>) -> Self {
        let state = State {
            fault: Mutex::default(),
            gates: Mutex::default(),
            part_gate,
            begun: AtomicUsize::new(0),
            parts: AtomicUsize::new(0),
            aborted: AtomicUsize::new(0),
            completed: AtomicUsize::new(0),
        };
        Self { inner: Arc::new(InMemory::new()), state: Arc::new(state) }
    }

    /// Requests of this kind fail from now on.
    pub(super) fn fail(&self, request: Request, error: fn() -> Error) {
        *self.state.fault.lock().unwrap() = Some((request, error));
    }

    /// The next single put without a gate waits for a permit of this one.
    pub(super) fn gate_put(&self) -> Arc<Semaphore> {
        let gate = Arc::new(Semaphore::new(0));
        self.state.gates.lock().unwrap().push_back(Arc::clone(&gate));
        gate
    }

    /// Multipart uploads begun, parts asked for, uploads aborted, uploads completed.
    pub(super) fn counts(&self) -> [usize; 4] {
        let state = &self.state;
        [&state.begun, &state.parts, &state.aborted, &state.completed]
            .map(|count| count.load(Ordering::SeqCst))
    }

    fn check(&self, request: Request) -> Result<()> {
        match *self.state.fault.lock().unwrap() {
            Some((failing, error)) if failing == request => Err(error()),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty")
    }
}

#[async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(&self, name: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let gate = self.state.gates.lock().unwrap().pop_front();
        if let Some(gate) = gate {
            gate.acquire().await.unwrap().forget();
        }
        self.check(Request::Put)?;
        self.inner.put_opts(name, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        name: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.check(Request::Begin)?;
        self.state.begun.fetch_add(1, Ordering::SeqCst);
        let inner = self.inner.put_multipart_opts(name, options).await?;
        Ok(Box::new(FaultyUpload { inner, store: self.clone() }))
    }

    async fn get_opts(&self, name: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(name, options).await
    }

    fn delete_stream(&self, names: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(names)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.check(Request::List) {
            Ok(()) => self.inner.list(prefix),
            Err(err) => futures::stream::once(async { Err(err) }).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

#[derive(Debug)]
struct FaultyUpload {
    inner: Box<dyn MultipartUpload>,
    store: FaultyStore,
}

#[async_trait]
impl MultipartUpload for FaultyUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.store.state.parts.fetch_add(1, Ordering::SeqCst);
        let outcome = self.store.check(Request::Part);
        let gate = self.store.state.part_gate.clone();
        let part = self.inner.put_part(data);
        async move {
            if let Some(gate) = gate {
                gate.acquire().await.unwrap().forget();
            }
            outcome?;
            part.await
        }
        .boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.store.check(Request::Complete)?;
        self.store.state.completed.fetch_add(1, Ordering::SeqCst);
        self.inner.complete().await
    }

    async fn abort(&mut self) -> Result<()> {
        self.store.state.aborted.fetch_add(1, Ordering::SeqCst);
        self.inner.abort().await
    }
}
