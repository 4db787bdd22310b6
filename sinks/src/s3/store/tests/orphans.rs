//! Unfinished uploads on the server: own old ones go, all others stay.

use lakeward_api::record::TopicPartition;
use object_store::multipart::MultipartStore as _;

use super::super::orphans::{Sweeper, list};
use super::proxy::Instead;
use super::*;

/// The names of all unfinished uploads, sorted.
async fn unfinished(bench: &Bench) -> Vec<String> {
    let page = list(bench.store.s3.as_ref().unwrap(), "", "", "").await.unwrap();
    let mut names: Vec<String> = page.uploads.into_iter().map(|upload| upload.key).collect();
    names.sort();
    names
}

async fn is_unfinished(bench: &Bench, name: &str, id: &str) -> bool {
    let s3 = bench.store.s3.as_ref().unwrap();
    s3.bare.put_part(&Path::from(name), &id.to_owned(), 0, PutPayload::from_static(b"x")).await.is_ok()
}

/// Begins an upload of each name; their ids.
async fn begin_all(bench: &Bench, names: &[&str]) -> Vec<String> {
    let mut ids = Vec::new();
    for name in names {
        let s3 = bench.store.s3.as_ref().unwrap();
        ids.push(s3.bare.create_multipart(&Path::from(*name)).await.unwrap());
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

/// A name that begins with that of another object.
const LONGER: &str = "topics/t/partition=0/t+0+0000000000.json.gz";

#[tokio::test]
async fn an_upload_whose_begin_was_not_answered_is_given_up_before_the_next_one_begins() {
    let bench = Bench::new("lost-begin", &[]);
    begin_all(&bench, &[LONGER]).await;
    bench.proxy.next("POST", Instead::LoseAnswer);
    bench.proxy.next("POST", Instead::LoseAnswer);
    let mut upload = bench.store.begin(&Path::from(NAMES[0])).await.unwrap();
    assert_eq!(unfinished(&bench).await, [NAMES[0], LONGER], "the own one and that of another name");
    upload.put_part(part()).await.unwrap();
    upload.complete().await.unwrap();
    assert_eq!(bench.names().await, [NAMES[0]]);
}

#[tokio::test]
async fn what_no_try_could_find_is_found_when_the_upload_is_begun_again() {
    let bench = Bench::new("lost-begins", &[("s3.part.retries", "1")]);
    bench.proxy.next("POST", Instead::LoseAnswer);
    let name = Path::from(NAMES[0]);
    assert!(bench.store.begin(&name).await.is_err());
    assert_eq!(unfinished(&bench).await, [NAMES[0]], "nobody knows it");
    // A task that starts over has a store of its own.
    let again = Store::open(&bench.config, bench.objects.bucket()).unwrap();
    again.begin(&name).await.unwrap().abort().await.unwrap();
    assert!(unfinished(&bench).await.is_empty());
    // Nothing is looked for where every begin was answered.
    let lists = bench.proxy.heads_with("max-uploads").len();
    again.begin(&name).await.unwrap().abort().await.unwrap();
    assert_eq!(bench.proxy.heads_with("max-uploads").len(), lists);
}

#[tokio::test]
async fn an_upload_that_another_owner_of_the_name_has_begun_is_left_to_it() {
    let bench = Bench::new("lost-and-other", &[("s3.part.retries", "1")]);
    let name = Path::from(NAMES[0]);
    bench.proxy.next("POST", Instead::LoseAnswer);
    assert!(bench.store.begin(&name).await.is_err());
    // Whoever owns the partition by then makes the same object: its name is a function of the records.
    let mut owner = bench.begin(NAMES[0]).await;
    owner.put_part(part()).await.unwrap();
    assert_eq!(unfinished(&bench).await, [NAMES[0]; 2]);
    let mut zombie = bench.store.begin(&name).await.unwrap();
    assert_eq!(unfinished(&bench).await, [NAMES[0]; 2], "the owner's and the zombie's: the lost one went");
    owner.complete().await.unwrap();
    zombie.abort().await.unwrap();
    assert_eq!(bench.names().await, [NAMES[0]]);
}
