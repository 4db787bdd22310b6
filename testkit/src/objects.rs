//! Reading what a sink stored: names, bytes, and rows as an independent reader sees them.

use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::Context;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::Value;

use crate::child::RunFolder;
use crate::{block_on, install, python};

/// One bucket.
#[derive(Debug)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    bucket: String,
}

impl Objects {
    /// Reads `bucket` through `store`.
    pub fn new(store: impl ObjectStore, bucket: String) -> anyhow::Result<Self> {
        Ok(Self { store: Arc::new(store), bucket })
    }

    /// Name of the bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The names of all objects that readers of lakes take notice of, sorted: a probe of the store's
    /// conditions is none of them, it comes and goes beside the task. Uploads that are not complete are not
    /// visible, as for every reader of S3.
    pub fn names(&self) -> anyhow::Result<Vec<String>> {
        let is_hidden =
            |name: &String| name.rsplit('/').next().unwrap_or_default().starts_with(".lakeward-probe");
        Ok(self.all_names()?.into_iter().filter(|name| !is_hidden(name)).collect())
    }

    /// The names of all objects.
    pub fn all_names(&self) -> anyhow::Result<Vec<String>> {
        let objects: Vec<_> = block_on(self.store.list(None).try_collect()).context("listing the bucket")?;
        let mut names: Vec<String> = objects.into_iter().map(|object| object.location.to_string()).collect();
        names.sort();
        Ok(names)
    }

    /// Stores an object, as another program would.
    pub fn write(&self, name: &str, bytes: Vec<u8>) -> anyhow::Result<()> {
        let path = Path::parse(name).context("object name")?;
        block_on(self.store.put(&path, bytes.into())).with_context(|| format!("writing {name}"))?;
        Ok(())
    }

    /// The bytes of one object.
    pub fn read(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        let path = Path::parse(name).context("object name")?;
        let bytes = block_on(async { self.store.get(&path).await?.bytes().await });
        Ok(bytes.with_context(|| format!("reading {name}"))?.to_vec())
    }

    /// The rows of a `.json` object: one JSON text per line.
    pub fn json_rows(&self, name: &str) -> anyhow::Result<Vec<Value>> {
        let bytes = self.read(name)?;
        let text = String::from_utf8(bytes).context("a JSON object is not UTF-8")?;
        anyhow::ensure!(text.is_empty() || text.ends_with('\n'), "{name} does not end with a line end");
        text.lines()
            .map(|line| serde_json::from_str(line).with_context(|| format!("a row of {name}")))
            .collect()
    }

    /// The objects `names` as pyarrow reads them: one [`ParquetFile`] each, in order.
    pub fn parquet_files(&self, names: &[String]) -> anyhow::Result<Vec<ParquetFile>> {
        let folder = RunFolder::new("parquet")?;
        let mut files = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let file = folder.file(&format!("{index}.parquet"));
            std::fs::write(&file, self.read(name)?).context("writing a copy")?;
            files.push(file.display().to_string());
        }
        let answer = python::run(READ_PARQUET, &files)?;
        let parsed = answer.as_array().context("the reader did not answer with a list")?;
        parsed.iter().map(ParquetFile::of).collect()
    }

    /// The objects `names` as Avro's own reader reads them: `schema`, `codec` and `rows` each, in order.
    pub fn avro_files(&self, names: &[String]) -> anyhow::Result<Vec<Value>> {
        let program = include_str!("../java/AvroFiles.java");
        self.read_in_java(names, ("AvroFiles.java", program), &install::registry_class_path()?)
    }

    /// The objects `names` as parquet-avro reads them, in order: `schema` (the file's), `two_levels` and
    /// `three_levels` (what parquet-avro would make of the Avro schema in the footer), `codec`, `row_groups`
    /// and `rows`.
    pub fn parquet_files_in_java(&self, names: &[String]) -> anyhow::Result<Vec<Value>> {
        let program = include_str!("../java/ParquetFiles.java");
        self.read_in_java(names, ("ParquetFiles.java", program), &install::parquet_class_path()?)
    }

    /// What a Java program prints about copies of the objects `names`: a line of JSON each.
    fn read_in_java(
        &self,
        names: &[String],
        (file, text): (&str, &str),
        class_path: &str,
    ) -> anyhow::Result<Vec<Value>> {
        let folder = RunFolder::new("files")?;
        let program = folder.file(file);
        std::fs::write(&program, text).context("writing the program")?;
        let mut command = Command::new("java");
        command.args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", class_path]).arg(&program);
        for (index, name) in names.iter().enumerate() {
            let copy = folder.file(&index.to_string());
            std::fs::write(&copy, self.read(name)?).context("writing a copy")?;
            command.arg(copy);
        }
        let output = command.stdin(Stdio::null()).output().context("starting Java")?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "{file} ended with {}:\n{complaint}", output.status);
        let text = String::from_utf8(output.stdout).context("the reader did not print UTF-8")?;
        text.lines().map(|line| serde_json::from_str(line).context("a file's content")).collect()
    }

    /// All rows of all Parquet objects in the bucket, in the order of their names.
    pub fn parquet_rows(&self) -> anyhow::Result<Vec<Value>> {
        let names: Vec<String> =
            self.names()?.into_iter().filter(|name| name.ends_with(".parquet")).collect();
        Ok(self.parquet_files(&names)?.into_iter().flat_map(|file| file.rows).collect())
    }
}

/// What pyarrow found in one file.
#[derive(Debug)]
pub struct ParquetFile {
    /// `(column, Arrow type as pyarrow prints it)` in file order.
    pub columns: Vec<(String, String)>,
    /// Rows as JSON objects. Decimals, dates, times and timestamps are texts (ISO 8601), bytes are hex texts.
    pub rows: Vec<Value>,
    /// Compression codec of the first column of the first row group, upper case.
    pub codec: String,
    /// Footer key-value metadata that is text.
    pub metadata: Value,
}

impl ParquetFile {
    fn of(answer: &Value) -> anyhow::Result<Self> {
        let columns = answer["columns"].as_array().context("no columns")?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(Self {
            columns: columns.iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
            rows: answer["rows"].as_array().context("no rows")?.clone(),
            codec: text(&answer["codec"]),
            metadata: answer["metadata"].clone(),
        })
    }
}

const READ_PARQUET: &str = r"
import datetime, decimal, json, sys
import pyarrow.parquet as parquet

def plain(value):
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, (datetime.date, datetime.time, datetime.datetime)):
        return value.isoformat()
    return value

answers = []
for name in sys.argv[1:]:
    file = parquet.ParquetFile(name)
    meta = file.metadata
    codec = meta.row_group(0).column(0).compression if meta.num_row_groups else ''
    pairs = {key.decode(): value.decode() for key, value in (meta.metadata or {}).items()
             if key != b'ARROW:schema'}
    table = file.read()
    answers.append({
        'columns': [[field.name, str(field.type)] for field in table.schema],
        'rows': [plain(row) for row in table.to_pylist()],
        'codec': codec,
        'metadata': pairs,
    })
json.dump(answers, sys.stdout)
";
