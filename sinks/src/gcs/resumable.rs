//! Resumable uploads: a session that takes the bytes of an object in order, and makes the object when it has
//! the last ones.
//!
//! Nothing is visible before that; a session that is not finished goes away by itself after a week, and at
//! once when it is given up. After a lost answer the session is asked how many bytes it has, and the rest is
//! sent from there.
//!
//! # Memory
//! Sessions take multiples of 256 KiB: less than that is kept between pieces.
//!
//! Source: Google Cloud Storage, "Resumable uploads" and "Perform resumable uploads" (chunks).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CONTENT_RANGE, HeaderMap, HeaderValue, LOCATION, RANGE};
use http::{Method, StatusCode};
use lakeward_objectstore::fault::{SESSION_GONE, failed, generic};
use md5::{Digest as _, Md5};
use object_store::path::Path;
use object_store::{MultipartUpload, PutPayload, PutResult, Result, UploadPart};

use super::client::{Answer, Client};
use crate::s3::store::create::{self, Condition, ContentDigest, stored};

/// An upload that was begun.
#[derive(Debug)]
pub(super) struct ResumableUpload {
    session: Arc<Session>,
    name: Path,
    condition: Condition,
    /// Of everything so far, when it will be compared.
    digest: Option<Md5>,
    pieces_count: usize,
}

#[derive(Debug)]
struct Session {
    client: Client,
    url: String,
    /// Pieces in the order of the file; whoever sends takes them from the front.
    waiting: Mutex<VecDeque<PutPayload>>,
    progress: tokio::sync::Mutex<Progress>,
}

#[derive(Debug, Default)]
struct Progress {
    /// Bytes that the session has.
    sent_bytes: u64,
    /// Pieces that were taken from the front.
    taken_count: usize,
    /// Bytes that are not enough to be sent.
    held: Vec<Bytes>,
    /// A piece failed: nothing may follow it.
    has_failed: bool,
}

impl ResumableUpload {
    /// Begins an upload.
    ///
    /// # Errors
    /// What the store refuses.
    pub(super) async fn begin(client: Client, name: Path, condition: Condition) -> Result<Self> {
        let url = client.upload_url("resumable", &name, &condition);
        let what = "beginning an upload";
        let answer = client.ask(what, Method::POST, &url, HeaderMap::new(), Bytes::new().into()).await?;
        let session = answer.headers.get(LOCATION).and_then(|url| url.to_str().ok());
        let url = session.ok_or_else(|| generic("the store began an upload without an address".into()))?;
        let session = Session {
            client,
            url: url.to_owned(),
            waiting: Mutex::default(),
            progress: tokio::sync::Mutex::default(),
        };
        let digest = (condition != Condition::None).then(Md5::new);
        Ok(Self { session: Arc::new(session), name, condition, digest, pieces_count: 0 })
    }

    /// Makes an object without bytes, or nothing: what is there is not looked at.
    ///
    /// # Errors
    /// What the store refuses.
    pub(super) async fn end_empty(mut self) -> Result<()> {
        let ended = self.session.finish(0).await;
        if ended.is_err()
            && let Err(err) = self.abort().await
        {
            tracing::debug!(object = %self.name, error = %err, "a session goes away by itself");
        }
        ended
    }

    fn digest(&mut self) -> Option<ContentDigest> {
        self.digest.take().map(|digest| digest.finalize().into())
    }
}

#[async_trait]
impl MultipartUpload for ResumableUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        if let Some(digest) = &mut self.digest {
            data.iter().for_each(|bytes| digest.update(bytes));
        }
        self.session.waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(data);
        self.pieces_count += 1;
        let (session, count) = (Arc::clone(&self.session), self.pieces_count);
        Box::pin(async move { session.send_pieces(count).await })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let digest = self.digest();
        let written = self.session.finish(self.pieces_count).await.map(|()| stored());
        let client = &self.session.client;
        create::settle(client, &self.name, &self.condition, digest.as_ref(), written).await
    }

    async fn abort(&mut self) -> Result<()> {
        // The store confirms with a status of its own, 499.
        let url = &self.session.url;
        self.session.client.send(Method::DELETE, url, HeaderMap::new(), Bytes::new().into()).await?;
        Ok(())
    }
}

impl Session {
    /// Sends the first `count` pieces, as far as others did not.
    async fn send_pieces(&self, count: usize) -> Result<()> {
        let mut progress = self.progress.lock().await;
        while progress.taken_count < count {
            if progress.has_failed {
                return Err(generic("an earlier piece of this file was not stored".into()));
            }
            let piece = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            progress.taken_count += 1;
            let mut bytes = std::mem::take(&mut progress.held);
            bytes.extend(piece.expect("every piece was queued before it was counted"));
            let full = length(&bytes) / STEP_BYTES * STEP_BYTES;
            let chunk = split_front(&mut bytes, full);
            progress.held = bytes;
            // Stays set when this future is dropped on its way.
            progress.has_failed = true;
            if full > 0 {
                progress.sent_bytes = self.send(chunk, progress.sent_bytes, None).await?;
            }
            progress.has_failed = false;
        }
        Ok(())
    }

    /// Sends what is held and makes the object.
    async fn finish(&self, count: usize) -> Result<()> {
        self.send_pieces(count).await?;
        let mut progress = self.progress.lock().await;
        let rest = std::mem::take(&mut progress.held);
        let total = progress.sent_bytes + length(&rest) as u64;
        self.send(rest, progress.sent_bytes, Some(total)).await.map(drop)
    }

