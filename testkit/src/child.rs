//! Child processes that die with the test.
//!
//! Three nets: dropping kills; the kernel kills when the test process is gone (`setpriv --pdeathsig KILL` of
//! util-linux); and a pid file in the run folder lets the next test process kill what both nets missed. The
//! kernel's net is tied to the *thread* that started the child, and test threads end with their test, so one
//! thread that never ends starts all children.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child as Process, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, Once, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::net::{self, SocketFlags};
use rustix::process::{Pid, Signal, kill_process};

use crate::install;

/// A folder below `.lakeward/run` for the files of one component, and its ports; both end on drop.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    ports: Mutex<Vec<OwnedFd>>,
}

impl RunFolder {
    /// Creates an empty folder for a component called `stem`; first removes what dead test processes left.
    pub fn new(stem: &str) -> anyhow::Result<Self> {
        static SWEPT: Once = Once::new();
        let base = install::installs()?.join("run");
        fs::create_dir_all(&base).with_context(|| format!("creating {}", base.display()))?;
        SWEPT.call_once(|| drop(sweep(&base)));
        let path = base.join(crate::unique(stem));
        fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
        fs::write(path.join(OWNER_FILE), std::process::id().to_string()).context("writing the owner file")?;
        Ok(Self { path, ports: Mutex::default() })
    }

    /// A TCP port on 127.0.0.1 that is kept for this component: no client of any process is given it for a
    /// connection, and no other component of any process. A server that sets `SO_REUSEADDR` (Java, Go, Node,
    /// Rust and PostgreSQL do) can listen on it, as often as it is started.
    pub fn free_port(&self) -> anyhow::Result<u16> {
        let (port, keeper) = keep_port().context("keeping a port")?;
        self.ports.lock().expect("pushing does not panic").push(keeper);
        Ok(port)
    }

    /// Absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Absolute path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        // A failing test keeps the logs: they are the evidence. The next test process sweeps them.
        if !std::thread::panicking() {
            fs::remove_dir_all(&self.path).ok();
        }
    }
}

/// A running child process.
#[derive(Debug)]
pub struct Child {
    name: String,
    process: Process,
    log: PathBuf,
    second_log: Option<PathBuf>,
    pid_file: PathBuf,
    reaped: bool,
}

impl Child {
    /// Starts `command` without standard input; its output goes to `<name>.log` in `folder`.
    pub fn start(name: &str, command: &Command, folder: &RunFolder) -> anyhow::Result<Self> {
        let log = folder.file(&format!("{name}.log"));
        let output = File::options().create(true).append(true).open(&log).context("opening the log")?;
        let errors = output.try_clone().context("sharing the log")?;
        let mut tied = tied_to_parent(command, folder);
        tied.stdin(Stdio::null()).stdout(output).stderr(errors);
        let process = spawn(tied).with_context(|| format!("starting {name}"))?;
        let pid_file = folder.file(&format!("{name}.pid"));
        fs::write(&pid_file, process.id().to_string()).context("writing the pid file")?;
        Ok(Self { name: name.to_owned(), process, log, second_log: None, pid_file, reaped: false })
    }

    /// Names the file to which the program itself writes its log; what [`Child::log_tail`] tells.
    pub fn logs_to(mut self, file: PathBuf) -> Self {
        self.second_log = Some(file);
        self
    }

    /// Process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends a signal by name (`TERM`, `KILL`, `STOP`, `CONT`).
    pub fn signal(&self, name: &str) -> anyhow::Result<()> {
        send_signal(name, self.process.id())
    }

    /// Kills it and waits until it is gone; does nothing the second time.
    pub fn kill(&mut self) {
        if std::mem::replace(&mut self.reaped, true) {
            return;
        }
        self.process.kill().ok();
        self.process.wait().ok();
        fs::remove_file(&self.pid_file).ok();
    }

