//! `/metrics`: what Prometheus scrapes. Beyond Kafka Connect, which has JMX for it.
//!
//! The style of the names is `lakeward.metrics.style`; `?style=` asks for another one.

use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::answer::{self, Answer, Piece};
use super::route::Query;
use crate::herder::{Herder, RequestError};
use crate::metrics::page::{STYLE, STYLES, Style};
use crate::metrics::render;

/// Text format 0.0.4.
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Pieces that wait for a slow client.
const PIECES_MAX: usize = 4;
/// How long a client may take: as long as Prometheus waits. Others wait for their turn meanwhile.
const PAGE_LIMIT: Duration = Duration::from_secs(10);

/// All groups of this worker.
///
/// # Errors
/// 400 for an unknown style.
pub(super) async fn page(herder: &Herder, query: &Query) -> Result<Answer, RequestError> {
    let style = query.all("style").next().unwrap_or_else(|| herder.config().required(STYLE));
    let styles = Style::parse(style).ok_or_else(|| {
        RequestError::BadRequest(format!("There is no style '{style}'; use one of {}.", STYLES.join(", ")))
    })?;
    herder.parts().metrics.look_for_leader().await;
    // Pages of many tasks are large: one at a time, away from the async threads, and never whole in memory.
    let turn = herder.parts().metrics.turn().await;
    let (sender, mut pieces) = mpsc::channel(PIECES_MAX);
    let (herder, runtime) = (herder.clone(), Handle::current());
    tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let deadline = Instant::now() + PAGE_LIMIT;
        let send =
            |piece| runtime.block_on(timeout_at(deadline, sender.send(piece))).is_ok_and(|sent| sent.is_ok());
        let last = render(herder.parts(), herder.view(), styles, &mut |text| send(Piece::More(text.into())));
        if let Some(last) = last {
            send(Piece::Last(last.into()));
        }
    });
    let gone = || RequestError::Internal("The metrics cannot be shown.".to_owned());
    let mut answer = match pieces.recv().await.ok_or_else(gone)? {
        Piece::Last(text) => answer::whole(StatusCode::OK, text),
        first @ Piece::More(_) => answer::pieces(StatusCode::OK, first, pieces),
    };
    answer.headers_mut().insert(CONTENT_TYPE, TEXT);
    Ok(answer)
}
