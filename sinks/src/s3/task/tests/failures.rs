//! Failures of the store, and the end of a task with work in flight.

use std::sync::Arc;

use lakeward_api::ErrorClass;
use lakeward_api::sink::SinkTask as _;
use lakeward_api::value::Value;
use tokio::sync::Semaphore;

use super::rig::{Failure, Mood, Rig, dynamic};

#[test]
fn failures_name_the_key_to_look_at() {
    let cases = [
        (Failure::Busy, ErrorClass::Retriable, "store.url"),
        (Failure::Denied, ErrorClass::Config, "s3:PutObject"),
        (Failure::NoBucket, ErrorClass::Config, "s3.bucket.name"),
        (Failure::WrongKey, ErrorClass::Config, "aws.secret.access.key"),
    ];
    for (failure, class, word) in cases {
        let mut rig = Rig::new(&[]);
        rig.open(&[0]);
        rig.turn().unwrap();
        rig.set_mood(Mood::Failing(failure));
        rig.put(0, 0..3);
        let err = rig.turn().unwrap_err();
        assert_eq!(err.class(), class, "{err}");
        assert!(err.to_string().contains(word), "{err}");
        assert!(rig.durable().is_empty());
        assert_eq!(rig.in_flight.used_bytes(), 0);
    }
}

#[test]
fn a_missing_bucket_surfaces_before_any_record() {
    let mut rig = Rig::new(&[]);
    rig.set_mood(Mood::Failing(Failure::NoBucket));
    rig.open(&[0]);
    let err = rig.turn().unwrap_err();
    assert_eq!(err.class(), ErrorClass::Config);
    assert!(err.to_string().starts_with("Non-existent S3 bucket"), "{err}");
}

#[test]
fn a_failed_multipart_upload_is_reported_while_the_part_is_open() {
    let mut rig = Rig::new(&[("s3.part.size", "5242880")]);
    rig.open(&[0]);
    rig.turn().unwrap();
    rig.set_mood(Mood::Failing(Failure::Busy));
    let long: Arc<str> = "x".repeat(6 << 20).into();
    rig.task.put(dynamic(0, vec![0], vec![Value::String(long)]), rig.now).unwrap();
    assert_eq!(rig.turn().unwrap_err().class(), ErrorClass::Retriable);
    assert_eq!(rig.in_flight.used_bytes(), 0);
}

#[test]
fn stop_aborts_what_is_in_flight() {
    let mut rig = Rig::new(&[]);
    rig.set_mood(Mood::Holding("t+0", Arc::new(Semaphore::new(0))));
    rig.open(&[0]);
    rig.put(0, 0..5);
    rig.turn().unwrap();
    rig.task.stop();
    rig.turn().unwrap_err();
    assert!(rig.objects().is_empty());
    assert!(rig.durable().is_empty());
    assert_eq!((rig.in_flight.used_bytes(), rig.task.buffered_bytes()), (0, 0));
}
