//! Decoding of one JSON value into a column: the fast paths, nulls, and what is common to all reading rules.

use super::super::cursor::Cursor;
use super::super::fault::{Fault, Parsed, data, field, syntax};
use super::super::number::Number;
use super::{Cells, Column, NullRule, Reading, Strictness, TextScope};

impl Column {
    /// Appends the value at the cursor as one more row. After an error the column has to be truncated.
    ///
    /// Recursion is bounded by the depth of the schema.
    pub(in super::super) fn append_value(&mut self, cursor: &mut Cursor<'_>, reading: Reading) -> Parsed<()> {
        let token = cursor.token();
        match (&mut self.cells, token) {
            (_, b'n') => {
                cursor.word(b"null")?;
                return self.append_null(reading);
            }
            (Cells::String(texts), b'"') => {
                cursor.string()?.append_to(&mut texts.items);
                texts.end_cell()?;
            }
            (Cells::Int64(numbers), b'-' | b'0'..=b'9') => match cursor.number()? {
                Number::Integer(number) => numbers.push(number),
                unusual => return self.append_unusual_number(unusual, reading),
            },
            (Cells::Float64(numbers), b'-' | b'0'..=b'9') => {
                let number = reading.number(cursor.number()?);
                let double = number.to_f64();
                if reading.strictness == Strictness::Inferred && !is_lossless(number, double) {
                    return Err(Box::new(Fault::Misfit));
                }
                numbers.push(double);
            }
            (Cells::Boolean(flags), b't') => {
                cursor.word(b"true")?;
                flags.push(true);
            }
            (Cells::Boolean(flags), b'f') => {
                cursor.word(b"false")?;
                flags.push(false);
            }
            (Cells::Struct(record), b'{') => record.append_object(cursor, reading)?,
            (Cells::List { offsets, item }, b'[') => {
                let mut more = cursor.enter(b']');
                while more {
                    item.append_value(cursor, reading).map_err(|fault| fault.within("element of array "))?;
                    more = cursor.has_more(b']')?;
                }
                offsets.push(row_count(item)?);
            }
            (Cells::Map { .. }, _) => return self.append_map(cursor, token, reading),
            (Cells::Recursive(recursion), _) => recursion.append_value(cursor, reading)?,
            (Cells::Union(record), _) => record.append_branch(cursor, token, reading)?,
            (Cells::JsonText { texts, scope }, _) => {
                let raw = cursor.raw_value()?;
                if *scope == TextScope::Hollow && !is_hollow(raw)? {
                    return Err(Box::new(Fault::Misfit));
                }
                texts.items.extend_from_slice(raw);
                texts.end_cell()?;
            }
            (_, b'-' | b'0'..=b'9') => {
                let number = cursor.number()?;
                return self.append_unusual_number(number, reading);
            }
            _ => return self.append_unusual(cursor, token, reading),
        }
        Ok(())
    }

    /// Appends null, or what stands in for it. Source: `JsonConverter#convertToConnect`.
    pub(in super::super) fn append_null(&mut self, reading: Reading) -> Parsed<()> {
        if reading.nulls == NullRule::ReplaceWithDefault
            && let Some(default) = self.default.take()
        {
            let appended = self.append_constant(&default);
            self.default = Some(default);
            return appended;
        }
        if !self.optional {
            return Err(match reading.strictness {
                Strictness::Declared => field("is required, but null or missing"),
                Strictness::Envelope | Strictness::Inferred | Strictness::Registered => {
                    data(format!("Invalid null value for required {} field", self.type_name()))
                }
            });
        }
        self.push_hole();
        Ok(())
    }

    /// Appends what a member that is not there becomes. Source: `JsonSchemaData#toConnectData`, which leaves
    /// such a field of the STRUCT empty, so that it fails later than a null in the text.
    pub(super) fn append_absent(&mut self, reading: Reading) -> Parsed<()> {
        if reading.strictness == Strictness::Registered && self.default.is_none() {
            return self.append_converted_null();
        }
        self.append_null(reading)
    }

