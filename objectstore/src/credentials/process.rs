//! Credentials that a program prints (`credential_process` of a profile).
//!
//! The program is started without a shell and gets no input; it has a minute, and may print 64,000 bytes as
//! with the AWS SDK. What it prints is never shown, not even in parts: it is a secret. The file that names
//! the program belongs to whoever runs the worker; configurations of connectors name none.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Process credential provider"; `ProcessCredentialsProvider`.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use object_store::aws::AwsCredential;
use object_store::client::CredentialProvider;
use serde::Deserialize;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use super::session::{Session, Sessions, failed};

/// The credentials of a program.
pub(super) struct Process {
    program: String,
    arguments: Vec<String>,
    time_max: Duration,
    sessions: Sessions,
}

/// Arguments may be secrets.
impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Process").field("program", &self.program).finish_non_exhaustive()
    }
}

impl Process {
    /// The program of a command line, whose words may stand in quotes.
    ///
    /// # Errors
    /// Why it cannot be started.
    pub(super) fn parse(command: &str) -> Result<Self, &'static str> {
        let mut words = words(command)?.into_iter();
        let program = words.next().ok_or("it is empty")?;
        Ok(Self { program, arguments: words.collect(), time_max: TIME_MAX, sessions: Sessions::default() })
    }

    async fn run(&self) -> object_store::Result<Session> {
        let problem = |what: String| failed(format!("credential_process {}: {what}", self.program).into());
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // It may hold secrets, too.
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|err| problem(format!("it cannot be started: {err}")))?;
        let output = child.stdout.take().expect("it was piped");
        let ended = async {
            let mut text = Vec::new();
            output.take(OUTPUT_BYTES_MAX + 1).read_to_end(&mut text).await?;
            // One that prints on is stopped when it is dropped.
            let is_whole = text.len() as u64 <= OUTPUT_BYTES_MAX;
            let status = if is_whole { Some(child.wait().await?) } else { None };
            Ok::<_, std::io::Error>((text, status))
        };
        let (text, status) = tokio::time::timeout(self.time_max, ended)
            .await
            .map_err(|_| problem(format!("it did not end within {} s", self.time_max.as_secs_f64())))?
            .map_err(|err| problem(format!("its output cannot be read: {err}")))?;
        match status {
            None => return Err(problem(format!("it prints more than {OUTPUT_BYTES_MAX} bytes"))),
            Some(status) if !status.success() => return Err(problem(format!("it ended with {status}"))),
            Some(_) => {}
        }
        // What a parser says about a text may show it.
        let printed: Printed = serde_json::from_slice(&text).map_err(|_| {
            problem("it does not print JSON with Version, AccessKeyId and SecretAccessKey".into())
        })?;
        if printed.version != 1 {
            return Err(problem(format!("it prints Version {}, where 1 is known", printed.version)));
        }
        let credential = AwsCredential {
            key_id: printed.access_key_id,
            secret_key: printed.secret_access_key,
            token: printed.session_token,
        };
        Session::until(credential, printed.expiration.as_deref())
            .map_err(|err| problem(format!("Expiration: {err}")))
    }
}

#[async_trait]
impl CredentialProvider for Process {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        self.sessions.get(&self.program, self.run()).await
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    version: i64,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    expiration: Option<String>,
}

/// The words of a command line as a shell takes them apart.
///
/// # Errors
/// When it needs a shell, or a quote does not end.
fn words(command: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = command.chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\\', None | Some('"')) => {
                let next = letters.next().ok_or("it ends with a backslash")?;
                let word = word.get_or_insert_default();
                if quote.is_some() && !matches!(next, '"' | '\\' | '$' | '`') {
                    word.push('\\');
                }
                word.push(next);
            }
            (letter, Some(end)) if letter == end => quote = None,
            ('$' | '`', Some('"')) => return Err(NO_SHELL),
            (letter, Some(_)) => word.get_or_insert_default().push(letter),
            ('"' | '\'', None) => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            ('$' | '`' | '|' | '&' | ';' | '<' | '>' | '(' | ')' | '*' | '?' | '~' | '\n', None) => {
                return Err(NO_SHELL);
            }
            (letter, None) if letter.is_whitespace() => words.extend(word.take()),
            (letter, None) => word.get_or_insert_default().push(letter),
        }
    }
    if quote.is_some() {
        return Err("a quote in it does not end");
    }
    words.extend(word);
    Ok(words)
}

