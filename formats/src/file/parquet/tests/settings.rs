//! What settings do to files.

use parquet::basic::Compression;
use parquet::file::metadata::{ParquetMetaData, SortingColumn};
use parquet::file::properties::ReaderProperties;
use parquet::file::serialized_reader::ReadOptionsBuilder;

use super::*;

fn metadata(file: &Bytes) -> ParquetMetaData {
    SerializedFileReader::new(file.clone()).unwrap().metadata().clone()
}

#[test]
fn three_level_lists_can_be_asked_for() {
    let schema = record(vec![field("tags", list(Schema::new(Kind::String)))]);
    let new = ParquetOptions { two_level_lists: false, ..Default::default() };
    let text = schema_text(&write(new, &schema, &[]));
    assert!(text.contains("REPEATED group list {\n      REQUIRED BYTE_ARRAY element (STRING);"), "{text}");
    let text = schema_text(&write(ParquetOptions::default(), &schema, &[]));
    assert!(text.contains("REPEATED BYTE_ARRAY array (STRING);"), "{text}");
}

#[test]
fn columns_may_have_codecs_and_bloom_filters_of_their_own() {
    let schema = numbers_schema();
    let options = ParquetOptions {
        column_codecs: vec![("s".to_owned(), ParquetCodec::Zstd), ("absent".to_owned(), ParquetCodec::Gzip)],
        bloom_columns: vec!["s".to_owned(), "no.such".to_owned()],
        ..Default::default()
    };
    let file = write(options, &schema, &[numbers(&schema, 0..1000)]);
    let metadata = metadata(&file);
    let [n, s] = metadata.row_group(0).columns() else { panic!("two columns") };
    assert_eq!(n.compression(), Compression::SNAPPY);
    assert!(matches!(s.compression(), Compression::ZSTD(_)));
    assert!(n.bloom_filter_offset().is_none());
    let reading = ReaderProperties::builder().set_read_bloom_filter(true).build();
    let reading = ReadOptionsBuilder::new().with_reader_properties(reading).build();
    let reader = SerializedFileReader::new_with_options(file, reading).unwrap();
    let group = reader.get_row_group(0).unwrap();
    let filter = group.get_column_bloom_filter(1).expect("the column has a filter");
    assert!((0..1000).all(|row| filter.check(&format!("text {row:07}").as_str())));
    let wrong = (1000..3000).filter(|row| filter.check(&format!("text {row:07}").as_str())).count();
    assert!(wrong < 100, "{wrong} of 2000");
}

#[test]
fn dictionaries_statistics_and_pages_can_be_turned_down() {
    let schema = record(vec![field("n", Schema::new(Kind::Int64))]);
    let column = || -> ArrayRef { Arc::new(Int64Array::from_iter_values((0..5000).map(|row| row % 7))) };
    let chunk = |options: ParquetOptions| {
        let file = write(options, &schema, &[typed(&schema, vec![column()])]);
        metadata(&file).row_group(0).column(0).clone()
    };
    let usual = chunk(ParquetOptions::default());
    assert!(usual.dictionary_page_offset().is_some() && usual.statistics().is_some());
    assert!(usual.column_index_offset().is_some());
    let plain = ParquetOptions { dictionary_bytes_max: None, ..Default::default() };
    assert!(chunk(plain).dictionary_page_offset().is_none());
    let silent = ParquetOptions { statistics: ParquetStatistics::None, ..Default::default() };
    assert!(chunk(silent).statistics().is_none());
    let brief = ParquetOptions { statistics: ParquetStatistics::Chunk, ..Default::default() };
    let brief = chunk(brief);
    assert!(brief.statistics().is_some() && brief.column_index_offset().is_none());
    let pages = |options: ParquetOptions| {
        let file = write(options, &schema, &[typed(&schema, vec![column()])]);
        let reader = SerializedFileReader::new(file).unwrap();
        let group = reader.get_row_group(0).unwrap();
        group.get_column_page_reader(0).unwrap().count()
    };
    let small = ParquetOptions { page_rows_max: 1024, dictionary_bytes_max: None, ..Default::default() };
    assert!(pages(small) >= 4);
    let plain = ParquetOptions { dictionary_bytes_max: None, ..Default::default() };
    assert_eq!(pages(plain), 1);
}

