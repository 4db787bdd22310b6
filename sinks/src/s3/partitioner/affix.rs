//! `s3.schema.partition.affix.type`: a directory for the name of the value schema, around or inside of that
//! of the partitioner.
//!
//! Source: `SchemaPartitioner`, Confluent S3 sink 12.

use std::sync::Arc;

use lakeward_api::schema::Schema;

use super::segment::confine;

/// Where the directory of the schema's name goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SchemaAffix {
    /// There is none.
    #[default]
    None,
    /// Before the partitioner's.
    Prefix,
    /// Behind it.
    Suffix,
}

impl SchemaAffix {
    /// The affix of a validated setting.
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "PREFIX" => Self::Prefix,
            "SUFFIX" => Self::Suffix,
            _ => Self::None,
        }
    }

    /// Adds the directory to the encoded partitions of a batch whose values have `schema`.
    pub(crate) fn apply(self, schema: Option<&Schema>, delim: &str, names: &mut [Arc<str>]) {
        if self == Self::None {
            return;
        }
        let schema = schema.and_then(|schema| schema.name.as_deref()).unwrap_or("null");
        let directory = format!("schema_name={}", confine(schema));
        for name in names {
            *name = match self {
                Self::Suffix => format!("{name}{delim}{directory}").into(),
                Self::Prefix | Self::None => format!("{directory}{delim}{name}").into(),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use lakeward_api::schema::Kind;

    use super::*;

    #[test]
    fn the_schema_name_is_a_directory() {
        let order = Schema::new(Kind::Int8).named("shop.Order");
        let named = |affix: &str, schema: Option<&Schema>| {
            let mut names: [Arc<str>; 2] = ["a=1".into(), "a=2".into()];
            SchemaAffix::named(affix).apply(schema, "/", &mut names);
            names.join(" ")
        };
        assert_eq!(named("NONE", Some(&order)), "a=1 a=2");
        assert_eq!(named("PREFIX", Some(&order)), "schema_name=shop.Order/a=1 schema_name=shop.Order/a=2");
        assert_eq!(named("SUFFIX", Some(&order)), "a=1/schema_name=shop.Order a=2/schema_name=shop.Order");
        assert_eq!(named("SUFFIX", None), "a=1/schema_name=null a=2/schema_name=null");
        let climbing = Schema::new(Kind::Int8).named("x/../../y");
        assert_eq!(
            named("PREFIX", Some(&climbing)).split(' ').next(),
            Some("schema_name=x/%2E%2E/%2E%2E/y/a=1")
        );
    }
}
