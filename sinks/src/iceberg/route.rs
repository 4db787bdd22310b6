//! Which tables a record goes to: the text of one of its fields, and a pattern of each table; or the text in
//! lower case is the name of the table.
//!
//! Source: `SinkWriter#routeRecordStatically`, `#routeRecordDynamically` and
//! `RecordUtils#extractFromRecordValue`, iceberg-kafka-connect 1.10.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::{Array as _, ArrayRef};
use arrow_buffer::NullBuffer;
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::value::Value;
use lakeward_transforms::JavaRegex;

use super::config::Routing;
use crate::texts::Texts;

/// A field, and the patterns of the tables in their order.
pub(super) struct Routes {
    path: Vec<String>,
    /// A table without a pattern gets nothing.
    patterns: Vec<Option<JavaRegex>>,
    texts: Texts,
}

impl Routes {
    /// # Errors
    /// `Config` for a pattern that is none.
    pub(super) fn new(routing: &Routing) -> Result<Self, ConnectError> {
        let compile = |pattern: &Option<String>| {
            let made = pattern.as_deref().map(JavaRegex::new).transpose();
            made.map_err(|problem| ConnectError::config(format!("Invalid regex: {problem}")))
        };
        Ok(Self {
            path: routing.field.split('.').map(str::to_owned).collect(),
            patterns: routing.patterns.iter().map(compile).collect::<Result<_, _>>()?,
            texts: Texts::new()?,
        })
    }

    /// The rows of `values` that go to each table, ascending.
    ///
    /// # Errors
    /// Class `Record`.
    pub(super) fn rows(&mut self, topic: &str, values: &Values) -> Result<Vec<Vec<u32>>, ConnectError> {
        let patterns = std::mem::take(&mut self.patterns);
        let mut routed = vec![Vec::new(); patterns.len()];
        let outcome = self.each_text(topic, values, |row, text| {
            for (pattern, rows) in patterns.iter().zip(&mut routed) {
                if let Some(pattern) = pattern
                    && pattern.matches(text)?
                {
                    rows.push(row);
                }
            }
            Ok(())
        });
        self.patterns = patterns;
        outcome.map(|()| routed)
    }

    /// The names that the rows of `values` have in their field, in lower case and in the order in which they
    /// come first, and the rows of each, ascending.
    ///
    /// # Errors
    /// Class `Record`.
    pub(super) fn names(
        &mut self,
        topic: &str,
        values: &Values,
    ) -> Result<Vec<(String, Vec<u32>)>, ConnectError> {
        let mut named: Vec<(String, Vec<u32>)> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        self.each_text(topic, values, |row, text| {
            let index = known.get(text).copied().unwrap_or_else(|| {
                let name = text.to_lowercase();
                let found = named.iter().position(|(other, _)| *other == name).unwrap_or_else(|| {
                    named.push((name, Vec::new()));
                    named.len() - 1
                });
                known.insert(text.to_owned(), found);
                found
            });
            named[index].1.push(row);
            Ok(())
        })?;
        Ok(named)
    }

    /// Calls `see` with each row that has the field, and its text.
    fn each_text(
        &mut self,
        topic: &str,
        values: &Values,
        mut see: impl FnMut(u32, &str) -> Result<(), ConnectError>,
    ) -> Result<(), ConnectError> {
        if let Values::Null { .. } = values {
            return Ok(());
        }
        let (field, has_value) = self.field(values)?;
        let Some(field) = field else { return Ok(()) };
        let texts = self.texts.of(topic, &field)?;
        for (index, row) in (0..field.rows()).zip(0u32..) {
            if has_value.as_ref().is_some_and(|valid| valid.is_null(index)) {
                continue;
            }
            let Some(text) = texts.payload(index) else { continue };
            let text = std::str::from_utf8(text)
                .map_err(|err| ConnectError::data("A route value is no text").with_source(err))?;
            see(row, text)?;
        }
        Ok(())
    }

    /// The field of all rows, `None` when no row has it; and where it counts.
    fn field(&self, values: &Values) -> Result<(Option<Values>, Option<NullBuffer>), ConnectError> {
        if let Some(rows) = values.dynamic() {
            let found = rows.iter().map(|row| self.member(row)).collect::<Result<Vec<_>, _>>()?;
            return Ok((Some(Values::Dynamic(found)), None));
        }
        let Values::Typed { schema, array } = values else { return Ok((None, None)) };
        let (mut schema, mut array): (&Arc<Schema>, &ArrayRef) = (schema, array);
        let mut valid: Option<NullBuffer> = None;
        for (depth, name) in self.path.iter().enumerate() {
            valid = NullBuffer::union(valid.as_ref(), array.nulls());
            let any_row = valid.as_ref().is_none_or(|valid| valid.null_count() < array.len());
            if !any_row {
                return Ok((None, None));
            }
            if !matches!(schema.kind, Kind::Struct(_)) {
                return Err(match depth {
                    0 => unroutable("a value that is neither a STRUCT nor a MAP"),
                    _ => ConnectError::data("Expected a struct type"),
                });
            }
            let Some((index, field)) = schema.field(name) else { return Ok((None, None)) };
            (schema, array) = (&field.schema, array.as_struct().column(index));
        }
        Ok((Some(Values::of_field(schema, Arc::clone(array))?), valid))
    }

