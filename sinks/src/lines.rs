//! Lines appended to a file or to the standard output, on blocking threads.
//!
//! One write is under way at a time; what is put meanwhile goes into the next one, so that a slow disk makes
//! writes larger, not slower. Memory: the lines put since the last write began; they count as bytes in
//! flight, which stops the pipeline.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::sync::Arc;

use lakeward_api::bridge::{Bridge, Waker};
use lakeward_api::budget::{Budget, Permit};
use lakeward_api::record::{Position, TopicPartition};
use lakeward_api::sink::SinkTaskContext;
use lakeward_api::{ConnectError, ErrorClass};

/// Where lines go.
#[derive(Debug)]
pub(crate) enum Target {
    /// A file, created when it does not exist.
    File(String),
    /// The standard output of the process.
    StandardOutput,
}

/// Positions by topic-partition: everything below is covered.
type Covered = BTreeMap<TopicPartition, i64>;

/// The lines of one task.
pub(crate) struct LineWriter {
    output: Output,
    is_open: bool,
    waiting: Vec<u8>,
    permits: Vec<Permit>,
    counted_bytes: usize,
    covered: Covered,
    writing: Option<Writing>,
    durable: Covered,
    bridge: Arc<dyn Bridge>,
    waker: Waker,
    in_flight: Budget,
}

/// The file is opened by the first write and comes back with each answer.
enum Output {
    Away,
    Closed(Target),
    Open(File),
    Standard,
}

struct Writing {
    answer: flume::Receiver<Result<Output, ConnectError>>,
    covered: Covered,
    _permits: Vec<Permit>,
}

impl LineWriter {
    /// Opens nothing yet; the first [`LineWriter::turn`] does.
    pub(crate) fn new(target: Target, context: &SinkTaskContext) -> Self {
        Self {
            // There is nothing to open.
            is_open: matches!(target, Target::StandardOutput),
            output: Output::Closed(target),
            waiting: Vec::new(),
            permits: Vec::new(),
            counted_bytes: 0,
            covered: Covered::new(),
            writing: None,
            durable: Covered::new(),
            bridge: Arc::clone(&context.bridge),
            waker: context.waker.clone(),
            in_flight: context.in_flight.clone(),
        }
    }

    /// Whether the file is there; from then on only writes can fail.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Appends a line made of `parts`.
    pub(crate) fn line(&mut self, parts: &[&[u8]]) {
        parts.iter().for_each(|part| self.waiting.extend_from_slice(part));
        self.waiting.push(b'\n');
    }

    /// Everything below `position` was given as lines, or has none.
    pub(crate) fn cover(&mut self, position: Position) {
        let fresh = self.waiting.len() - self.counted_bytes;
        if fresh > 0 {
            self.permits.push(self.in_flight.take(fresh as u64));
            self.counted_bytes = self.waiting.len();
        }
        let Position { partition, next_offset } = position;
        self.covered.insert(partition, next_offset);
    }

    /// Takes the outcome of a write and starts the next one.
    ///
    /// # Errors
    /// `Retriable` when a write failed, `Fatal` when the file cannot be opened.
    pub(crate) fn turn(&mut self) -> Result<(), ConnectError> {
        if let Some(writing) = &self.writing {
            match writing.answer.try_recv() {
                Err(flume::TryRecvError::Empty) => return Ok(()),
                Err(flume::TryRecvError::Disconnected) => {
                    return Err(ConnectError::fatal("The thread that writes lines ended without an answer"));
                }
                Ok(outcome) => self.output = outcome?,
            }
            self.is_open = true;
            let done = self.writing.take().map(|writing| writing.covered).unwrap_or_default();
            self.durable.extend(done);
        }
        if self.waiting.is_empty() && !matches!(self.output, Output::Closed(_)) {
            self.durable.append(&mut self.covered);
            return Ok(());
        }
        let (answer, receiver) = flume::bounded(1);
        let output = std::mem::replace(&mut self.output, Output::Away);
        let lines = std::mem::take(&mut self.waiting);
        let waker = self.waker.clone();
        self.counted_bytes = 0;
        self.bridge.spawn(Box::pin(async move {
            drop(tokio::task::spawn_blocking(move || {
                // The task may be gone.
                drop(answer.send(output.write(&lines)));
                waker.wake();
            }));
        }));
        self.writing = Some(Writing {
            answer: receiver,
            covered: std::mem::take(&mut self.covered),
            _permits: std::mem::take(&mut self.permits),
        });
        Ok(())
    }

    /// Appends the positions that became durable.
    pub(crate) fn take_durable(&mut self, out: &mut Vec<Position>) {
        let durable = std::mem::take(&mut self.durable);
        out.extend(durable.into_iter().map(|(partition, next_offset)| Position { partition, next_offset }));
    }

    /// Whether lines of `partitions` are on their way.
    pub(crate) fn covers(&self, partitions: &[TopicPartition]) -> bool {
        let writing = self.writing.as_ref().map(|writing| &writing.covered);
        let any = |covered: &Covered| partitions.iter().any(|partition| covered.contains_key(partition));
        any(&self.covered) || writing.is_some_and(any)
    }

    /// Whether every line was written.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.writing.is_none()
    }

    /// Bytes of lines whose write has not begun.
    pub(crate) fn waiting_bytes(&self) -> u64 {
        self.waiting.len() as u64
    }

    /// Forgets what waits; a write that is under way ends by itself.
    pub(crate) fn stop(&mut self) {
        self.waiting.clear();
        self.covered.clear();
        self.permits.clear();
        self.writing = None;
    }
}

impl Output {
    fn write(self, lines: &[u8]) -> Result<Self, ConnectError> {
        let opened = match self {
            Self::Closed(Target::File(path)) => Self::Open(open(&path)?),
            Self::Closed(Target::StandardOutput) => Self::Standard,
            open => open,
        };
        let outcome = match &opened {
            Self::Open(file) => append(file, lines),
            _ => print(lines),
        };
        outcome.map_err(|err| {
            ConnectError::retriable("Lines could not be written; is there space left?").with_source(err)
        })?;
        Ok(opened)
    }
}

fn open(path: &str) -> Result<File, ConnectError> {
    OpenOptions::new().create(true).append(true).open(path).map_err(|err| {
        let class = match err.kind() {
            io::ErrorKind::NotFound => "java.nio.file.NoSuchFileException",
            io::ErrorKind::PermissionDenied => "java.nio.file.AccessDeniedException",
            _ => "java.nio.file.FileSystemException",
        };
        let cause = ConnectError::new(ErrorClass::Fatal, class, format!("{path}: {err}"));
        ConnectError::fatal(format!("Couldn't find or create file '{path}' for FileStreamSinkTask"))
            .with_source(cause)
    })
}

fn append(mut file: &File, lines: &[u8]) -> io::Result<()> {
    file.write_all(lines)?;
    // Pipes and devices have nothing to sync.
    if file.metadata()?.is_file() { file.sync_data() } else { Ok(()) }
}

fn print(lines: &[u8]) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(lines)?;
    output.flush()
}
