//! Two schemas to a program.

use std::collections::HashMap;

use super::super::fault::Converted;
use super::super::schema::{AvroSchema, RecordField, Shape, Type, TypeId};
use super::{Part, Program, Record, Source, Step, StepId, default};

/// The program that makes values of `to` of those of `from`.
///
/// # Errors
/// For defaults that are not of their type.
pub(super) fn program(from: &AvroSchema, to: &AvroSchema) -> Converted<Program> {
    let mut compiler = Compiler { from, to, steps: Vec::new(), records: HashMap::new() };
    let root = compiler.pair(from.root, to.root)?;
    Ok(Program { steps: compiler.steps, root })
}

struct Compiler<'a> {
    from: &'a AvroSchema,
    to: &'a AvroSchema,
    steps: Vec<Step>,
    /// Records that are known, which break cycles: with what each becomes, or as they are.
    records: HashMap<(TypeId, Option<TypeId>), StepId>,
}

impl Compiler<'_> {
    fn add(&mut self, step: Step) -> StepId {
        self.steps.push(step);
        self.steps.len() - 1
    }

    /// What makes a value of `to` of one of `from`. Recursion is bounded by the schemas.
    fn pair(&mut self, from: TypeId, to: TypeId) -> Converted<StepId> {
        let (written, latest) = (self.from.get(from), self.to.get(to));
        let step = match (&written.shape, &latest.shape) {
            (Shape::Union(branches), shape) => {
                let same = match shape {
                    Shape::Union(others) if self.is_same(from, to) => Some(others.clone()),
                    _ => None,
                };
                return self.union(branches, to, same.as_deref());
            }
            (Shape::Null, Shape::Null) => Step::Null,
            (Shape::Boolean, Shape::Boolean) => Step::Boolean,
            (Shape::Int, Shape::Int | Shape::Long) => Step::Int,
            (Shape::Int, Shape::Float) => Step::IntToFloat,
            (Shape::Int, Shape::Double) => Step::IntToDouble,
            (Shape::Long, Shape::Long) => Step::Long,
            (Shape::Long, Shape::Float) => Step::LongToFloat,
            (Shape::Long, Shape::Double) => Step::LongToDouble,
            (Shape::Float, Shape::Float) => Step::Float,
            (Shape::Float, Shape::Double) => Step::FloatToDouble,
            (Shape::Double, Shape::Double) => Step::Double,
            (Shape::String | Shape::Bytes, Shape::String | Shape::Bytes) => Step::Bytes,
            (Shape::Fixed(size), Shape::Fixed(other)) => {
                if size == other && is_called_alike(written, latest) {
                    Step::Fixed(*size)
                } else {
                    self.unlike(from, to)
                }
            }
            (Shape::Enum { symbols, .. }, Shape::Enum { symbols: known, default }) => {
                if is_called_alike(written, latest) {
                    enumeration(symbols, known, default.as_ref())
                } else {
                    self.unlike(from, to)
                }
            }
            (Shape::Array(item), Shape::Array(other)) => {
                let bytes_min = bytes_min(self.from, *item);
                Step::Array { item: self.pair(*item, *other)?, bytes_min }
            }
            (Shape::Map(value), Shape::Map(other)) => Step::Map { value: self.pair(*value, *other)? },
            (Shape::Record(_), Shape::Record(_)) => return self.record(from, to),
            (_, Shape::Union(branches)) => match self.branch_of(from, branches)? {
                Some(index) => {
                    let value = self.pair(from, branches[index])?;
                    Step::Branch { index: index as i64, value }
                }
                None => self.unlike(from, to),
            },
            _ => self.unlike(from, to),
        };
        Ok(self.add(step))
    }

    /// A union that becomes `to`, branch by branch; a union of the `same` branches keeps their numbers.
    fn union(&mut self, branches: &[TypeId], to: TypeId, same: Option<&[TypeId]>) -> Converted<StepId> {
        let mut steps = Vec::with_capacity(branches.len());
        for (index, branch) in branches.iter().enumerate() {
            steps.push(match same {
                Some(others) => {
                    let value = self.pair(*branch, others[index])?;
                    self.add(Step::Branch { index: index as i64, value })
                }
                None => self.pair(*branch, to)?,
            });
        }
        Ok(self.add(Step::Union(steps)))
    }

    /// The branch that values of `from` become.
    fn branch_of(&mut self, from: TypeId, branches: &[TypeId]) -> Converted<Option<usize>> {
        let written = self.from.get(from);
        let mut alike = None;
        for (index, branch) in branches.iter().enumerate() {
            let other = self.to.get(*branch);
            if written.word() != other.word() {
                continue;
            }
            if written.name.is_none() || written.full_name() == other.full_name() {
                return Ok(Some(index));
            }
            if let (Shape::Record(_), Shape::Record(_)) = (&written.shape, &other.shape) {
                let step = self.record(from, *branch)?;
                let fits = match &self.steps[step] {
                    Step::Record(record) => !record.has_error,
                    _ => false,
                };
                // A record that fits and is called alike but for its namespace counts more.
                if fits && (alike.is_none() || is_called_alike(written, other)) {
                    alike = Some(index);
                }
            }
        }
        let widens = |branch: &TypeId| {
            matches!(
                (&written.shape, &self.to.get(*branch).shape),
                (Shape::Int, Shape::Long | Shape::Float | Shape::Double)
                    | (Shape::Long, Shape::Float | Shape::Double)
                    | (Shape::Float, Shape::Double)
                    | (Shape::String, Shape::Bytes)
                    | (Shape::Bytes, Shape::String)
            )
        };
        Ok(alike.or_else(|| branches.iter().position(widens)))
    }

    fn record(&mut self, from: TypeId, to: TypeId) -> Converted<StepId> {
        if let Some(known) = self.records.get(&(from, Some(to))) {
            return Ok(*known);
        }
        let id = self.add(Step::Record(Record::default()));
        self.records.insert((from, Some(to)), id);
        let (written, latest) = (self.from.get(from), self.to.get(to));
        let (Shape::Record(fields), Shape::Record(wanted)) = (&written.shape, &latest.shape) else {
            return Ok(id);
        };
        let mut record = Record::default();
        let mut places = Vec::new();
        for field in fields {
            match wanted.iter().position(|other| other.name == field.name) {
                Some(place) => {
                    let step = self.pair(field.kind, wanted[place].kind)?;
                    record.has_error |= matches!(self.steps[step], Step::Error(_));
                    record.parts.push(Part::Field(step));
                    places.push(place);
                }
                None => {
                    let step = self.as_it_is(field.kind)?;
                    record.parts.push(Part::Skipped(step));
                }
            }
        }
        let is_missing = |field: &&RecordField| {
            field.default.is_none() && !fields.iter().any(|other| other.name == field.name)
        };
        // As in Java the last one is named.
        if let Some(missing) = wanted.iter().rfind(is_missing) {
            let Step::Error(message) = self.unlike(from, to) else { return Ok(id) };
            self.steps[id] = Step::Error(format!("{message}, missing required field {}", missing.name));
            return Ok(id);
        }
        self.arrange(&mut record, wanted, &places)?;
        self.steps[id] = Step::Record(record);
        Ok(id)
    }

    /// Adds the defaults of `wanted` to the fields that were found, whose `places` among them these are.
    fn arrange(&self, record: &mut Record, wanted: &[RecordField], places: &[usize]) -> Converted<()> {
        let mut sources = Vec::with_capacity(wanted.len());
        for (place, field) in wanted.iter().enumerate() {
            sources.push(match (places.iter().position(|found| *found == place), &field.default) {
                (Some(number), _) => Source::Field(number),
                (None, Some(json)) => Source::Constant(default::encode(self.to, field.kind, json)?),
                (None, None) => continue,
            });
        }
        if !places.is_sorted() {
            record.order = Some(sources);
            return Ok(());
        }
        // Defaults stand in front of the field that follows them.
        let mut parts = std::mem::take(&mut record.parts).into_iter();
        for source in sources {
            match source {
                Source::Constant(bytes) => record.parts.push(Part::Constant(bytes)),
                Source::Field(_) => {
                    for part in parts.by_ref() {
                        let is_field = matches!(part, Part::Field(_));
                        record.parts.push(part);
                        if is_field {
                            break;
                        }
                    }
                }
            }
        }
        record.parts.extend(parts);
        Ok(())
    }

    /// What reads a value of `from` that nobody wants.
    fn as_it_is(&mut self, from: TypeId) -> Converted<StepId> {
        if let Some(known) = self.records.get(&(from, None)) {
            return Ok(*known);
        }
        let step = match &self.from.get(from).shape {
            Shape::Array(item) => {
                let bytes_min = bytes_min(self.from, *item);
                Step::Array { item: self.as_it_is(*item)?, bytes_min }
            }
            Shape::Boolean => Step::Boolean,
            Shape::Bytes | Shape::String => Step::Bytes,
            Shape::Double => Step::Double,
            Shape::Enum { .. } | Shape::Int => Step::Int,
            Shape::Fixed(size) => Step::Fixed(*size),
            Shape::Float => Step::Float,
            Shape::Long => Step::Long,
            Shape::Map(value) => Step::Map { value: self.as_it_is(*value)? },
            Shape::Null => Step::Null,
            Shape::Union(branches) => {
                Step::Union(branches.iter().map(|branch| self.as_it_is(*branch)).collect::<Result<_, _>>()?)
            }
            Shape::Record(fields) => {
                let id = self.add(Step::Record(Record::default()));
                self.records.insert((from, None), id);
                let part = |field: &RecordField| Ok(Part::Skipped(self.as_it_is(field.kind)?));
                let parts = fields.iter().map(part).collect::<Converted<_>>()?;
                self.steps[id] = Step::Record(Record { parts, ..Record::default() });
                return Ok(id);
            }
        };
        Ok(self.add(step))
    }

    /// The message of an `AvroTypeException`.
    fn unlike(&self, from: TypeId, to: TypeId) -> Step {
        Step::Error(format!("Found {}, expecting {}", name(self.from, from), name(self.to, to)))
    }

    fn is_same(&self, from: TypeId, to: TypeId) -> bool {
        Same { from: self.from, to: self.to, records: HashMap::new() }.types(from, to)
    }
}

