//! Settings of Parquet files, and what the encoder makes of them.
//!
//! Source: the settings parquet-avro uses in the Confluent S3 sink (data page v1, dictionaries, pages of 64
//! KiB and at most 20 000 rows, statistics). Row groups are far smaller than its 128 MiB, because many parts
//! are open at once; dictionaries are smaller, because that measured better in every respect.

use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion,
};
use parquet::schema::types::ColumnPath;

use super::codec::ParquetCodec;
use crate::converter::avro::DatumOptions;

/// Settings of [`ParquetFormat`](super::ParquetFormat).
///
/// Columns are named by their path in the file, with dots (`address.city`, `tags.array`). A path that a file
/// does not have means nothing to it.
#[derive(Clone, Debug)]
pub struct ParquetOptions {
    /// Page compression.
    pub codec: ParquetCodec,
    /// Page compression of single columns.
    pub column_codecs: Vec<(String, ParquetCodec)>,
    /// A row group closes when its memory (open columns and finished pages) reaches this many bytes; it may
    /// be exceeded by one batch.
    pub row_group_bytes_max: u64,
    /// A page ends when it has this many bytes.
    pub page_bytes_max: usize,
    /// A page ends when it has this many rows.
    pub page_rows_max: usize,
    /// A column falls back to plain pages when its dictionary grows beyond this; `None`: no dictionaries.
    pub dictionary_bytes_max: Option<usize>,
    /// Smallest and largest values, counts of nulls.
    pub statistics: ParquetStatistics,
    /// Columns with bloom filters.
    pub bloom_columns: Vec<String>,
    /// How often a bloom filter may say yes in error; above 0, below 1.
    pub bloom_false_rate: f64,
    /// Rows of a row group are sorted by these columns, the first one first.
    pub sorting: Vec<ParquetSorting>,
    /// ARRAYs without optional items have parquet-avro's older form of two levels. Without it, and in files
    /// with optional items, they have three.
    pub two_level_lists: bool,
    /// `enhanced.avro.schema.support`: enums are annotated, and the Avro schema of the footer keeps them and
    /// namespaces.
    pub enhanced: bool,
    /// `connect.meta.data`: the Avro schema of the footer says what Connect knows.
    pub meta_data: bool,
    /// `allow.optional.map.keys`.
    pub optional_map_keys: bool,
}

/// Where statistics are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ParquetStatistics {
    /// Per row group.
    Chunk,
    /// Nowhere.
    None,
    /// Per row group and page.
    #[default]
    Page,
}

/// A column that rows are sorted by: a field of the record that is neither nested nor a Decimal. At any other
/// name the list of columns ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParquetSorting {
    /// Name of the field.
    pub column: String,
    /// Largest first; nulls are last in both directions.
    pub descending: bool,
}

impl Default for ParquetOptions {
    /// Snappy, as the Java sink, and row groups of 16 MiB.
    fn default() -> Self {
        Self {
            codec: ParquetCodec::Snappy,
            column_codecs: Vec::new(),
            row_group_bytes_max: 16 << 20,
            page_bytes_max: 64 * 1024,
            page_rows_max: 20_000,
            dictionary_bytes_max: Some(DICTIONARY_BYTES_MAX),
            statistics: ParquetStatistics::Page,
            bloom_columns: Vec::new(),
            bloom_false_rate: 0.01,
            sorting: Vec::new(),
            two_level_lists: true,
            enhanced: true,
            meta_data: true,
            optional_map_keys: false,
        }
    }
}

impl ParquetOptions {
    /// How Avro sees the schemas.
    pub(super) fn datum(&self) -> DatumOptions {
        let Self { enhanced, meta_data, optional_map_keys, .. } = *self;
        DatumOptions { enhanced, meta_data, optional_map_keys }
    }

    /// The encoder's settings for a file with the metadata `footer` whose rows are sorted by `sorting`.
    pub(super) fn properties(
        &self,
        footer: &[(&str, String)],
        sorting: Vec<SortingColumn>,
    ) -> WriterProperties {
        let footer = footer.iter().map(|(key, value)| KeyValue::new((*key).to_owned(), value.clone()));
        let builder = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_1_0)
            .set_created_by(concat!("lakeward version ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_key_value_metadata(Some(footer.collect()))
            .set_compression(self.codec.compression())
            .set_dictionary_enabled(self.dictionary_bytes_max.is_some())
            .set_dictionary_page_size_limit(self.dictionary_bytes_max.unwrap_or_default())
            .set_data_page_size_limit(self.page_bytes_max)
            .set_data_page_row_count_limit(self.page_rows_max)
            .set_max_row_group_row_count(None)
            .set_max_row_group_bytes(None)
            .set_sorting_columns((!sorting.is_empty()).then_some(sorting))
            .set_statistics_enabled(match self.statistics {
                ParquetStatistics::Chunk => EnabledStatistics::Chunk,
                ParquetStatistics::None => EnabledStatistics::None,
                ParquetStatistics::Page => EnabledStatistics::Page,
            });
        self.columns(builder).build()
    }

    fn columns(&self, mut builder: WriterPropertiesBuilder) -> WriterPropertiesBuilder {
        for (column, codec) in &self.column_codecs {
            builder = builder.set_column_compression(column_path(column), codec.compression());
        }
        for column in &self.bloom_columns {
            builder = builder
                .set_column_bloom_filter_enabled(column_path(column), true)
                .set_column_bloom_filter_fpp(column_path(column), self.bloom_false_rate);
        }
        builder
    }
}

fn column_path(dotted: &str) -> ColumnPath {
    ColumnPath::new(dotted.split('.').map(str::to_owned).collect())
}

/// parquet-avro allows 1 MiB. In the bench `encode_parquet`, 64 KiB made both samples faster (1.3 and 1.9
/// times), their files 6 and 7 % smaller and their memory a half and a third: columns of mostly distinct
/// values give up early, and those with few values fit anyway.
pub(super) const DICTIONARY_BYTES_MAX: usize = 64 * 1024;
