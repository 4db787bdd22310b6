//! Schemas of the model and of `lakeward-api`, also those that contain themselves.

use std::sync::Arc;

use lakeward_api::recursion::{Definitions, Recursive};
use lakeward_api::schema::{Field as ApiField, Kind as ApiKind, Schema as ApiSchema};

use super::convert::{api_value, model_value};
use crate::model::{Field, Kind, Schema};

/// Our form of `schema`.
pub(super) fn api_schema(schema: &Schema) -> ApiSchema {
    let definitions = Definitions::new(&format!("model {schema:?}"));
    ToApi { definitions, around: Vec::new() }.schema(schema)
}

/// The model's form of `schema`.
pub(super) fn model_schema(schema: &ApiSchema) -> Schema {
    ToModel { around: Vec::new() }.schema(schema, None)
}

struct ToApi<'a> {
    definitions: Definitions,
    /// The STRUCTs around, with their numbers once something refers to them.
    around: Vec<(&'a Schema, Option<Recursive>)>,
}

impl<'a> ToApi<'a> {
    fn schema(&mut self, schema: &'a Schema) -> ApiSchema {
        let kind = match &schema.kind {
            Kind::Int8 => ApiKind::Int8,
            Kind::Int16 => ApiKind::Int16,
            Kind::Int32 => ApiKind::Int32,
            Kind::Int64 => ApiKind::Int64,
            Kind::Float32 => ApiKind::Float32,
            Kind::Float64 => ApiKind::Float64,
            Kind::Boolean => ApiKind::Boolean,
            Kind::String => ApiKind::String,
            Kind::Bytes => ApiKind::Bytes,
            Kind::Array(item) => ApiKind::Array(self.inner(item)),
            Kind::Map(key, value) => ApiKind::Map { key: self.inner(key), value: self.inner(value) },
            Kind::Recursive(levels) => {
                let (meant, recursive) = self.refer(*levels);
                let meant = Schema { optional: schema.optional, default: None, ..meant.clone() };
                return with_attributes(ApiKind::Recursive(recursive), &meant);
            }
            Kind::Struct(fields) => return self.structure(schema, fields),
        };
        with_attributes(kind, schema)
    }

    fn inner(&mut self, schema: &'a Option<Arc<Schema>>) -> Arc<ApiSchema> {
        Arc::new(self.schema(schema.as_ref().expect("inputs name the schemas of their elements")))
    }

    fn refer(&mut self, levels: usize) -> (&'a Schema, Recursive) {
        let at = self.around.len() - levels;
        let (meant, known) = self.around[at];
        let new = || self.definitions.reserve().expect("generated schemas come from a small pool");
        let recursive = known.unwrap_or_else(new);
        self.around[at].1 = Some(recursive);
        (meant, recursive)
    }

    fn structure(&mut self, schema: &'a Schema, fields: &'a [Field]) -> ApiSchema {
        self.around.push((schema, None));
        let field = |field: &'a Field| {
            let schema = Arc::new(self.schema(&field.schema));
            ApiField { name: field.name.as_str().into(), schema }
        };
        let kind = ApiKind::Struct(fields.iter().map(field).collect());
        let made = with_attributes(kind, schema);
        if let Some((_, Some(recursive))) = self.around.pop() {
            recursive.define(&Arc::new(made.clone()));
        }
        made
    }
}

fn with_attributes(kind: ApiKind, schema: &Schema) -> ApiSchema {
    ApiSchema {
        kind,
        optional: schema.optional,
        default: schema.default.as_ref().map(api_value),
        name: schema.name.as_deref().map(Arc::from),
        version: schema.version,
        doc: schema.doc.as_deref().map(Arc::from),
        parameters: schema.parameters.iter().cloned().collect(),
    }
}

struct ToModel {
    /// The types of the STRUCTs around, with the reference that was followed to each.
    around: Vec<(ApiKind, Option<Recursive>)>,
}

impl ToModel {
    /// `schema`, to which `followed` refers.
    fn schema(&mut self, schema: &ApiSchema, followed: Option<Recursive>) -> Schema {
        let kind = match &schema.kind {
            ApiKind::Int8 => Kind::Int8,
            ApiKind::Int16 => Kind::Int16,
            ApiKind::Int32 => Kind::Int32,
            ApiKind::Int64 => Kind::Int64,
            ApiKind::Float32 => Kind::Float32,
            ApiKind::Float64 => Kind::Float64,
            ApiKind::Boolean => Kind::Boolean,
            ApiKind::String => Kind::String,
            ApiKind::Bytes => Kind::Bytes,
            ApiKind::Array(item) => Kind::Array(self.inner(item)),
            ApiKind::Map { key, value } => Kind::Map(self.inner(key), self.inner(value)),
            ApiKind::Recursive(recursive) => {
                // The same reference means the same STRUCT, whether or not that equals itself.
                let is_same = |(_, followed): &(ApiKind, Option<Recursive>)| *followed == Some(*recursive);
                if let Some(between) = self.around.iter().rev().position(is_same) {
                    return enclosing(between, schema.optional);
                }
                let meant = recursive.resolve();
                return Schema { optional: schema.optional, ..self.schema(&meant, Some(*recursive)) };
            }
            ApiKind::Struct(fields) => {
                // Where a transform has changed the STRUCTs around, one of them is written out again.
                let is_same = |(kind, _): &(ApiKind, Option<Recursive>)| *kind == schema.kind;
                if let Some(between) = self.around.iter().rev().position(is_same) {
                    return enclosing(between, schema.optional);
                }
                self.around.push((schema.kind.clone(), followed));
                let field = |field: &ApiField| Field {
                    name: field.name.to_string(),
                    schema: Arc::new(self.schema(&field.schema, None)),
                };
                let fields = fields.iter().map(field).collect();
                self.around.pop();
                Kind::Struct(fields)
            }
        };
        Schema {
            kind,
            optional: schema.optional,
            default: schema.default.as_ref().map(model_value),
            name: schema.name.as_deref().map(str::to_owned),
            version: schema.version,
            doc: schema.doc.as_deref().map(str::to_owned),
            parameters: schema.parameters.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        }
    }

    fn inner(&mut self, schema: &ApiSchema) -> Option<Arc<Schema>> {
        Some(Arc::new(self.schema(schema, None)))
    }
}

/// The place of a STRUCT that is among those around, with so many between.
fn enclosing(between: usize, optional: bool) -> Schema {
    Schema { optional, ..Schema::new(Kind::Recursive(between + 1)) }
}

#[cfg(test)]
mod tests {
    use lakeward_api::value::Value;

    use super::*;

    #[test]
    fn a_type_that_does_not_equal_itself_is_unfolded_once() {
        let next = Definitions::new("a list of numbers that equal nothing").reserve().unwrap();
        let field = |name: &str, schema: ApiSchema| ApiField { name: name.into(), schema: Arc::new(schema) };
        let mut number = ApiSchema::new(ApiKind::Float64);
        number.default = Some(Value::Float64(f64::NAN));
        let mut place = ApiSchema::new(ApiKind::Recursive(next));
        place.optional = true;
        let list = ApiSchema::new(ApiKind::Struct(vec![field("number", number), field("next", place)]));
        next.define(&Arc::new(list.clone()));

        let Kind::Struct(outer) = model_schema(&list).kind else { panic!("a STRUCT") };
        let Kind::Struct(inner) = &outer[1].schema.kind else { panic!("a STRUCT within it") };
        assert_eq!(inner[1].schema.kind, Kind::Recursive(1));
        assert!(outer[1].schema.optional && inner[1].schema.optional);
    }
}
