//! Converters and header converters.

use lakeward_api::ConnectError;
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::{Converter, Decoded, Encoded, HeaderConverter};
use lakeward_api::header::HeaderValues;
use lakeward_api::plugin::{ConverterContext, ConverterRole};

use super::convert::{Schemas, api_value, model_value};
use super::{Ours, absent, failure, not_configured};
use crate::case::{Answer, Setup};
use crate::compare::difference;
use crate::model::{Header, Show, Typed, Value, same_schemas};

impl Ours {
    pub(super) fn converter(
        &self,
        setup: &Setup,
        settings: &ConfigMap,
    ) -> Result<Box<dyn Converter>, Answer> {
        let plugin = self.registry.converter(&setup.class).ok_or_else(|| absent(&setup.class))?;
        let role = if setup.is_key { ConverterRole::Key } else { ConverterRole::Value };
        let connector = ConfigMap::new();
        let context = ConverterContext { role, settings, connector: &connector, network: None };
        plugin.new_converter(&context).map_err(|err| not_configured(&err))
    }

    pub(super) fn header_converter(
        &self,
        setup: &Setup,
        settings: &ConfigMap,
    ) -> Result<Box<dyn HeaderConverter>, Answer> {
        let plugin = self.registry.header_converter(&setup.class).ok_or_else(|| absent(&setup.class))?;
        let connector = ConfigMap::new();
        let role = ConverterRole::Header;
        let context = ConverterContext { role, settings, connector: &connector, network: None };
        plugin.new_converter(&context).map_err(|err| not_configured(&err))
    }
}

/// All payloads in one call, as a fetch brings them.
pub(super) fn decode(
    converter: &mut dyn Converter,
    setup: &Setup,
    payloads: &[Option<Vec<u8>>],
) -> Vec<Answer> {
    let borrowed: Vec<Option<&[u8]>> = payloads.iter().map(Option::as_deref).collect();
    let answers = |decoded: Result<Decoded, ConnectError>| match decoded {
        Ok(decoded) => rows(&decoded, payloads.len()),
        Err(err) => vec![Answer::Failed(failure(&err)); payloads.len()],
    };
    let slices = answers(decoded(converter, setup, &borrowed));
    if !converter.takes_columns() {
        return slices;
    }
    let column = borrowed.iter().copied().collect();
    both(slices, answers(converter.decode_column(&setup.topic, &column)))
}

/// The answers of two ways to do the same, which must agree.
fn both(one: Vec<Answer>, other: Vec<Answer>) -> Vec<Answer> {
    assert_eq!(one.len(), other.len(), "one way lost rows");
    let agree = |(one, other): (Answer, Answer)| match difference(&one, &other) {
        None => one,
        Some(_) => Answer::Broken(format!("row by row {}, as a column {}", one.shown(), other.shown())),
    };
    one.into_iter().zip(other).map(agree).collect()
}

fn decoded(
    converter: &mut dyn Converter,
    setup: &Setup,
    payloads: &[Option<&[u8]>],
) -> Result<Decoded, ConnectError> {
    assert!(converter.poll_decode_ready(&setup.topic, payloads)?.is_ready(), "nothing here takes time");
    converter.decode(&setup.topic, payloads)
}

fn rows(decoded: &Decoded, count: usize) -> Vec<Answer> {
    let mut schemas = Schemas::default();
    let mut answers: Vec<Option<Answer>> = vec![None; count];
    let mut place = |row: usize, answer: Answer| match answers.get_mut(row) {
        Some(slot @ None) => *slot = Some(answer),
        Some(Some(twice)) => *twice = Answer::Broken(format!("row {row} has two answers")),
        None => panic!("there is no row {row}"),
    };
    for run in &decoded.runs {
        assert_eq!(run.rows.len(), run.values.rows(), "a run has as many rows as values");
        for (at, row) in run.rows.iter().enumerate() {
            place(*row as usize, Answer::Typed(schemas.row(&run.values, at)));
        }
    }
    for (row, err) in &decoded.errors {
        place(*row, Answer::Failed(failure(err)));
    }
    let missing = || Answer::Broken("the row has no answer".to_owned());
    answers.into_iter().map(|answer| answer.unwrap_or_else(missing)).collect()
}

/// Neighbours of one schema in one call.
pub(super) fn encode(converter: &mut dyn Converter, setup: &Setup, values: &[Typed]) -> Vec<Answer> {
    let mut schemas = Schemas::default();
    let mut answers = Vec::new();
    for run in values.chunk_by(|one, two| same_schemas(one.schema.as_ref(), two.schema.as_ref())) {
        let rows: Vec<&Value> = run.iter().map(|typed| &typed.value).collect();
        match encode_run(converter, &mut schemas, setup, run[0].schema.as_ref(), &rows) {
            Ok(encoded) => answers.extend(encoded),
            Err(err) => answers.extend(vec![Answer::Failed(failure(&err)); run.len()]),
        }
    }
    answers
}