const NO_SHELL: &str = "it needs a shell ($, `, |, &, ;, <, >, parentheses, *, ?, ~), and Lakeward starts \
                        programs without one; put these words in single quotes, or name a script";

/// How long the program may take.
const TIME_MAX: Duration = Duration::from_secs(60);

/// What it may print.
const OUTPUT_BYTES_MAX: u64 = 64_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// A program of these lines.
    fn script(dir: &tempfile::TempDir, lines: &str) -> Process {
        let path = dir.path().join("a script");
        std::fs::write(&path, lines).unwrap();
        Process::parse(&format!("/bin/sh \"{}\" 'an argument'", path.display())).unwrap()
    }

    async fn problem(lines: &str, time_max: Duration) -> String {
        let dir = tempfile::tempdir().unwrap();
        let process = Process { time_max, ..script(&dir, lines) };
        process.get_credential().await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn what_a_program_prints_is_kept_until_it_is_about_to_end() {
        let dir = tempfile::tempdir().unwrap();
        let counter = dir.path().join("counter");
        let lines = |expiration: &str| {
            format!(
                "echo >>{counter}\necho '{{\"Version\": 1, \"AccessKeyId\": \"'\"$1\"'\", \
                 \"SecretAccessKey\": \"hunter2\", \"SessionToken\": \"t\"{expiration}}}'\n",
                counter = counter.display()
            )
        };
        let starts = || std::fs::read_to_string(&counter).unwrap().len();
        let process = script(&dir, &lines(", \"Expiration\": \"2999-01-01T00:00:00Z\""));
        for _ in 0..2 {
            let credential = process.get_credential().await.unwrap();
            assert_eq!((credential.key_id.as_str(), credential.token.as_deref()), ("an argument", Some("t")));
            assert_eq!((credential.secret_key.as_str(), starts()), ("hunter2", 1));
        }
        assert!(!format!("{process:?}").contains("hunter2") && !format!("{process:?}").contains("argument"));
        let endless = script(&dir, &lines(""));
        endless.get_credential().await.unwrap();
        endless.get_credential().await.unwrap();
        assert_eq!(starts(), 2);
        let over = script(&dir, &lines(", \"Expiration\": \"2001-01-01T00:00:00Z\""));
        assert!(over.get_credential().await.unwrap_err().to_string().contains("are over"));
    }

    #[tokio::test]
    async fn a_program_that_gives_nothing_is_named_and_what_it_printed_is_not() {
        let cases = [
            ("echo hunter2 >&2; exit 3", "exit status: 3"),
            ("echo '{\"Version\": 1, \"AccessKeyId\": {\"hunter2\": 1}}'", "does not print JSON"),
            (
                "echo '{\"Version\": 2, \"AccessKeyId\": \"a\", \"SecretAccessKey\": \"hunter2\"}'",
                "Version 2",
            ),
            ("while true; do echo hunter2; done", "more than 64000 bytes"),
        ];
        for (lines, expected) in cases {
            let problem = problem(lines, TIME_MAX).await;
            assert!(problem.contains(expected) && problem.contains("/bin/sh"), "{problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
        let missing = Process::parse("/no/such/program").unwrap();
        assert!(missing.get_credential().await.unwrap_err().to_string().contains("cannot be started"));
    }

    #[tokio::test]
    async fn a_program_that_does_not_end_is_stopped() {
        let dir = tempfile::tempdir().unwrap();
        let process = Process {
            // It cannot have ended: it waits for its reader, which is this test.
            time_max: Duration::from_millis(300),
            ..script(&dir, "exec sleep 100000")
        };
        let problem = process.get_credential().await.unwrap_err().to_string();
        assert!(problem.contains("did not end within 0.3 s"), "{problem}");
    }

    #[test]
    fn words_are_those_of_a_shell_that_expands_nothing() {
        let split = |command: &str| words(command).unwrap();
        assert_eq!(split(r#" a  "b c" 'd "e' f\ g "h\"i" "" "#), ["a", "b c", "d \"e", "f g", "h\"i", ""]);
        assert_eq!(split(r#"a'b'"c" '$x'"#), ["abc", "$x"]);
        for shell in ["a $HOME", "a | b", "a; b", "a \"`b`\"", "a > b", "~/a"] {
            assert_eq!(words(shell), Err(NO_SHELL), "{shell}");
        }
        assert!(words("a 'b").is_err() && words("a\\").is_err() && Process::parse("  ").is_err());
    }
}
