//! Objects of CSV, as RFC 4180 has it or with escapes (`escaped.rs`): a line is a record, of a struct whose
//! fields are columns.
//!
//! Source: opencsv 5.9, `CSVReader` over `RFC4180Parser`, whose answers are the golden rows of the tests;
//! keys and defaults are those of the Confluent S3 source, which names opencsv's settings. What it does with
//! a row of another length is not documented: here it is damage, but for empty lines, which are left out.

mod escaped;

use std::sync::Arc;

use lakeward_api::batch::Values;
use lakeward_api::rows::ColumnWriter;
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::value::Value;

use super::input::{HELD_BYTES_MAX, Input};
use super::sequence::Decoder;
use crate::FormatError;

pub use escaped::CsvEscapes;

/// How CSV is read.
#[derive(Clone, Debug, PartialEq)]
pub struct CsvOptions {
    /// Lines in front of everything else that are left out.
    pub skip_lines: usize,
    /// Between fields.
    pub separator: char,
    /// Around fields that hold separators, quotes or line ends; one within is doubled.
    pub quote: char,
    /// A carriage return alone ends no line, and those within quotes stay.
    pub keep_returns: bool,
    /// Empty fields that are null.
    pub nulls: CsvNulls,
    /// The first record names the columns.
    pub has_header: bool,
    /// Names of columns and fields are the same in any case.
    pub ignore_case: bool,
    /// `None` for RFC 4180.
    pub escapes: Option<CsvEscapes>,
    /// A struct of plain types; `None` makes a field of optional text of each column.
    pub schema: Option<Arc<Schema>>,
}

/// Which empty fields are null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CsvNulls {
    /// All.
    Both,
    /// Those in quotes.
    EmptyQuotes,
    /// Those without quotes.
    EmptySeparators,
    /// None; numbers and booleans that are empty are null all the same.
    Neither,
}

/// A field of a record.
struct Cell {
    text: Vec<u8>,
    is_quoted: bool,
    is_null: bool,
}

/// What ends a field.
enum End {
    Field { bytes: usize },
    Record { bytes: usize },
}

/// CSV being read.
pub(super) struct CsvDecoder {
    options: CsvOptions,
    separator: Vec<u8>,
    quote: Vec<u8>,
    lines_to_skip: usize,
    columns: Option<Columns>,
    /// A part of a record is looked at again when there are so many bytes: twice as many each time.
    enough_bytes: usize,
    /// Of a row behind rows that were given out.
    failure: Option<FormatError>,
}

/// Where the cells of a row go.
struct Columns {
    schema: Arc<Schema>,
    /// The field of each column.
    places: Vec<Option<usize>>,
}

impl CsvDecoder {
    pub(super) fn new(options: CsvOptions) -> Self {
        let bytes = |letter: char| letter.to_string().into_bytes();
        let (separator, quote) = (bytes(options.separator), bytes(options.quote));
        Self {
            lines_to_skip: options.skip_lines,
            options,
            separator,
            quote,
            columns: None,
            enough_bytes: 0,
            failure: None,
        }
    }

    /// Leaves lines out; false when more bytes have to come.
    fn skip(&mut self, input: &mut Input) -> bool {
        while self.lines_to_skip > 0 {
            let (bytes, is_all) = (input.bytes(), input.is_all());
            let end = (0..bytes.len()).find(|at| self.line_end(bytes, *at) > 0);
            let used = end.map_or(bytes.len(), |at| at + self.line_end(bytes, at));
            // A line feed may follow a carriage return.
            if !is_all && (end.is_none() || used == bytes.len()) {
                return false;
            }
            input.consume(used);
            self.lines_to_skip = if end.is_none() { 0 } else { self.lines_to_skip - 1 };
        }
        true
    }

    /// The next record and its bytes; `None` when more have to come.
    fn record(&self, input: &Input) -> Result<Option<(Vec<Cell>, usize)>, FormatError> {
        if let Some(rules) = self.options.escapes {
            return self.escaped_record(rules, input);
        }
        let bytes = input.bytes();
        let (mut cells, mut at) = (Vec::new(), 0);
        loop {
            let cell = match bytes[at..].starts_with(&self.quote) {
                true => self.quoted(bytes, at + self.quote.len(), input.is_all())?,
                false => self.plain(bytes, at, input.is_all())?,
            };
            let Some((cell, end, place)) = cell else { return Ok(None) };
            cells.push(cell);
            match end {
                End::Field { bytes } => at = place + bytes,
                End::Record { bytes } => return Ok(Some((cells, place + bytes))),
            }
        }
    }

