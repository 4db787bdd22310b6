//! The crossing to the allocator: when memory that was freed goes back to the kernel.
//!
//! This is the only unsafe code of the crate. It must stay free of decisions: when memory goes back is
//! decided by `crate::task`.
//!
//! Source: `mi_segment_schedule_purge`, mimalloc 2: what is freed goes back after a delay of 10 ms, each free
//! puts that off by 1 ms, and each use of freed memory begins anew. A busy thread keeps the most that it ever
//! held.

#![allow(
    unsafe_code,
    reason = "the C interface is the purpose of this module; every block states why it is sound"
)]

use std::ffi::{c_int, c_long};
use std::time::Duration;

use libmimalloc_sys as _;

// SAFETY: the functions are declared as in mimalloc.h. `mi_collect` frees nothing that is in use, looks at
// the heap of the calling thread and at what nobody owns, and may be called at any time by any thread.
// `mi_option_set` stores one number, which is read at each free. All of it holds as well in a process whose
// allocator is another one.
unsafe extern "C" {
    safe fn mi_collect(force: bool);
    safe fn mi_option_set(option: c_int, value: c_long);
    #[cfg(test)]
    safe fn mi_option_get(option: c_int) -> c_long;
}

/// Gives what this thread freed back to the kernel. Takes a millisecond or so per 100 MB.
pub(crate) fn give_freed_memory_back() {
    mi_collect(true);
}

/// How long all threads keep what they freed, to use it again without asking the kernel for it.
pub(crate) fn keep_freed_memory(time: Duration) {
    mi_option_set(PURGE_DELAY, c_long::try_from(time.as_millis()).unwrap_or(c_long::MAX));
}

/// `mi_option_purge_delay`, in milliseconds.
const PURGE_DELAY: c_int = 15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_is_the_delay_before_memory_goes_back() {
        // 10 is its documented default; other tests may have set it meanwhile.
        assert!([0, 10, 200].contains(&mi_option_get(PURGE_DELAY)), "another option has this number");
        keep_freed_memory(Duration::from_millis(200));
        assert_eq!(mi_option_get(PURGE_DELAY), 200);
    }
}
