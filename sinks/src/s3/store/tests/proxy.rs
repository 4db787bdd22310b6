//! A proxy that notes the heads of requests, and gives answers of its own when it is told to.
//!
//! Speaks HTTP 1.1 with one request per connection, as the tested client allows; threads, no runtime.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// What happens to a request instead of going on to the server.
#[derive(Clone, Debug)]
pub(crate) enum Instead {
    /// This is the whole answer.
    Answer(String),
    /// It goes on, and the answer is lost.
    LoseAnswer,
}

/// The proxy. Its thread ends with the process.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    server: String,
    heads: Mutex<Vec<String>>,
    /// First lines of requests that were answered.
    served: Mutex<Vec<String>>,
    /// Rung after each of them.
    bell: Condvar,
    script: Mutex<VecDeque<(&'static str, Instead)>>,
}

impl Proxy {
    /// A proxy in front of `server`, `http://host:port`.
    pub(crate) fn start(server: &str) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Arc::new(Self {
            port: listener.local_addr().unwrap().port(),
            server: server.strip_prefix("http://").unwrap().to_owned(),
            heads: Mutex::default(),
            served: Mutex::default(),
            bell: Condvar::new(),
            script: Mutex::default(),
        });
        let own = Arc::clone(&proxy);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let own = Arc::clone(&own);
                // A client that goes away ends its thread.
                std::thread::spawn(move || own.serve(&client).ok());
            }
        });
        proxy
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The next request with this method is treated so; later ones follow in order.
    pub(crate) fn next(&self, method: &'static str, instead: Instead) {
        self.script.lock().unwrap().push_back((method, instead));
    }

    /// The heads of all requests so far, in lower case but for the first line.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// The heads of requests whose first line contains `text`.
    pub(crate) fn heads_with(&self, text: &str) -> Vec<String> {
        self.heads().into_iter().filter(|head| head.lines().next().unwrap().contains(text)).collect()
    }

    /// Waits until a request whose first line contains `text` was answered.
    pub(crate) fn wait_for(&self, text: &str) {
        let served = self.served.lock().unwrap();
        let is_missing = |served: &mut Vec<String>| !served.iter().any(|line| line.contains(text));
        let (_served, late) = self.bell.wait_timeout_while(served, PATIENCE, is_missing).unwrap();
        assert!(!late.timed_out(), "no request like {text}");
    }

    fn serve(&self, client: &TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(client);
        let mut lines = Vec::new();
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim_end().to_owned();
            if line.is_empty() {
                break;
            }
            if let Some(text) = line.to_lowercase().strip_prefix("content-length:") {
                length = text.trim().parse().unwrap();
            }
            lines.push(line);
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let first = lines[0].clone();
        let rest: Vec<String> = lines[1..].iter().map(|line| lower_name(line)).collect();
        self.heads.lock().unwrap().push(format!("{first}\n{}", rest.join("\n")));
        match self.instead(&first) {
            Some(Instead::Answer(answer)) => (&*client).write_all(answer.as_bytes())?,
            Some(Instead::LoseAnswer) => drop(self.forward(&lines, &body)?),
            None => (&*client).write_all(&self.forward(&lines, &body)?)?,
        }
        self.served.lock().unwrap().push(first);
        self.bell.notify_all();
        Ok(())
    }

    fn instead(&self, first: &str) -> Option<Instead> {
        let mut script = self.script.lock().unwrap();
        if script.front().is_some_and(|(method, _)| first.starts_with(method)) {
            return script.pop_front().map(|(_, instead)| instead);
        }
        None
    }

    fn forward(&self, lines: &[String], body: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut server = TcpStream::connect(&self.server)?;
        // A proxy is given whole addresses; the server wants paths.
        let mut head = match lines[0].split_once("http://") {
            Some((method, rest)) => format!("{method}/{}", rest.split_once('/').unwrap().1),
            None => lines[0].clone(),
        };
        for line in &lines[1..] {
            head.push_str("\r\n");
            head.push_str(line);
        }
        head.push_str("\r\nConnection: close\r\n\r\n");
        server.write_all(head.as_bytes())?;
        server.write_all(body)?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer)?;
        Ok(answer)
    }
}

const PATIENCE: Duration = Duration::from_secs(60);

/// The line with its header's name in lower case.
fn lower_name(line: &str) -> String {
    let (name, value) = line.split_once(':').unwrap();
    format!("{}:{value}", name.to_lowercase())
}

/// A whole answer with this status and an S3 error of this code.
pub(crate) fn error(status: &str, code: &str) -> Instead {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>m</Message></Error>");
    answer(status, &body)
}

/// A whole answer.
pub(crate) fn answer(status: &str, body: &str) -> Instead {
    let length = body.len();
    Instead::Answer(format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    ))
}
