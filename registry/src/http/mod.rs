//! The client of a registry over HTTP.
//!
//! Owns the questions of one converter: what is known, what is in flight, what failed a moment ago. It lives
//! on a shard and never waits; requests run on the bridge and answer through a channel.
//! Memory: schemas with their references, as many as the cache settings allow.

mod cache;
mod connection;
mod dependencies;
mod tls;
mod token;
mod wire;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::Poll;
use std::time::{Duration, Instant};

use lakeward_api::bridge::Waker;
use lakeward_api::plugin::Network;
use lakeward_api::{ConnectError, ErrorClass};

use crate::{Choice, Guid, Reading, RegisteredSchema, Registry, RegistryError, RegistrySettings, SchemaText};
use cache::Cache;
use connection::Connection;

/// Ids remembered. A batch with more distinct ids than this could not be decoded.
const MAX_IDS: usize = 65_536;
/// Failures remembered.
const MAX_FAILURES: usize = 65_536;
/// How long an answer lasts at least: until its question is put again.
const ANSWERED: Duration = Duration::from_millis(250);
/// How long a failure answers its question: a converter asks once per record. One that may heal counts for
/// one attempt only.
const REFUSED: Duration = Duration::from_secs(5);

type Answer = Result<Found, RegistryError>;

/// What an answer says.
#[derive(Clone, Debug)]
enum Found {
    Schema(Arc<RegisteredSchema>),
    /// None when there is no association.
    Subject(Option<Arc<str>>),
}

/// What a converter wants to know.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Question {
    /// The subject of a topic, and whether of its keys.
    Associated(String, bool),
    ByGuid(String, Guid),
    ById(String, i32),
    /// The version of a subject that payloads written with a schema are read as.
    ForReading(String, Option<(i32, Option<Guid>)>),
    ForWriting(String, SchemaText),
}

/// A [`Registry`] over HTTP by `settings`, whose requests run on `network`.
///
/// # Errors
/// `Config` when a certificate or key cannot be read.
pub fn client(settings: &RegistrySettings, network: &Network) -> Result<Box<dyn Registry>, ConnectError> {
    let connection = Arc::new(Connection::new(settings)?);
    let latest = matches!(settings.writing.choice, Choice::Latest { .. } | Choice::LatestWithMetadata { .. });
    let written = if latest { settings.latest_cache_size } else { settings.max_schemas };
    let (sender, receiver) = channel();
    Ok(Box::new(Client {
        connection,
        network: network.clone(),
        sender,
        receiver,
        in_flight: HashSet::new(),
        ids: Cache::new(MAX_IDS, None),
        written: Cache::new(
            written,
            settings.latest_cache_ttl.filter(|_| latest).map(|ttl| ttl.max(ANSWERED)),
        ),
        read: Cache::new(settings.latest_cache_size, settings.latest_cache_ttl.map(|ttl| ttl.max(ANSWERED))),
        subjects: match &settings.associations {
            Some(found) => Cache::new(found.cache_size, found.cache_ttl.map(|ttl| ttl.max(ANSWERED))),
            None => Cache::new(1, None),
        },
        failures: Cache::new(MAX_FAILURES, Some(REFUSED)),
        healing: Cache::new(MAX_FAILURES, Some(REFUSED)),
    }))
}

struct Client {
    connection: Arc<Connection>,
    network: Network,
    sender: Sender<(Question, Answer)>,
    receiver: Receiver<(Question, Answer)>,
    in_flight: HashSet<Question>,
    ids: Cache<Question, Found>,
    read: Cache<Question, Found>,
    written: Cache<Question, Found>,
    subjects: Cache<Question, Found>,
    failures: Cache<Question, RegistryError>,
    /// Failures that may heal, of the attempt that goes on.
    healing: Cache<Question, RegistryError>,
}

impl Registry for Client {
    fn by_id(&mut self, subject: &str, id: i32) -> Poll<Result<Arc<RegisteredSchema>, ConnectError>> {
        self.schema(Question::ById(subject.to_owned(), id))
    }

    fn by_guid(&mut self, subject: &str, guid: Guid) -> Poll<Result<Arc<RegisteredSchema>, ConnectError>> {
        self.schema(Question::ByGuid(subject.to_owned(), guid))
    }

    fn associated(&mut self, topic: &str, is_key: bool) -> Poll<Result<Option<Arc<str>>, ConnectError>> {
        if !self.connection.has_associations() {
            return Poll::Ready(Ok(None));
        }
        self.ask(Question::Associated(topic.to_owned(), is_key)).map(|answer| match answer? {
            Found::Subject(subject) => Ok(subject),
            Found::Schema(_) => Err(another_question()),
        })
    }

