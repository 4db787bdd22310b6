//! How much memory this process may have and has, as the kernel says. Source: proc(5), cgroups(7).

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lakeward_api::bridge::Bridge;
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

/// What this process holds beside data: what it held when there was none, its code, which is read in when it
/// runs first, and what clients and threads keep that came with connectors.
pub(crate) struct Process {
    share: MemoryShare,
    /// Heaps and stacks when there was no data.
    private_bytes: u64,
}

impl Process {
    /// Counts before there is any data, and again every second until the answer is dropped.
    pub(crate) fn count(memory: &Memory, bridge: &dyn Bridge) -> Arc<Self> {
        let (resident_bytes, code_bytes) = resident();
        let private_bytes = resident_bytes.saturating_sub(code_bytes);
        let process = Arc::new(Self { share: memory.share(MemoryKind::Process), private_bytes });
        process.set(code_bytes, 0);
        let counted = Arc::downgrade(&process);
        bridge.spawn(Box::pin(async move {
            let mut uncounted = Uncounted::default();
            while let Some(process) = counted.upgrade() {
                let (resident_bytes, code_bytes) = resident();
                process.set(code_bytes, uncounted.look(resident_bytes, process.data_bytes()));
                drop(process);
                tokio::time::sleep(COUNT_INTERVAL).await;
            }
        }));
        process
    }

    /// What others count.
    fn data_bytes(&self) -> u64 {
        self.share.memory().used_bytes().saturating_sub(self.share.bytes())
    }

    fn set(&self, code_bytes: u64, uncounted_bytes: u64) {
        let most = self.share.memory().limit_bytes() / 2;
        self.share.set((self.private_bytes + code_bytes).max(uncounted_bytes).min(most));
    }
}

/// What was resident and not counted as data at each of the last looks.
#[derive(Default)]
struct Uncounted(VecDeque<u64>);

impl Uncounted {
    /// What lasts: the least of the last looks. What comes and goes between two of them are data on their way
    /// and memory that is about to be given back.
    fn look(&mut self, resident_bytes: u64, data_bytes: u64) -> u64 {
        if self.0.len() == LOOKS {
            self.0.pop_front();
        }
        self.0.push_back(resident_bytes.saturating_sub(data_bytes));
        self.0.iter().min().copied().filter(|_| self.0.len() == LOOKS).unwrap_or_default()
    }
}

/// Resident memory of this process, and how much of it files are behind.
fn resident() -> (u64, u64) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bytes = |name| of_line(&status, name).unwrap_or_default();
    (bytes("VmRSS:"), bytes("RssFile:"))
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
const COUNT_INTERVAL: Duration = Duration::from_secs(1);
/// What is resident for so many seconds lasts.
const LOOKS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    struct OnRuntime;

    impl Bridge for OnRuntime {
        fn spawn(&self, future: lakeward_api::bridge::BridgeFuture) {
            drop(tokio::spawn(future));
        }
    }

    #[tokio::test]
    async fn the_kernel_says_what_there_is() {
        assert_eq!(of_line("MemFree: 1 kB\nMemTotal:    2048 kB\n", "MemTotal:"), Some(2 << 20));
        assert_eq!(of_line("MemTotal: many\n", "MemTotal:"), None);
        let limit = default_limit_bytes();
        assert!(limit > 64 << 20 && limit <= USUAL_BYTES, "{limit}");
        let memory = Memory::new(limit);
        let process = Process::count(&memory, &OnRuntime);
        let bytes = process.share.bytes();
        assert!(bytes > process.private_bytes && process.private_bytes > 0 && memory.used_bytes() == bytes);
        process.set(7, 0);
        assert_eq!(memory.used_bytes(), process.private_bytes + 7);
        process.set(7, process.private_bytes + 9);
        assert_eq!(memory.used_bytes(), process.private_bytes + 9);
        let data = memory.share(MemoryKind::Open);
        data.set(5);
        assert_eq!(process.data_bytes(), 5);
        drop(data);
        process.set(u64::MAX / 2, 0);
        assert_eq!(memory.used_bytes(), limit / 2);
        drop(process);
        assert_eq!(memory.used_bytes(), 0);
    }

    #[test]
    fn what_lasts_beside_data_is_the_least_of_the_last_looks() {
        let mut uncounted = Uncounted::default();
        let looks = [(300, 100), (250, 100), (400, 290), (500, 100)];
        assert!(looks.iter().all(|(resident, data)| uncounted.look(*resident, *data) == 0), "too few");
        assert_eq!(uncounted.look(600, 100), 110);
        assert_eq!(uncounted.look(100, 200), 0, "more is counted than there is");
        assert_eq!((0..4).map(|_| uncounted.look(900, 100)).collect::<Vec<_>>(), [0; 4]);
        assert_eq!(uncounted.look(700, 100), 600);
    }
}
