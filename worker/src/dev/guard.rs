//! Runs this binary once more and ends that process when the parent is gone.
//!
//! Owns: the life of one child. Must not: touch its input or output; the child logs to the inherited standard
//! error. A worker serves users and so cannot end itself when its standard input ends, as the development
//! servers do.

use std::process::Stdio;

use anyhow::Context;
use clap::Args;

use super::parent;

/// What to run.
#[derive(Args)]
pub(crate) struct GuardArgs {
    /// Arguments of the process to guard.
    #[arg(last = true, required = true)]
    arguments: Vec<String>,
}

/// Runs the child until it ends, or ends it when standard input ends. Signals are left to the child.
pub(super) async fn run(args: GuardArgs) -> anyhow::Result<()> {
    let program = std::env::current_exe().context("this program cannot find itself")?;
    let mut child = tokio::process::Command::new(program)
        .args(&args.arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("the guarded process cannot be started")?;
    let pid = child.id().context("the guarded process ended at once")?;
    parent::announce_pid(pid)?;
    tokio::select! {
        status = child.wait() => {
            let status = status?;
            anyhow::ensure!(status.success(), "the guarded process ended with {status}");
        }
        () = parent::end_of_input() => child.kill().await.context("the guarded process cannot be ended")?,
        () = ignore_interrupts() => {}
    }
    Ok(())
}

/// Never resolves. Ctrl-C reaches the whole process group; the guard outlives its child and decides by that.
async fn ignore_interrupts() {
    while tokio::signal::ctrl_c().await.is_ok() {}
    std::future::pending::<()>().await;
}