fn encode_run(
    converter: &mut dyn Converter,
    schemas: &mut Schemas,
    setup: &Setup,
    schema: Option<&std::sync::Arc<crate::model::Schema>>,
    rows: &[&Value],
) -> Result<Vec<Answer>, ConnectError> {
    let column = schemas.column(schema, rows)?;
    encoded(converter, setup, &column)
}

fn encoded(
    converter: &mut dyn Converter,
    setup: &Setup,
    column: &lakeward_api::batch::Values,
) -> Result<Vec<Answer>, ConnectError> {
    assert!(converter.poll_encode_ready(&setup.topic, column)?.is_ready(), "nothing here takes time");
    Ok(payloads(&converter.encode(&setup.topic, column)?))
}

fn payloads(encoded: &Encoded) -> Vec<Answer> {
    let mut answers: Vec<Answer> =
        (0..encoded.rows()).map(|row| Answer::Bytes(encoded.payload(row).map(<[u8]>::to_vec))).collect();
    for (row, err) in &encoded.errors {
        answers[*row] = Answer::Failed(failure(err));
    }
    answers
}

/// Bytes to columns to bytes; no values in between.
pub(super) fn recode(
    converter: &mut dyn Converter,
    setup: &Setup,
    payloads: &[Option<Vec<u8>>],
) -> Vec<Answer> {
    let borrowed: Vec<Option<&[u8]>> = payloads.iter().map(Option::as_deref).collect();
    let decoded = match decoded(converter, setup, &borrowed) {
        Ok(decoded) => decoded,
        Err(err) => return vec![Answer::Failed(failure(&err)); payloads.len()],
    };
    let mut answers = rows(&decoded, payloads.len());
    for run in &decoded.runs {
        let run_answers = encoded(converter, setup, &run.values)
            .unwrap_or_else(|err| vec![Answer::Failed(failure(&err)); run.rows.len()]);
        for (row, answer) in run.rows.iter().zip(run_answers) {
            answers[*row as usize] = answer;
        }
    }
    answers
}

pub(super) fn decode_headers(
    converter: &mut dyn HeaderConverter,
    setup: &Setup,
    headers: &[(String, Option<Vec<u8>>)],
) -> Vec<Answer> {
    let mut schemas = Schemas::default();
    let decode = |(name, payload): &(String, Option<Vec<u8>>)| match converter.decode(
        &setup.topic,
        name,
        payload.as_deref(),
    ) {
        Ok((schema, value)) => Answer::Typed(Typed {
            schema: schema.map(|schema| schemas.model(&schema)),
            value: model_value(&value),
        }),
        Err(err) => Answer::Failed(failure(&err)),
    };
    let alone = headers.iter().map(decode).collect();
    let mut column = Vec::with_capacity(headers.len());
    for run in headers.chunk_by(|one, two| one.0 == two.0) {
        let payloads: Vec<Option<&[u8]>> = run.iter().map(|header| header.1.as_deref()).collect();
        let (values, errors) = converter.decode_column(&setup.topic, &run[0].0, &payloads);
        let start = column.len();
        column.extend((0..run.len()).map(|row| {
            let (schema, value) = values.row(row);
            let schema = schema.map(|schema| schemas.model(&schema));
            Answer::Typed(Typed { schema, value: model_value(&value) })
        }));
        for (row, err) in errors {
            column[start + row] = Answer::Failed(failure(&err));
        }
    }
    both(alone, column)
}

pub(super) fn encode_headers(
    converter: &mut dyn HeaderConverter,
    setup: &Setup,
    headers: &[Header],
) -> Vec<Answer> {
    let mut schemas = Schemas::default();
    let encode = |header: &Header| {
        let schema = header.value.schema.as_ref().map(|schema| schemas.api(schema));
        let value = api_value(&header.value.value);
        match converter.encode(&setup.topic, &header.name, schema.as_deref(), &value) {
            Ok(bytes) => Answer::Bytes(bytes.map(|bytes| bytes.to_vec())),
            Err(err) => Answer::Failed(failure(&err)),
        }
    };
    let alone = headers.iter().map(encode).collect();
    let mut column = Vec::with_capacity(headers.len());
    let is_alike = |one: &Header, two: &Header| {
        one.name == two.name && same_schemas(one.value.schema.as_ref(), two.value.schema.as_ref())
    };
    for run in headers.chunk_by(is_alike) {
        let rows: Vec<&Value> = run.iter().map(|header| &header.value.value).collect();
        match schemas.column(run[0].value.schema.as_ref(), &rows) {
            Ok(values) => {
                let values = HeaderValues::Rows(values);
                let encoded = converter.encode_column(&setup.topic, &run[0].name, &values, run.len());
                column.extend(payloads(&encoded));
            }
            Err(err) => column.extend(vec![Answer::Failed(failure(&err)); run.len()]),
        }
    }
    both(alone, column)
}
