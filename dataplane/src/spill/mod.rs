//! Disk space of one task (decision 0010): segments that nobody else can open, freed by the kernel.
//!
//! Owns places and order; how bytes get to a file and back is in `file.rs`. One local future works through
//! the requests, so a load comes after the store that it reads. Must not be used away from its shard.

mod file;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::bridge::Waker;
use lakeward_api::budget::{Budget, Permit};
use lakeward_api::memory::Memory;
use lakeward_api::spill::{Extent, Loading, Segment, SpillDevice};

use crate::bridge::TokioBridge;
use crate::executor;
use file::SpillFile;

/// A segment takes no more when it is this long: small enough that one extent does not hold much.
const SEGMENT_BYTES: u64 = if cfg!(test) { 1 << 20 } else { 64 << 20 };

/// The disk space of one task.
pub(crate) struct Disk(Rc<Inner>);

/// What a disk is made of.
pub(crate) struct DiskSettings {
    /// `lakeward.spill.dir`.
    pub(crate) directory: PathBuf,
    pub(crate) bridge: Arc<TokioBridge>,
    pub(crate) memory: Memory,
    /// Called when something was loaded or failed.
    pub(crate) waker: Waker,
}

struct Inner {
    settings: DiskSettings,
    /// Bytes that are being written.
    writing: Budget,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    /// The segment that is being filled, and where it ends.
    open: Option<(Weak<Space>, u64)>,
    next_segment: u64,
    files: HashMap<u64, Rc<SpillFile>>,
    requests: VecDeque<Request>,
    /// Segments whose extents are all gone.
    gone: Vec<u64>,
    is_working: bool,
    failure: Option<io::Error>,
}

enum Request {
    Load { segment: Rc<dyn Segment>, start: u64, bytes: usize, loading: Loading },
    Store { segment: u64, start: u64, bytes: Vec<u8>, permit: Permit },
}

/// The space of one segment.
struct Space {
    number: u64,
    bytes: std::cell::Cell<u64>,
    disk: Weak<Inner>,
    memory: Memory,
}

impl Segment for Space {
    fn number(&self) -> u64 {
        self.number
    }
}

impl fmt::Debug for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "segment {}", self.number)
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        self.memory.unspilled(self.bytes.get());
        if let Some(disk) = self.disk.upgrade() {
            disk.state.borrow_mut().gone.push(self.number);
            disk.work();
        }
    }
}

impl Disk {
    /// Space of a task; nothing is opened before something is stored.
    pub(crate) fn new(settings: DiskSettings) -> Self {
        let writing = Budget::within(settings.memory.clone(), u64::MAX);
        Self(Rc::new(Inner { settings, writing, state: RefCell::default() }))
    }
}

impl SpillDevice for Disk {
    fn store(&self, bytes: Vec<u8>) -> Extent {
        let extent = self.0.place(bytes.len());
        let permit = self.0.writing.take(bytes.capacity() as u64);
        let request = Request::Store { segment: extent.segment.number(), start: extent.start, bytes, permit };
        self.0.state.borrow_mut().requests.push_back(request);
        self.0.work();
        extent
    }

    fn load(&self, extent: &Extent) -> Loading {
        let loading = Loading::default();
        let request = Request::Load {
            segment: Rc::clone(&extent.segment),
            start: extent.start,
            bytes: extent.bytes,
            loading: loading.clone(),
        };
        self.0.state.borrow_mut().requests.push_back(request);
        self.0.work();
        loading
    }

    fn writing_bytes(&self) -> u64 {
        self.0.writing.used_bytes()
    }

    fn take_failure(&self) -> Option<ConnectError> {
        let failure = self.0.state.borrow_mut().failure.take()?;
        let directory = self.0.settings.directory.display();
        Some(
            ConnectError::retriable(format!(
                "What does not fit into lakeward.memory.limit cannot be kept in lakeward.spill.dir \
                 ({directory}): make room there, or choose another directory"
            ))
            .with_source(failure),
        )
    }
}

impl Inner {
    /// A place for `bytes` behind what is there.
    fn place(self: &Rc<Self>, bytes: usize) -> Extent {
        let mut state = self.state.borrow_mut();
        let open = state.open.take().and_then(|(space, end)| Some((space.upgrade()?, end)));
        let (space, start) = open.filter(|(_, end)| *end < SEGMENT_BYTES).unwrap_or_else(|| {
            let number = state.next_segment;
            state.next_segment += 1;
            let memory = self.settings.memory.clone();
            (Rc::new(Space { number, bytes: 0.into(), disk: Rc::downgrade(self), memory }), 0)
        });
        state.open = Some((Rc::downgrade(&space), start + bytes as u64));
        space.bytes.set(start + bytes as u64);
        self.settings.memory.spilled(bytes as u64);
        Extent { segment: space, start, bytes }
    }

    /// Starts the future that works through the requests, unless it runs.
    fn work(self: &Rc<Self>) {
        if std::mem::replace(&mut self.state.borrow_mut().is_working, true) {
            return;
        }
        let disk = Rc::clone(self);
        executor::spawn_local(async move { disk.run().await });
    }

    async fn run(self: Rc<Self>) {
        loop {
            self.close_gone().await;
            let Some(request) = self.next_request() else { return };
            let failure = match request {
                Request::Store { segment, start, bytes, permit } => {
                    let stored = self.store(segment, start, bytes).await;
                    drop(permit);
                    stored.err()
                }
                Request::Load { segment, start, bytes, loading } if loading.is_wanted() => {
                    let loaded = self.load(segment.number(), start, bytes).await;
                    loaded.map(|bytes| loading.complete(bytes)).err()
                }
                Request::Load { .. } => None,
            };
            if failure.is_some() {
                self.state.borrow_mut().failure = failure;
            }
            self.settings.waker.wake();
        }
    }

    fn next_request(&self) -> Option<Request> {
        let mut state = self.state.borrow_mut();
        let request = state.requests.pop_front();
        state.is_working = request.is_some();
        request
    }

    /// Closes the files of segments that nobody needs; what was to be written there is not written.
    async fn close_gone(&self) {
        loop {
            let file = {
                let mut state = self.state.borrow_mut();
                let Some(number) = state.gone.pop() else { return };
                state.requests.retain(|request| match request {
                    Request::Load { .. } => true,
                    Request::Store { segment, .. } => *segment != number,
                });
                state.files.remove(&number)
            };
            if let Some(file) = file.and_then(Rc::into_inner) {
                file.close().await;
            }
        }
    }

    async fn store(&self, segment: u64, start: u64, bytes: Vec<u8>) -> io::Result<()> {
        let known = self.state.borrow().files.get(&segment).cloned();
        let file = match known {
            Some(file) => file,
            None => {
                let file = Rc::new(SpillFile::open(&self.settings).await?);
                self.state.borrow_mut().files.insert(segment, Rc::clone(&file));
                file
            }
        };
        file.write(bytes, start).await
    }

    async fn load(&self, segment: u64, start: u64, bytes: usize) -> io::Result<Vec<u8>> {
        let file = self.state.borrow().files.get(&segment).cloned();
        // Its store failed, and the task was told.
        let file = file.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        file.read(start, bytes).await
    }
}