    /// Appends a null that Java makes from a value of another type: it fails later than a null in the text.
    pub(super) fn append_converted_null(&mut self) -> Parsed<()> {
        if !self.optional {
            let kind = self.type_name();
            return Err(Box::new(Fault::Null { location: String::new(), kind, located: false }));
        }
        self.push_hole();
        Ok(())
    }

    /// The Connect name of the column's base type.
    pub(super) fn type_name(&self) -> &'static str {
        match &self.cells {
            Cells::Absent | Cells::JsonText { .. } | Cells::String(_) => "STRING",
            Cells::Boolean(_) => "BOOLEAN",
            Cells::Bytes(_) | Cells::Decimal { .. } => "BYTES",
            Cells::Date(_) | Cells::Int32(_) | Cells::Time(_) => "INT32",
            Cells::Float32(_) => "FLOAT32",
            Cells::Float64(_) => "FLOAT64",
            Cells::Int16(_) => "INT16",
            Cells::Int64(_) | Cells::Timestamp(_) => "INT64",
            Cells::Int8(_) => "INT8",
            Cells::List { .. } => "ARRAY",
            Cells::Map { .. } => "MAP",
            Cells::Recursive(recursion) => recursion.type_name(),
            Cells::Struct(_) | Cells::Union(_) => "STRUCT",
        }
    }

    /// A value whose JSON type is not the obvious one for the column.
    #[cold]
    fn append_unusual(&mut self, cursor: &mut Cursor<'_>, token: u8, reading: Reading) -> Parsed<()> {
        let found = json_type(token).ok_or_else(|| syntax("unexpected character", cursor.pos))?;
        if token == b'"'
            && let Cells::Bytes(_) | Cells::Decimal { .. } = self.cells
        {
            return self.append_base64(cursor);
        }
        match reading.strictness {
            Strictness::Declared => {
                Err(field(format!("expected {} but found a JSON {found}", self.type_name())))
            }
            Strictness::Envelope | Strictness::Registered => self.append_lax(cursor, found, reading),
            Strictness::Inferred => Err(Box::new(Fault::Misfit)),
        }
    }
}

/// The number of rows of a child, as an offset.
pub(super) fn row_count(column: &Column) -> Parsed<i32> {
    i32::try_from(column.rows()).map_err(|_| data(super::TOO_LARGE))
}

/// Whether a checked value holds no scalar but null (`{}`, `[[]]`, `{"a":null}`).
fn is_hollow(raw: &[u8]) -> Parsed<bool> {
    let mut cursor = Cursor::new(raw);
    loop {
        match cursor.token() {
            b'"' => {
                cursor.string()?;
                if cursor.token() != b':' {
                    return Ok(false);
                }
            }
            b'n' => cursor.word(b"null")?,
            b'-' | b'0'..=b'9' | b't' | b'f' => return Ok(false),
            0 => return Ok(true),
            _ => cursor.pos += 1,
        }
    }
}

/// Jackson's name of the JSON type that starts with `token`.
pub(super) fn json_type(token: u8) -> Option<&'static str> {
    match token {
        b'"' => Some("STRING"),
        b'-' | b'0'..=b'9' => Some("NUMBER"),
        b't' | b'f' => Some("BOOLEAN"),
        b'{' => Some("OBJECT"),
        b'[' => Some("ARRAY"),
        _ => None,
    }
}

/// Whether an inferred FLOAT64 column may hold `number`: integers up to 2^53 and fractions in range.
pub(in super::super) fn is_lossless(number: Number<'_>, double: f64) -> bool {
    match number {
        Number::Big(_) => false,
        Number::Fraction(_) => double.is_finite(),
        Number::Integer(integer) => integer.unsigned_abs() <= 1 << f64::MANTISSA_DIGITS,
    }
}
