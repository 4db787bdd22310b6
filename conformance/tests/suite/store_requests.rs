//! What the sink asks of its store: tags after files, counts of requests on the page of metrics, and the
//! development server of the binary as a second store.

use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use lakeward_conformance::envelope::numbered;
use lakeward_conformance::scenario::Scenario;
use lakeward_conformance::sink_config::JSON;
use lakeward_testkit::child::{Child, RunFolder};
use lakeward_testkit::install;
use lakeward_testkit::records::Record;
use lakeward_testkit::store::{ACCESS_KEY, SECRET_KEY};
use lakeward_testkit::wait::ready;

const FLUSH_SIZE: usize = 10;

fn produce(scenario: &Scenario) {
    let records: Vec<Record> =
        (0..FLUSH_SIZE as u64).map(|id| Record::json(&numbered(id)).in_partition(0)).collect();
    scenario.produce(&records);
}

/// The value of a counter of the scenario's connector.
fn counter(scenario: &Scenario, name: &str, more: &str) -> u64 {
    let page = scenario.worker.rest.get("/metrics").expect("the worker answers").expect_status(200).text;
    let series = format!("lakeward_sink_store_{name}{{connector=\"{}\"{more}}} ", scenario.connector);
    let line = page.lines().find_map(|line| line.strip_prefix(&series));
    line.unwrap_or_else(|| panic!("{series} is missing in\n{page}")).parse().expect("counters are integers")
}

#[test]
fn files_are_tagged_before_they_are_committed_and_requests_are_counted() {
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(FLUSH_SIZE).with(&[
        ("s3.object.tagging", "true"),
        ("s3.object.tagging.key.value.pairs", "team:lake"),
        ("s3.object.behavior.on.tagging.error", "fail"),
        ("s3.acl.canned", "private"),
        ("s3.send.digest", "true"),
        // Its requests are counted, too.
        ("lakeward.probe.conditional.writes", "false"),
    ]));
    produce(&scenario);
    scenario.wait_for_commit(0, FLUSH_SIZE as i64);
    let names = scenario.objects.names().expect("the store lists");
    assert_eq!(names, [scenario.object("partition=0", 0, 0, "snappy.parquet")]);
    // The object and its tags.
    assert_eq!(counter(&scenario, "requests_total", ",operation=\"put\""), 2);
    assert_eq!(counter(&scenario, "requests_total", ",operation=\"post\""), 0);
    // Whether the bucket is there.
    assert_eq!(counter(&scenario, "requests_total", ",operation=\"list\""), 1);
    let stored = scenario.objects.read(&names[0]).expect("the object is there").len() as u64;
    assert!(counter(&scenario, "sent_bytes_total", "") > stored);
    assert_eq!(counter(&scenario, "slow_downs_total", ""), 0);
}

#[test]
fn the_development_server_is_a_store_too() {
    let folder = RunFolder::new("dev-s3").expect("a folder can be made");
    let port = folder.free_port().expect("there is a free port").to_string();
    let data = folder.file("data").display().to_string();
    let mut command = Command::new(install::worker().expect("the worker is built"));
    command.args(["dev", "s3", "--dir", &data, "--port", &port, "--bucket", "lake"]);
    command.args(["--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY]);
    let mut server = Child::start("dev-s3", &command, &folder).expect("the server starts");
    ready("the development S3 server", Duration::from_secs(30), || {
        server.assert_running()?;
        Ok(TcpStream::connect(format!("127.0.0.1:{port}")).ok())
    })
    .expect("the server listens");
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(FLUSH_SIZE).with(&[
        ("store.url", &format!("http://127.0.0.1:{port}")),
        ("s3.bucket.name", "lake"),
        ("format.class", JSON),
        ("s3.send.digest", "true"),
        // What the server does not know is a line in the log.
        ("s3.object.tagging", "true"),
        ("lakeward.s3.abort.orphans.after.ms", "3600000"),
    ]));
    produce(&scenario);
    scenario.wait_for_commit(0, FLUSH_SIZE as i64);
    let name = scenario.object("partition=0", 0, 0, "json");
    let text = std::fs::read_to_string(folder.file("data/lake").join(name)).expect("the object is a file");
    assert_eq!(text.lines().count(), FLUSH_SIZE);
}