/// Whether unions are the same, so that their branches keep their numbers.
struct Same<'a> {
    from: &'a AvroSchema,
    to: &'a AvroSchema,
    /// Pairs of records that were looked at: the same until it shows that they are not.
    records: HashMap<(TypeId, TypeId), bool>,
}

impl Same<'_> {
    /// Recursion is bounded by the schemas.
    fn types(&mut self, from: TypeId, to: TypeId) -> bool {
        let (one, other) = (self.from.get(from), self.to.get(to));
        if one.word() != other.word() || !is_called_alike(one, other) {
            return false;
        }
        match (&one.shape, &other.shape) {
            (Shape::Array(one), Shape::Array(other)) | (Shape::Map(one), Shape::Map(other)) => {
                self.types(*one, *other)
            }
            (Shape::Fixed(one), Shape::Fixed(other)) => one == other,
            (Shape::Enum { symbols: one, .. }, Shape::Enum { symbols: other, .. }) => one == other,
            (Shape::Union(one), Shape::Union(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| self.types(*one, *other))
            }
            (Shape::Record(one), Shape::Record(other)) => {
                if let Some(known) = self.records.get(&(from, to)) {
                    return *known;
                }
                self.records.insert((from, to), true);
                let is_same = one.len() == other.len()
                    && one
                        .iter()
                        .zip(other)
                        .all(|(one, other)| one.name == other.name && self.types(one.kind, other.kind));
                self.records.insert((from, to), is_same);
                is_same
            }
            _ => true,
        }
    }
}

