//! When a sink task is reported as running.

use std::sync::Mutex;

use super::*;

/// What one call of `poll` does.
enum Step {
    /// Nothing is known yet.
    Wait,
    /// The start is over.
    Start,
    /// It fails.
    Fail,
}

/// Takes the steps one after the other, then ends the run.
struct Opening {
    steps: VecDeque<Step>,
    has_started: bool,
    control: Arc<TaskControl>,
}

impl SinkTask for Opening {
    fn has_started(&self) -> bool {
        self.has_started
    }

    fn open(&mut self, _: &[TopicPartition]) -> Result<(), ConnectError> {
        Ok(())
    }

    fn put(&mut self, _: SinkBatch, _: Now) -> Result<(), ConnectError> {
        unreachable!("there is no broker")
    }

    fn poll(&mut self, _: Now) -> Result<(), ConnectError> {
        self.control.wake();
        match self.steps.pop_front() {
            Some(Step::Wait) => {}
            Some(Step::Start) => self.has_started = true,
            Some(Step::Fail) => return Err(ConnectError::fatal("no such file")),
            None => self.control.abandon(),
        }
        Ok(())
    }

    fn take_durable(&mut self, _: &mut Vec<Position>) {}

    fn close(&mut self, _: &[TopicPartition]) {}

    fn is_settled(&self, _: &[TopicPartition]) -> bool {
        true
    }

    fn buffered_bytes(&self) -> u64 {
        0
    }

    fn stop(&mut self) {}
}

/// What a run tells, and how it ends.
fn run(target: TaskTarget, steps: impl IntoIterator<Item = Step>) -> (Vec<TaskEvent>, Result<(), String>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let events = Arc::clone(&told);
    let start = start(runtime.handle().clone(), Arc::new(move |event| events.lock().unwrap().push(event)));
    start.control.set_target(target);
    let control = Arc::clone(&start.control);
    let task = Opening { steps: steps.into_iter().collect(), has_started: false, control };
    executor::enter_without_shard();
    let ended = runtime.block_on(async {
        let mut pipeline = pipeline(&start, Box::new(task)).await;
        pipeline.run(&mut Backoff::new(Duration::ZERO, Duration::ZERO)).await
    });
    let told = told.lock().unwrap().clone();
    (told, ended.map(drop).map_err(|err| err.to_string()))
}

fn id() -> TaskId {
    TaskId { connector: "c".into(), task: 0 }
}

#[test]
fn a_task_whose_start_fails_never_runs() {
    let (told, ended) = run(TaskTarget::Running, [Step::Wait, Step::Fail]);
    assert_eq!((told, ended), (Vec::new(), Err("no such file".to_owned())));
}

#[test]
fn a_task_runs_once_its_start_is_over() {
    let (told, ended) = run(TaskTarget::Running, [Step::Wait, Step::Wait]);
    assert_eq!((told, ended), (Vec::new(), Ok(())), "nobody knows yet");
    let (told, ended) = run(TaskTarget::Running, [Step::Wait, Step::Start, Step::Wait, Step::Fail]);
    assert_eq!(told, [TaskEvent::Running { id: id() }]);
    assert_eq!(ended, Err("no such file".to_owned()));
}

#[test]
fn a_pause_is_told_before_the_start_is_over() {
    let (told, _) = run(TaskTarget::Paused, [Step::Wait, Step::Start]);
    assert_eq!(told, [TaskEvent::Paused { id: id() }]);
}