    fn for_reading(
        &mut self,
        subject: &str,
        written: &RegisteredSchema,
    ) -> Poll<Result<Option<Arc<RegisteredSchema>>, ConnectError>> {
        // As in Java, a schema that is new to the converter asks for the latest version anew, but not for the
        // latest with certain metadata.
        let of = match self.connection.reading() {
            Reading::AsWritten => return Poll::Ready(Ok(None)),
            Reading::Latest => Some((written.id, written.guid)),
            Reading::LatestWithMetadata { .. } => None,
        };
        self.schema(Question::ForReading(subject.to_owned(), of)).map(|answer| answer.map(Some))
    }

    fn for_writing(
        &mut self,
        subject: &str,
        schema: &SchemaText,
    ) -> Poll<Result<Arc<RegisteredSchema>, ConnectError>> {
        self.schema(Question::ForWriting(subject.to_owned(), schema.clone()))
    }

    fn forget_failures(&mut self) {
        self.healing.clear();
    }
}

impl Client {
    fn schema(&mut self, question: Question) -> Poll<Result<Arc<RegisteredSchema>, ConnectError>> {
        self.ask(question).map(|answer| match answer? {
            Found::Schema(schema) => Ok(schema),
            Found::Subject(_) => Err(another_question()),
        })
    }

    fn ask(&mut self, question: Question) -> Poll<Result<Found, ConnectError>> {
        self.collect();
        let now = Instant::now();
        let known = match &question {
            Question::Associated(..) => self.subjects.get(&question, now),
            Question::ByGuid(..) | Question::ById(..) => self.ids.get(&question, now),
            Question::ForReading(..) => self.read.get(&question, now),
            Question::ForWriting(..) => self.written.get(&question, now),
        };
        if let Some(known) = known {
            return Poll::Ready(Ok(known.clone()));
        }
        if let Some(failure) = self.failures.get(&question, now).or_else(|| self.healing.get(&question, now))
        {
            return Poll::Ready(Err(failure.clone().into()));
        }
        if self.in_flight.insert(question.clone()) {
            let reply =
                Reply { answer: Some((question, self.sender.clone())), waker: self.network.waker.clone() };
            let connection = Arc::clone(&self.connection);
            self.network.bridge.spawn(Box::pin(async move {
                let mut reply = reply;
                let answer = match &reply.answer {
                    Some((question, _)) => connection.answer(question).await,
                    None => return,
                };
                reply.send(answer);
            }));
        }
        Poll::Pending
    }

    /// Takes the answers that arrived.
    fn collect(&mut self) {
        let now = Instant::now();
        while let Ok((question, answer)) = self.receiver.try_recv() {
            self.in_flight.remove(&question);
            match answer {
                Ok(found) => {
                    let cache = match &question {
                        Question::Associated(..) => &mut self.subjects,
                        Question::ByGuid(..) | Question::ById(..) => &mut self.ids,
                        Question::ForReading(..) => &mut self.read,
                        Question::ForWriting(..) => &mut self.written,
                    };
                    cache.insert(question, found, now);
                }
                Err(failure) => {
                    let heals = failure.class() == ErrorClass::Retriable
                        || matches!(
                            failure,
                            RegistryError::Unreachable { .. } | RegistryError::Token { heals: true, .. }
                        );
                    let failures = if heals { &mut self.healing } else { &mut self.failures };
                    failures.insert(question, failure, now);
                }
            }
        }
    }
}

impl Connection {
    async fn answer(&self, question: &Question) -> Answer {
        let found = match question {
            Question::Associated(topic, is_key) => {
                return self.associated(topic, *is_key).await.map(Found::Subject);
            }
            Question::ByGuid(subject, guid) => self.by_guid(subject, *guid).await,
            Question::ById(subject, id) => self.by_id(subject, *id).await,
            Question::ForReading(subject, _) => self.for_reading(subject).await,
            Question::ForWriting(subject, schema) => self.for_writing(subject, schema).await,
        };
        found.map(|found| Found::Schema(Arc::new(found)))
    }
}

/// Questions and answers are kept together, so this is never made.
#[cold]
fn another_question() -> ConnectError {
    ConnectError::fatal("the registry's client answered another question")
}

impl Drop for Client {
    fn drop(&mut self) {
        self.connection.close();
    }
}

/// Answers a question exactly once, also when the request is dropped with its runtime.
struct Reply {
    answer: Option<(Question, Sender<(Question, Answer)>)>,
    waker: Waker,
}

impl Reply {
    fn send(&mut self, answer: Answer) {
        if let Some((question, sender)) = self.answer.take() {
            // Without a receiver the converter is gone and nobody waits.
            let _gone = sender.send((question, answer));
            self.waker.wake();
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.send(Err(RegistryError::Unreachable { message: "the request was given up".to_owned() }));
    }
}
