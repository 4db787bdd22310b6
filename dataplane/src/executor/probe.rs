//! Which engine this kernel and container allow, found out by starting one.

use std::fs;
use std::str::FromStr;

use glommio::{LocalExecutorBuilder, Placement};

/// What runs the shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// epoll, through tokio's single-threaded executor.
    Epoll,
    /// io_uring, through glommio.
    IoUring,
}

/// The setting `lakeward.engine`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineChoice {
    /// io_uring where it works, epoll elsewhere.
    Auto,
    /// epoll.
    Epoll,
    /// io_uring or no start at all.
    IoUring,
}

impl FromStr for EngineChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "epoll" => Ok(Self::Epoll),
            "io_uring" => Ok(Self::IoUring),
            other => Err(format!("{other} is not an engine; use auto, io_uring or epoll")),
        }
    }
}

/// Decides on the engine. The second value, when present, is what the operator should know.
///
/// # Errors
/// The reason and the remedy, when io_uring was demanded and does not work.
pub fn choose_engine(choice: EngineChoice) -> Result<(Engine, Option<String>), String> {
    if choice == EngineChoice::Epoll {
        return Ok((Engine::Epoll, None));
    }
    let Err(reason) = try_io_uring() else { return Ok((Engine::IoUring, None)) };
    let remedy = format!("io_uring does not work here ({reason}). {}", remedy());
    match choice {
        EngineChoice::IoUring => Err(remedy),
        EngineChoice::Auto | EngineChoice::Epoll => {
            Ok((Engine::Epoll, Some(format!("{remedy} Running on the epoll engine instead."))))
        }
    }
}

fn try_io_uring() -> Result<(), String> {
    let started = std::panic::catch_unwind(|| {
        LocalExecutorBuilder::new(Placement::Unbound)
            .io_memory(super::shard::IO_MEMORY_BYTES)
            .ring_depth(super::shard::RING_DEPTH)
            .spawn(|| async {})
            .map_err(|err| err.to_string())?
            .join()
            .map_err(|err| err.to_string())
    });
    started.unwrap_or_else(|_| Err("the executor panicked while it started".to_owned()))
}

/// What to do, from what can be read about this process.
fn remedy() -> String {
    let disabled = fs::read_to_string("/proc/sys/kernel/io_uring_disabled").unwrap_or_default();
    if disabled.trim().parse::<u8>().is_ok_and(|value| value > 0) {
        return "Set the sysctl kernel.io_uring_disabled to 0.".to_owned();
    }
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let locked = limits.lines().find(|line| line.starts_with("Max locked memory"));
    let soft_bytes = locked.and_then(|line| line.split_whitespace().nth(3)?.parse::<u64>().ok());
    match soft_bytes {
        Some(bytes) if bytes < MEMLOCK_BYTES_MIN => format!(
            "Raise the locked-memory limit from {bytes} to at least {MEMLOCK_BYTES_MIN} bytes (ulimit -l, or \
             LimitMEMLOCK= in the unit)."
        ),
        _ => "Allow the io_uring system calls in the container's seccomp profile.".to_owned(),
    }
}

/// Rings of one shard fit in this much locked memory.
const MEMLOCK_BYTES_MIN: u64 = 512 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epoll_is_never_probed_and_always_available() {
        assert_eq!(choose_engine(EngineChoice::Epoll), Ok((Engine::Epoll, None)));
    }

    #[test]
    fn auto_always_finds_an_engine_and_names_a_fallback() {
        let (engine, note) = choose_engine(EngineChoice::Auto).unwrap();
        assert_eq!(engine == Engine::Epoll, note.is_some());
    }

    #[test]
    fn unknown_engines_are_refused_with_the_choices() {
        assert!("kqueue".parse::<EngineChoice>().unwrap_err().contains("io_uring"));
    }
}
