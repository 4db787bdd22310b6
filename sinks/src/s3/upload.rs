//! Uploads: one future per file on the bridge, fed with finished bytes from the shard. An upload that is not
//! completed may get another owner ([`UploadHandle::part_with`], [`Uploader::adopt`]).
//!
//! A file that fits into one piece is stored with a single put; a larger one becomes a multipart upload with
//! several parts in flight. Objects appear only when everything is stored: a failed, dropped or stopped
//! upload is aborted. The client retries requests by itself; a failure that reaches the outcome is final for
//! this file.

mod piece_size;
mod route;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use lakeward_api::bridge::{Bridge, Waker};
use lakeward_api::budget::{Budget, Permit};
use lakeward_api::failpoint;
use lakeward_api::record::TopicPartition;
use object_store::path::Path;
use object_store::{MultipartUpload, PutOptions, PutPayload, UploadPart};
use tokio::sync::Semaphore;

use super::error::S3SinkError;
use super::store::{Contents, Probe, Store, Sweeper};

use piece_size::PIECES_MAX;
pub(crate) use piece_size::next_piece_bytes;
use route::{Owner, Route};

/// A cut may have thousands of small objects: a task stores this many at a time.
const PUTS_AT_ONCE: usize = 64;

/// Identifies an upload within a task; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct UploadId(pub(crate) u64);

/// How an upload ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) upload: UploadId,
    pub(crate) result: Result<Ending, S3SinkError>,
}

/// How an upload ended without failing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Nothing was stored: the file was dropped or the task stopped.
    Dropped,
    /// The object is stored for good.
    Stored,
}

/// Starts uploads and collects their outcomes. Lives on the shard.
pub(crate) struct Uploader {
    store: Store,
    bridge: Arc<dyn Bridge>,
    waker: Waker,
    in_flight: Budget,
    parts_in_flight: usize,
    /// Turns of objects that are stored with one request.
    turns: Arc<Semaphore>,
    next_upload: u64,
    outcome_sender: flume::Sender<Outcome>,
    outcomes: flume::Receiver<Outcome>,
    /// What stops uploads that got their last bytes.
    completing: HashMap<UploadId, Stop>,
    /// Stops everything that is no upload.
    stop: Option<Stop>,
    stopped: Stopped,
}

/// Nothing is ever sent: closing it stops an upload.
type Stop = flume::Sender<()>;
type Stopped = flume::Receiver<()>;

/// The shard's end of one upload. Dropping it before [`Uploader::complete`] aborts the upload.
pub(crate) struct UploadHandle {
    pub(crate) id: UploadId,
    pieces: flume::Sender<Message>,
    in_flight: Budget,
    stop: Stop,
    route: Route,
    /// Closed when the upload is over.
    over: flume::Receiver<()>,
}

/// Bytes of a file, counted against the budget until they are stored.
struct Piece {
    payload: PutPayload,
    permit: Permit,
}

enum Message {
    Complete { rest: Option<Piece>, contents: Option<Contents> },
    Piece(Piece),
}

impl Uploader {
    /// An uploader to `store`; `parts_in_flight` counts per file.
    pub(crate) fn new(
        store: Store,
        bridge: Arc<dyn Bridge>,
        waker: Waker,
        in_flight: Budget,
        parts_in_flight: usize,
    ) -> Self {
        // Holds at most one outcome per upload, and uploads hold permits.
        let (outcome_sender, outcomes) = flume::unbounded();
        let (stop, stopped) = flume::bounded(1);
        Self {
            store,
            bridge,
            waker,
            in_flight,
            parts_in_flight,
            turns: Arc::new(Semaphore::new(PUTS_AT_ONCE)),
            next_upload: 0,
            outcome_sender,
            outcomes,
            completing: HashMap::new(),
            stop: Some(stop),
            stopped,
        }
    }

    /// Starts the upload of the object `name`.
    pub(crate) fn start(&mut self, name: Path) -> UploadHandle {
        // Not bounded by count: every message holds a permit of the budget that stops the pipeline.
        let (pieces, receiver) = flume::unbounded();
        let (stop, stopped) = flume::bounded(0);
        let file = FileUpload {
            store: self.store.clone(),
            name,
            pieces: receiver,
            stopped,
            parts_in_flight: self.parts_in_flight,
            turns: Arc::clone(&self.turns),
            waker: self.waker.clone(),
        };
        let (id, route) = (self.next_id(), Route::default());
        let over = self.spawn(id, &route, file.run());
        UploadHandle { id, pieces, in_flight: self.in_flight.clone(), stop, route, over }
    }

    /// Goes on with an upload that another task parted with.
    pub(crate) fn adopt(&mut self, upload: UploadHandle) -> UploadHandle {
        let id = self.next_id();
        upload.route.own(self.owner(id));
        UploadHandle { id, in_flight: self.in_flight.clone(), ..upload }
    }

