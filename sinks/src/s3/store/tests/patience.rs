//! What is repeated, how often, and what is counted.

use lakeward_api::ErrorClass;
use lakeward_api::metrics::{Conditions, StoreOperation, StoreRequests};
use object_store::{PutMode, PutOptions};

use super::proxy::{Instead, answer, error};
use super::*;

fn counted(bench: &Bench) -> Arc<StoreRequests> {
    StoreRequests::of(bench.objects.bucket())
}

#[tokio::test]
async fn a_busy_store_is_asked_again_more_slowly_and_the_bill_shows_it() {
    let bench = Bench::new("busy", &[]);
    bench.proxy.next("PUT", error("503 Slow Down", "SlowDown"));
    bench.proxy.next("PUT", error("500 Internal Server Error", "InternalError"));
    bench.put("a").await.unwrap();
    let counters = counted(&bench);
    assert_eq!(counters.requests(StoreOperation::Put), 3);
    assert_eq!((counters.retries(), counters.slow_downs(), counters.sent_bytes()), (2, 1, 21));
    assert_eq!(&bench.read("a").await[..], b"content");
}

#[tokio::test]
async fn requests_are_counted_by_kind() {
    let bench = Bench::new("kinds", &[]);
    bench.store.check_bucket().await.unwrap();
    let mut upload = bench.begin("large").await;
    upload.put_part(part()).await.unwrap();
    upload.complete().await.unwrap();
    bench.begin("dropped").await.abort().await.unwrap();
    bench.store.client.head(&Path::from("large")).await.unwrap();
    bench.store.client.get(&Path::from("large")).await.unwrap();
    let counters = counted(&bench);
    let counts = StoreOperation::ALL.map(|one| (one.name(), counters.requests(one)));
    assert_eq!(counts, [("delete", 1), ("get", 1), ("head", 1), ("list", 1), ("post", 3), ("put", 1)]);
    assert_eq!(counters.retries(), 0);
}

#[tokio::test]
async fn tries_are_limited_and_what_remains_may_heal() {
    let bench = Bench::new("tries", &[("s3.part.retries", "2")]);
    for _ in 0..2 {
        bench.proxy.next("PUT", error("500 Internal Server Error", "InternalError"));
    }
    let err = bench.store.explain(bench.put("a").await.unwrap_err());
    assert_eq!(err.class(), ErrorClass::Retriable, "{err}");
    assert_eq!(bench.proxy.heads().len(), 2);
    // 0 tries are one.
    let bench = Bench::new("once", &[("s3.part.retries", "0")]);
    bench.put("a").await.unwrap();
}

#[tokio::test]
async fn a_refusal_is_not_repeated() {
    let bench = Bench::new("refused", &[]);
    bench.proxy.next("PUT", error("403 Forbidden", "AccessDenied"));
    bench.put("a").await.unwrap_err();
    bench.proxy.next("PUT", error("501 Not Implemented", "NotImplemented"));
    bench.put("a").await.unwrap_err();
    assert_eq!((bench.proxy.heads().len(), counted(&bench).retries()), (2, 0));
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_unless_the_request_has_a_condition() {
    let bench = Bench::new("lost", &[]);
    bench.proxy.next("PUT", Instead::LoseAnswer);
    bench.put("a").await.unwrap();
    assert_eq!(bench.proxy.heads_with("PUT ").len(), 2);
}

#[tokio::test]
async fn a_condition_is_sent_and_kept() {
    let bench = Bench::new("condition", &[]);
    let create = || PutOptions { mode: PutMode::Create, ..PutOptions::default() };
    let name = Path::from("a");
    bench.store.client.put_opts(&name, "one".into(), create()).await.unwrap();
    let err = bench.store.client.put_opts(&name, "two".into(), create()).await.unwrap_err();
    assert!(matches!(err, object_store::Error::AlreadyExists { .. }), "{err}");
    assert_eq!(&bench.read("a").await[..], b"one");
}

#[tokio::test]
async fn an_error_in_an_answer_of_200_is_an_error() {
    let bench = Bench::new("late", &[]);
    let mut upload = bench.begin("large").await;
    upload.put_part(part()).await.unwrap();
    let late = |code: &str| answer("200 OK", &format!("\n\n<Error><Code>{code}</Code></Error>"));
    bench.proxy.next("POST", late("InternalError"));
    upload.complete().await.unwrap();
    assert_eq!(counted(&bench).retries(), 1);
    assert_eq!(bench.names().await, ["large"]);
    let mut upload = bench.begin("other").await;
    upload.put_part(part()).await.unwrap();
    bench.proxy.next("POST", late("PreconditionFailed"));
    let err = upload.complete().await.unwrap_err();
    assert!(matches!(err, object_store::Error::Precondition { .. }), "{err}");
    assert_eq!(bench.names().await, ["large"]);
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_given_up_in_time() {
    let pairs = [("lakeward.request.timeout.ms", "1000"), ("s3.part.retries", "1")];
    // Takes connections and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let bench = Bench::at("silent", &url, Proxy::start("http://127.0.0.1:1"), &pairs);
    let err = bench.store.explain(bench.put("a").await.unwrap_err());
    assert_eq!(err.class(), ErrorClass::Retriable, "{err}");
}

#[tokio::test]
async fn conditions_that_a_real_server_keeps_are_found_to_be_kept() {
    let bench = Bench::new("probe", &[]);
    let asked = async || {
        let (conditions, probe) = bench.store.conditions("topics", true);
        bench.store.probe(probe.unwrap()).await;
        [conditions.get(), conditions.completions()]
    };
    assert_eq!(asked().await, [Conditions::Honoured, Conditions::Honoured]);
    let heads = bench.proxy.heads_with("/topics/.lakeward-probe");
    let methods: Vec<&str> = heads.iter().filter_map(|head| head.split(' ').next()).collect();
    // Two creations; an upload that is begun, has a part, and is neither completed nor left; a deletion.
    assert_eq!(methods, ["PUT", "PUT", "POST", "PUT", "POST", "DELETE", "DELETE"], "{heads:?}");
    for index in [0, 1, 4] {
        assert!(heads[index].contains("if-none-match: *"), "{heads:?}");
    }
    assert!(bench.names().await.is_empty());
    assert_eq!(Versitygw::shared().unfinished_uploads(bench.objects.bucket()).unwrap(), 0);
    // One bucket is asked once.
    assert_eq!(asked().await, [Conditions::Honoured, Conditions::Honoured]);
    assert_eq!(bench.proxy.heads_with("/topics/.lakeward-probe").len(), 7);
}
