//! Our side against the clock: the same batch again and again.

use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use arrow_array::BinaryArray;
use lakeward_api::batch::Values;
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::Converter;
use lakeward_api::header::HeaderValues;

use super::convert::Schemas;
use super::{Ours, registered, transforms};
use crate::bench::{Clock, OurTiming};
use crate::case::{Answer, Case, Items, Setup};
use crate::model::{Show, Typed, Value};

impl Ours {
    /// Times the items of `case` as one batch; what a call consumes is made before it.
    ///
    /// # Errors
    /// When the settings are refused, a call fails, or the items do not make one batch.
    pub(crate) fn time(&self, case: &Case, clock: Clock) -> anyhow::Result<OurTiming> {
        let setup = &case.setup;
        let settings: ConfigMap = setup.settings.iter().cloned().collect();
        let rows = case.items.len();
        let refused = |answer: Answer| anyhow::anyhow!("{}", answer.shown());
        Ok(match &case.items {
            Items::Decode(payloads) => {
                let mut one = self.any_converter(setup, &settings)?;
                let payloads: Vec<Option<&[u8]>> = payloads.iter().map(Option::as_deref).collect();
                if one.takes_columns() {
                    let column: BinaryArray = payloads.iter().copied().collect();
                    let decode = |()| one.decode_column(&setup.topic, &column).expect("it was tried");
                    clock.repeat(rows, || (), decode)
                } else {
                    let decode = |()| {
                        let ready = one.poll_decode_ready(&setup.topic, &payloads).expect("it was tried");
                        assert!(ready.is_ready(), "nothing here takes time");
                        one.decode(&setup.topic, &payloads).expect("it was tried")
                    };
                    clock.repeat(rows, || (), decode)
                }
            }
            Items::Encode(values) => self.time_encode(setup, &settings, values, clock)?,
            Items::DecodeHeader(headers) => {
                let mut one = self.header_converter(setup, &settings).map_err(refused)?;
                let (name, payloads) = header_column(headers)?;
                let decode = |()| one.decode_column(&setup.topic, name, &payloads);
                clock.repeat(rows, || (), decode)
            }
            Items::EncodeHeader(headers) => {
                let mut one = self.header_converter(setup, &settings).map_err(refused)?;
                let name = &headers.first().context("no headers")?.name;
                ensure!(headers.iter().all(|header| header.name == *name), "the headers have several names");
                let values: Vec<Typed> = headers.iter().map(|header| header.value.clone()).collect();
                let values = HeaderValues::Rows(one_column(&values)?);
                let encode = |()| one.encode_column(&setup.topic, name, &values, rows);
                clock.repeat(rows, || (), encode)
            }
            Items::Transform(records) => {
                let mut one = self.transform(setup, &settings).map_err(refused)?;
                let batch = transforms::batch(&mut Schemas::default(), records)?;
                clock.repeat(rows, || batch.clone(), |batch| one.apply(batch).expect("it was tried"))
            }
            Items::Predicate(records) => {
                let mut one = self.predicate(setup, &settings).map_err(refused)?;
                let batch = transforms::batch(&mut Schemas::default(), records)?;
                clock.repeat(rows, || (), |()| one.test(&batch).expect("it was tried"))
            }
            Items::Chain(_) | Items::Recode(_) => bail!("this is not for figures"),
        })
    }

    fn time_encode(
        &self,
        setup: &Setup,
        settings: &ConfigMap,
        values: &[Typed],
        clock: Clock,
    ) -> anyhow::Result<OurTiming> {
        let mut converter = self.any_converter(setup, settings)?;
        let column = one_column(values)?;
        let encode = |()| {
            let ready = converter.poll_encode_ready(&setup.topic, &column).expect("it was tried");
            assert!(ready.is_ready(), "nothing here takes time");
            converter.encode(&setup.topic, &column).expect("it was tried")
        };
        Ok(clock.repeat(values.len(), || (), encode))
    }

    /// A converter with a registry of its own if it asks one: the first call of the warm-up asks, all others
    /// find the answer in the converter.
    fn any_converter(&self, setup: &Setup, settings: &ConfigMap) -> anyhow::Result<Box<dyn Converter>> {
        let converter = match registered::language(&setup.class) {
            Some(kind) => registered::converter(kind, setup, settings).map(|(converter, _)| converter),
            None => self.converter(setup, settings),
        };
        converter.map_err(|answer| anyhow::anyhow!("{}", answer.shown()))
    }
}

/// Values that share a schema as one column.
fn one_column(values: &[Typed]) -> anyhow::Result<Values> {
    let schema = values.first().context("no values")?.schema.as_ref();
    let is_same = |typed: &Typed| typed.schema.as_ref().map(Arc::as_ptr) == schema.map(Arc::as_ptr);
    ensure!(values.iter().all(is_same), "the values do not share a schema");
    let rows: Vec<&Value> = values.iter().map(|typed| &typed.value).collect();
    Ok(Schemas::default().column(schema, &rows)?)
}

/// The payloads of headers that share a name.
fn header_column(headers: &[(String, Option<Vec<u8>>)]) -> anyhow::Result<(&str, Vec<Option<&[u8]>>)> {
    let name = headers.first().map(|(name, _)| name.as_str()).context("no headers")?;
    ensure!(headers.iter().all(|header| header.0 == name), "the headers have several names");
    Ok((name, headers.iter().map(|(_, payload)| payload.as_deref()).collect()))
}
