//! Disk space in memory, whose loads come back when the test says so.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use lakeward_api::ConnectError;
use lakeward_api::spill::{Extent, Loading, Segment, SpillDevice};

/// A device of segments of one store each.
#[derive(Default)]
pub(super) struct TestDisk {
    segments: RefCell<HashMap<u64, Vec<u8>>>,
    loads: RefCell<Vec<(Extent, Loading)>>,
    gone: Rc<RefCell<Vec<u64>>>,
    /// What a slow disk would say.
    pub(super) writing_bytes: Cell<u64>,
    pub(super) failure: RefCell<Option<ConnectError>>,
}

#[derive(Debug)]
struct TestSegment {
    number: u64,
    gone: Rc<RefCell<Vec<u64>>>,
}

impl Segment for TestSegment {
    fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for TestSegment {
    fn drop(&mut self) {
        self.gone.borrow_mut().push(self.number);
    }
}

impl TestDisk {
    /// Lets everything that was asked for come back; answers how much that was.
    pub(super) fn answer(&self) -> usize {
        let loads = std::mem::take(&mut *self.loads.borrow_mut());
        for (extent, loading) in &loads {
            let segments = self.segments.borrow();
            let start = usize::try_from(extent.start).unwrap();
            loading.complete(segments[&extent.segment.number()][start..start + extent.bytes].to_vec());
        }
        loads.len()
    }

    /// Stores so far, and how many of them nobody needs any more.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.segments.borrow().len(), self.gone.borrow().len())
    }
}

impl SpillDevice for TestDisk {
    fn store(&self, bytes: Vec<u8>) -> Extent {
        let number = self.segments.borrow().len() as u64;
        let length = bytes.len();
        self.segments.borrow_mut().insert(number, bytes);
        let segment = Rc::new(TestSegment { number, gone: Rc::clone(&self.gone) });
        Extent { segment, start: 0, bytes: length }
    }

    fn load(&self, extent: &Extent) -> Loading {
        let loading = Loading::default();
        self.loads.borrow_mut().push((extent.clone(), loading.clone()));
        loading
    }

    fn writing_bytes(&self) -> u64 {
        self.writing_bytes.get()
    }

    fn take_failure(&self) -> Option<ConnectError> {
        self.failure.borrow_mut().take()
    }
}
