//! Files that are compressed as a whole: a layer around any format.
//!
//! Owns the streams; which name such a file has is the sink's business. gzip and zstd are one frame; snappy
//! is the framing of `SnappyOutputStream`, whose blocks hold up to 32 KiB each.
//!
//! Source: `CompressionType` of the Aiven sinks; `SnappyOutputStream` of snappy-java 1.1.

use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use lakeward_api::batch::Values;
use lakeward_api::schema::Schema;

use super::{FileFormat, PartEncoder};
use crate::FormatError;

/// A compression of whole files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileCompression {
    /// gzip.
    Gzip,
    /// Snappy in the framing of snappy-java.
    Snappy,
    /// Zstandard.
    Zstd,
}

/// Makes compressed files of another format.
pub struct CompressedFormat {
    inner: Box<dyn FileFormat>,
    compression: FileCompression,
}

impl CompressedFormat {
    /// Files of `inner`, compressed.
    pub fn new(inner: Box<dyn FileFormat>, compression: FileCompression) -> Self {
        Self { inner, compression }
    }
}

impl FileFormat for CompressedFormat {
    fn extension(&self) -> String {
        let own = match self.compression {
            FileCompression::Gzip => ".gz",
            FileCompression::Snappy => ".snappy",
            FileCompression::Zstd => ".zst",
        };
        format!("{}{own}", self.inner.extension())
    }

    fn new_part(&self, schema: Option<&Arc<Schema>>) -> Result<Box<dyn PartEncoder>, FormatError> {
        let inner = self.inner.new_part(schema)?;
        Ok(Box::new(CompressedPart { inner, plain: Vec::new(), stream: None, compression: self.compression }))
    }
}

/// One compressed file.
///
/// # Memory
/// Its compressor (300 KiB for gzip, more for zstd) is made when [`PLAIN_BYTES`] are together: many small
/// files may be open at once.
struct CompressedPart {
    inner: Box<dyn PartEncoder>,
    plain: Vec<u8>,
    stream: Option<Stream>,
    compression: FileCompression,
}

impl CompressedPart {
    fn take_in(&mut self, pieces: Vec<Bytes>) -> Result<(), FormatError> {
        for piece in pieces {
            self.plain.extend_from_slice(&piece);
        }
        if self.plain.len() < PLAIN_BYTES { Ok(()) } else { self.compress() }
    }

    fn compress(&mut self) -> Result<(), FormatError> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(Stream::new(self.compression)?),
        };
        stream.write(&self.plain)?;
        self.plain.clear();
        Ok(())
    }
}

impl PartEncoder for CompressedPart {
    fn write(&mut self, values: &Values) -> Result<(), FormatError> {
        self.inner.write(values)?;
        let pieces = self.inner.take_ready();
        self.take_in(pieces)
    }

    fn take_ready(&mut self) -> Vec<Bytes> {
        let ready = self.stream.as_mut().map(|stream| std::mem::take(stream.ready()));
        ready.filter(|ready| !ready.is_empty()).map(Bytes::from).into_iter().collect()
    }

    fn buffered_bytes(&self) -> u64 {
        let stream = self.stream.as_ref().map_or(0, Stream::buffered_bytes);
        self.inner.buffered_bytes() + (self.plain.capacity() + stream) as u64
    }

    fn flush_early(&mut self) -> Result<(), FormatError> {
        self.inner.flush_early()?;
        let pieces = self.inner.take_ready();
        self.take_in(pieces)
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<Bytes>, FormatError> {
        let Self { inner, plain, .. } = &mut *self;
        let rest = std::mem::replace(inner, Box::new(Nothing)).finish()?;
        rest.iter().for_each(|piece| plain.extend_from_slice(piece));
        self.compress()?;
        let stream = self.stream.take().expect("compressing makes the stream");
        Ok(vec![Bytes::from(stream.finish()?)])
    }
}

/// Stands where a finished encoder was.
struct Nothing;

impl PartEncoder for Nothing {
    fn write(&mut self, _values: &Values) -> Result<(), FormatError> {
        Ok(())
    }

    fn take_ready(&mut self) -> Vec<Bytes> {
        Vec::new()
    }

    fn buffered_bytes(&self) -> u64 {
        0
    }

    fn flush_early(&mut self) -> Result<(), FormatError> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Vec<Bytes>, FormatError> {
        Ok(Vec::new())
    }
}

/// A compressor and its output.
enum Stream {
    Gzip(GzEncoder<Vec<u8>>),
    Snappy(SnappyBlocks),
    Zstd(Box<zstd::stream::write::Encoder<'static, Vec<u8>>>),
}

impl Stream {
    fn new(compression: FileCompression) -> Result<Self, FormatError> {
        Ok(match compression {
            FileCompression::Gzip => Self::Gzip(GzEncoder::new(Vec::new(), Compression::default())),
            FileCompression::Snappy => Self::Snappy(SnappyBlocks::default()),
            FileCompression::Zstd => {
                let encoder = zstd::stream::write::Encoder::new(Vec::new(), zstd::DEFAULT_COMPRESSION_LEVEL);
                Self::Zstd(Box::new(encoder.map_err(broken)?))
            }
        })
    }

    fn write(&mut self, plain: &[u8]) -> Result<(), FormatError> {
        match self {
            Self::Gzip(encoder) => encoder.write_all(plain).map_err(broken),
            Self::Snappy(blocks) => blocks.write(plain),
            Self::Zstd(encoder) => encoder.write_all(plain).map_err(broken),
        }
    }

