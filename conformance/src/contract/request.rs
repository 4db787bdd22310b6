//! A request step: sent as written, its answer compared with what is expected.
//!
//! A 409 that says the cluster rebalances is answered as every client of Kafka Connect does: by asking again.

use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};
use lakeward_testkit::rest::{Answer, RestClient};
use serde_json::{Value, json};

use super::pattern::{fits_glob, mismatch};
use super::script::{Body, Manner, Request};
use super::variables::Variables;

/// Until a state is reached; a loaded machine needs some of it.
pub const PATIENCE: Duration = Duration::from_secs(40);
/// Of an answer that does not fit; a validation report has 40 times as many.
const SHOWN_CHARS: usize = 1_500;
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// Sends `request` and says what is wrong with the answer.
///
/// # Errors
/// The difference, with the request and the answer.
pub fn perform(request: &Request, rest: &RestClient, variables: &mut Variables) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let path = variables.expand(&request.path);
    if request.is_refused {
        return match exchange(request, &path, rest, variables) {
            Ok(answer) => bail!("{} {path} was not refused but answered {}", request.method, answer.status),
            Err(_) => Ok(()),
        };
    }
    let repeats = request.manner == Manner::Until;
    loop {
        let answer = match exchange(request, &path, rest, variables) {
            Ok(answer) => answer,
            // A worker that starts does not listen yet.
            Err(_) if repeats && Instant::now() < deadline => {
                std::thread::sleep(LOOK_INTERVAL);
                continue;
            }
            Err(err) => return Err(err),
        };
        let outcome = compare(request, &answer, variables).map_err(|err| {
            let text: String = answer.text.chars().take(SHOWN_CHARS).collect();
            anyhow!("{err:#}; {} {path} answered {}: {text}", request.method, answer.status)
        });
        let may_ask_again = repeats || request.status != 409 && is_rebalancing(&answer);
        if outcome.is_ok() || !may_ask_again || Instant::now() > deadline {
            return outcome;
        }
        std::thread::sleep(LOOK_INTERVAL);
    }
}

/// Sends all of `requests` at the same time and says what is wrong with the first answer that does not fit.
///
/// # Errors
/// The difference, with the request and the answer.
pub fn perform_together(
    requests: &[&Request],
    rest: &RestClient,
    variables: &mut Variables,
) -> anyhow::Result<()> {
    // Names are made up once, for all of them.
    let named: Vec<Request> = requests
        .iter()
        .map(|request| Request {
            path: variables.expand(&request.path),
            body: request.body.as_ref().map(|body| variables.expand(body)),
            ..(*request).clone()
        })
        .collect();
    let shared = &*variables;
    std::thread::scope(|scope| {
        let sent: Vec<_> = named
            .iter()
            .map(|request| scope.spawn(move || perform(request, rest, &mut shared.clone())))
            .collect();
        let answered: Vec<_> = sent.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        answered.into_iter().try_for_each(|outcome| outcome.map_err(|_| anyhow!("a request panicked"))?)
    })
}

/// True when the worker says that it rebalances, in one of the two texts of Kafka Connect.
pub fn is_rebalancing(answer: &Answer) -> bool {
    let message = answer.message();
    let words = ["rebalance", "stale configuration"];
    answer.status >= 400 && words.iter().any(|word| message.contains(word))
}

fn exchange(
    request: &Request,
    path: &str,
    rest: &RestClient,
    variables: &mut Variables,
) -> anyhow::Result<Answer> {
    let body = request.body.as_ref().map(|body| variables.expand(body));
    let mut headers: Vec<(String, String)> =
        request.headers.iter().map(|(name, value)| (name.clone(), variables.expand(value))).collect();
    let names_type = headers.iter().any(|(name, _)| name == "content-type");
    if body.is_some() && !names_type {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    // `-` stands for a header that is not sent.
    headers.retain(|(_, value)| value != "-");
    let headers: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    rest.send(&request.method, path, &headers, body.as_deref())
}

fn compare(request: &Request, answer: &Answer, variables: &mut Variables) -> anyhow::Result<()> {
    ensure!(answer.status == request.status, "expected status {}", request.status);
    for (name, expected) in &request.answer_headers {
        let expected = expected.as_ref().map(|value| variables.expand(value));
        let found = answer.header(name);
        let fits = match (&expected, found) {
            (Some(pattern), Some(found)) => fits_glob(pattern, found),
            (expected, found) => expected.is_none() && found.is_none(),
        };
        ensure!(fits, "header {name}: expected {expected:?}, found {found:?}");
    }
    match &request.answer {
        Body::Any => Ok(()),
        Body::Text(text) => {
            let text = variables.expand(text);
            ensure!(fits_glob(&text, &answer.text), "expected the body {text:?}");
            Ok(())
        }
        Body::Error(message) => {
            // Line breaks of a message are `\n` in a case file.
            let message = variables.expand(message).replace("\\n", "\n");
            fits(&json!({"<ordered>": 0, "error_code": request.status, "message": message}), answer)
        }
        Body::Json(text) => {
            let text = variables.expand(text);
            fits(&serde_json::from_str(&text).with_context(|| format!("pattern {text}"))?, answer)
        }
    }
}

fn fits(pattern: &Value, answer: &Answer) -> anyhow::Result<()> {
    let found: Value = serde_json::from_str(&answer.text).context("the body is not JSON")?;
    match mismatch(pattern, &found) {
        None => Ok(()),
        Some(difference) => bail!("{difference}"),
    }
}
