//! Compression of blocks.
//!
//! Source: Avro 1.12 specification, "Required Codecs", "Optional Codecs"; `CodecFactory`.

use std::io::{Read as _, Write};

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

impl AvroCodec {
    /// The plain form of a stored block.
    ///
    /// # Errors
    /// Class `Record` for a block that is damaged, or larger than `bytes_max`.
    pub(in crate::file) fn decompress(self, stored: &[u8], bytes_max: usize) -> Result<Vec<u8>, FormatError> {
        let mut plain = Vec::new();
        let limit = bytes_max as u64 + 1;
        match self {
            Self::Bzip2 => {
                bzip2::read::BzDecoder::new(stored).take(limit).read_to_end(&mut plain).map_err(damaged)?;
            }
            Self::Deflate => {
                flate2::read::DeflateDecoder::new(stored)
                    .take(limit)
                    .read_to_end(&mut plain)
                    .map_err(damaged)?;
            }
            Self::Null => plain.extend_from_slice(stored),
            Self::Snappy => plain = unsnap(stored, bytes_max)?,
        }
        if plain.len() > bytes_max {
            return Err(FormatError::data("A block of the Avro file is larger than any that is written"));
        }
        Ok(plain)
    }
}

fn unsnap(stored: &[u8], bytes_max: usize) -> Result<Vec<u8>, FormatError> {
    let Some((block, checksum)) = stored.split_last_chunk::<4>() else {
        return Err(damaged("a block without its checksum"));
    };
    if snap::raw::decompress_len(block).map_err(damaged)? > bytes_max {
        return Err(damaged("a block is larger than any that is written"));
    }
    let plain = snap::raw::Decoder::new().decompress_vec(block).map_err(damaged)?;
    if crc32fast::hash(&plain).to_be_bytes() != *checksum {
        return Err(damaged("a checksum is wrong"));
    }
    Ok(plain)
}

fn damaged(problem: impl std::fmt::Display) -> FormatError {
    FormatError::data(format!("A block of the Avro file is damaged: {problem}"))
}
