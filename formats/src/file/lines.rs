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
/// Plain: the bytes that were not taken yet. Gzip: the same for compressed bytes, plus about 300 KiB of
/// compressor state.
pub(super) struct LineOutput {
    plain: Vec<u8>,
    gzip: Option<GzEncoder<Vec<u8>>>,
}

impl LineOutput {
    pub(super) fn new(compression: LineCompression) -> Self {
        let gzip = match compression {
            LineCompression::None => None,
            LineCompression::Gzip { level } => {
                let level = level.map_or_else(Compression::default, |level| Compression::new(level.min(9)));
                Some(GzEncoder::new(Vec::new(), level))
            }
        };
        Self { plain: Vec::new(), gzip }
    }

    /// Where lines are appended; call [`LineOutput::commit`] after each batch, or truncate to drop what was
    /// appended.
    pub(super) fn lines(&mut self) -> &mut Vec<u8> {
        &mut self.plain
    }

    /// Passes the appended lines on to the compressor, if any.
    pub(super) fn commit(&mut self) -> Result<(), FormatError> {
        if let Some(gzip) = &mut self.gzip {
            gzip.write_all(&self.plain).map_err(compress)?;
            self.plain.clear();
        }
        Ok(())
    }

    pub(super) fn take_ready(&mut self) -> Vec<Bytes> {
        let ready = match &mut self.gzip {
            Some(gzip) => gzip.get_mut(),
            None => &mut self.plain,
        };
        if ready.is_empty() { Vec::new() } else { vec![Bytes::from(std::mem::take(ready))] }
    }

    pub(super) fn buffered_bytes(&self) -> u64 {
        let compressed = self.gzip.as_ref().map_or(0, |gzip| gzip.get_ref().capacity() + GZIP_STATE_BYTES);
        (self.plain.capacity() + compressed) as u64
    }

    pub(super) fn finish(mut self) -> Result<Vec<Bytes>, FormatError> {
        self.commit()?;
        let rest = match self.gzip {
            Some(gzip) => gzip.finish().map_err(compress)?,
            None => self.plain,
        };
        Ok(if rest.is_empty() { Vec::new() } else { vec![Bytes::from(rest)] })
    }
}

fn compress(source: std::io::Error) -> FormatError {
    FormatError::Compress { source }
}

/// Window, hash chains and output of one deflate state.
const GZIP_STATE_BYTES: usize = 300 * 1024;