    fn ready(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Snappy(blocks) => &mut blocks.ready,
            Self::Zstd(encoder) => encoder.get_mut(),
        }
    }

    fn buffered_bytes(&self) -> usize {
        match self {
            Self::Gzip(encoder) => encoder.get_ref().capacity() + GZIP_STATE_BYTES,
            Self::Snappy(blocks) => blocks.ready.capacity() + blocks.open.capacity(),
            Self::Zstd(encoder) => encoder.get_ref().capacity() + ZSTD_STATE_BYTES,
        }
    }

    fn finish(self) -> Result<Vec<u8>, FormatError> {
        match self {
            Self::Gzip(encoder) => encoder.finish().map_err(broken),
            Self::Snappy(blocks) => blocks.finish(),
            Self::Zstd(encoder) => encoder.finish().map_err(broken),
        }
    }
}

/// snappy-java's framing: a header, then blocks with their lengths in big endian.
#[derive(Default)]
struct SnappyBlocks {
    has_header: bool,
    open: Vec<u8>,
    ready: Vec<u8>,
}

impl SnappyBlocks {
    fn write(&mut self, plain: &[u8]) -> Result<(), FormatError> {
        let mut plain = plain;
        while !plain.is_empty() {
            let (now, later) = plain.split_at(plain.len().min(SNAPPY_BLOCK_BYTES - self.open.len()));
            self.open.extend_from_slice(now);
            if self.open.len() == SNAPPY_BLOCK_BYTES {
                self.end_block()?;
            }
            plain = later;
        }
        Ok(())
    }

    fn end_block(&mut self) -> Result<(), FormatError> {
        if !std::mem::replace(&mut self.has_header, true) {
            self.ready.extend_from_slice(b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01");
        }
        if self.open.is_empty() {
            return Ok(());
        }
        let block = snap::raw::Encoder::new().compress_vec(&self.open);
        let block = block.map_err(|err| broken(std::io::Error::other(err)))?;
        let length = u32::try_from(block.len()).expect("a block has 32 KiB");
        self.ready.extend_from_slice(&length.to_be_bytes());
        self.ready.extend_from_slice(&block);
        self.open.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<u8>, FormatError> {
        self.end_block()?;
        Ok(self.ready)
    }
}

fn broken(source: std::io::Error) -> FormatError {
    FormatError::Compress { source }
}

const PLAIN_BYTES: usize = 32 * 1024;
const SNAPPY_BLOCK_BYTES: usize = 32 * 1024;
/// Window, hash chains and output of one deflate state.
const GZIP_STATE_BYTES: usize = 300 * 1024;
/// Window and tables at the default level.
const ZSTD_STATE_BYTES: usize = 3 << 20;

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use arrow_array::BinaryArray;
    use lakeward_api::schema::Kind;

    use super::super::{ByteLinesFormat, ByteLinesOptions};
    use super::*;

    fn compressed(compression: FileCompression, rows: &[&[u8]]) -> Vec<u8> {
        let inner = Box::new(ByteLinesFormat::new(ByteLinesOptions::default()));
        let schema = Arc::new(Schema::new(Kind::Bytes));
        let mut part = CompressedFormat::new(inner, compression).new_part(Some(&schema)).unwrap();
        let mut out = Vec::new();
        for row in rows {
            let array = Arc::new(BinaryArray::from_vec(vec![*row]));
            part.write(&Values::Typed { schema: Arc::clone(&schema), array }).unwrap();
            out.extend(part.take_ready().concat());
        }
        out.extend(part.finish().unwrap().concat());
        out
    }

    #[test]
    fn small_files_are_snappy_javas() {
        // Made by `SnappyOutputStream` of snappy-java 1.1.10 with "a,b\nline\n2" and a line feed.
        let ours = compressed(FileCompression::Snappy, &[b"a,b\nline\n2"]);
        assert_eq!(ours[..16], *b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01");
        let block = snap::raw::Decoder::new().decompress_vec(&ours[20..]).unwrap();
        assert_eq!(
            (block.as_slice(), ours[16..20].to_vec()),
            (b"a,b\nline\n2\n".as_slice(), vec![0, 0, 0, 13])
        );
    }

    #[test]
    fn large_files_come_back_whole() {
        let row: Vec<u8> = (0..100_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let plain = [row.as_slice(), b"\n", row.as_slice(), b"\n"].concat();
        for compression in [FileCompression::Gzip, FileCompression::Snappy, FileCompression::Zstd] {
            let bytes = compressed(compression, &[&row, &row]);
            let mut back = Vec::new();
            match compression {
                FileCompression::Gzip => {
                    flate2::read::GzDecoder::new(bytes.as_slice()).read_to_end(&mut back).unwrap();
                }
                FileCompression::Zstd => back = zstd::decode_all(bytes.as_slice()).unwrap(),
                FileCompression::Snappy => {
                    let mut rest = &bytes[16..];
                    while let Some((length, more)) = rest.split_first_chunk::<4>() {
                        let (block, more) = more.split_at(u32::from_be_bytes(*length) as usize);
                        back.extend(snap::raw::Decoder::new().decompress_vec(block).unwrap());
                        rest = more;
                    }
                }
            }
            assert!(back == plain, "{compression:?}");
        }
    }
}
