//! Records on their way: what fails for now is tried again, in its turn and within its time.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use lakeward_api::batch::Values;
use lakeward_api::converter::{Converter, Decoded, Encoded, HeaderConverter};
use lakeward_api::header::HeaderRows;
use lakeward_api::metrics::ErrorCounters;
use lakeward_api::plugin::PluginRegistry;
use lakeward_api::schema::Schema;
use lakeward_api::value::Value;
use lakeward_transforms::Chain;

use super::*;

/// Fails rows by their text: `x` for good, others for as many calls as they have left.
struct Picky {
    busy: HashMap<&'static str, usize>,
}

impl Converter for Picky {
    fn decode(&mut self, _topic: &str, _payloads: &[Option<&[u8]>]) -> Result<Decoded, ConnectError> {
        unreachable!("a source does not read")
    }

    fn encode(&mut self, _topic: &str, values: &Values) -> Result<Encoded, ConnectError> {
        let mut encoded = Encoded::default();
        let rows = values.dynamic().map(|rows| rows.into_owned());
        let rows = rows.unwrap_or_else(|| vec![Value::Null; values.rows()]);
        for value in rows {
            let Value::String(text) = value else {
                encoded.push_null();
                continue;
            };
            let outcome = match self.busy.get_mut(&*text) {
                _ if &*text == "x" => Err(ConnectError::data("bad")),
                Some(left) if *left > 0 => {
                    *left -= 1;
                    Err(ConnectError::retriable("busy"))
                }
                _ => Ok(()),
            };
            encoded.push(|out| {
                out.extend_from_slice(text.as_bytes());
                outcome
            });
        }
        Ok(encoded)
    }
}

struct NoHeaders;

impl HeaderConverter for NoHeaders {
    fn decode(
        &mut self,
        _topic: &str,
        _name: &str,
        _payload: Option<&[u8]>,
    ) -> Result<(Option<Arc<Schema>>, Value), ConnectError> {
        unreachable!("a source does not read")
    }

    fn encode(
        &mut self,
        _topic: &str,
        _name: &str,
        _schema: Option<&Schema>,
        _value: &Value,
    ) -> Result<Option<bytes::Bytes>, ConnectError> {
        unreachable!("no record has headers")
    }
}

struct Rig {
    outbox: Outbox,
    converters: Converters,
    judge: Judge,
    errors: Arc<ErrorCounters>,
    now: Instant,
}

/// One step, as a test names it.
#[derive(Debug, PartialEq)]
enum Seen {
    Done,
    Failed(String),
    Pause(u128),
    Sent(String, usize),
    Skipped(usize),
}

