//! Origins and extra headers: the same requests to Java Connect and to our worker, and the headers of the
//! answers.

use lakeward_testkit::rest::RestClient;

use crate::differential::both;

/// Every header of these settings that an answer may have.
const HEADERS: [&str; 9] = [
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-max-age",
    "allow",
    "content-type",
    "vary",
    "x-one",
    "x-two",
];

const A: (&str, &str) = ("origin", "http://a.example");
const B: (&str, &str) = ("origin", "http://b.x");
const STRANGER: (&str, &str) = ("origin", "http://c");
const ANY_TYPE: (&str, &str) = ("accept", "*/*");

type Request = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const REQUESTS: [Request; 11] = [
    ("GET", "/connectors", &[]),
    ("GET", "/connectors", &[A]),
    ("GET", "/connectors", &[B]),
    ("GET", "/connectors", &[STRANGER]),
    ("GET", "/nothing", &[A]),
    ("GET", "/connectors/absent", &[A]),
    ("OPTIONS", "/connectors", &[A, ANY_TYPE]),
    ("OPTIONS", "/connectors", &[A, ANY_TYPE, ("access-control-request-method", "GET")]),
    ("OPTIONS", "/connectors", &[A, ANY_TYPE, ("access-control-request-method", "DELETE")]),
    ("OPTIONS", "/connectors", &[STRANGER, ANY_TYPE, ("access-control-request-method", "GET")]),
    ("PATCH", "/connectors", &[A]),
];

#[test]
fn answers_have_the_headers_that_javas_have() {
    for origins in ["http://a.example,http://b.*", "*"] {
        let (java, scenario) = both(&[
            ("access.control.allow.origin", origins),
            ("access.control.allow.methods", "GET"),
            ("response.http.headers.config", "set X-One: 1,\"add X-Two: a, b\""),
        ]);
        let mut problems = Vec::new();
        for (method, path, headers) in REQUESTS {
            let ask = |rest: &RestClient| {
                let answer = rest.send(method, path, headers, None).expect("the worker answers");
                let header = |name: &str| (name.to_owned(), answer.header(name).map(str::to_owned));
                (answer.status, HEADERS.map(header), answer.text)
            };
            let (theirs, ours) = (ask(&java.rest), ask(&scenario.worker.rest));
            if theirs != ours {
                problems.push(format!(
                    "{origins} {method} {path} {headers:?}\n  Java {theirs:?}\n  ours {ours:?}"
                ));
            }
        }
        assert!(problems.is_empty(), "{} differences:\n{}", problems.len(), problems.join("\n"));
    }
}
