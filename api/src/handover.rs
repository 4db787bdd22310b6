//! What a sink has open of a topic-partition, on its way from one owner to the next in the same process
//! (decision 0018).

use std::any::Any;

use crate::bridge::BridgeFuture;

/// Every record from a position on up to [`OpenState::next_offset`], and nothing else: no cut waits for its
/// decision, and none is to be repeated. Dropping it drops the records: whoever owns the partition next reads
/// them again.
///
/// It may be on any thread while nobody owns it.
pub trait OpenState: Any + Send {
    /// The end of the last cut: the records begin there. `None`: where the assignment began, as nothing was
    /// cut since.
    fn since(&self) -> Option<i64>;

    /// The next record that it takes.
    fn next_offset(&self) -> i64;

    /// Memory that it holds, in bytes; nothing of it is on disk.
    fn bytes(&self) -> u64;

    /// Whether it can still become what it would have become; the store may have refused a part of it.
    fn is_sound(&self) -> bool;

    /// Drops it; over when the store has nothing of it any more.
    fn give_up(self: Box<Self>) -> BridgeFuture;
}
