//! Records that are read side by side become what each becomes when it is read alone.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow_array::Array;
use lakeward_api::rows::value_at;
use lakeward_api::schema::{Field, Kind, Logical, Schema};
use lakeward_api::value::Value;

use super::super::RegisteredReader;
use crate::random::Random;

const NAMES: [&str; 8] =
    ["id", "a", "é", "created_at", "a_name_of_more_than_sixteen_bytes", "b c", "n", "q\"q"];

fn schema(random: &mut Random, depth: usize) -> Schema {
    let mut schema = match random.below(if depth == 0 { 13 } else { 20 }) {
        0 => Schema::new(Kind::Boolean),
        1 => Schema::new(Kind::Bytes),
        2 => Schema::new(Kind::Float32),
        3 | 4 => Schema::new(Kind::Float64),
        5 => Schema::new(Kind::Int32),
        6 | 7 => Schema::new(Kind::Int64),
        8 => Schema::new(Kind::Int8),
        9 => Schema::logical_of(Logical::Timestamp),
        10 => Schema::logical_of(Logical::Date),
        11 | 12 => Schema::new(Kind::String),
        13 | 14 => Schema::new(Kind::Array(Arc::new(self::schema(random, depth - 1)))),
        15 | 16 => {
            let mut key = Schema::new(Kind::String);
            key.optional = random.below(8) == 0;
            Schema::new(Kind::Map { key: Arc::new(key), value: Arc::new(self::schema(random, depth - 1)) })
        }
        _ => {
            let count = random.below(NAMES.len());
            // One in eight is a union, of which all but one field is null.
            let is_union = random.below(8) == 0;
            let field = |name: &&str| {
                let mut schema = self::schema(random, depth - 1);
                schema.optional |= is_union;
                Field { name: (*name).into(), schema: Arc::new(schema) }
            };
            let mut fields: Vec<Field> = NAMES[..count].iter().map(field).collect();
            if !fields.is_empty() {
                let first = random.below(fields.len());
                fields.swap(0, first);
            }
            let schema = Schema::new(Kind::Struct(fields));
            if is_union { schema.named("U") } else { schema }
        }
    };
    schema.optional = random.below(2) == 0;
    if matches!(schema.kind, Kind::Int64) && schema.name.is_none() && random.below(4) == 0 {
        schema.default = Some(Value::Int64(7));
    }
    schema
}

/// How the writer of some records spells them.
struct Style {
    colon: &'static str,
    comma: &'static str,
    /// One in so many values is a strange one, is missing, or has a stranger beside it.
    odd_in: usize,
    absent_in: usize,
    stranger_in: usize,
}

fn style(random: &mut Random) -> Style {
    let rarely = |random: &mut Random| [3, 20, 200, 100_000][random.below(4)];
    Style {
        colon: [":", ":", ": ", " :\n"][random.below(4)],
        comma: [",", ",", ", ", ",\n  ", " ,"][random.below(5)],
        odd_in: rarely(random),
        absent_in: rarely(random),
        stranger_in: rarely(random),
    }
}

