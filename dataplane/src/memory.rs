//! How much memory this process may have and has, as the kernel says. Source: proc(5), cgroups(7).

use std::fs;
use std::path::Path;
use std::sync::Weak;
use std::time::Duration;

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

/// What this process holds without data: what it held when its data plane started, and its code as far as
/// that has been touched since.
#[derive(Debug)]
pub(crate) struct ProcessMemory {
    share: MemoryShare,
    /// Memory of no file, when the data plane started.
    anonymous_bytes: u64,
}

impl ProcessMemory {
    /// Counts what there is now.
    pub(crate) fn count(memory: &Memory) -> Self {
        let status = status();
        let bytes = |name| of_line(&status, name).unwrap_or_default();
        let anonymous_bytes = bytes("VmRSS:").saturating_sub(bytes(FILES));
        let process = Self { share: memory.share(MemoryKind::Process), anonymous_bytes };
        process.set(bytes(FILES));
        process
    }

    /// Asks again how much of the code is in memory: twice as much when records flow as before. Until
    /// `process` is gone.
    pub(crate) async fn follow(process: Weak<Self>) {
        let mut clock = tokio::time::interval(LOOK);
        loop {
            clock.tick().await;
            let Some(process) = process.upgrade() else { return };
            if let Some(bytes) = of_line(&status(), FILES) {
                process.set(bytes);
            }
        }
    }

    fn set(&self, file_bytes: u64) {
        // Where the limit is hardly more than the process, records must flow all the same.
        self.share.set((self.anonymous_bytes + file_bytes).min(self.share.memory().limit_bytes() / 2));
    }
}

fn status() -> String {
    fs::read_to_string("/proc/self/status").unwrap_or_default()
}

/// Memory that mirrors files: the code of this process.
const FILES: &str = "RssFile:";
const LOOK: Duration = Duration::from_secs(1);

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
        let process = ProcessMemory::count(&memory);
        let bytes = memory.used_bytes();
        assert!(bytes > 1 << 20 && process.anonymous_bytes < bytes, "{bytes}");
        process.set(7 << 20);
        assert_eq!(memory.used_by(MemoryKind::Process), process.anonymous_bytes + (7 << 20));
    }
}