impl Rig {
    fn new(busy: &[(&'static str, usize)], config: &[(&str, &str)]) -> Self {
        let config: ConfigMap =
            config.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let errors: Arc<ErrorCounters> = Arc::default();
        let plugins = PluginRegistry::default();
        Self {
            outbox: Outbox::new(&config),
            converters: Converters {
                key: Box::new(Picky { busy: HashMap::new() }),
                value: Box::new(Picky { busy: busy.iter().copied().collect() }),
                header: Box::new(NoHeaders),
                chain: Chain::from_config(&ConfigMap::new(), &plugins).unwrap().of_source(),
                classes: Default::default(),
                for_sink: Default::default(),
            },
            judge: Judge::of("c-0", &config, &plugins, Arc::clone(&errors)),
            errors,
            now: Instant::now(),
        }
    }

    fn fill(&mut self, batches: &[&[&str]]) {
        let batch = |texts: &&[&str]| SourceBatch {
            topic: "t".into(),
            partition: None,
            timestamps_ms: vec![None; texts.len()],
            keys: Values::Null { rows: texts.len() },
            values: Values::Dynamic(texts.iter().map(|text| Value::String((*text).into())).collect()),
            headers: HeaderRows::default(),
            positions: vec![
                SourcePosition { partition: Arc::new(Value::Null), offset: Arc::new(Value::Null) };
                texts.len()
            ],
        };
        self.outbox.fill(batches.iter().map(batch).collect());
    }

    fn step(&mut self) -> Seen {
        match self.outbox.step(&mut self.converters, &mut self.judge, self.now) {
            Err(error) => Seen::Failed(error.trace()),
            Ok(Step::Finished) => Seen::Done,
            Ok(Step::Retry(due)) => Seen::Pause((due - self.now).as_millis()),
            Ok(Step::Skipped(number, _)) => Seen::Skipped(number),
            Ok(Step::Waiting) => unreachable!("the converters need no network"),
            Ok(Step::Ready) => {
                let next = self.outbox.record();
                let value = next.prepared.value(next.row).unwrap();
                let seen = Seen::Sent(String::from_utf8(value.to_vec()).unwrap(), next.number);
                self.outbox.sent();
                seen
            }
        }
    }

    /// Steps until the poll is done; pauses pass at once.
    fn all(&mut self) -> Vec<Seen> {
        let mut all = Vec::new();
        loop {
            match self.step() {
                Seen::Done => return all,
                Seen::Pause(ms) => {
                    self.now += Duration::from_millis(u64::try_from(ms).unwrap());
                    all.push(Seen::Pause(ms));
                }
                seen => all.push(seen),
            }
        }
    }

    fn counts(&self) -> [u64; 4] {
        let errors = &self.errors;
        [&errors.record_failures, &errors.record_errors, &errors.records_skipped, &errors.retries]
            .map(|counter| counter.load(Ordering::Relaxed))
    }
}

fn sent(text: &str, number: usize) -> Seen {
    Seen::Sent(text.to_owned(), number)
}

#[test]
fn a_record_that_fails_for_now_is_tried_again_and_nothing_overtakes_it() {
    let mut rig = Rig::new(&[("r", 2)], &[("errors.retry.timeout", "5000")]);
    rig.fill(&[&["a", "r", "b"], &["c"]]);
    assert_eq!(
        rig.all(),
        [sent("a", 0), Seen::Pause(300), Seen::Pause(600), sent("r", 1), sent("b", 2), sent("c", 3)]
    );
    assert_eq!(rig.counts(), [2, 0, 0, 2]);
    assert!(rig.outbox.is_empty());
}

#[test]
fn while_the_pause_lasts_every_step_says_so() {
    let mut rig = Rig::new(&[("r", 1)], &[("errors.retry.timeout", "-1")]);
    rig.fill(&[&["r"]]);
    assert_eq!([rig.step(), rig.step()], [Seen::Pause(300), Seen::Pause(300)]);
    assert!(!rig.outbox.is_empty());
}

#[test]
fn a_record_that_does_not_pass_in_time_fails_the_task() {
    let mut rig = Rig::new(&[("r", 9)], &[("errors.retry.timeout", "1000")]);
    rig.fill(&[&["a", "r", "b"]]);
    let expected = "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\n\
                    Caused by: org.apache.kafka.connect.errors.RetriableException: busy\n";
    let seen: Vec<Seen> = (0..3).map(|_| rig.step()).collect();
    assert_eq!(seen[..2], [sent("a", 0), Seen::Pause(300)]);
    rig.now += Duration::from_millis(300);
    assert_eq!(rig.step(), Seen::Pause(600));
    rig.now += Duration::from_millis(600);
    assert_eq!(rig.step(), Seen::Pause(100));
    rig.now += Duration::from_millis(100);
    assert_eq!(rig.step(), Seen::Failed(expected.to_owned()));
    // Four attempts failed, and the record once more.
    assert_eq!(rig.counts(), [5, 1, 0, 3]);
}

#[test]
fn a_record_that_does_not_pass_is_skipped_when_all_are_tolerated_and_the_next_has_its_own_time() {
    let mut rig =
        Rig::new(&[("r", 3), ("s", 4)], &[("errors.retry.timeout", "400"), ("errors.tolerance", "all")]);
    rig.fill(&[&["r", "x", "s", "b"]]);
    assert_eq!(
        rig.all(),
        [
            Seen::Pause(300),
            Seen::Pause(100),
            Seen::Skipped(0),
            Seen::Skipped(1),
            Seen::Pause(300),
            sent("s", 2),
            sent("b", 3)
        ]
    );
    assert_eq!(rig.counts(), [6, 2, 2, 3]);
}

#[test]
fn nothing_is_tried_again_by_default_and_a_failure_ends_the_task_in_its_turn() {
    let mut rig = Rig::new(&[("r", 1)], &[]);
    rig.fill(&[&["a", "r"]]);
    assert_eq!(rig.step(), sent("a", 0));
    assert!(matches!(rig.step(), Seen::Failed(_)));
    assert_eq!(rig.counts(), [2, 1, 0, 0]);
    let mut rig = Rig::new(&[], &[("errors.tolerance", "all"), ("errors.log.enable", "true")]);
    rig.fill(&[&["a", "x", "b"]]);
    assert_eq!(rig.all(), [sent("a", 0), Seen::Skipped(1), sent("b", 2)]);
    assert_eq!(rig.counts(), [1, 1, 1, 0]);
    assert_eq!(rig.errors.errors_logged.load(Ordering::Relaxed), 1);
}