fn payload(random: &mut Random, style: &Style, schema: &Schema) -> String {
    if random.below(style.odd_in) == 0 {
        return random.json(2);
    }
    if schema.optional && random.below(5) == 0 {
        return "null".to_owned();
    }
    match &schema.kind {
        Kind::Array(item) => {
            let items: Vec<String> = (0..random.below(4)).map(|_| payload(random, style, item)).collect();
            format!("[{}]", items.join(style.comma))
        }
        Kind::Boolean => ["true", "false"][random.below(2)].to_owned(),
        Kind::Bytes => "\"AQI=\"".to_owned(),
        Kind::Float32 | Kind::Float64 => match random.below(6) {
            0 => "-0.0".to_owned(),
            1 => format!("{}e{}", random.below(1000), random.below(9)),
            2 => format!("-{}.{:03}", random.below(1000), random.below(1000)),
            3 => random.below(100_000).to_string(),
            _ => format!("{}.{}", random.next() >> random.below(64), random.below(1000)),
        },
        Kind::Map { value, .. } => {
            let mut names = vec!["k", "zeta", "é😀", "k"];
            let count = if random.below(9) == 0 { 4 } else { random.below(4) };
            names.truncate(count);
            let members = names
                .iter()
                .map(|name| format!("\"{name}\"{}{}", style.colon, payload(random, style, value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(style.comma))
        }
        Kind::String => {
            let texts = ["\"\"", "\"x\"", "\"fifteen letters\"", "\"sixteen  letters\"", "\"é\\n\\u00e9\""];
            match random.below(7) {
                5 => format!("\"{}\"", "long ".repeat(random.below(30))),
                6 => "\"a\\\"\"".to_owned(),
                at => texts[at].to_owned(),
            }
        }
        Kind::Struct(fields) => {
            let mut members = Vec::new();
            for field in fields {
                if random.below(style.absent_in) == 0 {
                    continue;
                }
                let mut member = String::new();
                let name = field.name.replace('"', "\\\"");
                write!(member, "\"{name}\"{}", style.colon).unwrap();
                member += &payload(random, style, &field.schema);
                members.push(member);
            }
            if random.below(style.stranger_in) == 0 {
                let at = random.below(members.len() + 1);
                members.insert(at, format!("\"stranger\"{}{}", style.colon, random.json(2)));
            }
            if members.len() > 1 && random.below(style.odd_in) == 0 {
                members.swap(0, 1);
            }
            if !members.is_empty() && random.below(style.odd_in) == 0 {
                members.push(members[0].clone());
            }
            format!("{{{}}}", members.join(style.comma))
        }
        _ if random.below(30) == 0 => "1234567890123456789012".to_owned(),
        _ => (random.next() as i64 >> random.below(64)).to_string(),
    }
}

fn is_union(schema: &Schema) -> bool {
    schema.name.as_deref() == Some("U")
}

type Answers = Vec<Result<String, String>>;

fn alone(schema: &Arc<Schema>, records: &[Vec<u8>]) -> Answers {
    let mut reader = RegisteredReader::new(Arc::clone(schema), is_union);
    let read = |record: &Vec<u8>| {
        reader.read(record).map_err(|err| err.to_string())?;
        let column = reader.finish();
        assert_eq!(column.len(), 1);
        Ok(format!("{:?}", value_at(schema, &column, 0)))
    };
    records.iter().map(read).collect()
}

fn together(reader: &mut RegisteredReader, schema: &Schema, records: &[Vec<u8>]) -> Answers {
    let mut failed = Vec::new();
    reader.read_all(records.iter().map(Vec::as_slice), |number, error| {
        failed.push((number, error.to_string()))
    });
    assert!(failed.windows(2).all(|pair| pair[0].0 < pair[1].0), "errors come in order");
    let column = reader.finish();
    assert_eq!(column.len() + failed.len(), records.len(), "rows were lost or doubled");
    let (mut row, mut failed) = (0, failed.into_iter().peekable());
    let answer = |number: usize| match failed.next_if(|(at, _)| *at == number) {
        Some((_, error)) => Err(error),
        None => {
            row += 1;
            Ok(format!("{:?}", value_at(schema, &column, row - 1)))
        }
    };
    (0..records.len()).map(answer).collect()
}

#[test]
fn records_side_by_side_are_read_as_if_each_were_alone() {
    let mut random = Random(11);
    let mut read = [0, 0];
    for _ in 0..120 {
        let mut schema = schema(&mut random, 3);
        if random.below(4) > 0 {
            while !matches!(schema.kind, Kind::Struct(_)) {
                schema = self::schema(&mut random, 3);
            }
        }
        let schema = Arc::new(schema);
        let mut reader = RegisteredReader::new(Arc::clone(&schema), is_union);
        for _ in 0..3 {
            let style = style(&mut random);
            let damage_in = [5, 50, 100_000][random.below(3)];
            let mut record = || {
                let mut record = payload(&mut random, &style, &schema).into_bytes();
                if random.below(damage_in) == 0 && !record.is_empty() {
                    let at = random.below(record.len());
                    match random.below(4) {
                        0 => record[at] = random.pick(b"{}[]\",:0.eE-\\tfn \xff\x00\xc3"),
                        1 => record.truncate(at),
                        2 => drop(record.remove(at)),
                        _ => record.insert(at, record[at]),
                    }
                }
                record
            };
            let records: Vec<Vec<u8>> = (0..150).map(|_| record()).collect();
            let (alone, together) = (alone(&schema, &records), together(&mut reader, &schema, &records));
            for ((record, alone), together) in records.iter().zip(alone).zip(together) {
                read[usize::from(alone.is_ok())] += 1;
                let text = String::from_utf8_lossy(record);
                assert_eq!(alone, together, "{text} under {schema:?}");
            }
        }
    }
    assert!(read.iter().all(|count| *count > 4_000), "{read:?}");
}

#[test]
fn records_that_differ_in_what_is_missing_are_still_alike() {
    let fields = ["a", "b", "c"].map(|name| {
        let mut schema = Schema::new(Kind::Int64);
        schema.optional = true;
        Field { name: name.into(), schema: Arc::new(schema) }
    });
    let schema = Arc::new(Schema::new(Kind::Struct(fields.to_vec())));
    let mut reader = RegisteredReader::new(Arc::clone(&schema), |_| false);
    let records: Vec<Vec<u8>> = (0..4096)
        .map(|row| {
            let members = ["a", "b", "other", "c"].iter().enumerate();
            let members = members.filter(|(at, _)| row >> at & 1 == 1);
            let members = members.map(|(at, name)| format!("\"{name}\":{at}")).collect::<Vec<_>>();
            format!("{{{}}}", members.join(",")).into_bytes()
        })
        .collect();
    let answers = together(&mut reader, &schema, &records);
    assert!(answers.iter().all(Result::is_ok));
    let general = reader.read_in_general();
    assert!(general < 600, "{general} of {} records were not like the others", records.len());
}
