//! Converters that ask a schema registry, in both directions.

use anyhow::{bail, ensure};

use super::subjects::setup;
use super::{Reference, Subject};
use crate::case::{Answer, Case, Items};
use crate::model::{Record, Show, Typed};
use crate::ours::Ours;

const CONVERTERS: [(&str, &str, Reference); 3] = [
    ("AvroConverter", "io.confluent.connect.avro.AvroConverter", Reference::Libraries),
    ("ProtobufConverter", "io.confluent.connect.protobuf.ProtobufConverter", Reference::Indication),
    ("JsonSchemaConverter", "io.confluent.connect.json.JsonSchemaConverter", Reference::Indication),
];

/// What stands in front of a body: zero and the id of the only schema.
const HEAD: [u8; 5] = [0, 0, 0, 0, 1];

/// All of them over records of these shapes, which have a schema.
///
/// # Errors
/// When records cannot be written, or not with one schema.
pub(super) fn all(shapes: &[(&'static str, Vec<Record>)]) -> anyhow::Result<Vec<Subject>> {
    let mut all = Vec::new();
    for (name, class, reference) in CONVERTERS {
        for (shape, records) in shapes {
            let values: Vec<Typed> = records.iter().map(|record| record.value.clone()).collect();
            let encode = Case { setup: setup(class, &[]), items: Items::Encode(values) };
            let decode = read_back(&encode)?;
            for (direction, case) in [("decode", decode), ("encode", encode)] {
                all.push(Subject { name: format!("{name} {direction}"), shape, case, reference });
            }
        }
    }
    Ok(all)
}

/// The payloads of `encode` as a case.
fn read_back(encode: &Case) -> anyhow::Result<Case> {
    let mut setup = encode.setup.clone();
    let mut payloads = Vec::new();
    for answer in Ours::default().answers(encode) {
        let Answer::Registered { schema, body } = answer else {
            bail!("{} does not write: {:.600}", setup.class, answer.shown());
        };
        if setup.schemas.is_empty() {
            setup.schemas.push(schema.clone());
        }
        ensure!(setup.schemas == [schema], "{} writes several schemas", setup.class);
        payloads.push(Some([HEAD.as_slice(), &body].concat()));
    }
    Ok(Case { setup, items: Items::Decode(payloads) })
}
