//! Parts made of lines: the bytes of a text part, plain or gzip.
//!
//! Owns compression and the hand-over of finished bytes; what a line holds is the business of the formats.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::FormatError;

/// Compression of a text part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineCompression {
    /// gzip at a level from 0 to 9; `None` is the library's default, 6.
    Gzip {
        /// Level.
        level: Option<u32>,
    },
    /// No compression.
    #[default]
    None,
}

impl LineCompression {
    /// What compression adds to the object name.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::Gzip { .. } => ".gz",
            Self::None => "",
        }
    }
}

/// The bytes of one text part.
///
/// # Memory
/// Plain: the bytes that were not taken yet. Gzip: up to 64 KiB of lines that wait, compressed bytes that
/// were not taken, and about 300 KiB of compressor state from the first compressed lines until
/// [`LineOutput::flush_early`].
pub(super) struct LineOutput {
    plain: Vec<u8>,
    gzip: Option<Gzip>,
}

/// Members of a gzip file, one after the other.
struct Gzip {
    level: Compression,
    /// The open member.
    member: Option<GzEncoder<Vec<u8>>>,
    /// Members that ended.
    ended: Vec<u8>,
    has_members: bool,
}

impl Gzip {
    fn write(&mut self, lines: &[u8]) -> Result<(), FormatError> {
        let (ended, level) = (&mut self.ended, self.level);
        let member = self.member.get_or_insert_with(|| GzEncoder::new(std::mem::take(ended), level));
        self.has_members = true;
        member.write_all(lines).map_err(compress)
    }

    fn end_member(&mut self) -> Result<(), FormatError> {
        if let Some(member) = self.member.take() {
            self.ended = member.finish().map_err(compress)?;
        }
        Ok(())
    }

    fn ready(&mut self) -> &mut Vec<u8> {
        self.member.as_mut().map_or(&mut self.ended, GzEncoder::get_mut)
    }

    fn held_bytes(&self) -> usize {
        let member = self.member.as_ref().map_or(0, |member| member.get_ref().capacity() + GZIP_STATE_BYTES);
        self.ended.capacity() + member
    }
}

impl LineOutput {
    pub(super) fn new(compression: LineCompression) -> Self {
        let gzip = match compression {
            LineCompression::None => None,
            LineCompression::Gzip { level } => {
                let level = level.map_or_else(Compression::default, |level| Compression::new(level.min(9)));
                Some(Gzip { level, member: None, ended: Vec::new(), has_members: false })
            }
        };
        Self { plain: Vec::new(), gzip }
    }

    /// Where lines are appended; call [`LineOutput::commit`] after each batch, or truncate to drop what was
    /// appended.
    pub(super) fn lines(&mut self) -> &mut Vec<u8> {
        &mut self.plain
    }

    /// Passes the appended lines on to the compressor, if any, once they are worth its state.
    pub(super) fn commit(&mut self) -> Result<(), FormatError> {
        if self.plain.len() >= WAITING_BYTES { self.compress_waiting() } else { Ok(()) }
    }

    fn compress_waiting(&mut self) -> Result<(), FormatError> {
        if let Some(gzip) = &mut self.gzip
            && !self.plain.is_empty()
        {
            gzip.write(&self.plain)?;
            self.plain.clear();
        }
        Ok(())
    }

    pub(super) fn take_ready(&mut self) -> Vec<Bytes> {
        let ready = match &mut self.gzip {
            Some(gzip) => gzip.ready(),
            None => &mut self.plain,
        };
        if ready.is_empty() { Vec::new() } else { vec![Bytes::from(std::mem::take(ready))] }
    }

    pub(super) fn buffered_bytes(&self) -> u64 {
        let compressed = self.gzip.as_ref().map_or(0, Gzip::held_bytes);
        (self.plain.capacity() + compressed) as u64
    }

    /// Ends the open gzip member; what follows is another one, as the format allows.
    pub(super) fn flush_early(&mut self) -> Result<(), FormatError> {
        self.compress_waiting()?;
        if let Some(gzip) = &mut self.gzip {
            gzip.end_member()?;
            self.plain = Vec::new();
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Vec<Bytes>, FormatError> {
        // Without a line a gzip file has an empty member.
        if let Some(gzip) = &mut self.gzip
            && !gzip.has_members
        {
            gzip.write(&[])?;
        }
        self.flush_early()?;
        Ok(self.take_ready())
    }
}

fn compress(source: std::io::Error) -> FormatError {
    FormatError::Compress { source }
}

/// Window, hash chains and output of one deflate state.
const GZIP_STATE_BYTES: usize = 300 * 1024;

/// Lines that wait for a compressor that was not made yet, or for a call of it that is worth while.
const WAITING_BYTES: usize = 64 * 1024;
