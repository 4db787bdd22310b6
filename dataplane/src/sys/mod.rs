//! The crossing to the allocator: memory that a shard freed goes back to the kernel.
//!
//! This is the only unsafe code of the crate. It must stay free of decisions: when memory goes back is
//! decided by `crate::task`.
//!
//! Source: `mi_segment_schedule_purge`, mimalloc 2: what is freed goes back 10 ms later, each free puts that
//! off by 1 ms, and each use of freed memory begins anew. A busy thread keeps the most that it ever held.

#![allow(
    unsafe_code,
    reason = "the C interface is the purpose of this module; every block states why it is sound"
)]

use libmimalloc_sys as _;

// SAFETY: the function is declared as in mimalloc.h. It frees nothing that is in use, looks at the heap of
// the calling thread and at what nobody owns, and may be called at any time by any thread, also in a process
// whose allocator is another one.
unsafe extern "C" {
    safe fn mi_collect(force: bool);
}

/// Gives what this thread freed back to the kernel. Takes a millisecond or so per 100 MB.
pub(crate) fn give_freed_memory_back() {
    mi_collect(true);
}