    /// The exit status if it has ended.
    pub fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.process.try_wait().with_context(|| format!("asking for the state of {}", self.name))
    }

    /// Waits for its end.
    pub fn wait(&mut self, patience: Duration) -> anyhow::Result<ExitStatus> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                bail!(
                    "{} is still running after {patience:?}; its log ends with:\n{}",
                    self.name,
                    self.log_tail()
                );
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Fails with the end of the log when the process has ended.
    pub fn assert_running(&mut self) -> anyhow::Result<()> {
        match self.ended()? {
            None => Ok(()),
            Some(status) => {
                bail!("{} ended with {status}; its log ends with:\n{}", self.name, self.log_tail())
            }
        }
    }

    /// Everything it printed.
    pub fn log(&self) -> String {
        text_of(&self.log)
    }

    /// The last lines it printed, and those of its own log file.
    pub fn log_tail(&self) -> String {
        let second = self.second_log.as_deref().map(text_of).unwrap_or_default();
        [self.log(), second].map(|log| last_lines(&log)).concat()
    }
}

fn text_of(file: &Path) -> String {
    fs::read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

fn last_lines(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].iter().map(|line| format!("{line}\n")).collect()
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("---- log of {} ----\n{}\n----", self.name, self.log_tail());
        }
    }
}

/// A port that was only looked up and let go can be taken by any connection until its server listens, which
/// takes Java seconds. A socket that is bound and does not listen is in nobody's way but theirs.
fn keep_port() -> anyhow::Result<(u16, OwnedFd)> {
    let socket =
        net::socket_with(net::AddressFamily::INET, net::SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    net::sockopt::set_socket_reuseaddr(&socket, true)?;
    net::bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
    let address = SocketAddrV4::try_from(net::getsockname(&socket)?)?;
    Ok((address.port(), socket))
}

const OWNER_FILE: &str = "owner.pid";
const LOG_TAIL_LINES: usize = 60;

/// The same command, behind `setpriv` where that exists.
fn tied_to_parent(command: &Command, folder: &RunFolder) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let setpriv =
        std::env::split_paths(&path).map(|folder| folder.join("setpriv")).find(|file| file.is_file());
    let mut tied = match setpriv {
        Some(setpriv) => {
            let mut tied = Command::new(setpriv);
            tied.args(["--pdeathsig", "KILL", "--"]).arg(command.get_program());
            tied
        }
        None => Command::new(command.get_program()),
    };
    tied.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => tied.env(name, value),
            None => tied.env_remove(name),
        };
    }
    tied.current_dir(command.get_current_dir().unwrap_or(folder.path()));
    tied
}

type Request = (Command, SyncSender<std::io::Result<Process>>);

/// Starts a process on the thread that never ends.
fn spawn(command: Command) -> anyhow::Result<Process> {
    static STARTER: OnceLock<Mutex<SyncSender<Request>>> = OnceLock::new();
    let starter = STARTER.get_or_init(|| {
        let (sender, requests): (_, Receiver<Request>) = sync_channel(1);
        std::thread::spawn(move || {
            for (mut command, answer) in requests {
                // Nobody listens when the asking test panicked meanwhile; the kernel's net still holds.
                answer.send(command.spawn()).ok();
            }
        });
        Mutex::new(sender)
    });
    let (sender, answer) = sync_channel(1);
    starter
        .lock()
        .expect("the lock is held only to send")
        .send((command, sender))
        .context("the starter thread is gone")?;
    answer.recv().context("the starter thread is gone")?.context("starting the process")
}

/// Minimal images have no `kill` program, so the signal is sent through the C library.
fn send_signal(name: &str, pid: u32) -> anyhow::Result<()> {
    let signal = match name {
        "CONT" => Signal::CONT,
        "KILL" => Signal::KILL,
        "STOP" => Signal::STOP,
        "TERM" => Signal::TERM,
        unknown => bail!("no signal is called {unknown}"),
    };
    let process = i32::try_from(pid).ok().and_then(Pid::from_raw).context("not a process id")?;
    kill_process(process, signal).with_context(|| format!("sending {name} to process {pid}"))
}

