//! Source tasks that may still be alive: who waits for their end, and who does not.

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigMap};
use lakeward_api::source::{SourceConnector, SourceTask, SourceTaskContext};
use lakeward_controlplane_core::config_log::records;
use tokio::sync::oneshot;

use super::*;
use crate::offsets::OffsetChange;

/// Makes as many tasks as it may.
pub(super) struct ProbeSource;

impl SourceConnector for ProbeSource {
    fn class(&self) -> &'static str {
        "test.ProbeSource"
    }

    fn version(&self) -> &str {
        "1"
    }

    fn config_def(&self) -> ConfigDef {
        ConfigDef::default()
    }

    fn task_configs(&self, props: &ConfigMap, tasks_max: u32) -> Result<Vec<ConfigMap>, ConnectError> {
        Ok(vec![props.clone(); tasks_max as usize])
    }

    fn new_task(&self, _: SourceTaskContext) -> Result<Box<dyn SourceTask>, ConnectError> {
        Err(ConnectError::fatal("the probe has no tasks"))
    }
}

/// Brokers that answer when a test says so: the ids they were asked about, and the way to answer.
type Asked = Arc<Mutex<Vec<(Vec<String>, oneshot::Sender<Result<(), ConnectError>>)>>>;

struct Fenced {
    bench: Bench,
    runtime: Arc<Recorder>,
    asked: Asked,
}

impl Fenced {
    /// A worker whose connector `a` ran two tasks before.
    async fn new() -> Self {
        let (runtime, asked) = (Arc::new(Recorder::default()), Asked::default());
        let asks = Arc::clone(&asked);
        let fence: FenceProducers = Arc::new(move |_, ids| {
            let (answer, answered) = oneshot::channel();
            asks.lock().unwrap().push((ids, answer));
            Box::pin(async move { answered.await.unwrap() })
        });
        let settings = [("exactly.once.source.support", "enabled")];
        let as_runtime = Arc::clone(&runtime) as Arc<dyn TaskRuntime>;
        let bench = Bench::of(LEADER, &settings, as_runtime, fence, Arc::default());
        let records = vec![records::task_count("a", 2)];
        bench.store.write_config(records, Barrier::ReadBack).await.unwrap();
        Self { bench, runtime, asked }
    }

    async fn put(&self, tasks_max: &str) -> Result<Answer, RequestError> {
        let config = self.bench.config(&[("connector.class", "ProbeSource"), ("tasks.max", tasks_max)]);
        let existing = Existing::Replace(crate::herder::Expected::Anything);
        let put = PutConnector { name: "a".to_owned(), config, initial_state: None, existing };
        self.bench.request(Command::Put(put)).await
    }

    /// Lets the herder do what it can do now.
    async fn settle(&self) {
        for _ in 0..20 {
            self.bench.request(Command::Ping).await.unwrap();
        }
    }

    fn asked(&self) -> Vec<Vec<String>> {
        self.asked.lock().unwrap().iter().map(|(ids, _)| ids.clone()).collect()
    }

    /// The brokers answer the oldest question.
    async fn answer(&self, answer: Result<(), ConnectError>) {
        let (_, sender) = self.asked.lock().unwrap().remove(0);
        sender.send(answer).unwrap();
        self.settle().await;
    }

    fn recorded(&self) -> Option<i64> {
        self.bench.store.view().config(|state| state.pending_fencing("a")?.1)
    }

    fn request(&self, command: Command) -> JoinHandle<Result<Answer, RequestError>> {
        let herder = self.bench.herder.clone();
        tokio::spawn(async move { herder.request(command).await })
    }

    fn fence(&self) -> JoinHandle<Result<Answer, RequestError>> {
        self.request(Command::Fence { name: "a".to_owned() })
    }
}

