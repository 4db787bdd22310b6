//! Java's serialised `HashMap<byte[], byte[]>`, as far as the offsets file needs it.

use bytes::Bytes;

use super::Entries;

const MAGIC: [u8; 4] = [0xac, 0xed, 0x00, 0x05];
/// A new object of class HashMap with its two fields.
const MAP_CLASS: &[u8] = b"\x73\x72\x00\x11java.util.HashMap\x05\x07\xda\xc1\xc3\x16\x60\xd1\x03\x00\x02\
    F\x00\x0aloadFactorI\x00\x09thresholdxp";
/// A new array whose class, `byte[]`, is named for the first time.
const FIRST_ARRAY: &[u8] = b"\x75\x72\x00\x02[B\xac\xf3\x17\xf8\x06\x08\x54\xe0\x02\x00\x00xp";
/// A new array whose class was named before: the third thing in the stream.
const NEXT_ARRAY: &[u8] = b"\x75\x71\x00\x7e\x00\x02";
const NULL: u8 = 0x70;
const END: u8 = 0x78;
const LOAD_FACTOR: f32 = 0.75;

/// The file's bytes.
pub(super) fn to_bytes(entries: &Entries) -> Vec<u8> {
    let mut buckets = 16_u32;
    while entries.len() > buckets as usize * 3 / 4 {
        buckets *= 2;
    }
    // A map that never held anything has no table yet.
    let threshold = if entries.is_empty() { 0 } else { buckets / 4 * 3 };
    let size = u32::try_from(entries.len()).expect("offsets fit into memory");
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(MAP_CLASS);
    out.extend_from_slice(&LOAD_FACTOR.to_be_bytes());
    out.extend_from_slice(&threshold.to_be_bytes());
    out.extend_from_slice(&[0x77, 0x08]);
    out.extend_from_slice(&buckets.to_be_bytes());
    out.extend_from_slice(&size.to_be_bytes());
    let mut is_named = false;
    for (key, value) in entries {
        for bytes in [Some(key), value.as_ref()] {
            let Some(bytes) = bytes else {
                out.push(NULL);
                continue;
            };
            out.extend_from_slice(if std::mem::replace(&mut is_named, true) {
                NEXT_ARRAY
            } else {
                FIRST_ARRAY
            });
            let length = u32::try_from(bytes.len()).expect("offsets are short");
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(bytes);
        }
    }
    out.push(END);
    out
}

/// Reads the file, with any number of buckets and any order. Entries with a null key are left out: they
/// belong to no connector.
pub(super) fn from_bytes(bytes: &[u8]) -> Result<Entries, String> {
    let mut rest = Rest(bytes);
    rest.expect(&MAGIC)?;
    rest.expect(MAP_CLASS)?;
    rest.take(8)?;
    rest.expect(&[0x77, 0x08])?;
    rest.take(4)?;
    let size = rest.number()?;
    let mut entries = Entries::new();
    for _ in 0..size {
        let key = rest.array()?;
        let value = rest.array()?;
        if let Some(key) = key {
            entries.insert(key, value);
        }
    }
    rest.expect(&[END])?;
    Ok(entries)
}

struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or("the file ends too early")?;
        self.0 = rest;
        Ok(taken)
    }

    fn expect(&mut self, wanted: &[u8]) -> Result<(), String> {
        if self.take(wanted.len())? == wanted {
            Ok(())
        } else {
            Err("the file is no serialised map of a Kafka Connect worker".to_owned())
        }
    }

    fn number(&mut self) -> Result<u32, String> {
        let bytes = self.take(4)?.try_into().expect("four were taken");
        Ok(u32::from_be_bytes(bytes))
    }

    fn array(&mut self) -> Result<Option<Bytes>, String> {
        if self.0.first() == Some(&NULL) {
            self.take(1)?;
            return Ok(None);
        }
        let head = [FIRST_ARRAY, NEXT_ARRAY].into_iter().find(|head| self.0.starts_with(head));
        self.take(head.ok_or("the file holds something that is no byte array")?.len())?;
        let length = self.number()? as usize;
        Ok(Some(Bytes::copy_from_slice(self.take(length)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by `ObjectOutputStream` of JDK 17, as the standalone worker of Kafka 4.1 does.
    const JAVAS: &[u8] = b"\xac\xed\x00\x05sr\x00\x11java.util.HashMap\x05\x07\xda\xc1\xc3\x16`\xd1\x03\
        \x00\x02F\x00\x0aloadFactorI\x00\x09thresholdxp?@\x00\x00\x00\x00\x00\x0cw\x08\x00\x00\x00\x10\x00\
        \x00\x00\x01ur\x00\x02[B\xac\xf3\x17\xf8\x06\x08T\xe0\x02\x00\x00xp\x00\x00\x00\x1d\
        [\"src\",{\"filename\":\"/a.txt\"}]uq\x00~\x00\x02\x00\x00\x00\x0e{\"position\":6}x";

    #[test]
    fn javas_file_is_read_and_written_byte_for_byte() {
        let entries = from_bytes(JAVAS).unwrap();
        let key = Bytes::from_static(br#"["src",{"filename":"/a.txt"}]"#);
        assert_eq!(entries.get(&key), Some(&Some(Bytes::from_static(br#"{"position":6}"#))));
        assert_eq!(to_bytes(&entries), JAVAS);
    }

    #[test]
    fn maps_of_every_size_come_back() {
        for size in [0, 1, 12, 13, 24, 25, 1000] {
            let entry = |at: u32| {
                let value = (!at.is_multiple_of(3)).then(|| Bytes::from(format!("v{at}")));
                (Bytes::from(format!("k{at}")), value)
            };
            let entries: Entries = (0..size).map(entry).collect();
            assert_eq!(from_bytes(&to_bytes(&entries)).unwrap(), entries, "{size}");
        }
    }

    #[test]
    fn cut_and_changed_files_are_refused() {
        for end in 0..JAVAS.len() {
            assert!(from_bytes(&JAVAS[..end]).is_err(), "{end}");
        }
        let mut huge = JAVAS.to_vec();
        let at = huge.windows(4).position(|four| four == [0, 0, 0, 0x1d]).unwrap();
        huge[at] = 0x7f;
        assert!(from_bytes(&huge).is_err());
    }
}
