//! Disk space of one task: bytes that wait for the end of their file without holding memory.
//!
//! A device lives on the shard of its task and never blocks it. What is stored is private to the process and
//! gone with it.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use crate::ConnectError;

/// Disk space. Stores and loads happen in the order in which they were asked for.
pub trait SpillDevice {
    /// Stores `bytes`; they count as in flight until they are written. Extents within what is answered may be
    /// loaded at once.
    fn store(&self, bytes: Vec<u8>) -> Extent;

    /// Loads an extent; the task is woken when it is there.
    fn load(&self, extent: &Extent) -> Loading;

    /// Bytes that are not written yet. The task is woken when there are fewer.
    fn writing_bytes(&self) -> u64;

    /// What went wrong since the last call: class `Retriable`. What was stored is lost.
    fn take_failure(&self) -> Option<ConnectError>;
}

/// The space of a segment: it is freed when the last extent of the segment is dropped.
pub trait Segment: fmt::Debug {
    /// For the device that made it.
    fn number(&self) -> u64;
}

/// Bytes on disk.
#[derive(Clone, Debug)]
pub struct Extent {
    /// Keeps the space.
    pub segment: Rc<dyn Segment>,
    /// Where in the segment.
    pub start: u64,
    /// How many.
    pub bytes: usize,
}

impl Extent {
    /// The part of this extent from `start` on.
    ///
    /// # Panics
    /// When it ends beyond this extent.
    #[must_use]
    pub fn part(&self, start: usize, bytes: usize) -> Self {
        assert!(start + bytes <= self.bytes, "a part ends within its extent");
        Self { segment: Rc::clone(&self.segment), start: self.start + start as u64, bytes }
    }
}

/// An extent on its way back.
#[derive(Clone, Debug, Default)]
pub struct Loading(Rc<RefCell<Option<Vec<u8>>>>);

impl Loading {
    /// The bytes, once they are there; answered once.
    pub fn take(&self) -> Option<Vec<u8>> {
        self.0.borrow_mut().take()
    }

    /// The device has read the bytes.
    pub fn complete(&self, bytes: Vec<u8>) {
        *self.0.borrow_mut() = Some(bytes);
    }

    /// Whether anybody still wants them.
    pub fn is_wanted(&self) -> bool {
        Rc::strong_count(&self.0) > 1
    }
}
