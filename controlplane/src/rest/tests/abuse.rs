//! Requests made to hurt: each ends, in bounded memory, and others are served meanwhile.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::rig::Rig;
use crate::rest::Limits;
use crate::worker_config::WorkerMode;

#[tokio::test]
async fn many_slow_clients_keep_nobody_waiting() {
    let rig = Rig::distributed().await;
    let mut slow = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(rig.address).await.unwrap();
        stream.write_all(b"POST /connectors HTTP/1.1\r\nHost: w\r\nX-Slow: ").await.unwrap();
        slow.push(stream);
    }
    assert_eq!(rig.get("/connectors").await.status, 200);
    for mut stream in slow {
        let mut answer = Vec::new();
        // The server ends the connection, with or without an answer.
        let _ended = stream.read_to_end(&mut answer).await;
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 408"), "{answer:?}");
    }
}

#[tokio::test]
async fn clients_that_dribble_give_way_when_the_server_is_full() {
    let shutdown = Duration::ZERO;
    let limits = Limits { connections: 16, shutdown, ..Limits::default() };
    let rig = Rig::with_limits(WorkerMode::Distributed, &[], limits).await;
    rig.open();
    let mut slow = Vec::new();
    for number in 0..100 {
        let mut stream = TcpStream::connect(rig.address).await.unwrap();
        let head: &[u8] = match number % 3 {
            0 => b"",
            1 => b"GET /connectors HTTP/1.1\r\nHost: w\r\nX-Slow: ",
            _ => {
                b"PUT /connectors/a/config HTTP/1.1\r\nHost: w\r\nContent-Type: application/json\r\n\
                   Content-Length: 100\r\n\r\n{"
            }
        };
        // The server may have let go of it already.
        let _sent = stream.write_all(head).await;
        slow.push(stream);
    }
    assert_eq!(rig.get("/connectors").await.status, 200);
    let mut first = slow.swap_remove(0);
    let mut answer = Vec::new();
    // Which end it is depends on the moment; it must be one.
    let _ended = first.read_to_end(&mut answer).await;
    assert_eq!(answer, b"", "the client that waited for longest was let go");
}

#[tokio::test]
async fn heads_are_limited_in_size_and_number() {
    let rig = Rig::distributed().await;
    let headers: String = (0..10_000).map(|number| format!("X-{number}: 1\r\n")).collect();
    let many = format!("GET /connectors HTTP/1.1\r\nHost: w\r\nConnection: close\r\n{headers}\r\n");
    let long = format!("GET /connectors HTTP/1.1\r\nHost: w\r\nX: {}\r\n\r\n", "x".repeat(1024 * 1024));
    let path = format!("GET /{} HTTP/1.1\r\nHost: w\r\n\r\n", "x".repeat(1024 * 1024));
    for request in [many, long, path] {
        let status = rig.blurt(request.as_bytes()).await;
        assert!([0, 400, 414, 431].contains(&status), "{status}");
    }
    assert_eq!(rig.get("/connectors").await.status, 200, "the server goes on");
}

#[tokio::test]
async fn a_body_without_an_end_is_cut_off() {
    let rig = Rig::distributed().await;
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    let head = "POST /connectors HTTP/1.1\r\nHost: w\r\nContent-Type: application/json\r\n\
                Transfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    let mut sent = 0;
    while stream.write_all(chunk.as_bytes()).await.is_ok() {
        sent += 1;
        assert!(sent < 10_000, "it reads for ever");
    }
    assert_eq!(rig.get("/connectors").await.status, 200, "the server goes on");
}

#[tokio::test]
async fn deep_and_wide_json_is_an_error_body() {
    let rig = Rig::distributed().await;
    let deep = |open: &str, count: usize| open.repeat(count);
    let bodies = [
        format!(r#"{{"name":"a","config":{}"#, deep("{\"a\":", 100_000)),
        format!(r#"{{"name":"a","x":{}"#, deep("[", 1_000_000)),
        format!(r#"{{"name":"{}"}}"#, "\\u0000".repeat(100_000)),
    ];
    for body in &bodies {
        let reply = rig.with_json("POST", "/connectors", body).await;
        assert_eq!((reply.status, &reply.json()["error_code"]), (500, &500.into()), "{:.60}", body);
    }
    let nested = format!(r#"{{"offsets":[{{"partition":{{"a":{}"#, deep("[", 1_000_000));
    assert_eq!(rig.with_json("PATCH", "/connectors/a/offsets", &nested).await.status, 500);
    let level = format!(r#"{{"level":"{}"}}"#, "x".repeat(1_000_000));
    assert_eq!(rig.with_json("PUT", "/admin/loggers/a", &level).await.status, 404);
}

#[tokio::test]
async fn encoded_paths_lead_nowhere_they_should_not() {
    let rig = Rig::distributed().await;
    for path in [
        "/connectors/..%2F..%2Fetc%2Fpasswd",
        "/connectors/%2e%2e/",
        "/%2e%2e/connectors",
        "/connectors/a%00",
        "/connectors/%c0%ae%c0%ae",
        "/connectors/a%5Cb",
        "/connectors/%u0041",
        "/connectors/a;x=1",
        "//connectors",
    ] {
        let status = rig.get(path).await.status;
        assert!([400, 404].contains(&status), "{path}: {status}");
    }
}
