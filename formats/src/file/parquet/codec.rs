//! Page compression.
//!
//! Source: `parquet.codec` of the Confluent S3 sink; `CompressionCodecName` of parquet-java.

use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};

use crate::FormatError;

/// Page compression, by the names of `parquet.codec`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParquetCodec {
    /// `brotli`, level 1.
    Brotli,
    /// `gzip`, level 6.
    Gzip,
    /// `lz4`, in Hadoop's framing.
    Lz4,
    /// `lz4_raw`.
    Lz4Raw,
    /// `none`.
    None,
    /// `snappy`.
    Snappy,
    /// `zstd`, level 3.
    Zstd,
}

impl ParquetCodec {
    /// The codec called `name` in `parquet.codec`.
    ///
    /// # Errors
    /// Class `Config` for unknown codecs and for LZO, which no free library writes.
    pub fn from_name(name: &str) -> Result<Self, FormatError> {
        match name {
            "brotli" => Ok(Self::Brotli),
            "gzip" => Ok(Self::Gzip),
            "lz4" => Ok(Self::Lz4),
            "lz4_raw" => Ok(Self::Lz4Raw),
            "none" => Ok(Self::None),
            "snappy" => Ok(Self::Snappy),
            "zstd" => Ok(Self::Zstd),
            _ => Err(FormatError::Setting {
                message: format!(
                    "Invalid value {name} for configuration parquet.codec: \
                     use none, snappy, gzip, brotli, lz4, lz4_raw or zstd"
                ),
            }),
        }
    }

    /// What the codec adds to the object name before `.parquet`. Source: `CompressionCodecName#getExtension`.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
            Self::Lz4 => ".lz4hadoop",
            Self::Lz4Raw => ".lz4raw",
            Self::None => "",
            Self::Snappy => ".snappy",
            Self::Zstd => ".zstd",
        }
    }

    pub(super) fn compression(self) -> Compression {
        match self {
            Self::Brotli => Compression::BROTLI(BrotliLevel::default()),
            Self::Gzip => Compression::GZIP(GzipLevel::default()),
            Self::Lz4 => Compression::LZ4,
            Self::Lz4Raw => Compression::LZ4_RAW,
            Self::None => Compression::UNCOMPRESSED,
            Self::Snappy => Compression::SNAPPY,
            Self::Zstd => Compression::ZSTD(ZstdLevel::try_new(3).expect("3 is between 1 and 22")),
        }
    }
}
