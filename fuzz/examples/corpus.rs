//! Writes the seeds of every fuzz target to `corpus/<target>/`, where cargo-fuzz looks for them.

use std::path::Path;
use std::{fs, io};

use lakeward_differential::robustness::{FUZZ_TARGETS, seeds};

fn main() -> io::Result<()> {
    for (target, _) in FUZZ_TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        fs::create_dir_all(&folder)?;
        for (number, seed) in seeds(target).into_iter().enumerate() {
            fs::write(folder.join(format!("seed-{number}")), seed)?;
        }
    }
    Ok(())
}
