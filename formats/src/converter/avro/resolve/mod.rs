//! Payloads of one schema as payloads of another one: Avro's schema resolution, compiled to a program that
//! reads a payload as it was written and writes it as the reader of the other schema takes it.
//!
//! What cannot be resolved fails only when a payload holds it, as in Java. Where a default is an array in a
//! union, Java fails for every payload; here the field has that default.
//!
//! Source: Avro 1.12 specification, "Schema Resolution"; `org.apache.avro.Resolver`, `Schema.applyAliases`.

mod aliases;
mod compile;
mod default;
mod run;

use super::fault::Converted;
use super::read::Cursor;
use super::schema::{AvroSchema, Shape};

/// A schema and the texts it was parsed from: what it depends on, then its own.
pub(super) struct Parsed<'a> {
    pub(super) schema: &'a AvroSchema,
    pub(super) texts: &'a [&'a str],
}

/// Turns payloads of one schema into those of another one.
///
/// # Memory
/// One payload.
pub(super) struct Resolver {
    program: Program,
    buffers: run::Buffers,
    /// How the root is written: bytes are the whole payload, without a length in front.
    root: Root,
}

/// What is special about the outermost type.
#[derive(Clone, Copy)]
enum Root {
    /// Nothing.
    Plain,
    /// Both sides are bytes.
    Raw,
    /// The payload is bytes, which Java hands on as they are, whatever the type is now.
    RawWritten,
    /// The value becomes bytes.
    RawRead,
}

/// Steps that refer to each other by number, as schemas may contain themselves.
struct Program {
    steps: Vec<Step>,
    root: StepId,
}

/// The place of a step in its program.
type StepId = usize;

/// What is done with one value.
#[derive(Clone, Debug)]
enum Step {
    Array {
        item: StepId,
        /// Bytes that an item takes at least.
        bytes_min: usize,
    },
    Boolean,
    /// A value becomes a branch of a union.
    Branch {
        index: i64,
        value: StepId,
    },
    Bytes,
    Double,
    /// The symbol that each symbol becomes; `Err` names the one that there is not.
    Enum(Vec<Result<i64, String>>),
    /// The two types do not go together: the message of an `AvroTypeException`.
    Error(String),
    Fixed(usize),
    Float,
    FloatToDouble,
    Int,
    IntToDouble,
    IntToFloat,
    Long,
    LongToDouble,
    LongToFloat,
    Map {
        value: StepId,
    },
    Null,
    Record(Record),
    /// A branch of a union, each with what its value becomes.
    Union(Vec<StepId>),
}

/// How a record becomes another one.
#[derive(Clone, Debug, Default)]
struct Record {
    /// In the order of the record that was written.
    parts: Vec<Part>,
    /// Where the fields of the new record come from, unless the parts are in its order already.
    order: Option<Vec<Source>>,
    /// Whether one of the fields on both sides does not go together.
    has_error: bool,
}

/// A part of a record.
#[derive(Clone, Debug)]
enum Part {
    /// A default.
    Constant(Vec<u8>),
    /// A field on both sides.
    Field(StepId),
    /// A field that there is no more.
    Skipped(StepId),
}

/// Where a field of the new record comes from.
#[derive(Clone, Debug)]
enum Source {
    Constant(Vec<u8>),
    /// The field that was read as that number.
    Field(usize),
}

impl Resolver {
    /// What turns payloads of `written` into payloads of `latest`.
    ///
    /// # Errors
    /// For defaults that are not of their type, and aliases that make two fields one.
    pub(super) fn new(written: &AvroSchema, latest: &Parsed<'_>) -> Converted<Self> {
        let renamed = aliases::apply(written, latest)?;
        let program = compile::program(&renamed, latest.schema)?;
        let is_bytes = |schema: &AvroSchema| matches!(schema.root_type().shape, Shape::Bytes);
        let root = match (is_bytes(written), is_bytes(latest.schema)) {
            (false, false) => Root::Plain,
            (true, true) => Root::Raw,
            (true, false) => Root::RawWritten,
            (false, true) => Root::RawRead,
        };
        Ok(Self { program, buffers: run::Buffers::default(), root })
    }

    /// The payload as one of the latest schema.
    pub(super) fn resolve<'a>(&'a mut self, payload: &'a [u8]) -> Converted<&'a [u8]> {
        if let Root::Raw = self.root {
            return Ok(payload);
        }
        self.buffers.clear();
        match self.root {
            Root::RawWritten => return run::raw(&self.program, payload, &mut self.buffers),
            _ => run::value(&self.program, &mut Cursor::new(payload), &mut self.buffers)?,
        }
        let out = self.buffers.out();
        match self.root {
            Root::RawRead => Cursor::new(out).bytes(),
            _ => Ok(out),
        }
    }
}
