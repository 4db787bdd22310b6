//! The language of case files, read into steps.
//!
//! ```text
//! set topic.tracking.enable=false    before the first case: what the worker is like (see `launch`)
//! == setup                        steps that run once, before the cases
//! == rest.root.names_the_cluster  a case
//! only java                       it is an accepted difference: see DIFFERENCES.md
//! GET /connectors/$c              a request; `until GET …` repeats it until the answer fits, neighbours that
//!                                 begin with `together` are sent at the same time
//! + accept: text/html             a request header
//! > {"name": "$c"}                a line of the body
//! < 200                           the status; `refused` when there is no answer
//! < location: http://…            an answer header; `-` means absent
//! < {"name": "$c"}                a pattern of the body (see `pattern`); it may go on in further lines
//! < error Connector $c not found  short for {"error_code": status, "message": …}
//! < text OK                       the exact body
//! @ topic $t 1                    an action (see `action` and `stage`)
//! = line                          a line of the action's input
//! ```

use anyhow::{Context, ensure};

use super::launch::Launch;

/// A case file.
#[derive(Debug, Default)]
pub struct Script {
    /// What its worker is like.
    pub launch: Launch,
    /// Steps before the cases.
    pub setup: Vec<Step>,
    /// The cases in file order.
    pub cases: Vec<Case>,
}

/// One asserted behaviour.
#[derive(Debug)]
pub struct Case {
    /// Unique among all files.
    pub name: String,
    /// The only target it holds for, when the difference is accepted.
    pub only: Option<String>,
    /// What it does.
    pub steps: Vec<Step>,
}

/// One thing to do or to expect.
#[derive(Debug)]
pub enum Step {
    /// A REST request.
    Request(Request),
    /// Anything else.
    Action(Action),
}

/// A request and what its answer must be.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// When it is sent, and how often.
    pub manner: Manner,
    /// Verb.
    pub method: String,
    /// Path and query, with variables.
    pub path: String,
    /// Headers beside `content-type: application/json`, which is there with a body unless given.
    pub headers: Vec<(String, String)>,
    /// Body, with variables.
    pub body: Option<String>,
    /// Whether there must be no answer: the connection is refused.
    pub is_refused: bool,
    /// Expected status.
    pub status: u16,
    /// Expected headers; `None` is absent.
    pub answer_headers: Vec<(String, Option<String>)>,
    /// Expected body.
    pub answer: Body,
}

/// When a request is sent, and how often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    /// Once, when the steps before it are done.
    #[default]
    Once,
    /// At the same time as its neighbours of this manner; the case goes on when all are answered.
    Together,
    /// Again and again until the answer fits.
    Until,
}

/// What is expected of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Body {
    /// Nothing.
    #[default]
    Any,
    /// An error body with this message.
    Error(String),
    /// A pattern.
    Json(String),
    /// This text.
    Text(String),
}

/// An action with its input lines.
#[derive(Debug, Default)]
pub struct Action {
    /// First the verb.
    pub words: Vec<String>,
    /// Lines after `= `.
    pub lines: Vec<String>,
}

impl Script {
    /// Reads a file.
    ///
    /// # Errors
    /// Names the line that means nothing.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let mut script = Self::default();
        let mut place = Place::Head;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_end();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            script.line(line, &mut place).with_context(|| format!("line {}: {line}", index + 1))?;
        }
        Ok(script)
    }

    fn line(&mut self, line: &str, place: &mut Place) -> anyhow::Result<()> {
        if let Some(name) = line.strip_prefix("== ") {
            *place = if name == "setup" { Place::Setup } else { Place::Case };
            if *place == Place::Case {
                self.cases.push(Case { name: name.to_owned(), only: None, steps: Vec::new() });
            }
            return Ok(());
        }
        if let Some(target) = line.strip_prefix("only ") {
            self.cases.last_mut().context("no case")?.only = Some(target.to_owned());
            return Ok(());
        }
        let steps = match place {
            Place::Head => return self.launch.line(line),
            Place::Setup => &mut self.setup,
            Place::Case => &mut self.cases.last_mut().context("no case")?.steps,
        };
        add(steps, line)
    }
}

