//! Opening and reading, on blocking threads. Reads are bounded; pipes that have nothing do not hold a thread.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::fd::AsFd as _;
use std::os::unix::fs::OpenOptionsExt as _;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;

/// Bytes of one read at most.
const PIECE_BYTES: usize = 256 * 1024;

/// What is read.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    /// A file, from a byte position on.
    File { path: String, position: u64 },
    /// The standard input of the process.
    StandardInput,
}

/// An open file. It belongs to one read at a time.
#[derive(Debug)]
pub(super) struct Reader(File);

/// What a read brought.
#[derive(Debug)]
pub(super) enum Piece {
    /// The file does not exist.
    Missing,
    /// Bytes; none when there is nothing now.
    Bytes(Reader, Vec<u8>),
}

/// Opens `origin` and reads its first piece.
pub(super) fn open(origin: &Origin) -> io::Result<Piece> {
    let file = match origin {
        Origin::StandardInput => File::from(io::stdin().as_fd().try_clone_to_owned()?),
        Origin::File { path, position } => {
            // Without it, opening a pipe that nobody writes to would hold the thread.
            let flags = i32::try_from(OFlags::NONBLOCK.bits()).expect("a flag of the platform's own int");
            let mut file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
                Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(Piece::Missing),
                opened => opened?,
            };
            if *position > 0 {
                file.seek(SeekFrom::Start(*position))?;
            }
            file
        }
    };
    read(Reader(file))
}

/// Reads the next piece.
pub(super) fn read(mut reader: Reader) -> io::Result<Piece> {
    let mut bytes = Vec::new();
    if is_ready(&reader.0)? {
        bytes = vec![0; PIECE_BYTES];
        let length = loop {
            match reader.0.read(&mut bytes) {
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) if err.kind() == io::ErrorKind::WouldBlock => break 0,
                outcome => break outcome?,
            }
        };
        bytes.truncate(length);
    }
    Ok(Piece::Bytes(reader, bytes))
}

/// Whether a read would answer at once. Regular files always would.
fn is_ready(file: &File) -> io::Result<bool> {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    match poll(&mut [PollFd::new(file, PollFlags::IN)], Some(&now)) {
        Ok(count) => Ok(count > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(err) => Err(err.into()),
    }
}
