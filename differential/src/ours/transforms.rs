//! Transforms and predicates.

use std::collections::HashMap;
use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::ConfigMap;
use lakeward_api::header::{Header as ApiHeader, HeaderColumn, HeaderRows, HeaderValues};
use lakeward_api::record::TopicPartition;
use lakeward_api::rows::ColumnWriter;
use lakeward_api::schema::Schema;
use lakeward_api::transform::{Predicate, Tested, Transform, Transformed};
use lakeward_api::value::Value as ApiValue;
use lakeward_transforms::Chain;

use super::convert::{Schemas, api_value, model_value};
use super::{Ours, absent, failure, not_configured};
use crate::case::{Answer, Setup};
use crate::model::{Header, Record, Typed, Value, same_schemas};

impl Ours {
    pub(super) fn transform(
        &self,
        setup: &Setup,
        settings: &ConfigMap,
    ) -> Result<Box<dyn Transform>, Answer> {
        let plugin = self.registry.transform(&setup.class).ok_or_else(|| absent(&setup.class))?;
        plugin.new_transform(settings).map_err(|err| not_configured(&err))
    }

    pub(super) fn predicate(
        &self,
        setup: &Setup,
        settings: &ConfigMap,
    ) -> Result<Box<dyn Predicate>, Answer> {
        let plugin = self.registry.predicate(&setup.class).ok_or_else(|| absent(&setup.class))?;
        plugin.new_predicate(settings).map_err(|err| not_configured(&err))
    }

    /// The chain of a connector with these settings.
    pub(super) fn chain(&self, settings: &ConfigMap) -> Result<Chain, Answer> {
        Chain::from_config(settings, &self.registry).map_err(|err| not_configured(&err))
    }
}

/// Neighbours of one topic-partition and one pair of schemas in one call.
pub(super) fn apply_chain(chain: &mut Chain, records: &[Record]) -> Vec<Answer> {
    let mut schemas = Schemas::default();
    let mut answers = Vec::new();
    for run in records.chunk_by(share_a_batch) {
        let outcome = batch(&mut schemas, run).and_then(|batch| chain.apply(batch));
        match outcome {
            Ok(applied) => {
                let errors = applied.errors.into_iter().map(|error| (error.offset, error.error)).collect();
                let run_answers = rows(&mut schemas, run, &Transformed { batches: applied.batches, errors });
                let counted = run.iter().zip(run_answers).map(|(record, answer)| {
                    match (&answer, applied.dropped.contains(&record.offset)) {
                        (Answer::Dropped, true) | (Answer::Record(_) | Answer::Failed(_), false) => answer,
                        _ => Answer::Broken("the chain does not say rightly what it dropped".to_owned()),
                    }
                });
                answers.extend(counted);
            }
            Err(err) => answers.extend(vec![Answer::Failed(failure(&err)); run.len()]),
        }
    }
    answers
}

/// Neighbours of one topic-partition and one pair of schemas in one call.
pub(super) fn apply(transform: &mut dyn Transform, records: &[Record]) -> Vec<Answer> {
    let mut schemas = Schemas::default();
    let mut answers = Vec::new();
    for run in records.chunk_by(share_a_batch) {
        let outcome = batch(&mut schemas, run).and_then(|batch| transform.apply(batch));
        match outcome {
            Ok(transformed) => answers.extend(rows(&mut schemas, run, &transformed)),
            Err(err) => answers.extend(vec![Answer::Failed(failure(&err)); run.len()]),
        }
    }
    answers
}

/// One truth per record.
pub(super) fn test(predicate: &mut dyn Predicate, records: &[Record]) -> Vec<Answer> {
    let mut schemas = Schemas::default();
    let mut answers = Vec::new();
    for run in records.chunk_by(share_a_batch) {
        let outcome = batch(&mut schemas, run).and_then(|batch| predicate.test(&batch));
        match outcome {
            Ok(Tested::All(truth)) => answers.extend(vec![Answer::Truth(truth); run.len()]),
            Ok(Tested::Rows(truths)) => answers.extend(truths.into_iter().map(Answer::Truth)),
            Err(err) => answers.extend(vec![Answer::Failed(failure(&err)); run.len()]),
        }
    }
    answers
}

fn share_a_batch(one: &Record, two: &Record) -> bool {
    one.topic == two.topic
        && one.partition == two.partition
        && same_schemas(one.key.schema.as_ref(), two.key.schema.as_ref())
        && same_schemas(one.value.schema.as_ref(), two.value.schema.as_ref())
}