/// Kills what test processes that no longer exist left in `base`. Their files are removed meanwhile: a
/// broker leaves thousands, which can take minutes on a disk that is slow at that. What is not done when
/// this process ends is left to the next one.
fn sweep(base: &Path) -> JoinHandle<()> {
    let mut dead = Vec::new();
    for folder in fs::read_dir(base).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if owner(&folder).is_some_and(is_alive) {
            continue;
        }
        for file in fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            let left_over = file.extension().is_some_and(|ending| ending == "pid");
            let pid = if left_over { read_pid(&file) } else { None };
            // A pid may belong to a stranger by now: only a process that works in the folder is ours.
            if let Some(pid) = pid.filter(|pid| works_in(*pid, &folder)) {
                send_signal("KILL", pid).ok();
            }
        }
        dead.push(folder);
    }
    thread::spawn(move || {
        for folder in dead {
            fs::remove_dir_all(folder).ok();
        }
    })
}

/// Who made the folder. Until its owner file is written, its name tells (see [`crate::unique`]).
fn owner(folder: &Path) -> Option<u32> {
    let named = || folder.file_name()?.to_str()?.rsplit('-').nth(1)?.parse().ok();
    read_pid(&folder.join(OWNER_FILE)).or_else(named)
}

fn read_pid(file: &Path) -> Option<u32> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

fn is_alive(pid: u32) -> bool {
    Path::new("/proc").join(pid.to_string()).exists()
}

fn works_in(pid: u32, folder: &Path) -> bool {
    let link = Path::new("/proc").join(pid.to_string()).join("cwd");
    fs::read_link(link).is_ok_and(|current| current.starts_with(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropping_kills_the_child() {
        let folder = RunFolder::new("child-test").unwrap();
        let child = Child::start("sleeper", Command::new("sleep").arg("600"), &folder).unwrap();
        let pid = child.id();
        assert!(is_alive(pid));
        drop(child);
        assert!(!is_alive(pid), "killed and reaped");
    }

    #[test]
    fn output_is_kept_and_exit_codes_are_told() {
        let folder = RunFolder::new("child-test").unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo to-out; echo to-err >&2; exit 3"]);
        let mut child = Child::start("speaker", &command, &folder).unwrap();
        assert_eq!(child.wait(Duration::from_secs(30)).unwrap().code(), Some(3));
        assert_eq!(child.log(), "to-out\nto-err\n");
        fs::write(folder.file("own.log"), "its own\n").unwrap();
        let mut child = child.logs_to(folder.file("own.log"));
        let told = child.assert_running().unwrap_err().to_string();
        assert!(told.contains("to-err\nits own\n"), "{told}");
    }

    #[test]
    fn the_sweep_kills_what_a_dead_test_left() {
        let home = RunFolder::new("sweep-test").unwrap();
        let left = home.path().join("left");
        fs::create_dir(&left).unwrap();
        let mut sleeper = Command::new("sleep").arg("600").current_dir(&left).spawn().unwrap();
        // No process has this id: Linux ends at 2^22.
        fs::write(left.join(OWNER_FILE), "99999999").unwrap();
        fs::write(left.join("sleeper.pid"), sleeper.id().to_string()).unwrap();
        let removing = sweep(home.path());
        assert_eq!(sleeper.wait().unwrap().code(), None, "killed by a signal");
        removing.join().unwrap();
        assert!(!left.exists());
    }

    /// Test processes start at the same time: one must not take away the folder that another just made.
    #[test]
    fn the_sweep_spares_a_folder_whose_owner_file_is_not_written_yet() {
        let home = RunFolder::new("sweep-test").unwrap();
        let (fresh, left) = (home.path().join(crate::unique("fresh")), home.path().join("left-99999999-0"));
        fs::create_dir(&fresh).unwrap();
        fs::create_dir(&left).unwrap();
        sweep(home.path()).join().unwrap();
        assert!(fresh.exists());
        assert!(!left.exists());
    }
}
