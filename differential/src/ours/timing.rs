//! Our side against the clock: the same batch again and again.

use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use lakeward_api::config::ConfigMap;

use super::convert::{Schemas, api_value};
use super::{Ours, transforms};
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
                let mut one = self.converter(setup, &settings).map_err(refused)?;
                let payloads: Vec<Option<&[u8]>> = payloads.iter().map(Option::as_deref).collect();
                clock.repeat(rows, || (), |()| one.decode(&setup.topic, &payloads).expect("it was tried"))
            }
            Items::Encode(values) => self.time_encode(setup, &settings, values, clock)?,
            Items::DecodeHeader(headers) => {
                let mut one = self.header_converter(setup, &settings).map_err(refused)?;
                clock.repeat(
                    rows,
                    || Vec::with_capacity(rows),
                    |mut all| {
                        for (name, payload) in headers {
                            all.push(one.decode(&setup.topic, name, payload.as_deref()));
                        }
                        all
                    },
                )
            }
            Items::EncodeHeader(headers) => {
                let mut one = self.header_converter(setup, &settings).map_err(refused)?;
                let mut schemas = Schemas::default();
                let schema = |typed: &Typed, schemas: &mut Schemas| {
                    typed.schema.as_ref().map(|schema| schemas.api(schema))
                };
                let headers: Vec<_> = headers
                    .iter()
                    .map(|header| {
                        let value = api_value(&header.value.value);
                        (header.name.as_str(), schema(&header.value, &mut schemas), value)
                    })
                    .collect();
                clock.repeat(
                    rows,
                    || Vec::with_capacity(rows),
                    |mut all| {
                        for (name, schema, value) in &headers {
                            all.push(one.encode(&setup.topic, name, schema.as_deref(), value));
                        }
                        all
                    },
                )
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
        let converter = self.converter(setup, settings);
        let mut converter = converter.map_err(|answer| anyhow::anyhow!("{}", answer.shown()))?;
        let schema = values.first().context("no values")?.schema.as_ref();
        let is_same = |typed: &Typed| typed.schema.as_ref().map(Arc::as_ptr) == schema.map(Arc::as_ptr);
        ensure!(values.iter().all(is_same), "the values do not share a schema");
        let rows: Vec<&Value> = values.iter().map(|typed| &typed.value).collect();
        let column = Schemas::default().column(schema, &rows)?;
        let encode = |()| converter.encode(&setup.topic, &column).expect("it was tried");
        Ok(clock.repeat(values.len(), || (), encode))
    }
}
