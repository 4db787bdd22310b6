//! What the head of a case file says about its worker.
//!
//! ```text
//! mode standalone              the kind of worker (default distributed)
//! set topic.tracking.enable=false    a worker setting; values may have variables
//! file users.properties        a file of the worker's folder `$run`, written before it starts
//! = alice=secret               a line of that file
//! options -Dname=$run/x        options of a JVM; our worker finds them in `KAFKA_OPTS`
//! login alice:secret           who the runner itself is when it asks the worker
//! broker own                   a broker that no other file uses: cases may freeze it
//! ```

use anyhow::{Context, bail};

/// How the worker of a file runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// A cluster of its own.
    #[default]
    Distributed,
    /// Connectors in memory.
    Standalone,
}

/// Files whose heads are equal share a worker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Launch {
    /// Kind of worker.
    pub mode: Mode,
    /// Worker settings beside the usual ones.
    pub settings: Vec<(String, String)>,
    /// Names and lines of files in the worker's folder.
    pub files: Vec<(String, Vec<String>)>,
    /// JVM options.
    pub options: Option<String>,
    /// `user:password` of the runner's own requests.
    pub login: Option<String>,
    /// Whether the broker is shared with nobody.
    pub has_own_broker: bool,
}

impl Launch {
    /// Takes a line of the head.
    ///
    /// # Errors
    /// The line means nothing there.
    pub fn line(&mut self, line: &str) -> anyhow::Result<()> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (word, rest) {
            ("mode", "standalone") => self.mode = Mode::Standalone,
            ("broker", "own") => self.has_own_broker = true,
            ("set", setting) => {
                let (name, value) = setting.split_once('=').context("a setting is NAME=VALUE")?;
                self.settings.push((name.to_owned(), value.to_owned()));
            }
            ("file", name) => self.files.push((name.to_owned(), Vec::new())),
            ("=", text) => {
                self.files.last_mut().context("a line of no file")?.1.push(text.to_owned());
            }
            ("options", options) => self.options = Some(options.to_owned()),
            ("login", login) => self.login = Some(login.to_owned()),
            _ => bail!("before the first case only `mode`, `broker`, `set`, `file`, `options` and `login`"),
        }
        Ok(())
    }
}
