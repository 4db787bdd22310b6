//! Whether data written with one schema can be read with another.
//!
//! Source: Avro 1.12 `SchemaCompatibility`: the same questions, the same names for what differs.

use std::collections::{HashMap, HashSet};

use super::{AvroSchema, Field, Name, Node, Primitive};

/// Comparisons after which two schemas are called too large to compare.
const MAX_STEPS: usize = 100_000;
/// Types within types beyond which two schemas are called too large to compare.
const MAX_DEPTH: usize = 300;
/// Differences that are reported.
const MAX_DIFFERENCES: usize = 20;

/// Why `reader` cannot read what `writer` wrote; empty when it can.
pub(crate) fn differences(reader: &AvroSchema, writer: &AvroSchema) -> Vec<String> {
    let mut check = Check { reader, writer, open: HashSet::new(), steps: 0, depth: 0 };
    let mut found = Vec::new();
    check.compare(reader.root, writer.root, "", &mut found);
    if check.steps > MAX_STEPS {
        found.push(
            "{errorType:'TYPE_MISMATCH', description:'the schemas are too large to compare'}".to_owned(),
        );
    }
    found.truncate(MAX_DIFFERENCES);
    found
}

struct Check<'a> {
    reader: &'a AvroSchema,
    writer: &'a AvroSchema,
    /// Pairs of records under comparison or compared: a recursion into one of them adds nothing.
    open: HashSet<(usize, usize)>,
    steps: usize,
    depth: usize,
}

impl Check<'_> {
    /// Recursion is bounded by [`MAX_DEPTH`].
    fn compare(&mut self, reader: usize, writer: usize, path: &str, found: &mut Vec<String>) {
        if self.depth == MAX_DEPTH {
            self.steps = MAX_STEPS;
        }
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return;
        }
        self.depth += 1;
        self.compare_types(reader, writer, path, found);
        self.depth -= 1;
    }

    fn compare_types(&mut self, reader: usize, writer: usize, path: &str, found: &mut Vec<String>) {
        let (read, written) = (&self.reader.nodes[reader], &self.writer.nodes[writer]);
        match (read, written) {
            (_, Node::Union(branches)) => {
                let reads_union = matches!(read, Node::Union(_));
                self.each_written(reader, branches, reads_union, path, found);
            }
            (Node::Union(branches), _) => self.any_read(branches, writer, path, found),
            (Node::Array(reader), Node::Array(writer)) => {
                self.compare(*reader, *writer, &format!("{path}/items"), found);
            }
            (Node::Map(reader), Node::Map(writer)) => {
                self.compare(*reader, *writer, &format!("{path}/values"), found);
            }
            (Node::Fixed { name, size }, Node::Fixed { name: old, size: old_size }) => {
                same_name(name, old, path, found);
                if size != old_size {
                    let what = format!("expected: {old_size}, found: {size}");
                    found.push(difference("FIXED_SIZE_MISMATCH", &format!("{path}/size"), &what));
                }
            }
            (
                Node::Enum { name, symbols, default },
                Node::Enum { name: old_name, symbols: old_symbols, .. },
            ) => {
                same_name(name, old_name, path, found);
                let known: HashSet<&String> = symbols.iter().collect();
                let missing: Vec<_> = old_symbols.iter().filter(|symbol| !known.contains(symbol)).collect();
                if !missing.is_empty() && default.is_none() {
                    let what = format!("missing: {missing:?}");
                    found.push(difference("MISSING_ENUM_SYMBOLS", &format!("{path}/symbols"), &what));
                }
            }
            (Node::Record { name, fields }, Node::Record { name: old_name, fields: old_fields }) => {
                same_name(name, old_name, path, found);
                if self.open.insert((reader, writer)) {
                    self.fields(fields, old_fields, path, found);
                }
            }
            (Node::Primitive(read), Node::Primitive(written)) if promotes(*written, *read) => {}
            _ => {
                let what =
                    format!("reader: {}, writer: {}", self.reader.kind(reader), self.writer.kind(writer));
                found.push(difference("TYPE_MISMATCH", path, &what));
            }
        }
    }

    /// Every branch that was written must be read.
    fn each_written(
        &mut self,
        reader: usize,
        branches: &[usize],
        reads_union: bool,
        path: &str,
        found: &mut Vec<String>,
    ) {
        for (at, branch) in branches.iter().enumerate() {
            let path = format!("{path}/{at}");
            let mut inner = Vec::new();
            self.compare(reader, *branch, &path, &mut inner);
            if reads_union && !inner.is_empty() {
                let what = format!("no branch reads {}", self.writer.kind(*branch));
                found.push(difference("MISSING_UNION_BRANCH", &path, &what));
            } else {
                found.append(&mut inner);
            }
        }
    }

    /// One of the branches must read what was written.
    fn any_read(&mut self, branches: &[usize], writer: usize, path: &str, found: &mut Vec<String>) {
        let is_record = matches!(self.writer.nodes[writer], Node::Record { .. });
        for branch in branches {
            // What a failed attempt assumed about records under comparison does not hold.
            let before = is_record.then(|| self.open.clone());
            let mut inner = Vec::new();
            self.compare(*branch, writer, path, &mut inner);
            if inner.is_empty() {
                return;
            }
            if let Some(before) = before {
                self.open = before;
            }
        }
        let what = format!("no branch reads {}", self.writer.kind(writer));
        found.push(difference("MISSING_UNION_BRANCH", path, &what));
    }

    fn fields(&mut self, fields: &[Field], written: &[Field], path: &str, found: &mut Vec<String>) {
        let old: HashMap<&str, usize> =
            written.iter().enumerate().map(|(at, old)| (old.name.as_str(), at)).collect();
        for (at, field) in fields.iter().enumerate() {
            let path = format!("{path}/fields/{at}");
            let by_alias = || field.aliases.iter().filter_map(|alias| old.get(alias.as_str())).min();
            let source = old.get(field.name.as_str()).or_else(by_alias).map(|at| &written[*at]);
            match source {
                Some(old) => self.compare(field.schema, old.schema, &format!("{path}/type"), found),
                None if field.has_default => {}
                None => found.push(difference(
                    "READER_FIELD_MISSING_DEFAULT_VALUE",
                    &path,
                    &format!("{} has no default and the writer does not have it", field.name),
                )),
            }
        }
    }
}

