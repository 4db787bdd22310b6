//! The demo: it proves what it claims, and an independent reader sees every value that was sent.

use std::fs;
use std::process::Command;
use std::time::Duration;

use lakeward_testkit::child::{Child, RunFolder};
use lakeward_testkit::{install, python};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(120);

/// Runs the demo to its end and returns its last line.
fn demo(folder: &RunFolder, arguments: &[&str]) -> Value {
    let mut command = Command::new(install::worker().expect("the worker is built"));
    command.arg("demo").args(arguments).arg("--json").arg("--dir").arg(folder.path());
    let mut child = Child::start("demo", &command, folder).expect("the demo starts");
    let status = child.wait(PATIENCE).expect("the demo ends");
    assert!(status.success(), "the demo ended with {status}:\n{}", child.log_tail());
    let log = child.log();
    let last = log.lines().rfind(|line| line.starts_with('{')).expect("the demo prints a JSON line");
    serde_json::from_str(last).expect("the last line is JSON")
}

#[test]
fn the_demo_proves_that_nothing_is_missing_or_twice() {
    let folder = RunFolder::new("demo").unwrap();
    let outcome = demo(&folder, &["--records", "20000"]);
    for (key, expected) in [("records", 20000), ("missing", 0), ("duplicates", 0)] {
        assert_eq!(outcome[key], json!(expected), "{key}");
    }
    for key in [
        "files",
        "bytes",
        "seconds",
        "cpu_seconds",
        "records_per_cpu_second",
        "peak_rss_bytes",
        "ready_ms",
        "latency_p50_ms",
        "latency_p99_ms",
    ] {
        assert!(outcome[key].as_f64().is_some_and(|figure| figure > 0.0), "{key}: {}", outcome[key]);
    }
}

/// Records whose shape changes: nulls, widening and conflicting types, late fields, extremes.
fn records() -> Vec<Value> {
    let odd = [
        json!({"n": null, "deep": {"a": {"b": [1, 2, {"c": "x"}]}}, "list": []}),
        json!({"n": 1, "wide": 1, "mixed": "text", "deep": {"a": {"b": [], "z": null}}}),
        json!({"n": 2, "wide": 1.5, "mixed": 5, "list": ["a", null, "é\u{1f600}\u{0}\"\\/\n"]}),
        json!({"n": 3, "wide": -0.0, "mixed": {"k": [true]}, "empty": {}, "list": [""]}),
        json!({"n": 9_007_199_254_740_993_i64, "exact": 0.1, "tiny": 5e-324, "huge": 1e300}),
        json!({"n": i64::MIN, "beyond": 18_446_744_073_709_551_615_u64, "late": {"new": false}}),
        json!({"n": i64::MAX, "beyond": 7, "late": {"new": null, "newer": [[1], [2, 3]]}}),
    ];
    (0..2100)
        .map(|id| {
            let mut record = odd[id % odd.len()].clone();
            record["id"] = json!(id);
            if id > 1500 {
                record["after"] = json!(id * 2);
            }
            record
        })
        .collect()
}

/// Compares the sent lines with the rows of all files, keyed by `id`; prints the differences.
const COMPARE: &str = r#"
import glob, json, math, sys
import pyarrow.parquet as pq
sent, lake = sys.argv[1:3]
TEXT = set(sys.argv[3].split(',')) if sys.argv[3] else set()
def absent(v):
    return v is None or (isinstance(v, dict) and all(absent(x) for x in v.values()))
def same(path, want, got):
    if path in TEXT and isinstance(got, str):
        return same(None, want, json.loads(got))
    if absent(want) and absent(got):
        return True
    if isinstance(want, dict) and isinstance(got, dict):
        inner = lambda k: None if path is None else (f'{path}.{k}' if path else k)
        return all(same(inner(k), want.get(k), got.get(k)) for k in want.keys() | got.keys())
    if isinstance(want, list) and isinstance(got, list):
        item = None if path is None else path + '[]'
        return len(want) == len(got) and all(same(item, a, b) for a, b in zip(want, got))
    if isinstance(want, bool) or isinstance(got, bool):
        return want is got
    if isinstance(want, (int, float)) and isinstance(got, (int, float)):
        sign = lambda v: math.copysign(1, v)
        return want == got and (isinstance(want, int) or sign(want) == sign(got))
    return want == got
expected = {}
for line in open(sent, encoding='utf-8'):
    record = json.loads(line)
    expected[record['id']] = record
rows, different = [], []
for file in glob.glob(lake + '/**/*.parquet', recursive=True):
    rows += pq.read_table(file).to_pylist()
for row in rows:
    if not same('', expected[row['id']], row):
        different.append([expected[row['id']], {k: v for k, v in row.items() if v is not None}])
print(json.dumps({'rows': len(rows), 'ids': len({r['id'] for r in rows}), 'different': len(different),
                  'examples': different[:3]}, default=str))
"#;

#[test]
fn demo_input_equals_what_an_independent_reader_sees() {
    let folder = RunFolder::new("demo-input").unwrap();
    let records = records();
    let input = folder.file("input.jsonl");
    let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
    fs::write(&input, lines).unwrap();
    let input = input.display().to_string();
    let outcome = demo(&folder, &["--input", &input, "--keep"]);
    assert_eq!(outcome["records"], json!(records.len()));
    let columns = outcome["json_text_columns"].as_array().expect("the columns are listed");
    let columns: Vec<&str> = columns.iter().filter_map(Value::as_str).collect();
    assert!(columns.contains(&"mixed"), "{columns:?}");
    let lake = folder.path().display().to_string();
    let verdict = python::run(COMPARE, &[input, lake, columns.join(",")]).unwrap();
    assert_eq!(verdict["different"], json!(0), "{}", verdict["examples"]);
    assert_eq!((&verdict["rows"], &verdict["ids"]), (&json!(records.len()), &json!(records.len())));
}
