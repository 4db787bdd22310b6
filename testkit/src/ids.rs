//! The ids of records in stored objects: all that an oracle needs, read fast.
//!
//! Records are JSON lines with a member `"id":<number>` and no other text like it, or Parquet rows with a
//! column `id`.

use anyhow::{Context, ensure};

use crate::child::RunFolder;
use crate::objects::Objects;
use crate::python;

/// Parquet files per reader process.
const FILES_PER_READER: usize = 500;

const MEMBER: &str = "\"id\":";

/// The ids of all rows of all objects in `objects` whose names hold `text`, in the order of the names. Names
/// behind a dot are no files of records, as every reader of lakes takes it.
///
/// # Errors
/// When an object cannot be read, or is neither `.json` nor `.parquet`.
pub fn stored_ids(objects: &Objects, text: &str) -> anyhow::Result<Vec<u64>> {
    let is_file = |name: &String| name.contains(text) && !name.contains("/.");
    let names: Vec<String> = objects.names()?.into_iter().filter(is_file).collect();
    let (parquet, lines): (Vec<String>, Vec<String>) =
        names.into_iter().partition(|name| name.ends_with(".parquet"));
    let mut ids = Vec::new();
    for name in lines {
        ensure!(name.ends_with(".json"), "{name} is neither JSON nor Parquet");
        let bytes = objects.read(&name)?;
        let text = std::str::from_utf8(&bytes).with_context(|| format!("{name} is not UTF-8"))?;
        ensure!(text.is_empty() || text.ends_with('\n'), "{name} does not end with a line end");
        for line in text.lines() {
            ids.push(id_of(line).with_context(|| format!("a line of {name} has no id"))?);
        }
    }
    for names in parquet.chunks(FILES_PER_READER) {
        ids.append(&mut parquet_ids(objects, names)?);
    }
    Ok(ids)
}

/// The id of a record in JSON.
pub fn id_of(line: &str) -> Option<u64> {
    let (_, rest) = line.split_once(MEMBER)?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).map_or(rest, |end| &rest[..end]);
    digits.parse().ok()
}

fn parquet_ids(objects: &Objects, names: &[String]) -> anyhow::Result<Vec<u64>> {
    let folder = RunFolder::new("ids")?;
    let mut files = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let file = folder.file(&format!("{index}.parquet"));
        std::fs::write(&file, objects.read(name)?).context("writing a copy")?;
        files.push(file.display().to_string());
    }
    let answer = python::run(READ_IDS, &files)?;
    let ids = answer.as_array().context("the reader did not answer with a list")?;
    ids.iter().map(|id| id.as_u64().context("an id is not a number")).collect()
}

const READ_IDS: &str = r"
import json, sys
import pyarrow.parquet as parquet
ids = []
for name in sys.argv[1:]:
    ids += parquet.ParquetFile(name).read(columns=['id']).column(0).to_pylist()
json.dump(ids, sys.stdout)
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_member_of_a_line() {
        assert_eq!(id_of("{\"id\":17}"), Some(17));
        assert_eq!(id_of("{\"id\":18,\"filler\":\"x\"}"), Some(18));
        assert_eq!(id_of("{\"filler\":\"x\",\"id\":19}"), Some(19));
        assert_eq!(id_of("{\"filler\":\"x\"}"), None);
        assert_eq!(id_of("{\"id\":\"x\"}"), None);
    }
}
