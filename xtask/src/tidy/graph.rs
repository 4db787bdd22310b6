//! Rules for packages: which may depend on which, who may name which client library, and the licence.
//!
//! Source: the dependency graph of `ARCHITECTURE.md`. The tables below are that graph as data.

use serde_json::Value;

use super::Problem;

const LICENCE: &str = "Apache-2.0";

/// Which packages of the workspace a package may use.
const MAY_USE: [(&str, &[&str]); 22] = [
    ("lakeward-api", &["lakeward-api-derive"]),
    ("lakeward-api-derive", &[]),
    ("lakeward-bench", &["lakeward-api", "lakeward-dataplane", "lakeward-formats"]),
    ("lakeward-conformance", &["lakeward-testkit"]),
    (
        "lakeward-controlplane",
        &[
            "lakeward-api",
            "lakeward-controlplane-core",
            "lakeward-kafka",
            "lakeward-keystore",
            "lakeward-transforms",
        ],
    ),
    ("lakeward-controlplane-core", &["lakeward-api"]),
    (
        "lakeward-dataplane",
        &[
            "lakeward-api",
            "lakeward-dataplane-core",
            "lakeward-formats",
            "lakeward-kafka",
            "lakeward-transforms",
        ],
    ),
    ("lakeward-dataplane-core", &["lakeward-api"]),
    (
        "lakeward-differential",
        &["lakeward-api", "lakeward-formats", "lakeward-registry", "lakeward-transforms"],
    ),
    ("lakeward-formats", &["lakeward-api", "lakeward-registry"]),
    ("lakeward-kafka", &["lakeward-api", "lakeward-keystore", "lakeward-oauth"]),
    ("lakeward-keystore", &[]),
    ("lakeward-loadgen", &["lakeward-api"]),
    ("lakeward-oauth", &["lakeward-api"]),
    ("lakeward-registry", &["lakeward-api", "lakeward-keystore", "lakeward-oauth"]),
    ("lakeward-objectstore", &["lakeward-api"]),
    ("lakeward-sinks", &["lakeward-api", "lakeward-formats", "lakeward-objectstore", "lakeward-transforms"]),
    ("lakeward-sources", &["lakeward-api", "lakeward-formats", "lakeward-objectstore"]),
    ("lakeward-testkit", &[]),
    ("lakeward-transforms", &["lakeward-api"]),
    (
        "lakeward-worker",
        &[
            "lakeward-api",
            "lakeward-controlplane",
            "lakeward-dataplane",
            "lakeward-formats",
            "lakeward-kafka",
            "lakeward-loadgen",
            "lakeward-registry",
            "lakeward-sinks",
            "lakeward-sources",
            "lakeward-transforms",
        ],
    ),
    ("xtask", &[]),
];

/// Who may use which outside library: it stays replaceable as long as one place knows it. The worker appears
/// where its development tools (playground broker, object store, registry) need the library.
const OWNERS: [(&str, &[&str]); 8] = [
    ("glommio", &["lakeward-dataplane"]),
    // The registry's client asks over reqwest; its development server answers over hyper.
    ("hyper", &["lakeward-controlplane", "lakeward-registry", "lakeward-testkit", "lakeward-worker"]),
    ("nisshi-broker", &["lakeward-worker"]),
    (
        "object_store",
        &[
            "lakeward-conformance",
            "lakeward-loadgen",
            "lakeward-objectstore",
            "lakeward-sinks",
            "lakeward-sources",
            "lakeward-testkit",
            "lakeward-worker",
        ],
    ),
    ("rdkafka", &["lakeward-conformance", "lakeward-kafka", "lakeward-loadgen", "lakeward-testkit"]),
    ("rdkafka-sys", &["lakeward-kafka"]),
    ("reqwest", &["lakeward-kafka", "lakeward-oauth", "lakeward-registry"]),
    ("s3s", &["lakeward-worker"]),
];