    /// Sends the rest of a file and completes it. It is tagged with `contents`, when that is given and tags
    /// are wanted.
    pub(crate) fn complete(&mut self, upload: UploadHandle, rest: Vec<Bytes>, contents: Option<Contents>) {
        let rest = (!rest.is_empty()).then(|| upload.piece(rest));
        upload.deliver(Message::Complete { rest, contents });
        self.completing.insert(upload.id, upload.stop);
    }

    /// Starts a check of the bucket; its outcome is that of an upload that stores nothing. Behind it the
    /// store is asked what `probe` wants to know, which has no outcome and goes on when the task is stopped:
    /// it is short, and ends with nothing left behind.
    pub(crate) fn check_bucket(&mut self, probe: Option<Probe>) -> UploadId {
        let (store, bridge) = (self.store.clone(), Arc::clone(&self.bridge));
        let id = self.next_id();
        self.spawn(id, &Route::default(), async move {
            store.check_bucket().await?;
            if let Some(probe) = probe {
                bridge.spawn(Box::pin(async move { store.probe(probe).await }));
            }
            Ok(Ending::Dropped)
        });
        id
    }

    /// Starts looking for what earlier tasks left behind in `partitions`. It has no outcome.
    pub(crate) fn sweep(&self, sweeper: &Arc<Sweeper>, partitions: &[TopicPartition]) {
        let (store, sweeper, stopped) = (self.store.clone(), Arc::clone(sweeper), self.stopped.clone());
        let partitions = partitions.to_vec();
        self.bridge.spawn(Box::pin(async move {
            tokio::select! {
                () = store.sweep_orphans(&sweeper, &partitions) => {}
                _ = stopped.recv_async() => {}
            }
        }));
    }

    /// The next outcome, if one arrived.
    pub(crate) fn next_outcome(&mut self) -> Option<Outcome> {
        let outcome = self.outcomes.try_recv().ok()?;
        self.completing.remove(&outcome.upload);
        Some(outcome)
    }

    /// Aborts everything in flight, without waiting. Uploads whose handle is there are aborted with it.
    pub(crate) fn stop(&mut self) {
        self.completing.clear();
        self.stop = None;
    }

    fn next_id(&mut self) -> UploadId {
        let id = UploadId(self.next_upload);
        self.next_upload += 1;
        id
    }

    fn owner(&self, upload: UploadId) -> Owner {
        Owner { upload, outcomes: self.outcome_sender.clone(), waker: self.waker.clone() }
    }

    /// Starts work whose outcome is that of `upload`; what is answered closes when it is over.
    fn spawn(
        &self,
        upload: UploadId,
        route: &Route,
        work: impl Future<Output = Result<Ending, S3SinkError>> + Send + 'static,
    ) -> flume::Receiver<()> {
        route.own(self.owner(upload));
        let (goes_on, over) = flume::bounded::<()>(0);
        let route = route.clone();
        self.bridge.spawn(Box::pin(async move {
            let result = work.await;
            route.tell(result);
            drop(goes_on);
        }));
        over
    }
}

impl UploadHandle {
    /// Sends the next piece of the file; it becomes one part.
    pub(crate) fn send(&self, bytes: Vec<Bytes>) {
        let piece = self.piece(bytes);
        self.deliver(Message::Piece(piece));
    }

    /// Its task gets no outcome any more. False when it was told one: the upload has failed.
    pub(crate) fn part_with(&self) -> bool {
        self.route.disown()
    }

    /// Whether it has not failed.
    pub(crate) fn is_sound(&self) -> bool {
        self.route.is_open()
    }

    /// Aborts the upload; over when the store has nothing of it.
    pub(crate) async fn give_up(self) {
        let over = self.over.clone();
        drop(self);
        // Nothing is sent: the other end goes with the upload.
        over.recv_async().await.ok();
    }

    fn piece(&self, bytes: Vec<Bytes>) -> Piece {
        let length: usize = bytes.iter().map(Bytes::len).sum();
        Piece { payload: bytes.into_iter().collect(), permit: self.in_flight.take(length as u64) }
    }

    /// An upload that failed no longer listens; its outcome says so, and the bytes are given back here.
    fn deliver(&self, message: Message) {
        if self.pieces.send(message).is_err() {
            tracing::debug!(upload = self.id.0, "the upload ended before its last piece");
        }
    }
}

/// The bridge's end of one upload.
struct FileUpload {
    store: Store,
    name: Path,
    pieces: flume::Receiver<Message>,
    stopped: Stopped,
    parts_in_flight: usize,
    turns: Arc<Semaphore>,
    /// A stored piece makes room for what its task encodes next.
    waker: Waker,
}

/// A multipart upload that was begun.
struct Multipart {
    upload: Box<dyn MultipartUpload>,
    parts: FuturesUnordered<PartFuture>,
    parts_count: usize,
}

/// How long parts may take of an upload that is given up.
const PARTS_PATIENCE: Duration = Duration::from_secs(5);

type PartFuture = futures::future::BoxFuture<'static, object_store::Result<()>>;

