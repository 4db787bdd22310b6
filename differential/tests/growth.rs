//! What hostile input costs grows with its length, not with the square of it. Memory is the most that is
//! allocated at one time, work is CPU time of the thread; both are compared with those of a shorter input.

use lakeward_differential::robustness::{FAMILIES, decoders, thread_time};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Bytes of the shorter input, and how many times longer the other one is.
const BYTES: usize = 1536;
const TIMES: usize = 16;
/// How much more than its share the longer input may cost: the square would be [`TIMES`].
const GENEROUS: usize = 4;
/// Costs of the shorter input below these are taken as these.
const LEAST_NS: u64 = 300_000;
const LEAST_BYTES: usize = 64 * 1024;

/// What one input costs.
#[derive(Debug)]
struct Cost {
    bytes: usize,
    ns: u64,
}

#[test]
fn costs_grow_with_the_input_and_not_faster() {
    let mut problems = Vec::new();
    let mut pairs = 0;
    for decoder in &mut decoders() {
        let name = decoder.name.clone();
        for family in FAMILIES.iter().filter(|family| family.is_for(&name)) {
            let mut cost = |bytes: usize| {
                let input = family.of_size(bytes);
                let before = ALLOCATOR.current_usage();
                ALLOCATOR.reset_peak_usage();
                let start = thread_time();
                decoder.feed(&input);
                let ns = thread_time() - start;
                Cost { bytes: ALLOCATOR.peak_usage().saturating_sub(before), ns }
            };
            // What a decoder makes once is not counted.
            cost(BYTES);
            let (short, mut long) = (cost(BYTES), cost(BYTES * TIMES));
            let share = TIMES * GENEROUS;
            let most_ns = short.ns.max(LEAST_NS) * share as u64;
            // What other processes do to the caches shows in CPU time, too: the least of some runs counts.
            for _ in 0..4 {
                if long.ns > most_ns {
                    long.ns = long.ns.min(cost(BYTES * TIMES).ns);
                }
            }
            let too_slow = long.ns > most_ns;
            if too_slow || long.bytes > short.bytes.max(LEAST_BYTES) * share {
                problems.push(format!("{name} reads {}: {short:?}, {long:?}", family.name()));
            }
            pairs += 1;
        }
    }
    assert!(pairs > 500, "only {pairs} pairs of decoders and families");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
