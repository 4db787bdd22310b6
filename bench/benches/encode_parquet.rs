//! How fast are columns encoded to Parquet with snappy, per record?

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use lakeward_bench::records::Sample;
use lakeward_formats::file::{FileFormat, ParquetFormat, ParquetOptions};

fn encode_parquet(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode_parquet_snappy");
    group.sample_size(20).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    let format = ParquetFormat::new(ParquetOptions::default());
    for sample in
        Sample::all(BATCH_ROWS * BATCHES).into_iter().filter(|sample| sample.name.ends_with("_declared"))
    {
        let values = sample.decoded();
        let record_bytes = sample.total_bytes() / (BATCH_ROWS * BATCHES) as u64;
        let id = BenchmarkId::new(sample.name, format!("{record_bytes}B_json"));
        group.throughput(Throughput::Elements((BATCH_ROWS * BATCHES) as u64));
        group.bench_function(id, |bencher| {
            bencher.iter(|| {
                let mut part = format.new_part(values.schema()).expect("the samples are records");
                for batch in 0..BATCHES {
                    let rows = values.slice(batch * BATCH_ROWS, BATCH_ROWS);
                    part.write(black_box(&rows)).expect("the samples fit");
                }
                part.finish().expect("memory does not fail")
            });
        });
    }
    group.finish();
}

/// Rows of one batch of a sink.
const BATCH_ROWS: usize = 4096;

/// Batches of one part.
const BATCHES: usize = 25;

criterion_group!(benches, encode_parquet);
criterion_main!(benches);
