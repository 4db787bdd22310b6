//! Records for benches, from a seeded generator: the same bytes on every run.

use lakeward_api::batch::Values;
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::Converter;
use lakeward_api::plugin::{ConverterContext, ConverterPlugin, ConverterRole};
use lakeward_formats::converter::JsonConverterPlugin;

/// Records and the settings of the converter that reads them.
pub struct Sample {
    /// Name in bench reports.
    pub name: &'static str,
    /// Whether records are envelopes (`schemas.enable`).
    pub envelopes: &'static str,
    /// `lakeward.schema`; empty for none.
    pub schema: &'static str,
    /// The records.
    pub records: Vec<Vec<u8>>,
}

impl Sample {
    /// Every sample, `rows` records each.
    pub fn all(rows: usize) -> Vec<Self> {
        let plain = |name, schema, records| Self { name, envelopes: "false", schema, records };
        vec![
            plain("flat_declared", FLAT_SCHEMA, flat(rows)),
            plain("event_declared", EVENT_SCHEMA, events(rows)),
            plain("event_infer", "infer", events(rows)),
            Self { name: "event_envelope", envelopes: "true", schema: "", records: envelopes(rows) },
            plain("event_dynamic", "", events(rows)),
        ]
    }

    /// A new converter for the records.
    pub fn converter(&self) -> Box<dyn Converter> {
        let settings = ConfigMap::from([("schemas.enable".to_owned(), self.envelopes.to_owned())]);
        let connector = ConfigMap::from([("lakeward.schema".to_owned(), self.schema.to_owned())]);
        JsonConverterPlugin
            .new_converter(&ConverterContext {
                role: ConverterRole::Value,
                settings: &settings,
                connector: &connector,
                network: None,
            })
            .expect("the samples have valid settings")
    }

    /// The records as a converter takes them.
    pub fn payloads(&self) -> Vec<Option<&[u8]>> {
        self.records.iter().map(|record| Some(record.as_slice())).collect()
    }

    /// Bytes of all records.
    pub fn total_bytes(&self) -> u64 {
        self.records.iter().map(|record| record.len() as u64).sum()
    }

    /// The records, decoded to one run.
    pub fn decoded(&self) -> Values {
        let mut decoded = self.converter().decode("bench", &self.payloads()).expect("the samples decode");
        assert!(decoded.errors.is_empty() && decoded.runs.len() == 1, "the samples have one schema");
        decoded.runs.remove(0).values
    }
}

/// Ten flat columns, about 210 bytes.
fn flat(rows: usize) -> Vec<Vec<u8>> {
    let mut random = Random(1);
    let record = |row| {
        let (id, small, wide) = (row, random.below(1000), random.below(1 << 40));
        format!(
            "{{\"order_id\":{id},\"customer\":\"customer-{:06}\",\"sku\":\"SKU-{:05}\",\"quantity\":{},\
             \"price\":{}.{:02},\"currency\":\"EUR\",\"paid\":{},\"created_ms\":{},\
             \"warehouse\":\"berlin-{}\",\
             \"note\":\"handle with care {small}\"}}",
            wide % 50_000,
            wide % 3_000,
            small % 20 + 1,
            small,
            wide % 100,
            small % 2 == 0,
            1_700_000_000_000u64 + wide % 1_000_000_000,
            small % 8,
        )
        .into_bytes()
    };
    (0..rows).map(record).collect()
}

/// Ten top-level fields, one nested object, one list, about 300 bytes.
fn events(rows: usize) -> Vec<Vec<u8>> {
    let mut random = Random(2);
    let record = |_| {
        let (small, wide, id) = (random.below(1000), random.below(1 << 40), random.below(1 << 62));
        let referrer =
            if small % 3 == 0 { "null".to_owned() } else { format!("\"campaign-{}\"", small % 40) };
        format!(
            "{{\"id\":\"{id:016x}{wide:012x}\",\"time\":{},\"user\":\"user-{:06}\",\"country\":\"{}\",\
             \"url\":\"https://shop.example.com/catalog/items/{}?page={}\",\"status\":{},\
             \"latency_ms\":{}.{:03},\
             \"client\":{{\"os\":\"{}\",\"version\":\"12.{}\",\"mobile\":{}}},\"tags\":[\"web\",\"tag-{}\"],\
             \"referrer\":{referrer}}}",
            1_700_000_000_000u64 + wide % 86_400_000,
            wide % 100_000,
            ["DE", "FR", "US", "JP", "BR"][small as usize % 5],
            wide % 20_000,
            small % 9,
            [200, 200, 200, 304, 404, 500][small as usize % 6],
            small,
            wide % 1000,
            ["linux", "windows", "macos", "android"][small as usize % 4],
            small % 30,
            small % 2 == 0,
            small % 50,
        )
        .into_bytes()
    };
    (0..rows).map(record).collect()
}

/// Events with their schema in every record, about 1.1 KB.
fn envelopes(rows: usize) -> Vec<Vec<u8>> {
    let wrap = |event: Vec<u8>| {
        let mut record = format!("{{\"schema\":{ENVELOPE_SCHEMA},\"payload\":").into_bytes();
        record.extend(event);
        record.push(b'}');
        record
    };
    events(rows).into_iter().map(wrap).collect()
}

/// A seeded generator (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

const FLAT_SCHEMA: &str = r#"{"type":"record","name":"Order","fields":[
    {"name":"order_id","type":"long"},{"name":"customer","type":"string"},{"name":"sku","type":"string"},
    {"name":"quantity","type":"int"},{"name":"price","type":"double"},{"name":"currency","type":"string"},
    {"name":"paid","type":"boolean"},{"name":"created_ms","type":"long"},{"name":"warehouse","type":"string"},
    {"name":"note","type":["null","string"]}]}"#;

const EVENT_SCHEMA: &str = r#"{"type":"record","name":"Event","fields":[
    {"name":"id","type":"string"},{"name":"time","type":"long"},{"name":"user","type":"string"},
    {"name":"country","type":"string"},{"name":"url","type":"string"},{"name":"status","type":"int"},
    {"name":"latency_ms","type":"double"},
    {"name":"client","type":{"type":"record","name":"Client","fields":[{"name":"os","type":"string"},
        {"name":"version","type":"string"},{"name":"mobile","type":"boolean"}]}},
    {"name":"tags","type":{"type":"array","items":"string"}},
    {"name":"referrer","type":["null","string"]}]}"#;

const ENVELOPE_SCHEMA: &str = concat!(
    r#"{"type":"struct","fields":[{"type":"string","optional":false,"field":"id"},"#,
    r#"{"type":"int64","optional":false,"field":"time"},{"type":"string","optional":false,"field":"user"},"#,
    r#"{"type":"string","optional":false,"field":"country"},"#,
    r#"{"type":"string","optional":false,"field":"url"},"#,
    r#"{"type":"int32","optional":false,"field":"status"},"#,
    r#"{"type":"double","optional":false,"field":"latency_ms"},"#,
    r#"{"type":"struct","fields":[{"type":"string","optional":false,"field":"os"},"#,
    r#"{"type":"string","optional":false,"field":"version"},"#,
    r#"{"type":"boolean","optional":false,"field":"mobile"}],"optional":false,"field":"client"},"#,
    r#"{"type":"array","items":{"type":"string","optional":false},"optional":false,"field":"tags"},"#,
    r#"{"type":"string","optional":true,"field":"referrer"}],"optional":false,"name":"shop.Event"}"#
);
