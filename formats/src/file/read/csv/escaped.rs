//! CSV with escape characters: the fields of a record out of its lines.
//!
//! Its rules are those of opencsv's older parser, odd ones among them: quotes within a field stay when no
//! separator is beside them, and a quote may be doubled wherever a field has begun. Characters are those of
//! Java (UTF-16), as one of the rules counts them.
//!
//! Source: opencsv 5.9, `CSVReader` over `CSVParser`. One thing differs: with `csv.keep.carriage.return` an
//! empty line ends the file there, and whatever follows is lost; here it is an empty line.

use super::{Cell, CsvDecoder, unterminated};
use crate::FormatError;
use crate::file::read::input::Input;

/// How fields are taken apart where RFC 4180 does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CsvEscapes {
    /// In front of a separator, a quote or itself, within a field: that is a character as any other.
    pub escape: Option<char>,
    /// What is not within quotes does not count.
    pub strict_quotes: bool,
    /// White space in front of a quote does not count.
    pub ignore_whitespace: bool,
    /// Quotes do not hold separators and line ends.
    pub ignore_quotes: bool,
}

/// The characters that count, and a record of which some lines were read.
struct Record<'a> {
    decoder: &'a CsvDecoder,
    rules: CsvEscapes,
    separator: u16,
    quote: u16,
    escape: Option<u16>,
    cells: Vec<Cell>,
    text: Vec<u16>,
    /// A field was begun, whatever of it is there.
    in_field: bool,
}

/// What a line did to its record.
#[derive(PartialEq, Eq)]
enum Line {
    Ends,
    Open,
}

impl CsvDecoder {
    /// The next record and its bytes; `None` when more have to come.
    pub(super) fn escaped_record(
        &self,
        rules: CsvEscapes,
        input: &Input,
    ) -> Result<Option<(Vec<Cell>, usize)>, FormatError> {
        let (bytes, is_all) = (input.bytes(), input.is_all());
        let mut record = Record::new(self, rules);
        let mut at = 0;
        loop {
            if at == bytes.len() {
                return if is_all { Err(unterminated()) } else { Ok(None) };
            }
            let rest = &bytes[at..];
            let end = match self.options.keep_returns {
                true => memchr::memchr(b'\n', rest),
                false => memchr::memchr2(b'\r', b'\n', rest),
            };
            let end = match end {
                None if !is_all => return Ok(None),
                None => rest.len(),
                // A line feed may follow.
                Some(end) if rest[end] == b'\r' && end + 1 == rest.len() && !is_all => return Ok(None),
                Some(end) => end,
            };
            at += end + self.line_end(rest, end);
            let line: Vec<u16> = String::from_utf8_lossy(&rest[..end]).encode_utf16().collect();
            if record.add(&line) == Line::Ends {
                return Ok(Some((record.finished(), at)));
            }
        }
    }
}

impl<'a> Record<'a> {
    fn new(decoder: &'a CsvDecoder, rules: CsvEscapes) -> Self {
        // Java's characters have 16 bits: validation sees to that.
        let unit = |letter: char| letter.encode_utf16(&mut [0; 2])[0];
        let options = &decoder.options;
        Self {
            decoder,
            rules,
            separator: unit(options.separator),
            quote: unit(options.quote),
            escape: rules.escape.map(unit),
            cells: Vec::new(),
            text: Vec::new(),
            in_field: false,
        }
    }

    /// Takes a line. What is open at its end goes on with the next one.
    fn add(&mut self, line: &[u16]) -> Line {
        let is_open = !self.text.is_empty();
        let mut in_quotes = is_open && !self.rules.ignore_quotes;
        let mut is_quoted = false;
        let mut at = 0;
        while at < line.len() {
            let letter = line[at];
            at += 1;
            let next = line.get(at).copied();
            let may_escape = in_quotes && !self.rules.ignore_quotes || self.in_field;
            if Some(letter) == self.escape {
                self.in_field |= !self.rules.strict_quotes;
                let may_escape = may_escape || self.in_field;
                if let Some(next) = next.filter(|next| may_escape && self.is_escapable(*next)) {
                    self.text.push(next);
                    at += 1;
                }
            } else if letter == self.quote {
                if may_escape && next == Some(self.quote) {
                    self.text.push(letter);
                    at += 1;
                } else {
                    in_quotes = !in_quotes;
                    is_quoted |= self.text.is_empty();
                    self.quote_within(line, at);
                }
                self.in_field = !self.in_field;
            } else if letter == self.separator && (!in_quotes || self.rules.ignore_quotes) {
                self.end_cell(is_quoted);
                (is_quoted, self.in_field) = (false, false);
            } else if !self.rules.strict_quotes || (in_quotes && !self.rules.ignore_quotes) {
                self.text.push(letter);
                (self.in_field, is_quoted) = (true, true);
            }
        }
        if in_quotes && !self.rules.ignore_quotes {
            self.text.push(u16::from(b'\n'));
            return Line::Open;
        }
        let is_blank = line.is_empty() || *line == [u16::from(b'\r')];
        self.end_cell(is_quoted);
        if let (true, [cell]) = (is_blank, &mut *self.cells) {
            cell.is_quoted = false;
        }
        Line::Ends
    }

    fn is_escapable(&self, letter: u16) -> bool {
        letter == self.quote || letter == self.separator || Some(letter) == self.escape
    }

    /// A quote in front of `at` stays when it is in the middle of a field.
    fn quote_within(&mut self, line: &[u16], at: usize) {
        let is_within = at > BEGINNING
            && line[at - 2] != self.separator
            && line.get(at).is_some_and(|next| *next != self.separator);
        if self.rules.strict_quotes || !is_within {
            return;
        }
        if self.rules.ignore_whitespace && !self.text.is_empty() && is_whitespace(&self.text) {
            self.text.clear();
        } else {
            self.text.push(self.quote);
        }
    }

    fn end_cell(&mut self, is_quoted: bool) {
        let text = String::from_utf16_lossy(&self.text).into_bytes();
        self.text.clear();
        self.cells.push(self.decoder.cell(text, is_quoted));
    }

    fn finished(mut self) -> Vec<Cell> {
        if self.decoder.options.keep_returns
            && let Some(last) = self.cells.last_mut()
        {
            last.text.pop_if(|byte| *byte == b'\r');
        }
        self.cells
    }
}

/// As Java has it.
fn is_whitespace(text: &[u16]) -> bool {
    let is_space = |letter: char| {
        matches!(letter, '\u{1c}'..='\u{1f}')
            || letter.is_whitespace() && !matches!(letter, '\u{85}' | '\u{a0}' | '\u{2007}' | '\u{202f}')
    };
    char::decode_utf16(text.iter().copied()).all(|letter| letter.is_ok_and(is_space))
}

/// Quotes among the first characters of a line do not stay.
const BEGINNING: usize = 3;

#[cfg(test)]
mod tests;