pub(super) fn batch(schemas: &mut Schemas, records: &[Record]) -> Result<SinkBatch, ConnectError> {
    let first = &records[0];
    let topic: Arc<str> = first.topic.as_deref().unwrap_or_default().into();
    let keys: Vec<&Value> = records.iter().map(|record| &record.key.value).collect();
    let values: Vec<&Value> = records.iter().map(|record| &record.value.value).collect();
    let headers = records.iter().map(|record| {
        let header = |header: &Header| ApiHeader {
            key: header.name.as_str().into(),
            schema: header.value.schema.as_ref().map(|schema| schemas.api(schema)),
            value: api_value(&header.value.value),
        };
        record.headers.iter().map(header).collect()
    });
    let headers = header_rows(headers.collect());
    let batch = SinkBatch {
        partition: TopicPartition::new(Arc::clone(&topic), first.partition.unwrap_or_default()),
        topic,
        offsets: records.iter().map(|record| record.offset).collect(),
        timestamps_ms: records.iter().map(|record| record.timestamp_ms).collect(),
        keys: schemas.column(first.key.schema.as_ref(), &keys)?,
        values: schemas.column(first.value.schema.as_ref(), &values)?,
        headers,
    };
    batch.assert_consistent();
    Ok(batch)
}

/// Columns where every row has the same names, as the data plane makes them.
fn header_rows(lists: Vec<Vec<ApiHeader>>) -> HeaderRows {
    let names = |list: &[ApiHeader]| list.iter().map(|header| Arc::clone(&header.key)).collect::<Vec<_>>();
    let first: Vec<Arc<str>> = lists.first().map(|list| names(list)).unwrap_or_default();
    if lists.iter().any(|list| names(list) != first) {
        return HeaderRows::new(lists);
    }
    let column = |(at, key): (usize, Arc<str>)| {
        let values =
            lists.iter().map(|list: &Vec<ApiHeader>| (list[at].schema.clone(), list[at].value.clone()));
        HeaderColumn { key, values: header_values(values.collect()) }
    };
    HeaderRows::of_columns(first.into_iter().enumerate().map(column).collect())
}

/// One column where the values share a schema, or have none.
fn header_values(cells: Vec<(Option<Arc<Schema>>, ApiValue)>) -> HeaderValues {
    let is_like_first = |(schema, _): &(Option<Arc<Schema>>, ApiValue)| *schema == cells[0].0;
    if !cells.iter().all(is_like_first) {
        return HeaderValues::Mixed(cells.into_iter().collect());
    }
    let Some(schema) = cells[0].0.clone() else {
        return HeaderValues::Rows(Values::schemaless(cells.into_iter().map(|(_, value)| value).collect()));
    };
    let mut column = ColumnWriter::new(&schema);
    let written = cells.iter().try_for_each(|(_, value)| column.append(value));
    match written.and_then(|()| column.finish()) {
        Ok(array) => HeaderValues::Rows(Values::Typed { schema, array }),
        Err(_) => HeaderValues::Mixed(cells.into_iter().collect()),
    }
}

/// The answer of each record of `run`: found again by its offset.
fn rows(schemas: &mut Schemas, run: &[Record], transformed: &Transformed) -> Vec<Answer> {
    let mut answers: HashMap<i64, Answer> = HashMap::new();
    let mut last = i64::MIN;
    for batch in &transformed.batches {
        batch.assert_consistent();
        for (row, offset) in batch.offsets.iter().enumerate() {
            let Some(input) = run.iter().find(|record| record.offset == *offset) else {
                return vec![Answer::Broken(format!("offset {offset} is not of this batch")); run.len()];
            };
            let answer = Answer::Record(Box::new(record(schemas, input, batch, row)));
            if answers.insert(*offset, answer).is_some() || *offset < last {
                return vec![Answer::Broken("rows are twice or out of order".to_owned()); run.len()];
            }
            last = *offset;
        }
    }
    for (offset, err) in &transformed.errors {
        if answers.insert(*offset, Answer::Failed(failure(err))).is_some() {
            return vec![Answer::Broken(format!("offset {offset} went on and failed")); run.len()];
        }
    }
    run.iter().map(|record| answers.remove(&record.offset).unwrap_or(Answer::Dropped)).collect()
}

/// Row `row` of `batch`; what batches do not carry is that of the input.
fn record(schemas: &mut Schemas, input: &Record, batch: &SinkBatch, row: usize) -> Record {
    let header = |header: &ApiHeader| Header {
        name: header.key.to_string(),
        value: Typed {
            schema: header.schema.as_ref().map(|schema| schemas.model(schema)),
            value: model_value(&header.value),
        },
    };
    let headers = batch.headers.row(row).iter().map(header).collect();
    Record {
        topic: Some(batch.topic.to_string()),
        partition: Some(batch.partition.partition),
        key: schemas.row(&batch.keys, row),
        value: schemas.row(&batch.values, row),
        timestamp_ms: batch.timestamps_ms[row],
        headers,
        ..input.clone()
    }
}