impl AvroSchema {
    fn kind(&self, node: usize) -> String {
        match &self.nodes[node] {
            Node::Open(_) => "unknown".to_owned(),
            Node::Primitive(primitive) => format!("{primitive:?}").to_lowercase(),
            Node::Array(_) => "array".to_owned(),
            Node::Map(_) => "map".to_owned(),
            Node::Union(_) => "union".to_owned(),
            Node::Fixed { name, .. } => format!("fixed {}", name.full),
            Node::Enum { name, .. } => format!("enum {}", name.full),
            Node::Record { name, .. } => format!("record {}", name.full),
        }
    }
}

fn same_name(reader: &Name, writer: &Name, path: &str, found: &mut Vec<String>) {
    if reader.simple() != writer.simple() && !reader.aliases.contains(&writer.full) {
        let what = format!("expected: {}, found: {}", writer.full, reader.full);
        found.push(difference("NAME_MISMATCH", &format!("{path}/name"), &what));
    }
}

fn difference(kind: &str, path: &str, what: &str) -> String {
    let path = if path.is_empty() { "/" } else { path };
    format!("{{errorType:'{kind}', description:'at path '{path}'', additionalInfo:'{what}'}}")
}

/// True when every value of `from` is a value of `to`.
fn promotes(from: Primitive, to: Primitive) -> bool {
    use Primitive::{Bytes, Double, Float, Int, Long, String};
    from == to
        || matches!(
            (from, to),
            (Int, Long | Float | Double)
                | (Long, Float | Double)
                | (Float, Double)
                | (Bytes, String)
                | (String, Bytes)
        )
}

#[cfg(test)]
#[path = "compatible_tests.rs"]
mod tests;