    fn plain(
        &self,
        bytes: &[u8],
        start: usize,
        is_all: bool,
    ) -> Result<Option<(Cell, End, usize)>, FormatError> {
        let mut at = start;
        loop {
            if !is_all && bytes.len() - at < LOOK_AHEAD {
                return Ok(None);
            }
            match self.end(bytes, at) {
                Some(end) => {
                    let text = bytes[start..at].to_vec();
                    let quotes = memchr::memmem::find_iter(&text, &self.quote).count();
                    if matches!(end, End::Record { .. }) && quotes % 2 == 1 {
                        return Err(unterminated());
                    }
                    return Ok(Some((self.cell(text, false), end, at)));
                }
                None => at += 1 + plain_bytes(&bytes[at + 1..], &self.separator),
            }
        }
    }

    fn quoted(
        &self,
        bytes: &[u8],
        start: usize,
        is_all: bool,
    ) -> Result<Option<(Cell, End, usize)>, FormatError> {
        let (mut at, mut text) = (start, Vec::new());
        loop {
            if !is_all && bytes.len() - at < LOOK_AHEAD {
                return Ok(None);
            }
            if at == bytes.len() {
                return Err(unterminated());
            }
            if let Some(behind) = bytes[at..].strip_prefix(self.quote.as_slice()) {
                at += self.quote.len();
                if behind.starts_with(&self.quote) {
                    at += self.quote.len();
                } else if let Some(end) = self.end(bytes, at) {
                    return Ok(Some((self.cell(text, true), end, at)));
                }
                text.extend_from_slice(&self.quote);
            } else if !self.options.keep_returns && self.line_end(bytes, at) > 0 {
                at += self.line_end(bytes, at);
                text.push(b'\n');
            } else {
                let plain = 1 + plain_bytes(&bytes[at + 1..], &self.quote);
                text.extend_from_slice(&bytes[at..at + plain]);
                at += plain;
            }
        }
    }

    /// What ends a field here.
    fn end(&self, bytes: &[u8], at: usize) -> Option<End> {
        if bytes[at..].starts_with(&self.separator) {
            return Some(End::Field { bytes: self.separator.len() });
        }
        match self.line_end(bytes, at) {
            0 if at < bytes.len() => None,
            bytes => Some(End::Record { bytes }),
        }
    }

    /// Bytes of the line end here; 0 when there is none.
    fn line_end(&self, bytes: &[u8], at: usize) -> usize {
        match &bytes[at..] {
            [b'\r', b'\n', ..] => 2,
            [b'\n', ..] => 1,
            [b'\r', ..] if !self.options.keep_returns => 1,
            _ => 0,
        }
    }

    fn cell(&self, text: Vec<u8>, is_quoted: bool) -> Cell {
        let is_null = match self.options.nulls {
            CsvNulls::Both => true,
            CsvNulls::EmptyQuotes => is_quoted,
            CsvNulls::EmptySeparators => !is_quoted,
            CsvNulls::Neither => false,
        };
        Cell { is_null: is_null && text.is_empty(), text, is_quoted }
    }

    /// The columns of a file whose first record is `first`.
    fn columns_of(&self, first: &[Option<String>]) -> Result<Columns, FormatError> {
        let named = |(number, cell): (usize, &Option<String>)| match cell {
            Some(name) if self.options.has_header => name.clone(),
            _ => format!("column{:02}", number + 1),
        };
        let names: Vec<String> = first.iter().enumerate().map(named).collect();
        let Some(schema) = &self.options.schema else {
            let text = Arc::new(Schema::optional(Kind::String));
            let field = |name: &String| Field { name: name.as_str().into(), schema: Arc::clone(&text) };
            let fields = names.iter().map(field).collect();
            if let Some(twice) = (1..names.len()).find(|at| names[..*at].contains(&names[*at])) {
                return Err(damaged(format!("it has two columns with the name of column {}", twice + 1)));
            }
            let places = (0..names.len()).map(Some).collect();
            return Ok(Columns { schema: Arc::new(Schema::new(Kind::Struct(fields))), places });
        };
        let same = |field: &Field, name: &str| match self.options.ignore_case {
            true => field.name.to_lowercase() == name.to_lowercase(),
            false => *field.name == *name,
        };
        let place = |name: &String| schema.fields().iter().position(|field| same(field, name));
        let places = match self.options.has_header {
            true => names.iter().map(place).collect(),
            false => (0..names.len()).map(|at| (at < schema.fields().len()).then_some(at)).collect(),
        };
        Ok(Columns { schema: Arc::clone(schema), places })
    }
}

impl Cell {
    /// `None` for null. Java replaces what is no UTF-8.
    fn into_text(self) -> Option<String> {
        (!self.is_null).then(|| String::from_utf8_lossy(&self.text).into_owned())
    }
}

