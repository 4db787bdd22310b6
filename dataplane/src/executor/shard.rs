//! One shard: a pinned thread, its executor, and the mailbox through which it gets tasks.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use glommio::{Latency, LocalExecutorBuilder, Placement, Shares};

use super::pulse::{Pulse, PulseThread};
use super::{Engine, LOCAL, Local};

/// Registered buffer memory per shard: file IO here is small and rare.
pub(super) const IO_MEMORY_BYTES: usize = 1 << 20;
pub(super) const RING_DEPTH: usize = 64;
/// How soon a shard turns to a task that was woken from another thread: see ARCHITECTURE.md, "Wake-ups".
const WAKE_LATENCY: Duration = Duration::from_millis(1);
/// A worker that takes a cluster over starts all its tasks at once.
const MAILBOX_COMMANDS_MAX: usize = 1 << 16;

/// What a shard is asked to do. Values move whole; nothing is shared.
pub struct ShardCommand(Box<dyn FnOnce() + Send>);

impl ShardCommand {
    /// Runs `work` on the shard; it may start local tasks.
    pub fn new(work: impl FnOnce() + Send + 'static) -> Self {
        Self(Box::new(work))
    }
}

/// A running shard. Dropping it drops its tasks and waits for its thread.
pub struct Shard {
    mailbox: Option<flume::Sender<ShardCommand>>,
    thread: Option<JoinHandle<()>>,
    load: Arc<AtomicUsize>,
    // Beats until the shard's thread has ended: fields are dropped after `drop` has joined it.
    _pulse: Option<PulseThread>,
}

impl Shard {
    /// Starts shard `index` on `engine`, pinned to its core where the system allows it.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(index: usize, engine: Engine) -> Result<Self, std::io::Error> {
        let (mailbox, commands) = flume::bounded::<ShardCommand>(MAILBOX_COMMANDS_MAX);
        let name = format!("shard-{index}");
        let pulse_thread = match engine {
            Engine::Epoll => None,
            Engine::IoUring => Some(PulseThread::start(index)?),
        };
        let pulse = pulse_thread.as_ref().map(PulseThread::pulse);
        let thread = thread::Builder::new().name(name).spawn(move || match pulse {
            None => run_epoll(commands),
            Some(pulse) => run_uring(index, pulse, commands),
        })?;
        Ok(Self {
            mailbox: Some(mailbox),
            thread: Some(thread),
            load: Arc::new(AtomicUsize::new(0)),
            _pulse: pulse_thread,
        })
    }

    /// Hands a command over without waiting; `false` when the shard is gone or its mailbox is full.
    #[must_use]
    pub fn send(&self, command: ShardCommand) -> bool {
        self.mailbox.as_ref().is_some_and(|mailbox| mailbox.try_send(command).is_ok())
    }

    /// Tasks placed on this shard.
    pub(crate) fn load(&self) -> usize {
        self.load.load(Ordering::Acquire)
    }

    /// Counts a task on this shard until the guard is dropped.
    pub(crate) fn place(&self) -> Placed {
        self.load.fetch_add(1, Ordering::AcqRel);
        Placed(Arc::clone(&self.load))
    }
}

impl Drop for Shard {
    fn drop(&mut self) {
        // Closing the mailbox ends the shard's main future, and with it the executor.
        drop(self.mailbox.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a shard ended by a panic");
        }
    }
}

/// A task's place on a shard.
pub(crate) struct Placed(Arc<AtomicUsize>);

impl Drop for Placed {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

async fn serve(commands: flume::Receiver<ShardCommand>) {
    while let Ok(command) = commands.recv_async().await {
        (command.0)();
    }
}

fn run_epoll(commands: flume::Receiver<ShardCommand>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime without IO needs nothing that can be denied");
    LOCAL.set(Some(Local::Epoll));
    tokio::task::LocalSet::new().block_on(&runtime, serve(commands));
}

fn run_uring(index: usize, pulse: Pulse, commands: flume::Receiver<ShardCommand>) {
    let placement = core_for(index).map_or(Placement::Unbound, Placement::Fixed);
    let build = |placement| {
        LocalExecutorBuilder::new(placement).io_memory(IO_MEMORY_BYTES).ring_depth(RING_DEPTH).make()
    };
    let executor = build(placement).or_else(|err| {
        tracing::warn!(shard = index, error = %err, "core cannot be pinned; the shard floats");
        build(Placement::Unbound)
    });
    let executor = executor.expect("the same executor started when the engine was chosen");
    executor.run(async move {
        // Wake-ups from other threads must not wait for a whole quantum of other queues.
        let latency = Latency::Matters(WAKE_LATENCY);
        let queue = glommio::executor().create_task_queue(Shares::default(), latency, "tasks");
        LOCAL.set(Some(Local::Uring(queue)));
        glommio::spawn_local_into(pulse.beat(), queue).expect("the queue was just created").detach();
        let served = glommio::spawn_local_into(serve(commands), queue);
        served.expect("the queue was created on this executor").await;
    });
}

/// The core for shard `index`: the last allowed ones first, so that core 0 (interrupts) is used last.
fn core_for(index: usize) -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    let cores = parse_core_list(list.trim());
    let position = cores.len().checked_sub(1 + index % cores.len().max(1))?;
    cores.get(position).copied()
}

/// Parses `0-3,8,10-11`.
fn parse_core_list(list: &str) -> Vec<usize> {
    let mut cores = Vec::new();
    for range in list.split(',').filter(|range| !range.is_empty()) {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        if let (Ok(first), Ok(last)) = (first.parse::<usize>(), last.parse::<usize>()) {
            cores.extend(first..=last);
        }
    }
    cores
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_lists_are_ranges_and_single_cores() {
        assert_eq!(parse_core_list("0-2,5,7-8"), [0, 1, 2, 5, 7, 8]);
        assert_eq!(parse_core_list(""), Vec::<usize>::new());
    }

    fn runs_commands(engine: Engine) {
        let shard = Shard::start(0, engine).unwrap();
        let (answer, answers) = flume::bounded(1);
        assert!(shard.send(ShardCommand::new(move || {
            super::super::spawn_local(async move {
                super::super::sleep(Duration::from_millis(1)).await;
                super::super::yield_now().await;
                answer.send(thread::current().id()).unwrap();
            });
        })));
        assert_ne!(answers.recv().unwrap(), thread::current().id());
    }

    #[test]
    fn both_engines_run_local_tasks_on_their_own_thread() {
        runs_commands(Engine::Epoll);
        let (engine, _) = super::super::choose_engine(super::super::EngineChoice::Auto).unwrap();
        runs_commands(engine);
    }
}
