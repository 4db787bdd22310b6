//! Whether an owner goes on with what an earlier one had open of a topic-partition (decision 0018).

use lakeward_api::record::CommittedPosition;

/// True when records from `from` on, which an earlier owner in this process took and did not cut, are the
/// ones to be stored next. `committed` is what the group has, read by a member of its current generation:
/// everything below it is stored. Metadata would be a cut beyond it that somebody decided.
pub fn may_go_on(from: i64, committed: Option<&CommittedPosition>) -> bool {
    committed.is_some_and(|found| found.position.next_offset == from && found.metadata.is_empty())
}
