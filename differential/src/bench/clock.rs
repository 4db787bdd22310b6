//! CPU time of this thread.

use std::hint::black_box;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::OurTiming;

/// CPU time this thread used so far, in ns.
pub(crate) fn thread_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_nsec.cast_unsigned()
}

/// What it costs to read the clock, in ns: a system call, which some calls on a whole batch are faster than.
fn reading_ns() -> u64 {
    let pair = |_| {
        let start = thread_ns();
        thread_ns() - start
    };
    (0..1000).map(pair).min().unwrap_or_default()
}

/// How long to repeat something, in CPU time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// Before figures count.
    pub(crate) warm_up: Duration,
    /// While they count.
    pub(crate) duration: Duration,
}

impl Clock {
    /// Repeats `call`, which does `items` records of what `prepare` makes. Only `call` and the freeing of its
    /// result are timed, without the cost of looking at the clock.
    pub(crate) fn repeat<I, O>(
        self,
        items: usize,
        mut prepare: impl FnMut() -> I,
        mut call: impl FnMut(I) -> O,
    ) -> OurTiming {
        let reading = reading_ns();
        let mut run = |duration: Duration| {
            let mut timing = OurTiming::default();
            let begin = thread_ns();
            while Duration::from_nanos(thread_ns() - begin) < duration {
                let input = prepare();
                let start = thread_ns();
                let output = black_box(call(black_box(input)));
                let done = thread_ns();
                drop(output);
                let freed = thread_ns();
                timing.items += items as u64;
                timing.call_ns += (done - start).saturating_sub(reading);
                timing.all_ns += (freed - start).saturating_sub(2 * reading);
            }
            timing
        };
        run(self.warm_up);
        run(self.duration)
    }
}