/// `(n, s)` of every row group.
fn groups(file: &Bytes) -> Vec<Vec<(i64, String)>> {
    let count = metadata(file).num_row_groups();
    let group = |group: usize| {
        let reader = ParquetRecordBatchReaderBuilder::try_new(file.clone()).unwrap();
        let reader = reader.with_row_groups(vec![group]).build().unwrap();
        let mut rows = Vec::new();
        for batch in reader.map(Result::unwrap) {
            let numbers = batch.column(0).as_primitive::<Int64Type>().clone();
            let texts = batch.column(1).as_string::<i32>().clone();
            rows.extend((0..batch.num_rows()).map(|row| (numbers.value(row), texts.value(row).to_owned())));
        }
        rows
    };
    (0..count).map(group).collect()
}

#[test]
fn rows_of_each_row_group_are_sorted_and_the_metadata_says_so() {
    let schema = numbers_schema();
    let sorting = vec![
        ParquetSorting { column: "n".to_owned(), descending: true },
        ParquetSorting { column: "s".to_owned(), descending: false },
        ParquetSorting { column: "absent".to_owned(), descending: false },
    ];
    let options = ParquetOptions { sorting, row_group_bytes_max: 200_000, ..Default::default() };
    let mut part = ParquetFormat::new(options).new_part(Some(&schema)).unwrap();
    let mut random = Random(7);
    let mut sent = Vec::new();
    let mut file = Vec::new();
    for _ in 0..40 {
        let rows: Vec<(i64, String)> =
            (0..300).map(|_| (random.below(50) as i64, format!("text {}", random.below(1000)))).collect();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))),
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.1))),
        ];
        part.write(&typed(&schema, columns)).unwrap();
        assert!(part.buffered_bytes() < 900_000, "{}", part.buffered_bytes());
        file.extend(part.take_ready());
        sent.extend(rows);
    }
    part.flush_early().unwrap();
    assert!(part.buffered_bytes() < 900_000);
    file.extend(part.finish().unwrap());
    let file = Bytes::from(file.concat());
    let groups = groups(&file);
    assert!(groups.len() > 1, "one row group proves little");
    for rows in &groups {
        assert!(rows.is_sorted_by(|one, other| (-one.0, &one.1) <= (-other.0, &other.1)));
    }
    let mut found = groups.concat();
    found.sort();
    sent.sort();
    assert_eq!(found, sent);
    let declared = metadata(&file).row_group(0).sorting_columns().unwrap().clone();
    let column = |column_idx, descending| SortingColumn { column_idx, descending, nulls_first: false };
    assert_eq!(declared, [column(0, true), column(1, false)]);
}

#[test]
fn equal_rows_keep_their_order_and_nothing_is_declared_without_columns_to_sort_by() {
    let schema =
        record(vec![field("k", Schema::optional(Kind::Int64)), field("n", Schema::new(Kind::Int64))]);
    let by = |column: &str| ParquetOptions {
        sorting: vec![ParquetSorting { column: column.to_owned(), descending: false }],
        ..Default::default()
    };
    let rows = || {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(vec![Some(2), None, Some(1), Some(2), None, Some(1)])),
            Arc::new(Int64Array::from_iter_values(0..6)),
        ];
        typed(&schema, columns)
    };
    let order = |file: &Bytes| read(file)[0].column(1).as_primitive::<Int64Type>().values().to_vec();
    let file = write(by("k"), &schema, &[rows()]);
    assert_eq!(order(&file), [2, 5, 0, 3, 1, 4]);
    let file = write(by("absent"), &schema, &[rows()]);
    assert_eq!(order(&file), [0, 1, 2, 3, 4, 5]);
    assert!(metadata(&file).row_group(0).sorting_columns().is_none());
}