#[tokio::test(start_paused = true)]
async fn brokers_that_take_their_time_hold_up_the_tasks_and_nobody_else() {
    let fenced = Fenced::new().await;
    fenced.put("3").await.unwrap();
    fenced.settle().await;
    assert_eq!(fenced.asked(), [["g-a-0", "g-a-1"]], "asked once for all tasks");
    assert_eq!(fenced.runtime.specs().len(), 0);
    let other = fenced.fence();
    fenced.settle().await;
    assert_eq!(fenced.asked().len(), 1, "requests join the round");
    fenced.answer(Ok(())).await;
    assert!(matches!(other.await.unwrap(), Ok(Answer::Done)));
    assert_eq!((fenced.runtime.specs().len(), fenced.recorded()), (3, Some(3)));
    assert!(matches!(fenced.fence().await.unwrap(), Ok(Answer::Done)), "it was done");
    assert_eq!(fenced.asked().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_new_task_set_ends_a_round_and_makes_another() {
    let fenced = Fenced::new().await;
    fenced.put("3").await.unwrap();
    let other = fenced.fence();
    fenced.settle().await;
    fenced.put("4").await.unwrap();
    fenced.settle().await;
    let conflict = "Fencing failed because new task configurations were generated for the connector";
    assert_eq!(other.await.unwrap().unwrap_err(), RequestError::Conflict(conflict.to_owned()));
    assert_eq!(fenced.asked().len(), 2);
    fenced.answer(Ok(())).await;
    assert_eq!(
        (fenced.runtime.specs().len(), fenced.recorded()),
        (0, Some(2)),
        "a late answer counts nothing"
    );
    fenced.answer(Ok(())).await;
    assert_eq!((fenced.runtime.specs().len(), fenced.recorded()), (4, Some(4)));
}

#[tokio::test(start_paused = true)]
async fn brokers_that_refuse_fail_the_tasks_and_the_requests() {
    let fenced = Fenced::new().await;
    fenced.put("3").await.unwrap();
    let other = fenced.fence();
    fenced.settle().await;
    fenced.answer(Err(ConnectError::retriable("no broker"))).await;
    let failed = RequestError::Internal("Failed to perform zombie fencing".to_owned());
    assert_eq!(other.await.unwrap().unwrap_err(), failed);
    fenced.bench.wait_for_task("FAILED").await;
    assert_eq!((fenced.runtime.specs().len(), fenced.recorded()), (0, Some(2)));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_stopped_meanwhile_does_not_start() {
    let fenced = Fenced::new().await;
    fenced.put("3").await.unwrap();
    fenced.settle().await;
    let delete = Command::Delete { name: "a".to_owned(), expected: crate::herder::Expected::Anything };
    fenced.bench.request(delete).await.unwrap();
    fenced.settle().await;
    fenced.answer(Ok(())).await;
    assert_eq!(fenced.runtime.specs().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn offsets_change_after_earlier_tasks_are_fenced() {
    let fenced = Fenced::new().await;
    fenced.put("3").await.unwrap();
    fenced.settle().await;
    fenced.answer(Ok(())).await;
    let stop = Command::Stop { name: "a".to_owned() };
    fenced.bench.request(stop).await.unwrap();
    let reset = || Command::ModifyOffsets { name: "a".to_owned(), change: OffsetChange::Reset };
    let change = fenced.request(reset());
    fenced.settle().await;
    assert_eq!(fenced.asked(), [["g-a-0", "g-a-1", "g-a-2"]]);
    assert!(!change.is_finished());
    fenced.answer(Err(ConnectError::retriable("no broker"))).await;
    let message = "Failed to perform zombie fencing for source connector prior to modifying offsets";
    assert_eq!(change.await.unwrap().unwrap_err(), RequestError::Internal(message.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn only_source_connectors_are_fenced() {
    let fenced = Fenced::new().await;
    let missing = fenced.fence().await.unwrap().unwrap_err();
    assert_eq!(missing, RequestError::NotFound("Connector a not found".to_owned()));
    fenced.bench.create().await.unwrap();
    let sink = fenced.fence().await.unwrap().unwrap_err();
    assert_eq!(sink, RequestError::BadRequest("Connector a is not a source connector".to_owned()));
}
