//! Damaged and hostile inputs to everything that reads outside bytes.

use std::panic::{AssertUnwindSafe, catch_unwind};

use lakeward_differential::Random;
use lakeward_differential::robustness::{decoders, hostile};

/// Inputs per decoder: about a second for all of them without optimisation.
const INPUTS: u64 = 1_500;

#[test]
fn hostile_inputs_neither_panic_nor_grow() {
    let seed = std::env::var("LAKEWARD_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut problems = Vec::new();
    let mut decoders = decoders();
    assert!(decoders.len() > 20, "only {} decoders", decoders.len());
    for index in 0..INPUTS {
        let input = hostile(&mut Random::part(seed, "hostile", index));
        for decoder in &mut decoders {
            let outcome = catch_unwind(AssertUnwindSafe(|| decoder.feed(&input)));
            if outcome.is_err() && problems.len() < 20 {
                let shown: String =
                    input.iter().take(300).copied().collect::<Vec<u8>>().escape_ascii().to_string();
                problems.push(format!("{} input {index} of {} bytes: {shown}", decoder.name, input.len()));
            }
        }
    }
    assert!(problems.is_empty(), "seed {seed}\n{}", problems.join("\n"));
}
