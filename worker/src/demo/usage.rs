//! What a process has used, as the kernel counts it. Source: proc(5).

use anyhow::{Context, Result};

/// Kernel ticks per second in `/proc/PID/stat`: `USER_HZ`, 100 on every Linux architecture Rust has a std
/// for.
const TICKS_PER_SECOND: f64 = 100.0;

/// Resources of one process since it started.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Usage {
    /// User and system time of all its threads.
    pub(super) cpu_seconds: f64,
    /// Highest resident memory.
    pub(super) peak_rss_bytes: u64,
    /// Resident memory now.
    pub(super) rss_bytes: u64,
}

impl Usage {
    /// Reads the figures of process `pid`.
    pub(super) fn of(pid: u32) -> Result<Self> {
        let read = |name: &str| {
            let path = format!("/proc/{pid}/{name}");
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
        };
        Self::parse(&read("stat")?, &read("status")?).context("the kernel's figures have an unknown shape")
    }

    fn parse(stat: &str, status: &str) -> Option<Self> {
        // The name in parentheses may hold blanks; fields are counted after its end, utime being the 14th of
        // all.
        let fields: Vec<_> = stat.get(stat.rfind(')')? + 1..)?.split_whitespace().collect();
        let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
        let bytes = |name: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(name))?;
            let kibibytes: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
            Some(kibibytes * 1024)
        };
        Some(Self {
            cpu_seconds: (ticks(11)? + ticks(12)?) / TICKS_PER_SECOND,
            peak_rss_bytes: bytes("VmHWM:")?,
            rss_bytes: bytes("VmRSS:")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_past_a_name_with_blanks() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194560 5000 0 3 0 150 25 0 0 20 0 9 0 12345 1000000 2000";
        let usage =
            Usage::parse(stat, "Name:\ta\nVmHWM:\t   2048 kB\nVmRSS:\t 1024 kB\n").expect("known shape");
        assert_eq!(usage, Usage { cpu_seconds: 1.75, peak_rss_bytes: 2 << 20, rss_bytes: 1 << 20 });
        assert_eq!(Usage::parse("nothing", ""), None);
    }
}
