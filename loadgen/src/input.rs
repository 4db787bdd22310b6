//! JSON-lines files as records: plain, gzip (`.gz`) or Zstandard (`.zst`).
//!
//! Owns: decompression and line numbers. Must not: hold more than one line in memory, or send a line that is
//! not JSON.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Longest line that is read; longer ones end the run, since no broker would take them.
pub const LINE_BYTES_MAX: usize = 16 << 20;
/// How many bad lines are named; the rest is only counted.
const BAD_LINES_NAMED_MAX: usize = 10;

/// A line of the file that is JSON.
#[derive(Debug)]
pub struct Line {
    /// Line number, from 1.
    pub number: u64,
    /// The text without its line end.
    pub text: Vec<u8>,
    /// The text, parsed.
    pub value: Value,
}

/// Lines that could not be used.
#[derive(Clone, Debug, Default)]
pub struct BadLines {
    /// How many.
    pub count: u64,
    /// The first of them: line number and what is wrong (never the content).
    pub named: Vec<(u64, String)>,
}

/// Reads one file, a line at a time.
pub struct JsonLines {
    reader: Box<dyn BufRead + Send>,
    path: PathBuf,
    number: u64,
    bad: BadLines,
}

impl JsonLines {
    /// Opens `path`; the ending decides the compression.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let plain: Box<dyn Read + Send> = match ending {
            "gz" => Box::new(flate2::read::MultiGzDecoder::new(BufReader::new(file))),
            "zst" => Box::new(zstd::stream::read::Decoder::new(file)?),
            _ => Box::new(file),
        };
        Ok(Self {
            reader: Box::new(BufReader::with_capacity(256 << 10, plain)),
            path: path.to_owned(),
            number: 0,
            bad: BadLines::default(),
        })
    }

    /// The next line that is a JSON object; `None` at the end. Blank lines are skipped, lines that are no
    /// JSON object are counted in [`Self::bad_lines`].
    pub fn next_line(&mut self) -> Result<Option<Line>> {
        loop {
            let mut text = Vec::new();
            let limit = LINE_BYTES_MAX as u64 + 1;
            let read = (&mut self.reader)
                .take(limit)
                .read_until(b'\n', &mut text)
                .with_context(|| format!("cannot read {} after line {}", self.path.display(), self.number))?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            if text.len() > LINE_BYTES_MAX {
                bail!("{} line {} is longer than {LINE_BYTES_MAX} bytes", self.path.display(), self.number);
            }
            text.truncate(text.trim_ascii_end().len());
            if text.is_empty() {
                continue;
            }
            match serde_json::from_slice::<Value>(&text) {
                Ok(value @ Value::Object(_)) => return Ok(Some(Line { number: self.number, text, value })),
                Ok(_) => self.note_bad("not a JSON object".to_owned()),
                Err(err) => self.note_bad(format!("not JSON at column {}", err.column())),
            }
        }
    }

    /// The lines that were skipped so far.
    pub fn bad_lines(&self) -> &BadLines {
        &self.bad
    }

    fn note_bad(&mut self, problem: String) {
        self.bad.count += 1;
        if self.bad.named.len() < BAD_LINES_NAMED_MAX {
            self.bad.named.push((self.number, problem));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const TEXT: &[u8] = b"{\"a\":1}\n\nnot json\n[1]\r\n{\"a\":2}\r\n{\"a\":3}";

    fn scratch(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("lakeward-input-{}-{name}", std::process::id()))
    }

    fn read_all(path: &Path) -> (Vec<u64>, Vec<u64>) {
        let mut lines = JsonLines::open(path).expect("opens");
        let mut numbers = Vec::new();
        while let Some(line) = lines.next_line().expect("reads") {
            numbers.push(line.number);
        }
        (numbers, lines.bad_lines().named.iter().map(|(number, _)| *number).collect())
    }

    #[test]
    fn every_compression_gives_the_same_lines_and_names_the_bad_ones() {
        let plain = scratch("a.jsonl");
        std::fs::write(&plain, TEXT).expect("written");
        let zipped = scratch("a.jsonl.gz");
        let mut writer = flate2::write::GzEncoder::new(
            File::create(&zipped).expect("created"),
            flate2::Compression::fast(),
        );
        writer.write_all(TEXT).expect("written");
        writer.finish().expect("finished");
        let zstd = scratch("a.jsonl.zst");
        std::fs::write(&zstd, zstd::encode_all(TEXT, 1).expect("compressed")).expect("written");
        for path in [plain, zipped, zstd] {
            assert_eq!(read_all(&path), (vec![1, 5, 6], vec![3, 4]), "{}", path.display());
            std::fs::remove_file(path).expect("removed");
        }
    }
}
