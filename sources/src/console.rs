//! Lines for the standard output, which system tests read. Whole lines, in order, bounded, written where a
//! write may block.

use std::io::{self, Write as _};
use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::bridge::{Bridge, Waker};
use lakeward_api::source::SourceTaskContext;

use crate::blocking::{self, Pending};

/// Bytes that may wait while nobody reads the output; then the task makes no more records.
const WAITING_BYTES_MAX: usize = 1024 * 1024;

/// The standard output as one task sees it.
pub(crate) struct Console {
    waiting: Vec<u8>,
    writing: Option<Pending<io::Result<()>>>,
    bridge: Arc<dyn Bridge>,
    waker: Waker,
}

impl Console {
    /// The output of a task.
    pub(crate) fn new(context: &SourceTaskContext) -> Self {
        Self {
            waiting: Vec::new(),
            writing: None,
            bridge: Arc::clone(&context.bridge),
            waker: context.waker.clone(),
        }
    }

    /// Appends a line; it is written at the next [`Console::turn`] or later.
    pub(crate) fn line(&mut self, text: &str) {
        self.waiting.extend_from_slice(text.as_bytes());
        self.waiting.push(b'\n');
    }

    /// Starts writing what waits. False while too much waits: then the task is woken when that changes.
    ///
    /// # Errors
    /// `Fatal` when the output cannot be written any more.
    pub(crate) fn turn(&mut self) -> Result<bool, ConnectError> {
        if let Some(outcome) = self.writing.as_ref().map(Pending::take).transpose()?.flatten() {
            self.writing = None;
            outcome.map_err(|err| {
                ConnectError::fatal("The standard output cannot be written").with_source(err)
            })?;
        }
        if self.writing.is_none() && !self.waiting.is_empty() {
            let lines = std::mem::take(&mut self.waiting);
            self.writing = Some(blocking::start(&*self.bridge, &self.waker, move || write(&lines)));
        }
        Ok(self.waiting.len() < WAITING_BYTES_MAX)
    }

    /// Starts writing what is left, after what is being written.
    pub(crate) fn finish(&mut self) {
        let (before, lines) = (self.writing.take(), std::mem::take(&mut self.waiting));
        if lines.is_empty() {
            return;
        }
        drop(blocking::start(&*self.bridge, &self.waker, move || {
            if let Some(before) = before {
                before.wait();
            }
            write(&lines)
        }));
    }
}

fn write(lines: &[u8]) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(lines)?;
    output.flush()
}
