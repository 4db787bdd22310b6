//! The task: reads ahead one piece, hands lines over in batches.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::builder::StringBuilder;
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::bridge::{Bridge, Waker};
use lakeward_api::header::HeaderRows;
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::sink::Now;
use lakeward_api::source::{Polled, SourceBatch, SourceMap, SourcePosition, SourceTask, SourceTaskContext};
use lakeward_api::value::Value;

use super::connector::{FILENAME, Keys, POSITION};
use super::lines::Lines;
use super::reader::{self, Origin, Piece, Reader};
use crate::blocking::{self, Pending};
use crate::position;

/// Pause before a file that is missing or at its end is looked at again, as in Java.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// A line that is longer fails the task: it would fill the memory.
const LINE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes of lines in one batch, about.
const BATCH_BYTES_MAX: usize = 1024 * 1024;

/// The task of a file or of the standard input.
pub(super) struct FileStreamSourceTask {
    topic: Arc<str>,
    rows_max: usize,
    origin: Origin,
    partition: SourceMap,
    position_name: Arc<str>,
    /// Bytes before the next line; `None` for the standard input.
    position: Option<i64>,
    schema: Arc<Schema>,
    lines: Lines,
    reader: Option<Reader>,
    reading: Option<Pending<io::Result<Piece>>>,
    not_before: Option<Instant>,
    is_missing: bool,
    bridge: Arc<dyn Bridge>,
    waker: Waker,
}

impl FileStreamSourceTask {
    /// # Errors
    /// `Config` when keys are wrong, `Fatal` when the stored position is no whole number.
    pub(super) fn new(context: SourceTaskContext) -> Result<Self, ConnectError> {
        let keys = Keys::of(&context.config)?;
        let name = |file: &String| Value::String(file.as_str().into());
        let filename = keys.file.as_ref().map_or(Value::Null, name);
        let partition = position::map([(&FILENAME.into(), filename)]);
        let (origin, position) = match keys.file {
            None => (Origin::StandardInput, None),
            Some(path) => {
                let stored = context.offsets.offset(&partition);
                let start = stored.map_or(Ok(0), |offset| stored_position(&offset))?;
                let position = u64::try_from(start).unwrap_or(0);
                (Origin::File { path, position }, Some(start.max(0)))
            }
        };
        Ok(Self {
            topic: keys.topic.as_str().into(),
            rows_max: usize::try_from(keys.batch_size).unwrap_or(1).max(1),
            origin,
            partition,
            position_name: POSITION.into(),
            position,
            schema: Arc::new(Schema::new(Kind::String)),
            lines: Lines::default(),
            reader: None,
            reading: None,
            not_before: None,
            is_missing: false,
            bridge: context.bridge,
            waker: context.waker,
        })
    }

    /// Takes what a read brought.
    fn take_piece(&mut self, now: Now) -> Result<(), ConnectError> {
        let Some(pending) = &self.reading else { return Ok(()) };
        let Some(outcome) = pending.take()? else { return Ok(()) };
        self.reading = None;
        match outcome.map_err(|err| self.unreadable(err))? {
            Piece::Missing => {
                if !self.is_missing {
                    tracing::warn!(
                        file = self.file(),
                        "the file does not exist; waiting for it to be created"
                    );
                }
                self.is_missing = true;
                self.not_before = Some(now.monotonic + LOOK_AGAIN);
            }
            Piece::Bytes(reader, bytes) => {
                self.is_missing = false;
                self.not_before = bytes.is_empty().then(|| now.monotonic + LOOK_AGAIN);
                self.reader = Some(reader);
                self.lines.push(&bytes);
            }
        }
        Ok(())
    }

    /// Starts the next read when nothing is under way and its time has come.
    fn start_read(&mut self, now: Now) -> Result<(), ConnectError> {
        if self.reading.is_some() || self.not_before.is_some_and(|time| now.monotonic < time) {
            return Ok(());
        }
        if self.lines.waiting_bytes() > LINE_BYTES_MAX {
            return Err(ConnectError::fatal(format!(
                "A line of {} is longer than {LINE_BYTES_MAX} bytes; is it a text file?",
                self.file()
            )));
        }
        self.not_before = None;
        self.reading = Some(match self.reader.take() {
            Some(open) => blocking::start(&*self.bridge, &self.waker, move || reader::read(open)),
            None => {
                let origin = self.origin.clone();
                blocking::start(&*self.bridge, &self.waker, move || reader::open(&origin))
            }
        });
        Ok(())
    }

    /// The lines that are complete, up to a batch; true when there may be more.
    fn batch(&mut self, now: Now) -> (SourceBatch, bool) {
        let mut texts = StringBuilder::new();
        let mut positions = Vec::new();
        let mut bytes = 0;
        let mut is_full = false;
        while let Some((line, taken)) = self.lines.next() {
            texts.append_value(String::from_utf8_lossy(line));
            bytes += taken;
            let offset = match &mut self.position {
                Some(position) => {
                    *position += i64::try_from(taken).expect("lines are bounded");
                    Value::Int64(*position)
                }
                None => Value::Null,
            };
            positions.push(SourcePosition {
                partition: Arc::clone(&self.partition),
                offset: position::map([(&self.position_name, offset)]),
            });
            if positions.len() >= self.rows_max || bytes >= BATCH_BYTES_MAX {
                is_full = true;
                break;
            }
        }
        let rows = positions.len();
        let batch = SourceBatch {
            topic: Arc::clone(&self.topic),
            partition: None,
            timestamps_ms: vec![Some(now.wall_ms); rows],
            keys: Values::Null { rows },
            values: Values::Typed { schema: Arc::clone(&self.schema), array: Arc::new(texts.finish()) },
            headers: HeaderRows::default(),
            positions,
        };
        (batch, is_full)
    }

    fn unreadable(&self, err: io::Error) -> ConnectError {
        let class = match err.kind() {
            io::ErrorKind::PermissionDenied => "java.nio.file.AccessDeniedException",
            _ => "java.io.IOException",
        };
        let cause =
            ConnectError::new(lakeward_api::ErrorClass::Fatal, class, format!("{}: {err}", self.file()));
        ConnectError::fatal(format!("{cause}; the file must exist and be readable for the worker's user"))
            .with_source(cause)
    }

    fn file(&self) -> &str {
        match &self.origin {
            Origin::File { path, .. } => path,
            Origin::StandardInput => "stdin",
        }
    }
}

impl SourceTask for FileStreamSourceTask {
    fn poll(&mut self, now: Now) -> Result<Polled, ConnectError> {
        self.take_piece(now)?;
        let (batch, is_full) = self.batch(now);
        if !is_full {
            self.start_read(now)?;
        }
        Ok(if batch.rows() > 0 {
            Polled::Records(vec![batch])
        } else {
            Polled::Idle { until: self.not_before }
        })
    }

    fn stop(&mut self) {
        self.reading = None;
        self.reader = None;
    }
}

fn stored_position(offset: &Value) -> Result<i64, ConnectError> {
    match offset.get(POSITION) {
        None | Some(Value::Null) => Ok(0),
        Some(Value::Int64(position)) => Ok(*position),
        Some(_) => Err(ConnectError::fatal("Offset position is the incorrect type")),
    }
}
