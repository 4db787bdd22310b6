//! Files of a directory, read without the sink's own code.

use std::path::Path;

use bytes::Bytes;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::RowAccessor as _;
use serde_json::Value as Json;

use super::model::{File, Listing};

/// All files below `folder`.
pub(super) fn listing(folder: &Path) -> Listing {
    let mut listing = Listing::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            let bytes = std::fs::read(&path).unwrap();
            let file = match name.rsplit('.').next().unwrap() {
                "avro" => avro(&bytes),
                "json" if !name.contains(".keys.") && !name.contains(".headers.") => json(&bytes),
                "parquet" => parquet(bytes),
                _ => lines(&bytes),
            };
            listing.insert(name, file);
        }
    }
    listing
}

fn lines(bytes: &[u8]) -> File {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(text.ends_with('\n'));
    File { columns: Vec::new(), rows: text.lines().map(str::to_owned).collect() }
}

fn json(bytes: &[u8]) -> File {
    let rows: Vec<serde_json::Map<String, Json>> =
        lines(bytes).rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect();
    let columns: Vec<String> = rows[0].keys().cloned().collect();
    let text = |row: &serde_json::Map<String, Json>| {
        assert_eq!(row.keys().cloned().collect::<Vec<_>>(), columns);
        let cells: Vec<String> =
            row.values().map(|cell| cell.as_str().map_or_else(|| cell.to_string(), str::to_owned)).collect();
        cells.join("|")
    };
    File { rows: rows.iter().map(text).collect(), columns }
}

fn parquet(bytes: Vec<u8>) -> File {
    let reader = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
    let schema = reader.metadata().file_metadata().schema();
    assert_eq!(schema.name(), "shop.Order");
    let columns: Vec<String> = schema.get_fields().iter().map(|field| field.name().to_owned()).collect();
    let row = |row: parquet::record::Row| {
        let mut cells = vec![row.get_string(0).unwrap().clone(), row.get_long(1).unwrap().to_string()];
        if columns.len() > 2 {
            cells.push(row.get_string(2).map_or_else(|_| "null".to_owned(), String::clone));
        }
        cells.join("|")
    };
    let rows = reader.get_row_iter(None).unwrap().map(|found| row(found.unwrap())).collect();
    File { rows, columns }
}

/// A container of records of text, long and, perhaps, an optional text.
fn avro(bytes: &[u8]) -> File {
    let mut cursor = Cursor(bytes);
    assert_eq!(cursor.take(4), b"Obj\x01");
    let mut schema = Json::Null;
    for _ in 0..cursor.long() {
        let (key, value) = (cursor.bytes().to_vec(), cursor.bytes().to_vec());
        match key.as_slice() {
            b"avro.schema" => schema = serde_json::from_slice(&value).unwrap(),
            b"avro.codec" => assert_eq!(value, b"null"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(cursor.long(), 0);
    let marker = cursor.take(16);
    assert_eq!((schema["namespace"].as_str(), schema["name"].as_str()), (Some("shop"), Some("Order")));
    let fields = schema["fields"].as_array().unwrap();
    let columns: Vec<String> =
        fields.iter().map(|field| field["name"].as_str().unwrap().to_owned()).collect();
    let mut rows = Vec::new();
    while !cursor.0.is_empty() {
        let count = cursor.long();
        cursor.long();
        for _ in 0..count {
            let mut cells = vec![cursor.text(), cursor.long().to_string()];
            if columns.len() > 2 {
                cells.push(if cursor.long() == 0 { "null".to_owned() } else { cursor.text() });
            }
            rows.push(cells.join("|"));
        }
        assert_eq!(cursor.take(16), marker);
    }
    File { columns, rows }
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    fn long(&mut self) -> i64 {
        let (mut zigzag, mut shift) = (0_u64, 0);
        loop {
            let byte = self.take(1)[0];
            zigzag |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                return (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed();
            }
        }
    }

    fn bytes(&mut self) -> &'a [u8] {
        let length = usize::try_from(self.long()).unwrap();
        self.take(length)
    }

    fn text(&mut self) -> String {
        String::from_utf8(self.bytes().to_vec()).unwrap()
    }
}
