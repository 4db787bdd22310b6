//! Payloads read as another schema, against Avro's own reader.
//!
//! `resolution.tsv` holds what `GenericDatumReader` and `GenericDatumWriter` of Avro 1.12.1 made of random
//! schemas, their random changes and random values: the schema written, the schema read, the payload, `ok`
//! and the payload of the value as the schema read has it; or the exception and its message.

use super::super::super::registry_framing::dump::{hex, unhex};
use super::super::fault::Fault;
use super::super::resolve::{Parsed, Resolver};
use super::super::schema::parse;

fn resolved(written: &str, latest: &str, payload: &[u8]) -> Result<Vec<u8>, Box<Fault>> {
    let written = parse(written, std::iter::empty())?;
    let schema = parse(latest, std::iter::empty())?;
    let mut resolver = Resolver::new(&written, &Parsed { schema: &schema, texts: &[latest] })?;
    resolver.resolve(payload).map(<[u8]>::to_vec)
}

#[test]
fn values_become_those_that_java_makes_of_them() {
    let mut cases = 0;
    let mut wrong = Vec::new();
    for line in include_str!("resolution.tsv").lines() {
        let [written, latest, payload, outcome, expected] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let found = match resolved(written, latest, &unhex(payload)) {
            Ok(bytes) => ("ok", hex(&bytes)),
            Err(fault) => match *fault {
                Fault::Inner { class, message } => (class, message),
                other => panic!("{other:?}: {line}"),
            },
        };
        cases += 1;
        if found != (outcome, expected.to_owned()) {
            wrong.push(format!("{line}\n  found {found:?}"));
        }
    }
    assert!(cases >= 300 && wrong.is_empty(), "{} of {cases}:\n{}", wrong.len(), wrong.join("\n"));
}
