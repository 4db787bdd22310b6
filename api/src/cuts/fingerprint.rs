//! Which settings shaped names and contents: decisions made under others are not repeated.

/// Settings that shape what is stored, as short codes: 18 bits each tell that a value changed and nothing
/// about what it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint {
    settings: Vec<(String, String)>,
}

impl Fingerprint {
    /// Adds a setting; the order counts.
    pub fn add(&mut self, name: impl Into<String>, value: &str) {
        self.settings.push((name.into(), code(value)));
    }

    /// The text that is recorded.
    pub fn text(&self) -> String {
        self.settings.iter().map(|(_, code)| code.as_str()).collect()
    }

    /// The settings that differ from those of `recorded`; all of them when it is of another form.
    pub fn changed(&self, recorded: &str) -> Vec<&str> {
        let is_comparable = recorded.is_ascii() && recorded.len() == self.settings.len() * CODE_BYTES;
        let recorded: Vec<&[u8]> = recorded.as_bytes().chunks(CODE_BYTES).collect();
        let settings = self.settings.iter().enumerate();
        let changed = settings.filter(|(at, (_, code))| !is_comparable || recorded[*at] != code.as_bytes());
        changed.map(|(_, (name, _))| name.as_str()).collect()
    }
}

const CODE_BYTES: usize = 3;
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// FNV-1a, mixed and cut to three letters: the same in every build.
fn code(value: &str) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in value.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let letter = |shift: u32| char::from(LETTERS[((hash >> shift) & 63) as usize]);
    [40, 46, 52].map(letter).iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> Fingerprint {
        let mut fingerprint = Fingerprint::default();
        for (name, value) in ["topics.dir", "format.class", "timezone"].iter().zip(values) {
            fingerprint.add(*name, value);
        }
        fingerprint
    }

    #[test]
    fn what_changed_has_a_name() {
        let before = of(&["topics", "Json", "UTC"]);
        assert!(before.changed(&before.text()).is_empty());
        assert_eq!(of(&["topics", "Json", "Europe/Paris"]).changed(&before.text()), ["timezone"]);
        assert_eq!(of(&["t", "Avro", "UTC"]).changed(&before.text()), ["topics.dir", "format.class"]);
        assert_eq!(before.changed("").len(), 3, "another form: everything may have changed");
        assert_eq!(before.changed("äöü").len(), 3);
    }

    #[test]
    fn codes_are_the_same_in_every_build() {
        assert_eq!((code(""), code("topics").len()), (code(""), 3));
        assert_eq!(of(&["topics", "Json", "UTC"]).text().len(), 9);
        let codes: std::collections::HashSet<String> = (0..100).map(|n: i32| code(&n.to_string())).collect();
        assert_eq!(codes.len(), 100);
    }
}
