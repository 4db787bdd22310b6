//! Batches that are written in blocks.

use std::sync::Arc;

use arrow_array::{ArrayRef, StringArray, StructArray};
use arrow_buffer::NullBuffer;
use lakeward_api::batch::Values;
use lakeward_api::converter::Converter;
use lakeward_api::schema::{Field, Kind, Schema};

use super::registry::{Shared, converter, payload};

#[test]
fn rows_of_many_blocks_have_their_own_payloads_and_nulls_none() {
    let text = Field { name: "x".into(), schema: Arc::new(Schema::new(Kind::String)) };
    let schema = Schema::new(Kind::Struct(vec![text]));
    // Some rows are plain, some have escapes, and one is longer than a block may be.
    let texts: Vec<String> = (0..300_usize)
        .map(|row| match row {
            200 => "long".repeat(400_000),
            64..150 => format!("\"{}", "ab".repeat(row % 40)),
            _ => "z".repeat(row % 50),
        })
        .collect();
    for is_null in [|_| false, |row: usize| row % 9 == 4, |row: usize| row < 130] {
        let column: ArrayRef = Arc::new(StringArray::from(texts.clone()));
        let nulls = NullBuffer::from_iter((0..texts.len()).map(|row| !is_null(row)));
        let array: ArrayRef = Arc::new(StructArray::new(schema.arrow_fields(), vec![column], Some(nulls)));
        let values = Values::Typed { schema: Arc::new(schema.clone()), array };
        let mut converter = converter(&Shared::default(), &[]);
        assert!(converter.poll_encode_ready("t", &values).unwrap().is_ready());
        let encoded = converter.encode("t", &values).unwrap();
        assert!(encoded.errors.is_empty(), "{:?}", encoded.errors);
        assert_eq!(encoded.rows(), texts.len());
        for (row, text) in texts.iter().enumerate() {
            let json = format!(r#"{{"x":"{}"}}"#, text.replace('"', "\\\""));
            let expected = (!is_null(row)).then(|| payload(1, &json));
            assert!(encoded.payload(row) == expected.as_deref(), "row {row}");
        }
    }
}
