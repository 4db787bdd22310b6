//! A schema registry that refuses the first questions for a schema or for its id, in front of the
//! development registry.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lakeward_testkit::registry::SchemaRegistry;
use lakeward_testkit::rest::RestClient;
use serde_json::json;

/// Its thread ends with the test process.
pub(crate) struct FailingRegistry {
    registry: SchemaRegistry,
    port: u16,
    refused: Arc<AtomicUsize>,
}

impl FailingRegistry {
    /// Answers 503 to the first `failures` questions for a schema by its id, or for the id of a schema.
    pub(crate) fn start(failures: usize) -> Self {
        let registry = SchemaRegistry::start().expect("the registry starts");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("the listener is bound").port();
        let refused = Arc::new(AtomicUsize::new(0));
        let (rest, count) = (registry.rest.clone(), Arc::clone(&refused));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(&stream.expect("the listener lives"), &rest, &count, failures);
            }
        });
        Self { registry, port, refused }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Registers a record of one long for the values of `topic`.
    pub(crate) fn register(&self, topic: &str) -> u32 {
        let schema = json!({"type": "record", "name": "N", "fields": [{"name": "n", "type": "long"}]});
        self.registry
            .register_avro(&format!("{topic}-value"), &schema)
            .expect("the registry takes the schema")
    }

    /// Questions refused so far.
    pub(crate) fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }
}

/// Method, path and body of the request on `stream`; `None` when the client went away.
fn request(stream: &TcpStream) -> Option<(String, String, String)> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((method, path, String::from_utf8(body).ok()?))
}

fn answer(mut stream: &TcpStream, rest: &RestClient, refused: &AtomicUsize, failures: usize) {
    let Some((method, path, body)) = request(stream) else { return };
    let is_question = path.contains("/schemas/ids/") || (method == "POST" && path.contains("/subjects/"));
    let (status, text) = if is_question && refused.load(Ordering::SeqCst) < failures {
        refused.fetch_add(1, Ordering::SeqCst);
        (503, json!({"error_code": 50301, "message": "not now"}).to_string())
    } else {
        let headers = [("content-type", "application/vnd.schemaregistry.v1+json")];
        let body = Some(body.as_str()).filter(|body| !body.is_empty());
        let answer = rest.send(&method, &path, &headers, body).expect("the registry answers");
        (answer.status, answer.text)
    };
    let length = text.len();
    let answer = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/vnd.schemaregistry.v1+json\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{text}"
    );
    // A client that went away needs no answer.
    stream.write_all(answer.as_bytes()).ok();
}
