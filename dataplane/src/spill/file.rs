//! One segment on disk: through the shard's own ring, or on a blocking thread of the bridge where there is
//! none.
//!
//! The file has no name from the beginning on, or from the moment in which it was opened.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use glommio::io::{BufferedFile, OpenOptions};

use super::DiskSettings;
use crate::bridge::TokioBridge;
use crate::executor;

/// An open segment.
pub(super) enum SpillFile {
    Blocking { file: Arc<File>, bridge: Arc<TokioBridge> },
    Uring(BufferedFile),
}

impl SpillFile {
    /// A new segment.
    pub(super) async fn open(settings: &DiskSettings) -> io::Result<Self> {
        let directory = settings.directory.clone();
        if executor::is_uring() {
            return open_uring(&directory).await.map(Self::Uring);
        }
        let bridge = Arc::clone(&settings.bridge);
        let file = blocking(&bridge, move || tempfile::tempfile_in(directory)).await?;
        Ok(Self::Blocking { file: Arc::new(file), bridge })
    }

    /// Writes all of `bytes`.
    pub(super) async fn write(&self, bytes: Vec<u8>, start: u64) -> io::Result<()> {
        match self {
            Self::Blocking { file, bridge } => {
                let file = Arc::clone(file);
                blocking(bridge, move || file.write_all_at(&bytes, start)).await
            }
            Self::Uring(file) => {
                let count = bytes.len();
                match file.write_at(bytes, start).await? {
                    written if written == count => Ok(()),
                    // Less is written when the disk is full.
                    _ => Err(io::ErrorKind::StorageFull.into()),
                }
            }
        }
    }

    /// Reads `count` bytes.
    pub(super) async fn read(&self, start: u64, count: usize) -> io::Result<Vec<u8>> {
        match self {
            Self::Blocking { file, bridge } => {
                let file = Arc::clone(file);
                blocking(bridge, move || {
                    let mut bytes = vec![0; count];
                    file.read_exact_at(&mut bytes, start).map(|()| bytes)
                })
                .await
            }
            Self::Uring(file) => {
                let mut bytes = Vec::with_capacity(count);
                while bytes.len() < count {
                    let read = file.read_at(start + bytes.len() as u64, count - bytes.len()).await?;
                    if read.is_empty() {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    bytes.extend_from_slice(&read);
                }
                Ok(bytes)
            }
        }
    }

    /// Frees the space.
    pub(super) async fn close(self) {
        if let Self::Uring(file) = self
            && let Err(error) = file.close().await
        {
            tracing::warn!(%error, "a spill file was not closed");
        }
    }
}

async fn open_uring(directory: &Path) -> io::Result<BufferedFile> {
    let open = |is_unnamed: bool, path: &Path| {
        let mut options = OpenOptions::new();
        options.read(true).write(true).mode(PRIVATE).tmpfile(is_unnamed).create_new(!is_unnamed);
        let path = path.to_owned();
        async move { options.buffered_open(path).await }
    };
    if let Ok(file) = open(true, directory).await {
        return Ok(file);
    }
    // File systems without unnamed files: a name that nobody else has, for a moment.
    let name = format!("lakeward-spill-{}-{:p}", std::process::id(), &raw const directory);
    let path = directory.join(name);
    let file = open(false, &path).await?;
    file.remove().await?;
    Ok(file)
}

/// Runs work that blocks on the bridge.
async fn blocking<T: Send + 'static>(
    bridge: &TokioBridge,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (sender, done) = flume::bounded(1);
    bridge.spawn_blocking(move || {
        if sender.send(work()).is_err() {
            tracing::debug!("nobody waits for this piece of disk any more");
        }
    });
    done.recv_async().await.unwrap_or_else(|_| Err(io::ErrorKind::Interrupted.into()))
}

/// Only this user may open it.
const PRIVATE: u32 = 0o600;
