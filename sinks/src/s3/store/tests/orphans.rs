//! Unfinished uploads on the server: own old ones go, all others stay.

use lakeward_api::record::TopicPartition;
use object_store::multipart::MultipartStore as _;

use super::super::orphans::Sweeper;
use super::*;

async fn is_unfinished(bench: &Bench, name: &str, id: &str) -> bool {
    let s3 = bench.store.s3.as_ref().unwrap();
    s3.plain.put_part(&Path::from(name), &id.to_owned(), 0, PutPayload::from_static(b"x")).await.is_ok()
}

/// Begins an upload of each name; their ids.
async fn begin_all(bench: &Bench, names: &[&str]) -> Vec<String> {
    let mut ids = Vec::new();
    for name in names {
        let s3 = bench.store.s3.as_ref().unwrap();
        ids.push(s3.plain.create_multipart(&Path::from(*name)).await.unwrap());
    }
    ids
}

const NAMES: [&str; 5] = [
    "topics/t/partition=0/t+0+0000000000.json",
    "topics/t/partition=1/t+1+0000000000.json",
    "topics/t/partition=0/t+0+0000000000.avro",
    "topics/other/partition=0/other+0+0000000000.json",
    "elsewhere/t/partition=0/t+0+0000000000.json",
];

async fn left_after(bench: &Bench, ids: &[String]) -> Vec<bool> {
    if let Some(sweeper) = Sweeper::new(&bench.config.settings, ".json") {
        bench.store.sweep_orphans(&sweeper, &[TopicPartition::new("t", 0)]).await;
    }
    let mut left = Vec::new();
    for (name, id) in NAMES.iter().zip(ids) {
        left.push(is_unfinished(bench, name, id).await);
    }
    left
}

#[tokio::test]
async fn own_uploads_of_assigned_partitions_are_given_up_and_no_others() {
    let bench = Bench::new("orphans", &[("lakeward.s3.abort.orphans.after.ms", "0")]);
    let ids = begin_all(&bench, &NAMES).await;
    assert_eq!(left_after(&bench, &ids).await, [false, true, true, true, true]);
    assert!(bench.names().await.is_empty());
}

#[tokio::test]
async fn young_uploads_stay_and_by_default_all_do() {
    let bench = Bench::new("young", &[("lakeward.s3.abort.orphans.after.ms", "3600000")]);
    let ids = begin_all(&bench, &NAMES).await;
    assert_eq!(left_after(&bench, &ids).await, [true; 5]);
    let bench = Bench::new("default", &[]);
    let ids = begin_all(&bench, &NAMES).await;
    assert_eq!(left_after(&bench, &ids).await, [true; 5]);
    assert!(bench.proxy.heads_with("GET ").is_empty());
}
