//! Schemas that users write down for plain JSON (`lakeward.schema`): Avro or JSON Schema, told apart by
//! their content.
//!
//! An object with `$schema` or `properties` is a JSON Schema, everything else is taken for Avro. Problems
//! are reported as sentences without the key's name; the caller adds key and remedy.

mod avro;
mod json_schema;

use lakeward_api::schema::{Field, Kind, Schema};
use serde_json::Value as Json;

use super::column::{NullRule, Reading, Strictness};
use super::connect_schema::constant;

/// Reads a schema text. The error says what is wrong and where.
pub(super) fn parse(text: &str) -> Result<Schema, String> {
    let json: Json = serde_json::from_str(text).map_err(|err| {
        format!("it is neither infer nor JSON (line {}, column {})", err.line(), err.column())
    })?;
    let is_json_schema = json.as_object().is_some_and(|members| {
        members.contains_key("$schema") || members.get("properties").is_some_and(Json::is_object)
    });
    if is_json_schema { json_schema::parse(&json) } else { avro::parse(&json) }
}

/// Sets the default of `schema` from its JSON form; null means none.
fn set_default(schema: &mut Schema, default: Option<&Json>, path: &str) -> Result<(), String> {
    if let Some(default) = default.filter(|default| !default.is_null()) {
        let reading = Reading { strictness: Strictness::Declared, nulls: NullRule::ReplaceWithDefault };
        let value = constant(schema, default.to_string().as_bytes(), reading)
            .map_err(|_| format!("the default of {path} has another type"))?;
        schema.default = Some(value);
    }
    Ok(())
}

/// Checks what columns need: at least one field, unique names.
fn record_kind(fields: Vec<Field>, path: &str) -> Result<Kind, String> {
    if fields.is_empty() {
        return Err(format!("{path} has no fields"));
    }
    let mut names = std::collections::HashSet::new();
    match fields.iter().find(|field| !names.insert(&*field.name)) {
        Some(twice) => Err(format!("{path} names the field {} twice", twice.name)),
        None => Ok(Kind::Struct(fields)),
    }
}

/// Schemas nested deeper than this are refused; readers walk them recursively.
const DEPTH_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use lakeward_api::schema::Logical;
    use lakeward_api::value::Value;

    use super::*;

    #[test]
    fn avro_types_map_to_connect_types() {
        let schema = parse(
            r#"{"type":"record","name":"R","namespace":"a.b","doc":"d","fields":[
                {"name":"i","type":"int"},{"name":"l","type":["null","long"],"default":null},
                {"name":"d","type":{"type":"int","logicalType":"date"}},
                {"name":"t","type":{"type":"long","logicalType":"timestamp-millis"}},
                {"name":"m","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},
                {"name":"e","type":{"type":"enum","name":"E","symbols":["A"]}},
                {"name":"e2","type":["E","null"]},
                {"name":"a","type":{"type":"array","items":["null","double"]}},
                {"name":"p","type":{"type":"map","values":"float"}},
                {"name":"s","type":"string","default":"x"}]}"#,
        )
        .unwrap();
        assert_eq!(schema.name.as_deref(), Some("a.b.R"));
        let field = |name: &str| schema.field(name).unwrap().1.schema.as_ref().clone();
        assert_eq!(field("i"), Schema::new(Kind::Int32));
        assert_eq!(field("l"), Schema::optional(Kind::Int64));
        assert_eq!(field("d").logical(), Some(Logical::Date));
        assert_eq!(field("t").logical(), Some(Logical::Timestamp));
        assert_eq!(field("m").logical(), Some(Logical::Decimal { scale: 2 }));
        assert_eq!(field("e").kind, Kind::String);
        assert!(field("e2").optional);
        assert_eq!(field("a").kind, Kind::Array(Schema::optional(Kind::Float64).into()));
        assert!(matches!(field("p").kind, Kind::Map { .. }));
        assert_eq!(field("s").default, Some(Value::String("x".into())));
        assert_eq!(parse("\"long\"").unwrap(), Schema::new(Kind::Int64));
    }

    #[test]
    fn json_schema_types_map_to_connect_types() {
        let schema = parse(
            r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","required":["id"],
                "properties":{"id":{"type":"integer"},"x":{"type":["number","null"]},
                "at":{"type":"string","format":"date-time"},"ok":{"type":"boolean"},
                "tags":{"type":"array","items":{"type":"string"}},
                "o":{"type":"object","properties":{"k":{"type":"string"}}},
                "m":{"type":"object","additionalProperties":{"type":"integer"}}}}"#,
        )
        .unwrap();
        let field = |name: &str| schema.field(name).unwrap().1.schema.as_ref().clone();
        assert_eq!(field("id"), Schema::new(Kind::Int64));
        assert_eq!(field("x"), Schema::optional(Kind::Float64));
        assert_eq!(field("at"), Schema::optional(Kind::String));
        assert_eq!(field("ok"), Schema::optional(Kind::Boolean));
        assert_eq!(field("tags"), Schema::optional(Kind::Array(Schema::new(Kind::String).into())));
        assert!(matches!(field("o").kind, Kind::Struct(_)));
        assert!(matches!(field("m").kind, Kind::Map { .. }));
    }

    #[test]
    fn problems_name_their_place() {
        let cases = [
            ("{", "neither infer nor JSON"),
            (r#"{"type":"record","name":"R","fields":[]}"#, "no fields"),
            (r#"{"type":"record","name":"R","fields":[{"name":"a","type":["int","string"]}]}"#, "R.a"),
            (r#"{"type":"record","name":"R","fields":[{"name":"a","type":"R"}]}"#, "recursive"),
            (r#"{"type":"long","logicalType":"timestamp-micros"}"#, "timestamp-millis"),
            (r#"{"properties":{"a":{"oneOf":[]}}}"#, "a"),
            (r#"{"properties":{"a":{"type":"object"}}}"#, "properties"),
            ("\"nope\"", "nope"),
            ("[\"null\"]", "null"),
        ];
        for (text, expected) in cases {
            let problem = parse(text).unwrap_err();
            assert!(problem.contains(expected), "{text}: {problem}");
        }
    }
}
