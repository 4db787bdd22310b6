//! Buckets with names that Lakeward's client has no form for, over a server of a few lines.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};

use lakeward_api::ErrorClass;

use super::*;

/// A server of one bucket, whose objects hold one line each: the number of their place. It ends with the
/// process.
fn serve(names: &'static [&'static str]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            // A client that goes away is no matter.
            answer(&client, names).ok();
        }
    });
    address
}

fn answer(mut client: &TcpStream, names: &[&str]) -> std::io::Result<()> {
    let mut lines = BufReader::new(client).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let path = first.split(' ').nth(1).unwrap_or_default();
    let found = names.iter().position(|name| path == format!("/lake/{name}"));
    let (status, body) = match found {
        _ if path.contains("list-type=2") => ("200 OK", listing(names)),
        Some(place) => ("206 Partial Content", format!("{place}\n")),
        None => ("404 Not Found", "<Error><Code>NoSuchKey</Code></Error>".to_owned()),
    };
    write!(
        client,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nContent-Range: bytes 0-1/2\r\nETag: \"1\"\r\n\
         Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\nConnection: close\r\n\r\n{body}",
        length = body.len()
    )
}

fn listing(names: &[&str]) -> String {
    let object = |name: &&str| {
        format!(
            "<Contents><Key>{name}</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified>\
             <ETag>&quot;1&quot;</ETag><Size>2</Size></Contents>"
        )
    };
    let objects: String = names.iter().map(object).collect();
    format!(
        "<?xml version=\"1.0\"?><ListBucketResult><Name>lake</Name><IsTruncated>false</IsTruncated>{objects}\
         </ListBucketResult>"
    )
}

fn config(names: &'static [&'static str], more: &[(&str, &str)]) -> ConfigMap {
    let url = serve(names);
    let mut config = Bucket::new().config(&[
        ("store.url", &url),
        ("aws.access.key.id", "id"),
        ("aws.secret.access.key", "secret"),
        ("mode", "GENERIC"),
        ("topics.dir", ""),
        ("topic.regex.list", "t:.*\\.json"),
    ]);
    config.extend(props(more));
    config
}

/// The first failure of a task that has read what it could.
fn failure(config: &ConfigMap) -> lakeward_api::ConnectError {
    let mut rig = start(config, Stored::default());
    loop {
        match rig.records_or_idle() {
            Ok(Some(_)) => {}
            Ok(None) => rig.ahead += Duration::from_secs(61),
            Err(err) => return err,
        }
    }
}

const NAMES: &[&str] = &["a.json", "b/../c.json", "raw//d.json", "raw//notes.txt", "z.json"];

#[test]
fn objects_with_names_that_have_no_form_are_left_out_and_their_neighbours_read() {
    let config = config(NAMES, &[("behavior.on.error", "log")]);
    let mut rig = start(&config, Stored::default());
    assert_eq!(numbers(&drain(&mut rig)), [0, 4]);
    rig.ahead += Duration::from_secs(61);
    assert!(drain(&mut rig).is_empty(), "once");
}

#[test]
fn a_name_that_has_no_form_fails_the_task_only_when_its_object_is_wanted() {
    let err = failure(&config(NAMES, &[]));
    assert_eq!(err.class(), ErrorClass::Fatal);
    assert!(err.to_string().contains("b/../c.json") && err.to_string().contains("copy it"), "{err}");
    let others = [("topic.regex.list", "t:[az]\\.json")];
    assert_eq!(numbers(&drain(&mut start(&config(NAMES, &others), Stored::default()))), [0, 4]);
}

#[test]
fn a_name_that_has_no_form_is_no_matter_where_its_object_is_too_old_to_be_read() {
    let since = [("file.discovery.starting.timestamp", "1704067200001")];
    let mut rig = start(&config(NAMES, &since), Stored::default());
    assert!(drain(&mut rig).is_empty(), "all are of the millisecond before");
}

/// The client lists `/0.json` as `0.json`.
#[test]
fn an_object_that_is_listed_and_never_there_does_not_hold_up_the_others() {
    let names = &["/0.json", "a.json"];
    let mut rig = start(&config(names, &[("behavior.on.error", "log")]), Stored::default());
    let mut found = Vec::new();
    while found.is_empty() {
        found = numbers(&drain(&mut rig));
        rig.ahead += Duration::from_secs(61);
    }
    assert_eq!(found, [1]);
    assert!(failure(&config(names, &[])).to_string().contains("begin or end with a slash"));
}
