//! The plain bytes of an object that is read from front to back.
//!
//! Unpacking is pulled, a bounded piece at a time: what a packed object unfolds to does not matter.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read};

use bytes::{Buf as _, Bytes};
use flate2::bufread::MultiGzDecoder;

use super::snappy::SnappyReader;
use crate::FormatError;

/// How the whole object is packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Packing {
    /// gzip, also of several members.
    Gzip,
    /// As it is.
    #[default]
    None,
    /// Blocks as snappy-java writes them.
    Snappy,
    /// Zstandard, also of several frames; its window may have 128 MiB.
    Zstd,
}

/// Bytes that arrived and were not unpacked. Reads answer `WouldBlock` while more may come.
#[derive(Debug, Default)]
struct Arrived {
    pieces: VecDeque<Bytes>,
    is_all: bool,
}

impl Read for Arrived {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let taken = {
            let front = self.fill_buf()?;
            let taken = front.len().min(out.len());
            out[..taken].copy_from_slice(&front[..taken]);
            taken
        };
        self.consume(taken);
        Ok(taken)
    }
}

impl BufRead for Arrived {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self.pieces.front() {
            Some(piece) => Ok(piece),
            None if self.is_all => Ok(&[]),
            None => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn consume(&mut self, bytes: usize) {
        if let Some(piece) = self.pieces.front_mut() {
            piece.advance(bytes);
            if piece.is_empty() {
                self.pieces.pop_front();
            }
        }
    }
}

enum Source {
    Gzip(Box<MultiGzDecoder<Arrived>>),
    Plain(Arrived),
    Snappy(SnappyReader<Arrived>),
    Zstd(zstd::stream::read::Decoder<'static, Arrived>),
}

/// Bytes of the object that a decoder looks at.
///
/// # Memory
/// What the decoder did not consume, at most [`HELD_BYTES_MAX`] and one piece, besides the pieces given.
pub(super) struct Input {
    source: Source,
    plain: Vec<u8>,
    start: usize,
    is_all: bool,
}

impl Input {
    pub(super) fn new(packing: Packing) -> Self {
        let source = match packing {
            Packing::Gzip => Source::Gzip(Box::new(MultiGzDecoder::new(Arrived::default()))),
            Packing::None => Source::Plain(Arrived::default()),
            Packing::Snappy => Source::Snappy(SnappyReader::new(Arrived::default())),
            Packing::Zstd => {
                let decoder = zstd::stream::read::Decoder::with_buffer(Arrived::default());
                Source::Zstd(decoder.expect("a decoder without a dictionary needs nothing"))
            }
        };
        Self { source, plain: Vec::new(), start: 0, is_all: false }
    }

    /// The bytes that were not consumed.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.plain[self.start..]
    }

    pub(super) fn consume(&mut self, bytes: usize) {
        self.start += bytes;
        assert!(self.start <= self.plain.len(), "consumed more than there was");
    }

    /// Whether nothing comes behind [`Input::bytes`].
    pub(super) fn is_all(&self) -> bool {
        self.is_all
    }

    fn arrived(&mut self) -> &mut Arrived {
        match &mut self.source {
            Source::Gzip(decoder) => decoder.get_mut(),
            Source::Plain(arrived) => arrived,
            Source::Snappy(decoder) => decoder.get_mut(),
            Source::Zstd(decoder) => decoder.get_mut(),
        }
    }

    /// Bytes of the object, as stored.
    pub(super) fn feed(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.arrived().pieces.push_back(piece);
        }
    }

    /// Nothing else is fed.
    pub(super) fn end(&mut self) {
        self.arrived().is_all = true;
    }

    /// Unpacks another piece; false when more has to be fed first.
    ///
    /// # Errors
    /// Class `Record` when the object is no gzip, or a decoder does not consume what is there.
    pub(super) fn fill(&mut self) -> Result<bool, FormatError> {
        if self.bytes().len() >= HELD_BYTES_MAX {
            return Err(FormatError::data(format!(
                "A record or block of the object is longer than {HELD_BYTES_MAX} bytes"
            )));
        }
        self.plain.drain(..self.start);
        self.start = 0;
        let held = self.plain.len();
        // Twice as much each time: who looks for an end looks at everything again.
        self.plain.resize(held + PIECE_BYTES.max(held), 0);
        let read = match &mut self.source {
            Source::Gzip(decoder) => decoder.read(&mut self.plain[held..]),
            Source::Plain(arrived) => arrived.read(&mut self.plain[held..]),
            Source::Snappy(decoder) => decoder.read(&mut self.plain[held..]),
            Source::Zstd(decoder) => decoder.read(&mut self.plain[held..]),
        };
        self.plain.truncate(held + read.as_ref().copied().unwrap_or(0));
        match read {
            Ok(0) => {
                self.is_all = true;
                Ok(true)
            }
            Ok(_) => Ok(true),
            Err(err) if err.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(err) => {
                let packing = match &self.source {
                    Source::Gzip(_) | Source::Plain(_) => "gzip",
                    Source::Snappy(_) => "snappy",
                    Source::Zstd(_) => "zstd",
                };
                Err(FormatError::data(format!("The object is no {packing} or is damaged: {err}")))
            }
        }
    }
}

/// A record or block that is longer fails: it would fill the memory.
pub(super) const HELD_BYTES_MAX: usize = 64 << 20;

/// Bytes unpacked in one go, at least.
const PIECE_BYTES: usize = 128 << 10;
