//! `/metrics`: what Prometheus scrapes. Beyond Kafka Connect, which has JMX for it.
//!
//! The style of the names is `lakeward.metrics.style`; `?style=` asks for another one. Pages of many tasks
//! are large: one is written at a time, away from the threads that answer requests, never whole in memory.

use std::io::{self, Write};
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::runtime::Handle;
use tokio::sync::{OwnedMutexGuard, mpsc};
use tokio::time::{Instant, timeout_at};

use super::answer::{self, Answer, Piece};
use super::route::Query;
use crate::herder::{Herder, RequestError};
use crate::metrics::page::{STYLE, STYLES, Style};
use crate::metrics::paper::{Paper, SHEET_BYTES};
use crate::metrics::render;

/// Text format 0.0.4.
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Pieces that wait for a slow client.
const PIECES_MAX: usize = 4;
/// How long a client may take: as long as Prometheus waits. Others wait for their turn meanwhile.
const PAGE_LIMIT: Duration = Duration::from_secs(10);

/// All groups of this worker, compressed if the client can read that.
///
/// # Errors
/// 400 for an unknown style.
pub(super) async fn page(
    herder: &Herder,
    query: &Query,
    headers: &HeaderMap,
) -> Result<Answer, RequestError> {
    let style = query.all("style").next().unwrap_or_else(|| herder.config().required(STYLE));
    let styles = Style::parse(style).ok_or_else(|| {
        RequestError::BadRequest(format!("There is no style '{style}'; use one of {}.", STYLES.join(", ")))
    })?;
    herder.parts().metrics.look_for_leader().await;
    let paper = herder.parts().metrics.turn().await;
    let (sender, mut pieces) = mpsc::channel(PIECES_MAX);
    let deadline = Instant::now() + PAGE_LIMIT;
    let writer = Writer { paper, sender, runtime: Handle::current(), deadline };
    let is_zipped = accepts_gzip(headers);
    let herder = herder.clone();
    tokio::task::spawn_blocking(move || match is_zipped {
        true => writer.zipped(&herder, styles),
        false => writer.plain(&herder, styles),
    });
    let gone = || RequestError::Internal("The metrics cannot be shown.".to_owned());
    let mut answer = match pieces.recv().await.ok_or_else(gone)? {
        Piece::Last(text) => answer::whole(StatusCode::OK, text),
        first @ Piece::More(_) => answer::pieces(StatusCode::OK, first, pieces),
    };
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, TEXT);
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    if is_zipped {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(answer)
}

/// Writes one page, on a thread that may block.
struct Writer {
    paper: OwnedMutexGuard<Paper>,
    sender: mpsc::Sender<Piece>,
    runtime: Handle,
    deadline: Instant,
}

impl Writer {
    fn plain(mut self, herder: &Herder, styles: &[Style]) {
        let first = self.paper.text_sheet();
        let last = render(herder.parts(), herder.view(), styles, first, &mut |text| {
            self.send(Piece::More, text.into_bytes()).then(|| self.paper.text_sheet())
        });
        if let Some(last) = last {
            self.send(Piece::Last, last.into_bytes());
        }
    }

    /// Hardly smaller with more effort: the lines of a page differ in little.
    fn zipped(mut self, herder: &Herder, styles: &[Style]) {
        let mut zip = GzEncoder::new(self.paper.sheet(), Compression::fast());
        let first = self.paper.text_sheet();
        let last = render(herder.parts(), herder.view(), styles, first, &mut |mut text| {
            let is_wanted = self.zip(&mut zip, &text).ok()?;
            text.clear();
            is_wanted.then_some(text)
        });
        let Some(last) = last else { return };
        let rest = zip.write_all(last.as_bytes()).and_then(|()| zip.finish());
        // Writing into memory does not fail; without a last piece the answer is broken off.
        if let Ok(rest) = rest {
            self.send(Piece::Last, rest);
        }
    }

    /// False when nobody wants more.
    fn zip(&mut self, zip: &mut GzEncoder<Vec<u8>>, text: &str) -> io::Result<bool> {
        zip.write_all(text.as_bytes())?;
        if zip.get_ref().len() < SHEET_BYTES {
            return Ok(true);
        }
        let full = std::mem::replace(zip.get_mut(), self.paper.sheet());
        Ok(self.send(Piece::More, full))
    }

    fn send(&self, piece: fn(Bytes) -> Piece, bytes: Vec<u8>) -> bool {
        let sent = timeout_at(self.deadline, self.sender.send(piece(self.paper.written(bytes))));
        self.runtime.block_on(sent).is_ok_and(|sent| sent.is_ok())
    }
}

/// Whether the client names gzip and does not refuse it.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let codings = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    codings.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let refuses = |part: &str| {
            let weight = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="));
            weight.is_some_and(|weight| weight.parse::<f32>().is_ok_and(|weight| weight <= 0.0))
        };
        is_gzip && !parts.any(refuses)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_for_clients_that_name_it() {
        let cases = [
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip; q=0.000, br", false),
            ("identity", false),
            ("*", false),
            ("", false),
        ];
        for (value, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(value));
            assert_eq!(accepts_gzip(&headers), expected, "{value}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