/// What ended a wait.
enum Event {
    Dropped,
    Message(Message),
    PartStored(object_store::Result<()>),
}

impl FileUpload {
    async fn run(self) -> Result<Ending, S3SinkError> {
        let (mut multipart, mut tags) = (None, None);
        let ending = self.drive(&mut multipart, &mut tags).await;
        if let (Some(Multipart { mut upload, mut parts, .. }), Ok(Ending::Dropped) | Err(_)) =
            (multipart, &ending)
        {
            // A store may keep a part that it gets behind the abort: what is on its way ends first.
            let ended = async { while parts.next().await.is_some() {} };
            if tokio::time::timeout(PARTS_PATIENCE, ended).await.is_err() {
                tracing::debug!(object = %self.name, "parts of a given up upload are left on their way");
            }
            drop(parts);
            failpoint!("sink.upload.before_abort");
            if let Err(err) = upload.abort().await {
                tracing::warn!(error = %err, "upload not aborted; a lifecycle rule may have to remove it");
            }
            failpoint!("sink.upload.after_abort");
        }
        let ending = ending.map_err(|err| self.store.explain(err))?;
        if let (Ending::Stored, Some(contents)) = (ending, tags) {
            self.store.tag(&self.name, contents).await?;
        }
        Ok(ending)
    }

    async fn drive(
        &self,
        multipart: &mut Option<Multipart>,
        tags: &mut Option<Contents>,
    ) -> object_store::Result<Ending> {
        loop {
            match self.next_event(multipart.as_mut()).await {
                Event::Dropped => return Ok(Ending::Dropped),
                Event::PartStored(result) => {
                    result?;
                    self.waker.wake();
                }
                Event::Message(Message::Piece(piece)) => self.put_part(multipart, piece).await?,
                Event::Message(Message::Complete { rest, contents }) => {
                    *tags = contents;
                    let finish = self.complete(multipart, rest);
                    return tokio::select! {
                        result = finish => result.map(|()| Ending::Stored),
                        _ = self.stopped.recv_async() => Ok(Ending::Dropped),
                    };
                }
            }
        }
    }

    /// Waits for the next message or part. New pieces wait while enough parts are in flight.
    async fn next_event(&self, multipart: Option<&mut Multipart>) -> Event {
        let mut none = FuturesUnordered::new();
        let parts = multipart.map_or(&mut none, |multipart| &mut multipart.parts);
        let may_take = parts.len() < self.parts_in_flight;
        tokio::select! {
            biased;
            _ = self.stopped.recv_async() => Event::Dropped,
            Some(result) = parts.next() => Event::PartStored(result),
            message = self.pieces.recv_async(), if may_take => message.map_or(Event::Dropped, Event::Message),
        }
    }

    async fn put_part(&self, multipart: &mut Option<Multipart>, piece: Piece) -> object_store::Result<()> {
        let multipart = match multipart {
            Some(begun) => begun,
            None => {
                failpoint!("sink.upload.before_begin");
                let upload = self.store.begin(&self.name).await?;
                failpoint!("sink.upload.after_begin");
                multipart.insert(Multipart { upload, parts: FuturesUnordered::new(), parts_count: 0 })
            }
        };
        if multipart.parts_count == PIECES_MAX {
            return Err(object_store::Error::NotSupported {
                source: "a file has more parts than S3 allows in one object: rotate earlier (flush.size, \
                         rotate.interval.ms), or give the task more memory, so that parts are larger"
                    .into(),
            });
        }
        multipart.parts_count += 1;
        let part = multipart.upload.put_part(piece.payload);
        multipart.parts.push(Box::pin(store_part(part, piece.permit)));
        Ok(())
    }

    async fn complete(
        &self,
        multipart: &mut Option<Multipart>,
        rest: Option<Piece>,
    ) -> object_store::Result<()> {
        if multipart.is_none() {
            let (payload, _permit) = match rest {
                Some(piece) => (piece.payload, Some(piece.permit)),
                None => (PutPayload::new(), None),
            };
            let _turn = self.turns.acquire().await.expect("nobody closes it");
            failpoint!("sink.upload.before_put");
            self.store.client.put_opts(&self.name, payload, PutOptions::default()).await?;
            failpoint!("sink.upload.after_put");
            return Ok(());
        }
        if let Some(piece) = rest {
            self.put_part(multipart, piece).await?;
        }
        let multipart = multipart.as_mut().expect("checked above");
        while let Some(result) = multipart.parts.next().await {
            result?;
        }
        failpoint!("sink.upload.before_complete");
        multipart.upload.complete().await?;
        failpoint!("sink.upload.after_complete");
        Ok(())
    }
}

/// Stores one part; its bytes count until then.
async fn store_part(part: UploadPart, permit: Permit) -> object_store::Result<()> {
    failpoint!("sink.upload.before_part");
    let result = part.await;
    failpoint!("sink.upload.after_part");
    drop(permit);
    result
}