/// Libraries that the sans-IO cores and the contracts must not see: no threads, sockets or clocks.
const RUNTIMES: [&str; 8] =
    ["glommio", "hyper", "object_store", "rdkafka", "rdkafka-sys", "reqwest", "tokio", "tracing"];
const PURE: [&str; 4] =
    ["lakeward-api", "lakeward-api-derive", "lakeward-controlplane-core", "lakeward-dataplane-core"];

/// Appends every problem found in the answer of `cargo metadata --no-deps`.
pub(super) fn check(metadata: &Value, problems: &mut Vec<Problem>) {
    let root = metadata["workspace_root"].as_str().unwrap_or_default();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let manifest = package["manifest_path"].as_str().unwrap_or_default();
        let path = manifest.strip_prefix(root).unwrap_or(manifest).trim_start_matches('/');
        let mut report = |text: String| problems.push(Problem { path: path.to_owned(), line: 1, text });
        if package["license"] != LICENCE {
            report(format!("package {name} is not licensed under {LICENCE}"));
        }
        let Some((_, allowed)) = MAY_USE.iter().find(|(known, _)| *known == name) else {
            report(format!("package {name} has no place in the dependency graph of `xtask tidy`"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            if let Some(text) = broken_rule(name, allowed, dependency) {
                report(text);
            }
        }
    }
}

/// What is wrong with one dependency of the package `name`, if anything.
fn broken_rule(name: &str, allowed: &[&str], dependency: &Value) -> Option<String> {
    let used = dependency["name"].as_str().unwrap_or_default();
    let for_tests = dependency["kind"] == "dev";
    let ours = dependency["path"].is_string();
    if ours {
        // Tests of a crate may use the crates beside it, but never a door into the worker as a whole.
        let fine = allowed.contains(&used) || (for_tests && used != "lakeward-worker");
        return (!fine).then(|| format!("{name} must not depend on {used}"));
    }
    if let Some((_, owners)) = OWNERS.iter().find(|(library, _)| *library == used)
        && !owners.contains(&name)
        && !for_tests
    {
        return Some(format!("{name} must not use {used}: it belongs to {}", owners.join(", ")));
    }
    (PURE.contains(&name) && RUNTIMES.contains(&used) && !for_tests)
        .then(|| format!("{name} is free of runtimes and must not use {used}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(package: &Value) -> Vec<String> {
        let mut problems = Vec::new();
        check(&json!({"workspace_root": "/w", "packages": [package]}), &mut problems);
        problems.iter().map(ToString::to_string).collect()
    }

    fn package(name: &str, dependencies: &[Value]) -> Value {
        let manifest = "/w/x/Cargo.toml";
        json!({"name": name, "license": LICENCE, "manifest_path": manifest, "dependencies": dependencies})
    }

    fn ours(name: &str) -> Value {
        json!({"name": name, "kind": null, "path": format!("/w/{name}")})
    }

    #[test]
    fn dependencies_point_one_way() {
        assert!(problems(&package("lakeward-formats", &[ours("lakeward-api")])).is_empty());
        assert_eq!(
            problems(&package("lakeward-dataplane", &[ours("lakeward-controlplane")])),
            ["x/Cargo.toml:1: lakeward-dataplane must not depend on lakeward-controlplane"]
        );
    }

    #[test]
    fn libraries_have_owners() {
        let glommio = json!({"name": "glommio", "kind": null, "path": null});
        assert!(problems(&package("lakeward-dataplane", std::slice::from_ref(&glommio))).is_empty());
        assert_eq!(problems(&package("lakeward-sinks", &[glommio])).len(), 1);
        let tokio = json!({"name": "tokio", "kind": null, "path": null});
        assert_eq!(problems(&package("lakeward-dataplane-core", &[tokio])).len(), 1);
    }

    #[test]
    fn packages_are_licensed_and_known() {
        let mut unlicensed = package("lakeward-api", &[]);
        unlicensed["license"] = Value::Null;
        assert_eq!(problems(&unlicensed).len(), 1);
        assert_eq!(problems(&package("lakeward-new", &[])).len(), 1);
    }
}
