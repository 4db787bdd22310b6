//! Servers that end with the process that started them, however that one ends.

use std::io::Write;

use tokio::io::AsyncReadExt;

/// Tells the parent, in one JSON line on standard output, where the server listens.
pub(super) fn announce(address: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{{\"address\":\"{address}\"}}")?;
    out.flush()
}

/// Tells the parent, in one JSON line on standard output, which process is guarded.
pub(super) fn announce_pid(pid: u32) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{{\"pid\":{pid}}}")?;
    out.flush()
}

/// Resolves when it is time to end: SIGINT, SIGTERM, or, for a child, the end of its standard input.
pub(super) async fn until_stopped(is_child: bool) -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupt = tokio::signal::ctrl_c() => interrupt,
        _ = terminate.recv() => Ok(()),
        () = end_of_input(), if is_child => Ok(()),
    }
}

/// Resolves when standard input ends, which it does when the parent is gone.
pub(super) async fn end_of_input() {
    let mut input = tokio::io::stdin();
    let mut bytes = [0u8; 64];
    while let Ok(count) = input.read(&mut bytes).await {
        if count == 0 {
            return;
        }
    }
}
