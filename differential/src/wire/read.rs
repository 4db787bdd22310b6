//! Answers.

use std::sync::Arc;

use anyhow::{Context, bail, ensure};

use super::{HAS_DEFAULT, HAS_VERSION, OPTIONAL, RECURSIVE, tag};
use crate::case::{Answer, Failure};
use crate::model::{Field, Header, Kind, Record, Schema, Side, TimestampType, Typed, Value};

/// Reads one answer frame, without its length.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    schemas: Vec<Arc<Schema>>,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `frame`.
    pub(crate) fn new(frame: &'a [u8]) -> Self {
        Self { rest: frame, schemas: Vec::new() }
    }

    /// Fails unless everything was read.
    pub(crate) fn finish(&self) -> anyhow::Result<()> {
        ensure!(self.rest.is_empty(), "{} bytes are left of an answer", self.rest.len());
        Ok(())
    }

    fn take(&mut self, count: usize) -> anyhow::Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).context("an answer ends too early")?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> anyhow::Result<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk().context("an answer ends too early")?;
        self.rest = rest;
        Ok(*taken)
    }

    fn u8(&mut self) -> anyhow::Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    fn i32(&mut self) -> anyhow::Result<i32> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    /// A 64-bit number.
    pub(crate) fn i64(&mut self) -> anyhow::Result<i64> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    fn len(&mut self) -> anyhow::Result<usize> {
        usize::try_from(self.i32()?).context("a negative length")
    }

    fn bytes(&mut self) -> anyhow::Result<Option<&'a [u8]>> {
        match self.i32()? {
            -1 => Ok(None),
            length => self.take(usize::try_from(length).context("a negative length")?).map(Some),
        }
    }

    fn optional_text(&mut self) -> anyhow::Result<Option<String>> {
        Ok(self.bytes()?.map(text_of))
    }

    fn text(&mut self) -> anyhow::Result<String> {
        self.optional_text()?.context("a text is null")
    }

    /// The answers of a case of `items` items.
    pub(crate) fn answers(&mut self, items: usize) -> anyhow::Result<Vec<Answer>> {
        self.schemas.clear();
        if self.u8()? != 0 {
            return Ok(vec![Answer::NotConfigured(self.failure()?); items]);
        }
        ensure!(self.len()? == items, "as many answers as items");
        (0..items).map(|_| self.answer()).collect()
    }

    fn answer(&mut self) -> anyhow::Result<Answer> {
        Ok(match self.u8()? {
            0 => Answer::Dropped,
            1 => Answer::Typed(self.typed()?),
            2 => Answer::Bytes(self.bytes()?.map(<[u8]>::to_vec)),
            3 => Answer::Record(Box::new(self.record()?)),
            4 => Answer::Failed(self.failure()?),
            5 => Answer::Truth(self.u8()? != 0),
            6 => {
                let schema = self.text()?;
                Answer::Registered { schema, body: self.bytes()?.context("bytes are null")?.to_vec() }
            }
            other => bail!("unknown answer {other}"),
        })
    }

    fn failure(&mut self) -> anyhow::Result<Failure> {
        let count = self.len()?;
        ensure!(count > 0, "a failure names no exception");
        let mut chain = (0..count)
            .map(|_| Ok((self.text()?, self.optional_text()?)))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let (class, message) = chain.remove(0);
        Ok(Failure { class, message, causes: chain })
    }

    fn typed(&mut self) -> anyhow::Result<Typed> {
        Ok(Typed { schema: self.schema()?, value: self.value()? })
    }

    fn schema(&mut self) -> anyhow::Result<Option<Arc<Schema>>> {
        match self.i32()? {
            0 => Ok(None),
            1 => self.definition().map(Some),
            RECURSIVE => {
                let optional = self.u8()? != 0;
                let schema = Schema { optional, ..Schema::new(Kind::Recursive(self.len()?)) };
                Ok(Some(Arc::new(schema)))
            }
            known => {
                let index = usize::try_from(known - 2).context("a negative reference")?;
                Ok(Some(Arc::clone(self.schemas.get(index).context("an unknown schema")?)))
            }
        }
    }

    fn definition(&mut self) -> anyhow::Result<Arc<Schema>> {
        let type_number = self.u8()?;
        let flags = self.u8()?;
        let version = if flags & HAS_VERSION == 0 { None } else { Some(self.i32()?) };
        let name = self.optional_text()?;
        let doc = self.optional_text()?;
        let parameters = (0..self.len()?)
            .map(|_| Ok((self.text()?, self.optional_text()?.unwrap_or_default())))
            .collect::<anyhow::Result<_>>()?;
        let kind = self.kind(type_number)?;
        let default = if flags & HAS_DEFAULT == 0 { None } else { Some(self.value()?) };
        let optional = flags & OPTIONAL != 0;
        let schema = Arc::new(Schema { kind, optional, default, name, version, doc, parameters });
        self.schemas.push(Arc::clone(&schema));
        Ok(schema)
    }

    fn kind(&mut self, type_number: u8) -> anyhow::Result<Kind> {
        Ok(match type_number {
            0 => Kind::Int8,
            1 => Kind::Int16,
            2 => Kind::Int32,
            3 => Kind::Int64,
            4 => Kind::Float32,
            5 => Kind::Float64,
            6 => Kind::Boolean,
            7 => Kind::String,
            8 => Kind::Bytes,
            9 => Kind::Array(self.schema()?),
            10 => Kind::Map(self.schema()?, self.schema()?),
            11 => {
                let count = self.len()?;
                let field = |_| {
                    let name = self.text()?;
                    Ok(Field { name, schema: self.schema()?.context("a field without schema")? })
                };
                Kind::Struct((0..count).map(field).collect::<anyhow::Result<_>>()?)
            }
            other => bail!("unknown type {other}"),
        })
    }

    fn value(&mut self) -> anyhow::Result<Value> {
        Ok(match self.u8()? {
            tag::NULL => Value::Null,
            tag::BOOLEAN => Value::Boolean(self.u8()? != 0),
            tag::INT8 => Value::Int8(i8::from_be_bytes(self.array()?)),
            tag::INT16 => Value::Int16(i16::from_be_bytes(self.array()?)),
            tag::INT32 => Value::Int32(self.i32()?),
            tag::INT64 => Value::Int64(self.i64()?),
            tag::FLOAT32 => Value::Float32(f32::from_be_bytes(self.array()?)),
            tag::FLOAT64 => Value::Float64(f64::from_be_bytes(self.array()?)),
            tag::STRING => Value::String(self.text()?),
            tag::BINARY => Value::Bytes(self.bytes()?.context("bytes are null")?.to_vec()),
            tag::LIST => Value::List(self.values()?),
            tag::STRUCT => Value::Struct(self.values()?),
            tag::MAP => {
                let count = self.len()?;
                let entry = |_| Ok((self.value()?, self.value()?));
                Value::Map((0..count).map(entry).collect::<anyhow::Result<_>>()?)
            }
            tag::DATE => Value::Date(self.i64()?),
            tag::DECIMAL => {
                let unscaled = self.bytes()?.context("bytes are null")?.to_vec();
                Value::Decimal { unscaled, scale: self.i32()? }
            }
            tag::OTHER => Value::Other(self.text()?),
            other => bail!("unknown value {other}"),
        })
    }

    fn values(&mut self) -> anyhow::Result<Vec<Value>> {
        let count = self.len()?;
        (0..count).map(|_| self.value()).collect()
    }

    fn record(&mut self) -> anyhow::Result<Record> {
        let side = if self.u8()? == 0 { Side::Sink } else { Side::Source };
        let topic = self.optional_text()?;
        let partition = if self.u8()? == 0 { None } else { Some(self.i32()?) };
        let (key, value) = (self.typed()?, self.typed()?);
        let timestamp_ms = if self.u8()? == 0 { None } else { Some(self.i64()?) };
        let timestamp_type = match self.u8()? {
            0 => TimestampType::None,
            1 => TimestampType::Create,
            _ => TimestampType::LogAppend,
        };
        let offset = self.i64()?;
        let count = self.len()?;
        let header = |_| Ok(Header { name: self.text()?, value: self.typed()? });
        let headers = (0..count).map(header).collect::<anyhow::Result<_>>()?;
        Ok(Record { side, topic, partition, key, value, timestamp_ms, timestamp_type, offset, headers })
    }
}

/// A text of Java: UTF-8, but lone surrogates are encoded, too. They become U+FFFD each.
fn text_of(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let mut text = String::new();
    let mut rest = bytes;
    while let [first, ..] = rest {
        let length = match first {
            0..0x80 => 1,
            0x80..0xe0 => 2,
            0xe0..0xf0 => 3,
            _ => 4,
        };
        let (one, tail) = rest.split_at(length.min(rest.len()));
        text.push_str(std::str::from_utf8(one).unwrap_or("\u{fffd}"));
        rest = tail;
    }
    text
}
