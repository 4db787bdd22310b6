//! What the task answers when the store fails: the class, the setting and the remedy, and never a position.

use std::sync::Arc;

use lakeward_api::batch::Values;
use lakeward_api::error::ErrorClass;
use lakeward_api::sink::SinkTask as _;
use lakeward_api::{ConnectError, value::Value};
use object_store::Error;

use super::faulty_store::{FaultyStore, Request};
use super::fixture::{Fixture, batch, now, orders};

/// A failure, its class, and words of its message.
type Case = (fn() -> Error, ErrorClass, &'static [&'static str]);

fn generic(text: &str) -> Error {
    Error::Generic { store: "S3", source: text.into() }
}

fn busy() -> Error {
    generic("server returned non-2xx status code: 503 Service Unavailable: SlowDown")
}

fn broken_pipe() -> Error {
    Error::Generic {
        store: "S3",
        source: Box::new(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
    }
}

fn denied() -> Error {
    Error::PermissionDenied { path: "p".to_owned(), source: "AccessDenied".into() }
}

fn unknown_key() -> Error {
    Error::PermissionDenied { path: "p".to_owned(), source: "InvalidAccessKeyId".into() }
}

fn missing() -> Error {
    Error::NotFound { path: "p".to_owned(), source: "NoSuchBucket".into() }
}

fn upload_gone() -> Error {
    Error::NotFound { path: "p".to_owned(), source: "NoSuchUpload".into() }
}

fn refused() -> Error {
    generic("server returned non-2xx status code: 400 Bad Request: EntityTooLarge")
}

/// The outcome of storing one small file.
fn put_fails(error: fn() -> Error) -> (ConnectError, Fixture) {
    let store = FaultyStore::new();
    store.fail(Request::Put, error);
    let mut fixture = Fixture::over(Arc::new(store), &[]).opened();
    fixture.put(0..3);
    let err = fixture.settle().unwrap_err();
    (err, fixture)
}

#[test]
fn failures_of_a_put_are_classed_and_name_setting_and_remedy() {
    let cases: [Case; 5] = [
        (busy, ErrorClass::Retriable, &["store.url", "s3.region", "written again"]),
        (broken_pipe, ErrorClass::Retriable, &["store.url", "s3.region"]),
        (denied, ErrorClass::Config, &["aws.access.key.id", "s3:PutObject", "'bucket'"]),
        (missing, ErrorClass::Config, &["Non-existent S3 bucket: bucket", "s3.bucket.name"]),
        (refused, ErrorClass::Fatal, &["'bucket'", "s3.bucket.name", "restart the task"]),
    ];
    for (error, class, words) in cases {
        let (err, mut fixture) = put_fails(error);
        assert_eq!(err.class(), class, "{err}");
        for word in words {
            assert!(err.to_string().contains(word), "{word} is missing in: {err}");
        }
        assert!(err.trace().contains("Caused by: "), "{}", err.trace());
        assert!(fixture.durable().is_empty());
        assert_eq!(fixture.in_flight.used_bytes(), 0);
    }
}

/// Pieces of 5 MiB and a rest, with one kind of request failing.
fn multipart_fails(request: Request, error: fn() -> Error) -> (ConnectError, [usize; 4]) {
    let store = FaultyStore::new();
    store.fail(request, error);
    let counts = store.clone();
    let format = "io.confluent.connect.s3.format.bytearray.ByteArrayFormat";
    let extra = [("format.class", format), ("s3.part.size", "5242880"), ("flush.size", "2")];
    let mut fixture = Fixture::over(Arc::new(store), &extra).opened();
    let value = Value::Bytes(vec![b'x'; 6 << 20].into());
    fixture.task.put(batch(vec![0, 1], Values::Dynamic(vec![value.clone(), value])), now(0)).unwrap();
    let err = fixture.settle().unwrap_err();
    assert_eq!((fixture.durable(), fixture.in_flight.used_bytes()), (vec![], 0));
    assert!(fixture.names().is_empty());
    (err, counts.counts())
}

#[test]
fn a_multipart_upload_that_fails_is_aborted_and_fails_the_task() {
    let [.., aborted, _] = multipart_fails(Request::Begin, busy).1;
    assert_eq!(aborted, 0, "nothing was begun");
    for request in [Request::Part, Request::Complete] {
        let (err, [begun, _, aborted, completed]) = multipart_fails(request, busy);
        assert_eq!(err.class(), ErrorClass::Retriable);
        assert_eq!((begun, aborted, completed), (1, 1, 0), "{request:?}");
    }
}

#[test]
fn an_upload_that_the_store_forgot_is_no_missing_bucket() {
    let (err, _) = multipart_fails(Request::Part, upload_gone);
    assert_eq!(err.class(), ErrorClass::Retriable, "{err}");
    assert!(err.to_string().contains("lifecycle"), "{err}");
    assert!(!err.to_string().contains("Non-existent"), "{err}");
}

/// The first turn when listing fails.
fn list_fails(error: fn() -> Error) -> Result<(), ConnectError> {
    let store = FaultyStore::new();
    store.fail(Request::List, error);
    let mut fixture = Fixture::over(Arc::new(store), &[]);
    assert!(!fixture.task.has_started());
    let outcome = fixture.turn();
    assert_eq!(fixture.task.has_started(), outcome.is_ok());
    outcome
}

#[test]
fn a_task_has_started_when_its_bucket_was_found() {
    let class = |error| list_fails(error).map_err(|err| err.class());
    assert_eq!(class(missing), Err(ErrorClass::Config));
    assert_eq!(class(unknown_key), Err(ErrorClass::Config));
    assert_eq!(class(busy), Err(ErrorClass::Retriable));
    assert_eq!(class(|| generic("404: NoSuchBucket")), Err(ErrorClass::Config));
    // An identity that may write but not list is fine.
    assert_eq!(class(denied), Ok(()));
}

#[test]
fn a_null_value_fails_in_java_words_unless_it_is_ignored() {
    let mut fixture = Fixture::over(Arc::new(FaultyStore::new()), &[]).opened();
    let err = fixture.task.put(batch(vec![0], Values::Null { rows: 1 }), now(0)).unwrap_err();
    let text = "Null valued records are not writeable with current behavior.on.null.values 'settings.";
    assert_eq!((err.class(), err.to_string().as_str()), (ErrorClass::Record, text));
}

#[test]
fn a_failed_upload_of_a_dropped_file_fails_nothing() {
    let store = FaultyStore::new();
    store.fail(Request::Part, busy);
    let format = "io.confluent.connect.s3.format.bytearray.ByteArrayFormat";
    let extra = [("format.class", format), ("s3.part.size", "5242880")];
    let mut fixture = Fixture::over(Arc::new(store), &extra).opened();
    let value = Value::Bytes(vec![b'x'; 6 << 20].into());
    fixture.task.put(batch(vec![0], Values::Dynamic(vec![value])), now(0)).unwrap();
    fixture.task.close(&[orders()]);
    fixture.settle().unwrap();
    assert_eq!(fixture.in_flight.used_bytes(), 0);
}