/// Whether two types have the same name but for its namespace, or none.
fn is_called_alike(one: &Type, other: &Type) -> bool {
    let simple = |kind: &Type| kind.name.as_ref().map(|name| name.simple.clone());
    simple(one).is_none_or(|name| Some(name) == simple(other))
}

/// What errors call a type.
fn name(schema: &AvroSchema, id: TypeId) -> String {
    let kind = schema.get(id);
    match &kind.shape {
        Shape::Union(branches) => {
            let simple = |branch: &TypeId| {
                let kind = schema.get(*branch);
                kind.name.as_ref().map_or_else(|| kind.word().to_owned(), |name| name.simple.clone())
            };
            let names: Vec<String> = branches.iter().map(simple).collect();
            format!("union[{}]", names.join(", "))
        }
        _ => kind.branch_key(),
    }
}

fn enumeration(symbols: &[String], known: &[String], default: Option<&String>) -> Step {
    let place = |symbol: &String| known.iter().position(|other| other == symbol);
    let default = default.and_then(place);
    let one = |symbol: &String| match place(symbol).or(default) {
        Some(place) => Ok(place as i64),
        None => Err(symbol.clone()),
    };
    Step::Enum(symbols.iter().map(one).collect())
}

/// Whether a value of type `id` takes bytes at all: 1 or 0.
fn bytes_min(schema: &AvroSchema, id: TypeId) -> usize {
    fn takes(schema: &AvroSchema, id: TypeId, open: &mut Vec<TypeId>) -> bool {
        match &schema.get(id).shape {
            Shape::Null | Shape::Fixed(0) => false,
            Shape::Record(fields) => {
                // A record within itself has no value, or bytes that say that it ends.
                if open.contains(&id) {
                    return true;
                }
                open.push(id);
                let takes = fields.iter().any(|field| takes(schema, field.kind, open));
                open.pop();
                takes
            }
            _ => true,
        }
    }
    usize::from(takes(schema, id, &mut Vec::new()))
}