#[derive(PartialEq, Eq)]
enum Place {
    Head,
    Setup,
    Case,
}

fn add(steps: &mut Vec<Step>, line: &str) -> anyhow::Result<()> {
    let (mark, rest) = line.split_once(' ').unwrap_or((line, ""));
    match (mark, steps.last_mut()) {
        ("@", _) => {
            let words = rest.split(' ').map(str::to_owned).collect();
            steps.push(Step::Action(Action { words, lines: Vec::new() }));
        }
        ("=", Some(Step::Action(action))) => action.lines.push(rest.to_owned()),
        ("+", Some(Step::Request(request))) => {
            let (name, value) = rest.split_once(": ").context("a header is `name: value`")?;
            request.headers.push((name.to_owned(), value.to_owned()));
        }
        (">", Some(Step::Request(request))) => {
            let body = request.body.get_or_insert_default();
            if !body.is_empty() {
                body.push('\n');
            }
            body.push_str(rest);
        }
        ("<", Some(Step::Request(request))) => expect(request, rest)?,
        ("until" | "together", _) => {
            let manner = if mark == "until" { Manner::Until } else { Manner::Together };
            let (method, path) = rest.split_once(' ').context("METHOD and path follow")?;
            steps.push(Step::Request(request(method, path, manner)?));
        }
        (method, _) => steps.push(Step::Request(request(method, rest, Manner::Once)?)),
    }
    Ok(())
}

fn request(method: &str, path: &str, manner: Manner) -> anyhow::Result<Request> {
    ensure!(METHODS.contains(&method), "`{method}` begins no step");
    Ok(Request { manner, method: method.to_owned(), path: path.to_owned(), ..Request::default() })
}

const METHODS: [&str; 8] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"];

fn expect(request: &mut Request, text: &str) -> anyhow::Result<()> {
    if let Body::Json(pattern) = &mut request.answer {
        pattern.push('\n');
        pattern.push_str(text);
    } else if text == "refused" {
        request.is_refused = true;
    } else if request.status == 0 {
        request.status = text.parse().context("the first expectation is the status")?;
    } else if text.starts_with(['{', '[', '"']) {
        request.answer = Body::Json(text.to_owned());
    } else if let Some(message) = text.strip_prefix("error ") {
        request.answer = Body::Error(message.to_owned());
    } else if let Some(exact) = text.strip_prefix("text") {
        request.answer = Body::Text(exact.strip_prefix(' ').unwrap_or(exact).to_owned());
    } else {
        let (name, value) = text.split_once(": ").context("a header is `name: value`")?;
        request.answer_headers.push((name.to_owned(), (value != "-").then(|| value.to_owned())));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_into_cases() {
        let text = "set a=b\n== setup\n@ topic $t 1\n== x.y\nonly java\nuntil GET /a\n+ accept: b\n< 200\n\
                    < vary: -\n< {\"a\":\n< 1}\n== z\nPUT /b\n> {}\n< 404\n< error gone\n";
        let script = Script::parse(text).unwrap();
        assert_eq!(script.launch.settings, [("a".to_owned(), "b".to_owned())]);
        assert_eq!((script.setup.len(), script.cases.len()), (1, 2));
        assert_eq!(script.cases[0].only.as_deref(), Some("java"));
        let Step::Request(first) = &script.cases[0].steps[0] else { panic!("a request") };
        assert!(first.manner == Manner::Until && first.answer_headers == [("vary".to_owned(), None)]);
        assert_eq!(first.answer, Body::Json("{\"a\":\n1}".to_owned()));
        let Step::Request(second) = &script.cases[1].steps[0] else { panic!("a request") };
        assert_eq!((second.status, &second.answer), (404, &Body::Error("gone".to_owned())));
    }

    #[test]
    fn a_line_that_means_nothing_is_named() {
        let err = Script::parse("== a\nFETCH /x").unwrap_err();
        assert!(format!("{err:#}").contains("line 2: FETCH /x"), "{err:#}");
    }
}
