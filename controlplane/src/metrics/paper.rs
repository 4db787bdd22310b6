//! What pages are written on: buffers that come back when they were sent.
//!
//! A page of many tasks goes out through a thread that did not write it. Buffers that are freed there and
//! made anew here leave the allocator with much more than a page needs, for good; these are used again.

use std::sync::mpsc;

use bytes::Bytes;

/// Bytes of a sheet, about.
pub(crate) const SHEET_BYTES: usize = 64 << 10;
/// Sheets that are kept: those of one page on its way. Clients that stopped reading hold others.
const SHEETS_MAX: usize = 8;

/// The sheets of one writer.
pub(crate) struct Paper {
    home: mpsc::Sender<Vec<u8>>,
    back: mpsc::Receiver<Vec<u8>>,
    empty: Vec<Vec<u8>>,
}

impl Default for Paper {
    fn default() -> Self {
        let (home, back) = mpsc::channel();
        Self { home, back, empty: Vec::new() }
    }
}

impl Paper {
    /// An empty sheet.
    pub(crate) fn sheet(&mut self) -> Vec<u8> {
        for sheet in self.back.try_iter() {
            if self.empty.len() < SHEETS_MAX {
                self.empty.push(sheet);
            }
        }
        // A piece ends with the line that makes it full.
        self.empty.pop().unwrap_or_else(|| Vec::with_capacity(SHEET_BYTES + 1024))
    }

    /// An empty sheet for text.
    pub(crate) fn text_sheet(&mut self) -> String {
        String::from_utf8(self.sheet()).unwrap_or_default()
    }

    /// A written sheet, to be sent. It comes back when nobody holds the bytes any more.
    pub(crate) fn written(&self, text: Vec<u8>) -> Bytes {
        Bytes::from_owner(Sheet { text, home: self.home.clone() })
    }
}

struct Sheet {
    text: Vec<u8>,
    home: mpsc::Sender<Vec<u8>>,
}

impl AsRef<[u8]> for Sheet {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

impl Drop for Sheet {
    fn drop(&mut self) {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        // Without a writer there is nobody to use it again.
        drop(self.home.send(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_that_was_sent_is_written_on_again() {
        let mut paper = Paper::default();
        let mut sheet = paper.sheet();
        sheet.extend_from_slice(b"first");
        let place = sheet.as_ptr();
        let sent = paper.written(sheet);
        let part = sent.slice(1..);
        drop(sent);
        let other = paper.sheet();
        assert_ne!(other.as_ptr(), place, "a part of it is still on its way");
        assert_eq!(&part[..], b"irst");
        drop(part);
        let again = paper.text_sheet();
        assert_eq!((again.as_ptr(), again.as_str()), (place, ""));
    }

    #[test]
    fn sheets_of_slow_clients_are_not_kept() {
        let mut paper = Paper::default();
        let sheets: Vec<Vec<u8>> = (0..3 * SHEETS_MAX).map(|_| paper.sheet()).collect();
        let sent: Vec<Bytes> = sheets.into_iter().map(|sheet| paper.written(sheet)).collect();
        drop(sent);
        drop(paper.sheet());
        assert_eq!(paper.empty.len(), SHEETS_MAX - 1);
    }

    #[test]
    fn bytes_may_outlive_the_writer() {
        let paper = Paper::default();
        let sent = paper.written(b"last".to_vec());
        drop(paper);
        assert_eq!(&sent[..], b"last");
    }
}