    fn member(&self, row: &Value) -> Result<Value, ConnectError> {
        let mut value = row;
        for (depth, name) in self.path.iter().enumerate() {
            match value {
                Value::Null => return Ok(Value::Null),
                Value::Map(entries) => {
                    let found = entries.iter().find(|(key, _)| key.as_str() == Some(name));
                    value = found.map_or(&Value::Null, |(_, value)| value);
                }
                other if depth == 0 => return Err(unroutable(other.java_class())),
                _ => return Err(ConnectError::data("Expected a map type")),
            }
        }
        Ok(value.clone())
    }
}

/// As Java says it.
fn unroutable(what: &str) -> ConnectError {
    ConnectError::data(format!("Cannot extract value from type: {what}"))
}

#[cfg(test)]
mod tests {
    use arrow_array::{Int32Array, StringArray, StructArray};
    use lakeward_api::schema::Field;

    use super::*;

    fn routed(field: &str, patterns: &[Option<&str>], values: &Values) -> Result<Vec<Vec<u32>>, String> {
        let patterns = patterns.iter().map(|pattern| pattern.map(str::to_owned)).collect();
        let mut routes = Routes::new(&Routing { field: field.to_owned(), patterns }).unwrap();
        routes.rows("t", values).map_err(|err| err.to_string())
    }

    fn map(name: &str, value: Value) -> Value {
        Value::Map(vec![(Value::String(name.into()), value)])
    }

    #[test]
    fn a_schemaless_record_goes_where_the_whole_text_of_its_field_matches() {
        let values = Values::Dynamic(vec![
            map("k", Value::String("ab".into())),
            Value::Null,
            map("k", Value::Int64(7)),
            map("other", Value::Null),
            map("k", map("k", Value::Float64(1.5))),
        ]);
        let patterns = [Some("a."), Some("[0-9ab]+"), None, Some("a"), Some(r"\{k=1\.5\}")];
        let expected: [&[u32]; 5] = [&[0], &[0, 2], &[], &[], &[4]];
        assert_eq!(routed("k", &patterns, &values).unwrap(), expected);
        let deep = Values::Dynamic(vec![map("k", map("k", Value::Float64(1.5))), map("k", Value::Null)]);
        assert_eq!(routed("k.k", &[Some("1.5")], &deep).unwrap(), [[0]]);
    }

    #[test]
    fn a_record_names_its_table_in_any_case() {
        let texts = ["A.b", "c.d", "a.B", "C.D"].map(|text| map("k", Value::String(text.into())));
        let values = Values::Dynamic(texts.into_iter().chain([Value::Null, map("x", Value::Null)]).collect());
        let mut routes = Routes::new(&Routing { field: "k".to_owned(), patterns: Vec::new() }).unwrap();
        let expected = [("a.b".to_owned(), vec![0, 2]), ("c.d".to_owned(), vec![1, 3])];
        assert_eq!(routes.names("t", &values).unwrap(), expected);
    }

    #[test]
    fn what_has_no_such_path_is_a_bad_record() {
        let text = Values::Dynamic(vec![Value::String("x".into())]);
        assert_eq!(routed("k", &[], &text).unwrap_err(), "Cannot extract value from type: java.lang.String");
        let shallow = Values::Dynamic(vec![map("k", Value::Int32(3))]);
        assert_eq!(routed("k.k", &[], &shallow).unwrap_err(), "Expected a map type");
    }

    #[test]
    fn a_typed_record_is_looked_into_and_a_null_on_the_way_goes_nowhere() {
        let number = Field { name: "n".into(), schema: Arc::new(Schema::optional(Kind::Int32)) };
        let inner = Schema::optional(Kind::Struct(vec![number]));
        let ints: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), Some(1), Some(2), None]));
        let nulls = Some(vec![true, false, true, true].into());
        let within = StructArray::try_new(inner.arrow_fields(), vec![ints], nulls).unwrap();
        let fields = vec![
            Field { name: "s".into(), schema: Arc::new(inner) },
            Field { name: "t".into(), schema: Arc::new(Schema::new(Kind::String)) },
        ];
        let schema = Schema::new(Kind::Struct(fields));
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c", "d"]));
        let rows = StructArray::try_new(schema.arrow_fields(), vec![Arc::new(within), texts], None).unwrap();
        let values = Values::Typed { schema: Arc::new(schema), array: Arc::new(rows) };
        assert_eq!(routed("s.n", &[Some("1"), Some("2|null")], &values).unwrap(), [vec![0], vec![2]]);
        assert_eq!(routed("s", &[Some("Struct\\{n=2\\}")], &values).unwrap(), [[2]]);
        assert_eq!(routed("nope", &[Some(".*")], &values).unwrap(), [Vec::<u32>::new()]);
        assert_eq!(routed("t.x", &[], &values).unwrap_err(), "Expected a struct type");
    }
}
