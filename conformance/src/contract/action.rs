//! What a case does beside requests: topics, records, files, and looks at what the worker wrote.
//!
//! | action | does |
//! |---|---|
//! | `topic NAME PARTITIONS`, further `SETTING=VALUE` | creates a topic |
//! | `produce TOPIC`, further `MINUTES` | sends each line as a value to partition 0, so many minutes old |
//! | `mkdir NAME`, `file NAME` | makes a folder; writes the lines to a file of the case's folder `$dir` |
//! | `lines NAME` | waits until the file has exactly the lines |
//! | `values TOPIC` | waits until the topic's values are exactly the lines |
//! | `records TOPIC PART` | waits until the records whose key contains PART are the lines `key => pattern` |
//! | `newest TOPIC KEY` | waits until the newest value of the key fits the pattern in the line |
//! | `committed GROUP TOPIC OFFSET` | waits until the group's offset of partition 0 is there (`-`: none) |
//! | `partitions TOPIC COUNT` | the topic has so many partitions |
//! | `sign NAME` | sets `$NAME` to the signature of the lines under the newest session key |

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail, ensure};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::records::{Record, produce, read_topic};
use serde_json::Value;

use super::pattern::mismatch;
use super::request::PATIENCE;
use super::script::Action;
use super::variables::Variables;

/// Performs an action.
///
/// # Errors
/// What did not come true.
pub fn perform(action: &Action, broker: &KafkaBroker, variables: &mut Variables) -> anyhow::Result<()> {
    let words: Vec<String> = action.words.iter().map(|word| variables.expand(word)).collect();
    let lines: Vec<String> = action.lines.iter().map(|line| variables.expand(line)).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let folder = PathBuf::from(variables.get("dir"));
    if let ["sign", name] = words[..] {
        let signature = signature(broker, &variables.get("config_topic"), &lines.join("\n"))?;
        variables.set(name, signature);
        return Ok(());
    }
    act(&words, &lines, broker, &folder).with_context(|| format!("@ {}", words.join(" ")))
}

fn act(words: &[&str], lines: &[String], broker: &KafkaBroker, folder: &Path) -> anyhow::Result<()> {
    match *words {
        ["topic", name, count, ref settings @ ..] => {
            let settings: Option<Vec<(&str, &str)>> =
                settings.iter().map(|setting| setting.split_once('=')).collect();
            let settings = settings.context("a topic setting is NAME=VALUE")?;
            broker.create_topic_with(name, count.parse()?, &settings)
        }
        ["produce", topic] => {
            let records: Vec<Record> = lines.iter().map(|line| Record::of(line.as_str())).collect();
            produce(broker, topic, &records)
        }
        ["produce", topic, minutes] => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
            let then_ms = i64::try_from(now)? - minutes.parse::<i64>()? * 60_000;
            let records: Vec<Record> =
                lines.iter().map(|line| Record::of(line.as_str()).at(then_ms)).collect();
            produce(broker, topic, &records)
        }
        ["mkdir", name] => fs::create_dir_all(folder.join(name)).context("creating the folder"),
        ["file", name] => {
            fs::create_dir_all(folder)?;
            fs::write(folder.join(name), whole_lines(lines)).context("writing the file")
        }
        ["lines", name] => until(|| {
            let found = fs::read_to_string(folder.join(name)).unwrap_or_default();
            ensure!(found == whole_lines(lines), "expected {lines:?}, found {found:?}");
            Ok(())
        }),
        ["values", topic] => until(|| {
            let records = read_topic(broker, topic)?;
            let found: Vec<String> = records.iter().map(value_text).collect();
            ensure!(found == lines, "expected {lines:?}, found {found:?}");
            Ok(())
        }),
        ["records", topic, part] => until(|| in_order(broker, topic, part, lines)),
        ["newest", topic, key] => until(|| newest(broker, topic, key, lines)),
        ["committed", group, topic, expected] => until(|| {
            let found = broker.committed_offset(group, topic, 0)?;
            let found = found.map_or_else(|| "-".to_owned(), |offset| offset.to_string());
            ensure!(found == expected, "found {found}");
            Ok(())
        }),
        ["partitions", topic, expected] => {
            let found = broker.partition_count(topic)?;
            ensure!(found.to_string() == expected, "found {found}");
            Ok(())
        }
        _ => bail!("no such action"),
    }
}

/// The signature of a request between workers, in base64. Source: KIP-507.
fn signature(broker: &KafkaBroker, config_topic: &str, body: &str) -> anyhow::Result<String> {
    let records = read_topic(broker, config_topic)?;
    let newest = records.iter().rfind(|record| record.key_text() == "session-key");
    let newest: Value = serde_json::from_str(&value_text(newest.context("there is no session key")?))?;
    let key = STANDARD.decode(newest["key"].as_str().context("the session key has no key")?)?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    Ok(STANDARD.encode(hmac::sign(&key, body.as_bytes())))
}

fn until(mut look: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let outcome = look();
        if outcome.is_ok() || Instant::now() > deadline {
            return outcome;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

fn whole_lines(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// `null` is a null value, as JSON has it.
fn value_text(record: &Record) -> String {
    let bytes = record.value.as_deref().unwrap_or(b"null");
    String::from_utf8_lossy(bytes).into_owned()
}

fn in_order(broker: &KafkaBroker, topic: &str, part: &str, lines: &[String]) -> anyhow::Result<()> {
    let records = read_topic(broker, topic)?;
    let found: Vec<(String, String)> = records
        .iter()
        .map(|record| (record.key_text(), value_text(record)))
        .filter(|(key, _)| key.contains(part))
        .collect();
    ensure!(found.len() == lines.len(), "expected {} records, found {found:#?}", lines.len());
    for (line, (key, value)) in lines.iter().zip(&found) {
        let (expected_key, pattern) = line.split_once(" => ").context("a line is `key => pattern`")?;
        ensure!(expected_key == key, "expected key {expected_key}, found {found:#?}");
        fits(pattern, value).with_context(|| format!("record {key}"))?;
    }
    Ok(())
}

fn newest(broker: &KafkaBroker, topic: &str, key: &str, lines: &[String]) -> anyhow::Result<()> {
    let records = read_topic(broker, topic)?;
    let found = records.iter().rfind(|record| record.key_text() == key);
    let record = found.with_context(|| {
        let keys: Vec<String> = records.iter().map(Record::key_text).collect();
        format!("no record of {key} among {keys:?}")
    })?;
    fits(lines.first().context("one line with the pattern")?, &value_text(record))
}

/// `=text` asks for exactly these bytes, anything else is a pattern.
fn fits(pattern: &str, value: &str) -> anyhow::Result<()> {
    if let Some(exact) = pattern.strip_prefix('=') {
        ensure!(exact == value, "expected exactly {exact}, found {value}");
        return Ok(());
    }
    let found: Value = serde_json::from_str(value).context("the value is not JSON")?;
    let pattern: Value = serde_json::from_str(pattern).with_context(|| format!("pattern {pattern}"))?;
    match mismatch(&pattern, &found) {
        None => Ok(()),
        Some(difference) => bail!("{difference}"),
    }
}
