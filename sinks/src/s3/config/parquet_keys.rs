//! Keys of the Parquet encoder that the Java sink does not have. Defaults are what parquet-avro does there,
//! unless a key says otherwise.
//!
//! Columns are named by their path in the file, with dots for nested ones (`address.city`, `tags.array`). A
//! column that a file does not have means nothing to that file: one connector writes many topics.

use lakeward_api::config::ConfigDef;
use lakeward_formats::file::{ParquetCodec, ParquetSorting, ParquetStatistics};

use super::validators;

/// Group "Lakeward", second part: Parquet.
#[derive(ConfigDef, Debug)]
pub(crate) struct ParquetKeys {
    /// Bytes after which a page of a column ends.
    #[config(name = "lakeward.parquet.page.bytes", kind = "int", default = "65536", importance = "low",
             group = "Lakeward", display = "Parquet Page Bytes", validate = between(1024, 1_073_741_824))]
    pub(crate) page_bytes: usize,
    /// Rows after which a page of a column ends.
    #[config(name = "lakeward.parquet.page.rows", kind = "int", default = "20000", importance = "low",
             group = "Lakeward", display = "Parquet Page Rows", validate = at_least(1))]
    pub(crate) page_rows: usize,
    /// Write dictionaries of the values of a column, where they save space.
    #[config(
        name = "lakeward.parquet.dictionary.enabled",
        kind = "boolean",
        default = "true",
        importance = "low",
        group = "Lakeward",
        display = "Parquet Dictionaries"
    )]
    pub(crate) dictionaries: bool,
    /// Bytes of a dictionary beyond which its column is written without one. parquet-avro allows 1 MiB; less
    /// measured better in speed, size and memory.
    #[config(name = "lakeward.parquet.dictionary.bytes", kind = "int", default = "65536", importance = "low",
             group = "Lakeward", display = "Parquet Dictionary Bytes",
             validate = between(1024, 1_073_741_824))]
    pub(crate) dictionary_bytes: usize,
    /// Where smallest and largest values are kept: for each page, for each column of a row group (chunk), or
    /// nowhere.
    #[config(name = "lakeward.parquet.statistics", kind = "string", default = "page", importance = "low",
             group = "Lakeward", display = "Parquet Statistics", validate = one_of("page", "chunk", "none"),
             recommended("page", "chunk", "none"))]
    pub(crate) statistics: String,
    /// Columns with bloom filters.
    #[config(name = "lakeward.parquet.bloom.filter.columns", kind = "list", default = "", importance = "low",
             group = "Lakeward", display = "Parquet Bloom Filter Columns",
             validate = custom(validators::field_paths))]
    pub(crate) bloom_columns: Vec<String>,
    /// How often a bloom filter may say yes in error, above 0 and below 1.
    #[config(name = "lakeward.parquet.bloom.filter.fpp", kind = "double", default = "0.01",
             importance = "low", group = "Lakeward", display = "Parquet Bloom Filter False Positives",
             validate = custom(validators::probability))]
    pub(crate) bloom_rate: f64,
    /// Compression codecs of single columns, as `column:codec`; all others have parquet.codec.
    #[config(name = "lakeward.parquet.column.codecs", kind = "list", default = "", importance = "low",
             group = "Lakeward", display = "Parquet Column Codecs",
             validate = custom(validators::column_codecs))]
    pub(crate) column_codecs: Vec<String>,
    /// Fields that the rows of each row group are sorted by, as `field`, `field asc` or `field desc`; nulls
    /// are last. Rows of equal fields stay in the order of their offsets. Nested fields and Decimals end the
    /// list. Rows wait as plain columns until their row group closes.
    #[config(name = "lakeward.parquet.sorting.columns", kind = "list", default = "", importance = "low",
             group = "Lakeward", display = "Parquet Sorting Columns",
             validate = custom(validators::sorting_columns))]
    pub(crate) sorting: Vec<String>,
    /// Write lists with the two levels that parquet-avro writes by default. Without it, and in files with a
    /// list of optional items, lists have the three levels of the format's specification.
    #[config(
        name = "lakeward.parquet.write.old.list.structure",
        kind = "boolean",
        default = "true",
        importance = "low",
        group = "Lakeward",
        display = "Parquet Old List Structure"
    )]
    pub(crate) two_level_lists: bool,
}

impl ParquetKeys {
    /// Most bytes of a dictionary; `None`: there are none.
    pub(crate) fn dictionary_bytes_max(&self) -> Option<usize> {
        self.dictionaries.then_some(self.dictionary_bytes)
    }

    /// Where statistics are kept.
    pub(crate) fn statistics(&self) -> ParquetStatistics {
        match self.statistics.as_str() {
            "chunk" => ParquetStatistics::Chunk,
            "none" => ParquetStatistics::None,
            _ => ParquetStatistics::Page,
        }
    }

    /// Columns with codecs of their own.
    pub(crate) fn codecs(&self) -> Vec<(String, ParquetCodec)> {
        let codec = |text: &String| parse_codec(text).expect("validated by column_codecs");
        self.column_codecs.iter().map(codec).collect()
    }

    /// What rows are sorted by.
    pub(crate) fn sorting(&self) -> Vec<ParquetSorting> {
        self.sorting.iter().map(|text| parse_sorting(text).expect("validated by sorting_columns")).collect()
    }
}

/// `column:codec`.
pub(super) fn parse_codec(text: &str) -> Result<(String, ParquetCodec), String> {
    let Some((column, codec)) = text.rsplit_once(':') else {
        return Err(format!("{text} is not column:codec"));
    };
    if column.split('.').any(str::is_empty) {
        return Err("a column path must not have empty segments".to_owned());
    }
    let codec = ParquetCodec::from_name(codec.trim())
        .map_err(|_| format!("{codec} is not none, snappy, gzip, brotli, lz4, lz4_raw or zstd"))?;
    Ok((column.trim().to_owned(), codec))
}

/// `field`, `field asc` or `field desc`.
pub(super) fn parse_sorting(text: &str) -> Result<ParquetSorting, String> {
    let (column, direction) = text.rsplit_once(' ').unwrap_or((text, "asc"));
    let descending = match direction {
        "asc" => false,
        "desc" => true,
        _ => return Err(format!("{text} is not a field, or a field with asc or desc")),
    };
    Ok(ParquetSorting { column: column.trim().to_owned(), descending })
}