    /// Sends bytes that begin at `start`, and how many there are in all with the last ones. Answers how many
    /// the session has then.
    async fn send(&self, mut bytes: Vec<Bytes>, mut start: u64, total: Option<u64>) -> Result<u64> {
        let end = start + length(&bytes) as u64;
        let tries_max = self.client.transport().patience().tries_max.max(1);
        let mut tries = 1;
        let mut answer = self.put(&bytes, start, total).await;
        loop {
            let has = match answer {
                Ok(answer) if answer.status.is_success() && total.is_some() => return Ok(end),
                Ok(answer) if answer.status == StatusCode::PERMANENT_REDIRECT => persisted(&answer)?,
                Ok(answer) if matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::GONE) => {
                    return Err(generic(format!("{SESSION_GONE}: status {}", answer.status).into()));
                }
                Ok(answer) if !is_transient(answer.status) => {
                    return Err(failed("continuing an upload", answer.status, &answer.body));
                }
                other if tries == tries_max => {
                    return Err(other.map_or_else(
                        |err| err,
                        |answer| failed("continuing an upload", answer.status, &answer.body),
                    ));
                }
                _ => {
                    self.client.transport().pause(tries).await;
                    tries += 1;
                    answer = self.ask(total).await;
                    continue;
                }
            };
            if has == end && total.is_none() {
                return Ok(end);
            }
            let advance = has.checked_sub(start).filter(|_| has <= end);
            let advance =
                advance.ok_or_else(|| generic("the store counts other bytes than it was sent".into()))?;
            if advance == 0 && tries > tries_max {
                return Err(generic("the store takes no more bytes of an upload".into()));
            }
            tries += 1;
            split_front(&mut bytes, usize::try_from(advance).unwrap_or(usize::MAX));
            start = has;
            answer = self.put(&bytes, start, total).await;
        }
    }

    async fn put(&self, bytes: &[Bytes], start: u64, total: Option<u64>) -> Result<Answer> {
        let end = start + length(bytes) as u64;
        let total = total.map_or_else(|| "*".to_owned(), |total| total.to_string());
        let range = match end > start {
            true => format!("bytes {start}-{}/{total}", end - 1),
            false => format!("bytes */{total}"),
        };
        let payload: PutPayload = bytes.iter().cloned().collect();
        self.client.send(Method::PUT, &self.url, range_header(&range), payload.into()).await
    }

    /// Asks how many bytes the session has.
    async fn ask(&self, total: Option<u64>) -> Result<Answer> {
        let total = total.map_or_else(|| "*".to_owned(), |total| total.to_string());
        let headers = range_header(&format!("bytes */{total}"));
        self.client.send(Method::PUT, &self.url, headers, Bytes::new().into()).await
    }
}

fn range_header(range: &str) -> HeaderMap {
    let value = HeaderValue::from_str(range).expect("numbers and signs are fine in headers");
    HeaderMap::from_iter([(CONTENT_RANGE, value)])
}

/// How many bytes a session says it has: `bytes=0-N`, and no header for none.
fn persisted(answer: &Answer) -> Result<u64> {
    let Some(range) = answer.headers.get(RANGE) else { return Ok(0) };
    let last = range.to_str().ok().and_then(|text| text.rsplit_once('-')?.1.parse::<u64>().ok());
    last.map(|last| last + 1).ok_or_else(|| generic("the store does not say how many bytes it has".into()))
}

/// Whether the session may still be there.
fn is_transient(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
}

fn length(bytes: &[Bytes]) -> usize {
    bytes.iter().map(Bytes::len).sum()
}

/// Takes the first `count` bytes away.
fn split_front(bytes: &mut Vec<Bytes>, count: usize) -> Vec<Bytes> {
    let (mut front, mut missing) = (Vec::new(), count);
    while missing > 0 {
        let Some(first) = bytes.first_mut() else { break };
        if first.len() > missing {
            front.push(first.split_to(missing));
            break;
        }
        missing -= first.len();
        front.push(bytes.remove(0));
    }
    front
}

/// What the length of every chunk but the last is a multiple of.
const STEP_BYTES: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_split_within_and_between_pieces() {
        let whole = || vec![Bytes::from_static(b"abc"), Bytes::new(), Bytes::from_static(b"de")];
        for count in 0..=6 {
            let mut rest = whole();
            let front = split_front(&mut rest, count);
            let expected = count.min(5);
            assert_eq!((length(&front), length(&rest)), (expected, 5 - expected));
            assert_eq!([front.concat(), rest.concat()].concat(), b"abcde");
        }
    }

    #[test]
    fn a_session_says_how_many_bytes_it_has() {
        let answer = |range: Option<&'static str>| Answer {
            status: StatusCode::PERMANENT_REDIRECT,
            headers: range.map(|range| (RANGE, HeaderValue::from_static(range))).into_iter().collect(),
            body: Bytes::new(),
        };
        assert_eq!(persisted(&answer(None)).unwrap(), 0);
        assert_eq!(persisted(&answer(Some("bytes=0-262143"))).unwrap(), 262_144);
        assert!(persisted(&answer(Some("all of them"))).is_err());
    }
}
