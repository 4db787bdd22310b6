//! When the leader has to make a new session key.
//!
//! Source: KIP-507, `DistributedHerder#checkForKeyRotation`, Kafka 4.1. Unlike there, a key that was found at
//! the start stays when keys do not expire.

use crate::config_log::SessionKey;

/// What keys must be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPolicy {
    /// Key algorithm, under Java's name.
    pub algorithm: &'static str,
    /// Size of a raw key, bytes.
    pub bytes: usize,
    /// How long a key is used, ms; 0 is for ever.
    pub ttl_ms: i64,
}

impl KeyPolicy {
    /// When the next key is due, ms since the epoch; a time that has passed means now, `None` never.
    pub fn due_ms(&self, known: Option<&SessionKey>) -> Option<i64> {
        let Some(known) = known.filter(|known| self.fits(known)) else { return Some(i64::MIN) };
        (self.ttl_ms > 0).then(|| known.created_ms.saturating_add(self.ttl_ms))
    }

    /// Whether a key is of the algorithm and size that are asked for.
    fn fits(&self, known: &SessionKey) -> bool {
        // Four characters hold three bytes.
        known.algorithm == self.algorithm && known.key.trim_end_matches('=').len() * 3 / 4 == self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 32 bytes.
    const KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

    fn key(algorithm: &str, key: &str) -> SessionKey {
        SessionKey { key: key.to_owned(), algorithm: algorithm.to_owned(), created_ms: 1_000 }
    }

    #[test]
    fn a_key_is_due_when_there_is_none_or_it_is_of_another_kind() {
        let policy = KeyPolicy { algorithm: "HmacSHA256", bytes: 32, ttl_ms: 500 };
        let (other, short) = (key("HmacSHA1", KEY), key("HmacSHA256", "BwcHBwcHBwcHBwcHBwcHBw=="));
        for known in [None, Some(&other), Some(&short)] {
            assert_eq!(policy.due_ms(known), Some(i64::MIN), "{known:?}");
        }
    }

    #[test]
    fn a_key_is_used_until_its_time_is_over() {
        let policy = KeyPolicy { algorithm: "HmacSHA256", bytes: 32, ttl_ms: 500 };
        assert_eq!(policy.due_ms(Some(&key("HmacSHA256", KEY))), Some(1_500));
        let endless = KeyPolicy { ttl_ms: 0, ..policy };
        assert_eq!(endless.due_ms(Some(&key("HmacSHA256", KEY))), None);
        assert_eq!(endless.due_ms(None), Some(i64::MIN));
    }
}
