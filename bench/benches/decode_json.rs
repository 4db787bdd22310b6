//! How fast is JSON decoded to columns (or dynamic values), per record and per byte?

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use lakeward_bench::records::Sample;

fn decode_json(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode_json");
    group.sample_size(20).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    for sample in Sample::all(4096) {
        let payloads = sample.payloads();
        let rows = payloads.len() as u64;
        let record_bytes = sample.total_bytes() / rows;
        let mut converter = sample.converter();
        let id = BenchmarkId::new(sample.name, format!("{record_bytes}B"));
        group.throughput(Throughput::Elements(rows));
        group.bench_function(id, |bencher| {
            bencher.iter(|| {
                let decoded = converter.decode("bench", black_box(&payloads)).expect("the samples decode");
                assert!(decoded.errors.is_empty());
                decoded
            });
        });
    }
    group.finish();
}

criterion_group!(benches, decode_json);
criterion_main!(benches);