impl Columns {
    /// The struct of a row.
    fn row(&self, cells: Vec<Option<String>>) -> Result<Value, FormatError> {
        if cells.len() != self.places.len() {
            return Err(damaged(format!(
                "a row has {} fields where the first one has {}",
                cells.len(),
                self.places.len()
            )));
        }
        let fields = self.schema.fields();
        let mut values = vec![Value::Null; fields.len()];
        for (cell, place) in cells.into_iter().zip(&self.places) {
            if let (Some(text), Some(place)) = (cell, place) {
                values[*place] = parsed(text, &fields[*place])?;
            }
        }
        let missing =
            fields.iter().zip(&values).find(|(field, value)| value.is_null() && !field.schema.optional);
        match missing {
            Some((field, _)) => Err(damaged(format!("the required field {} is null", field.name))),
            None => Ok(Value::Struct(values)),
        }
    }
}

impl Decoder for CsvDecoder {
    fn rows(&mut self, input: &mut Input, rows_max: usize) -> Result<Vec<Values>, FormatError> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if !self.skip(input) {
            return Ok(Vec::new());
        }
        let mut rows = Vec::new();
        while rows.len() < rows_max && !input.bytes().is_empty() {
            match self.row(input) {
                Ok(Row::More) => break,
                Ok(Row::None) => {}
                Ok(Row::Values(row)) => rows.push(row),
                Err(failure) if rows.is_empty() => return Err(failure),
                Err(failure) => {
                    self.failure = Some(failure);
                    break;
                }
            }
        }
        let Some(columns) = self.columns.as_ref().filter(|_| !rows.is_empty()) else { return Ok(Vec::new()) };
        let mut column = ColumnWriter::new(&columns.schema);
        let appended = rows.iter().try_for_each(|row| column.append(row)).and_then(|()| column.finish());
        let array = appended.map_err(|source| FormatError::Converter { source })?;
        Ok(vec![Values::Typed { schema: Arc::clone(&columns.schema), array }])
    }
}

/// What the bytes at hand begin with.
enum Row {
    /// A part of a record.
    More,
    /// Names of columns, or an empty line.
    None,
    Values(Value),
}

impl CsvDecoder {
    fn row(&mut self, input: &mut Input) -> Result<Row, FormatError> {
        if !input.is_all() && input.bytes().len() < self.enough_bytes {
            return Ok(Row::More);
        }
        let Some((cells, used)) = self.record(input)? else {
            self.enough_bytes = (2 * input.bytes().len()).min(HELD_BYTES_MAX);
            return Ok(Row::More);
        };
        self.enough_bytes = 0;
        input.consume(used);
        let is_blank = matches!(cells.as_slice(), [cell] if cell.text.is_empty() && !cell.is_quoted);
        let cells: Vec<Option<String>> = cells.into_iter().map(Cell::into_text).collect();
        if self.columns.is_none() {
            self.columns = Some(self.columns_of(&cells)?);
            if self.options.has_header {
                return Ok(Row::None);
            }
        }
        let columns = self.columns.as_ref().expect("the first record named them");
        match is_blank && columns.places.len() > 1 {
            true => Ok(Row::None),
            false => columns.row(cells).map(Row::Values),
        }
    }
}

/// How many bytes are in front of the first that may begin `mark` or a line end.
fn plain_bytes(bytes: &[u8], mark: &[u8]) -> usize {
    memchr::memchr3(mark[0], b'\r', b'\n', bytes).unwrap_or(bytes.len())
}

/// A text as a value of a field; what is empty is null but for texts.
fn parsed(text: String, field: &Field) -> Result<Value, FormatError> {
    let kind = &field.schema.kind;
    if text.is_empty() && !matches!(kind, Kind::String) {
        return Ok(Value::Null);
    }
    let value = match kind {
        Kind::Boolean if text.eq_ignore_ascii_case("true") => Some(Value::Boolean(true)),
        Kind::Boolean if text.eq_ignore_ascii_case("false") => Some(Value::Boolean(false)),
        Kind::Float32 => text.trim().parse().ok().map(Value::Float32),
        Kind::Float64 => text.trim().parse().ok().map(Value::Float64),
        Kind::Int16 => text.parse().ok().map(Value::Int16),
        Kind::Int32 => text.parse().ok().map(Value::Int32),
        Kind::Int64 => text.parse().ok().map(Value::Int64),
        Kind::Int8 => text.parse().ok().map(Value::Int8),
        Kind::String => return Ok(Value::String(text.into())),
        _ => None,
    };
    value.ok_or_else(|| damaged(format!("the field {} holds no {}", field.name, kind.name())))
}

fn unterminated() -> FormatError {
    damaged("a field in quotes does not end")
}

fn damaged(problem: impl std::fmt::Display) -> FormatError {
    FormatError::data(format!("The CSV file cannot be read: {problem}"))
}

/// A quote and what follows it, of four bytes at most each.
const LOOK_AHEAD: usize = 8;
