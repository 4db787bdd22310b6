//! Compression of blocks.
//!
//! Source: Avro 1.12 specification, "Required Codecs", "Optional Codecs"; `CodecFactory`.

use std::io::Write;

use crate::FormatError;

/// `avro.codec`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AvroCodec {
    /// bzip2 at its highest level, as Java.
    Bzip2,
    /// deflate without a frame, at the library's default level.
    Deflate,
    /// As they are.
    #[default]
    Null,
    /// Snappy with the checksum of the plain block behind it.
    Snappy,
}

impl AvroCodec {
    /// The codec that `avro.codec` names.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Bzip2, Self::Deflate, Self::Null, Self::Snappy].into_iter().find(|codec| codec.name() == name)
    }

    /// Its name in files and settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bzip2 => "bzip2",
            Self::Deflate => "deflate",
            Self::Null => "null",
            Self::Snappy => "snappy",
        }
    }

    /// The block as it is stored.
    pub(super) fn compress(self, block: &[u8]) -> Result<Vec<u8>, FormatError> {
        let stored = match self {
            Self::Bzip2 => {
                let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
                encoder.write_all(block).and_then(|()| encoder.finish())
            }
            Self::Deflate => {
                let mut encoder =
                    flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(block).and_then(|()| encoder.finish())
            }
            Self::Null => Ok(block.to_vec()),
            Self::Snappy => {
                snap::raw::Encoder::new().compress_vec(block).map_err(Into::into).map(|mut out| {
                    out.extend_from_slice(&crc32fast::hash(block).to_be_bytes());
                    out
                })
            }
        };
        stored.map_err(|source| FormatError::Compress { source })
    }
}
