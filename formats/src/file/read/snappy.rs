//! Streams of snappy-java: a header, then blocks with their lengths.
//!
//! Source: `SnappyInputStream` of snappy-java 1.1.10. Its other form, a single block without a header, is not
//! one that streams have.

use std::io::{self, Read};

/// Plain bytes of a stream. What the stream below answers in the middle of a block (`WouldBlock`) is passed
/// on; reading goes on there.
///
/// # Memory
/// One block as stored and one as it was, each of at most [`BLOCK_BYTES_MAX`].
pub(super) struct SnappyReader<R> {
    below: R,
    /// What is being collected, and how much of it there is.
    wanted: Wanted,
    held: Vec<u8>,
    filled: usize,
    has_header: bool,
    plain: Vec<u8>,
    start: usize,
}

#[derive(Clone, Copy)]
enum Wanted {
    /// A block of the length that was read.
    Block,
    /// What follows the first bytes of a header.
    Header,
    /// A length, or the first bytes of a header: streams may stand behind each other.
    Length,
}

impl<R: Read> SnappyReader<R> {
    pub(super) fn new(below: R) -> Self {
        Self {
            below,
            wanted: Wanted::Length,
            held: vec![0; LENGTH_BYTES],
            filled: 0,
            has_header: false,
            plain: Vec::new(),
            start: 0,
        }
    }

    pub(super) fn get_mut(&mut self) -> &mut R {
        &mut self.below
    }

    fn want(&mut self, wanted: Wanted, bytes: usize) {
        self.wanted = wanted;
        self.held.resize(bytes, 0);
        self.filled = 0;
    }

    /// Collects what is wanted; false at the end of the stream.
    fn collect(&mut self) -> io::Result<bool> {
        while self.filled < self.held.len() {
            match self.below.read(&mut self.held[self.filled..])? {
                0 if self.filled == 0 && self.has_header && matches!(self.wanted, Wanted::Length) => {
                    return Ok(false);
                }
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                bytes => self.filled += bytes,
            }
        }
        Ok(true)
    }

    /// Makes of what was collected what it is.
    fn advance(&mut self) -> io::Result<()> {
        match self.wanted {
            Wanted::Length if self.held == MAGIC[..LENGTH_BYTES] => {
                self.want(Wanted::Header, HEADER_BYTES - LENGTH_BYTES);
            }
            Wanted::Length if !self.has_header => return Err(damaged("no stream of snappy-java")),
            Wanted::Length => {
                let length = self.held.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
                if length > BLOCK_BYTES_MAX {
                    return Err(damaged("a block is too long"));
                }
                self.want(Wanted::Block, length);
            }
            Wanted::Header if self.held.starts_with(&MAGIC[LENGTH_BYTES..]) => {
                self.has_header = true;
                self.want(Wanted::Length, LENGTH_BYTES);
            }
            Wanted::Header => return Err(damaged("no stream of snappy-java")),
            Wanted::Block => {
                if snap::raw::decompress_len(&self.held).map_err(io::Error::other)? > BLOCK_BYTES_MAX {
                    return Err(damaged("a block is too long"));
                }
                let plain = snap::raw::Decoder::new().decompress_vec(&self.held);
                self.plain = plain.map_err(io::Error::other)?;
                self.start = 0;
                self.want(Wanted::Length, LENGTH_BYTES);
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for SnappyReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.start == self.plain.len() {
            if !self.collect()? {
                return Ok(0);
            }
            self.advance()?;
        }
        let bytes = out.len().min(self.plain.len() - self.start);
        out[..bytes].copy_from_slice(&self.plain[self.start..self.start + bytes]);
        self.start += bytes;
        Ok(bytes)
    }
}

fn damaged(problem: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

const MAGIC: &[u8; 8] = b"\x82SNAPPY\0";
/// The magic bytes and two versions.
const HEADER_BYTES: usize = 16;
const LENGTH_BYTES: usize = 4;
/// Writers have blocks of 32 KiB unless they are told otherwise.
const BLOCK_BYTES_MAX: usize = 64 << 20;
