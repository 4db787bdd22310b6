//! How much memory this process may have and has, as the kernel says. Source: proc(5), cgroups(7).

use std::fs;
use std::path::Path;

use lakeward_api::memory::{Memory, MemoryKind, MemoryShare};

/// What `lakeward.memory.limit` is unless it is set: half of what this process may have, at most 2 GiB, the
/// heap that Kafka Connect's start script asks for.
pub fn default_limit_bytes() -> u64 {
    let read = |path: &str| fs::read_to_string(path).ok();
    let meminfo = read("/proc/meminfo").unwrap_or_default();
    let limits = [
        of_line(&meminfo, "MemTotal:"),
        own_group().and_then(|path| cgroup_limit(Path::new("/sys/fs/cgroup").join(path).as_path())),
        read("/sys/fs/cgroup/memory.max").and_then(|text| text.trim().parse().ok()),
        read("/sys/fs/cgroup/memory/memory.limit_in_bytes").and_then(|text| text.trim().parse().ok()),
    ];
    let most = limits.into_iter().flatten().min();
    most.map_or(USUAL_BYTES, |most| (most / 2).min(USUAL_BYTES))
}

/// Counts what this process holds before there is any data.
pub(crate) fn count_process(memory: &Memory) -> MemoryShare {
    let share = memory.share(MemoryKind::Process);
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    share.set(of_line(&status, "VmRSS:").unwrap_or_default().min(memory.limit_bytes() / 2));
    share
}

/// The group of this process, relative to where groups are.
fn own_group() -> Option<String> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    groups.lines().find_map(|line| line.strip_prefix("0::/")).map(str::to_owned)
}

fn cgroup_limit(group: &Path) -> Option<u64> {
    fs::read_to_string(group.join("memory.max")).ok()?.trim().parse().ok()
}

/// The bytes of a line like `MemTotal:  1024 kB`.
fn of_line(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

const USUAL_BYTES: u64 = 2 << 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_says_what_there_is() {
        assert_eq!(of_line("MemFree: 1 kB\nMemTotal:    2048 kB\n", "MemTotal:"), Some(2 << 20));
        assert_eq!(of_line("MemTotal: many\n", "MemTotal:"), None);
        let limit = default_limit_bytes();
        assert!(limit > 64 << 20 && limit <= USUAL_BYTES, "{limit}");
        let memory = Memory::new(limit);
        let process = count_process(&memory);
        assert!(process.bytes() > 1 << 20 && memory.used_bytes() == process.bytes());
    }
}
