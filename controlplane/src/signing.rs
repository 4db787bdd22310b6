//! Signatures of requests between workers: algorithms, settings, sums.
//!
//! Owns what a worker signs with and what it accepts. The key comes from the config topic and is a secret: it
//! is in no text, no answer and no log line.
//!
//! Source: KIP-507, `DistributedConfig`, `InternalRequestSignature`, Kafka 4.1.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose;
use lakeward_api::config::ConfigValue;
use lakeward_controlplane_core::config_log::SessionKey;
use lakeward_controlplane_core::session_keys::KeyPolicy;

use crate::java_base64;
use crate::worker_config::{WorkerConfig, WorkerMode};

const KEY_ALGORITHM: &str = "inter.worker.key.generation.algorithm";
const KEY_SIZE: &str = "inter.worker.key.size";
const KEY_TTL: &str = "inter.worker.key.ttl.ms";
const SIGNATURE: &str = "inter.worker.signature.algorithm";
const VERIFICATION: &str = "inter.worker.verification.algorithms";

/// Bits of a key: Java's least, and far more than any of the algorithms uses.
const KEY_BITS_MIN: i64 = 40;
const KEY_BITS_MAX: i64 = 65_536;

/// An algorithm for keys and signatures.
pub(crate) struct Mac {
    /// Java's name.
    name: &'static str,
    algorithm: hmac::Algorithm,
    /// Bytes of a key when no size is given, as Java has it.
    key_bytes: usize,
}

const MACS: [Mac; 5] = [
    Mac { name: "HmacSHA1", algorithm: hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key_bytes: 64 },
    Mac { name: "HmacSHA224", algorithm: hmac::HMAC_SHA224, key_bytes: 28 },
    Mac { name: "HmacSHA256", algorithm: hmac::HMAC_SHA256, key_bytes: 32 },
    Mac { name: "HmacSHA384", algorithm: hmac::HMAC_SHA384, key_bytes: 48 },
    Mac { name: "HmacSHA512", algorithm: hmac::HMAC_SHA512, key_bytes: 64 },
];

impl Mac {
    /// The algorithm of that name, in any case.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        MACS.iter().find(|known| known.name.eq_ignore_ascii_case(name.trim()))
    }

    /// The signature of `body` in base64; `None` when the key is none.
    pub(crate) fn sign(&self, key: &SessionKey, body: &[u8]) -> Option<String> {
        let key = hmac::Key::new(self.algorithm, &from_base64(&key.key).ok()?);
        Some(general_purpose::STANDARD.encode(hmac::sign(&key, body)))
    }

    /// Whether `signature` is that of `body`. Takes as long for a wrong one as for a right one.
    pub(crate) fn is_valid(&self, key: &SessionKey, body: &[u8], signature: &[u8]) -> bool {
        from_base64(&key.key)
            .is_ok_and(|key| hmac::verify(&hmac::Key::new(self.algorithm, &key), body, signature).is_ok())
    }
}

/// Bytes of a key or a signature.
///
/// # Errors
/// Java's words.
pub(crate) fn from_base64(text: &str) -> Result<Vec<u8>, String> {
    java_base64::decode(text.as_bytes())
}

/// How this worker signs, and what it takes.
pub(crate) struct Signing {
    /// What keys must be like.
    pub(crate) keys: KeyPolicy,
    /// For requests of this worker.
    pub(crate) signs_with: &'static Mac,
    /// The name of `signs_with` as it is configured.
    pub(crate) signature_name: String,
    /// Names of algorithms that other workers may sign with, as they are configured.
    pub(crate) accepts: Vec<String>,
    /// Whether requests between workers are signed at all.
    pub(crate) is_required: bool,
}

impl Signing {
    /// The settings of a worker file that was checked.
    pub(crate) fn of(config: &WorkerConfig) -> Self {
        let mac = |setting: &str| Mac::named(config.required(setting)).unwrap_or(&MACS[2]);
        let keys = mac(KEY_ALGORITHM);
        let size = config.number(KEY_SIZE).and_then(|bits| usize::try_from(bits).ok());
        Self {
            keys: KeyPolicy {
                algorithm: keys.name,
                bytes: size.map_or(keys.key_bytes, |bits| bits.div_ceil(8)),
                ttl_ms: config.number(KEY_TTL).unwrap_or_default(),
            },
            signs_with: mac(SIGNATURE),
            signature_name: config.required(SIGNATURE).trim().to_owned(),
            accepts: names(config.required(VERIFICATION)),
            is_required: config.mode() == WorkerMode::Distributed
                && config.text("connect.protocol") == Some("sessioned"),
        }
    }

    /// A new key.
    pub(crate) fn make_key(&self, now_ms: i64) -> Result<SessionKey, aws_lc_rs::error::Unspecified> {
        let mut raw = vec![0; self.keys.bytes];
        aws_lc_rs::rand::fill(&mut raw)?;
        let key = general_purpose::STANDARD.encode(raw);
        Ok(SessionKey { key, algorithm: self.keys.algorithm.to_owned(), created_ms: now_ms })
    }
}

fn names(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Checks the algorithms of a worker file's value, which may be a list.
pub(crate) fn check_algorithms(setting: &str, text: &str) -> Result<(), String> {
    let names = names(text);
    if names.is_empty() && setting == VERIFICATION {
        return Err("At least one signature verification algorithm must be provided".to_owned());
    }
    if names.iter().all(|name| Mac::named(name).is_some()) && !names.is_empty() {
        return Ok(());
    }
    let known: Vec<&str> = MACS.iter().map(|mac| mac.name).collect();
    Err(format!(
        "the algorithm is not supported by this worker; the supported algorithms are: [{}]",
        known.join(", ")
    ))
}

/// Checks `inter.worker.key.size`.
pub(crate) fn check_key_size(_: &str, text: &str) -> Result<(), String> {
    match text.trim().parse::<i64>() {
        Ok(bits) if !(KEY_BITS_MIN..=KEY_BITS_MAX).contains(&bits) => {
            Err(format!("Key length must be at least {KEY_BITS_MIN} bits and at most {KEY_BITS_MAX}"))
        }
        _ => Ok(()),
    }
}

/// What is wrong between settings that are right by themselves: other workers would refuse what this one
/// signs.
pub(crate) fn problem(values: &[ConfigValue]) -> Option<String> {
    let right = |setting: &str| {
        let value = values.iter().find(|value| value.name == setting)?;
        value.value.as_deref().filter(|_| value.errors.is_empty())
    };
    let (signature, verification) = (right(SIGNATURE)?, right(VERIFICATION)?);
    let is_listed = names(verification).iter().any(|name| name == signature.trim());
    (!is_listed).then(|| {
        format!(
            "Invalid value {signature} for configuration {SIGNATURE}: Signature algorithm must be present in \
             {VERIFICATION} list"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(key: &str) -> SessionKey {
        SessionKey { key: key.to_owned(), algorithm: "HmacSHA256".to_owned(), created_ms: 0 }
    }

    /// Made with Java's `InternalRequestSignature` and the key of the bytes 0 to 31.
    #[test]
    fn signatures_are_javas() {
        let key = key("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        for (name, body, signature) in GOLDEN {
            let mac = Mac::named(name).unwrap();
            assert_eq!(mac.sign(&key, body.as_bytes()).as_deref(), Some(signature), "{name} {body}");
            let raw = from_base64(signature).unwrap();
            assert!(mac.is_valid(&key, body.as_bytes(), &raw));
            assert!(!mac.is_valid(&key, b"another", &raw) && !mac.is_valid(&key, body.as_bytes(), &raw[1..]));
        }
    }

    const TASKS: &str = r#"[{"task.class":"X","k":"ü"}]"#;
    const GOLDEN: [(&str, &str, &str); 10] = [
        ("HmacSHA1", "", "tFmyocn8L2aMZQn2kH1B8iCfUHw="),
        ("HmacSHA1", TASKS, "7mhrkXB8J9YaukIVmr9/qzAkf6o="),
        ("HmacSHA224", "", "KnQw+Tu1RW0VXGVAY8cHSqcMAZNqbA5TqflAfw=="),
        ("HmacSHA224", TASKS, "2Xx6+MfoR1brqRe9++pfY4bDLYmLxPzbgMsN2g=="),
        ("HmacSHA256", "", "04tCCW2A9F+Ca0Sp1WB95ySWpBXT9KGoyI47udqNwcs="),
        ("HmacSHA256", TASKS, "NI8BSEZPI5jhnvPr3EAfV4puyEq4Zi3Qa1A0rBZF23E="),
        ("HmacSHA384", "", "j4aDrvJXVhW+CRu2zaRLsQPI/H9o3Qh5gk/6wkbo8sp0ccYF1T9plBxRtHVJFoIW"),
        ("HmacSHA384", TASKS, "1jSkRHXuTXxbV6J7b4XmQLmv2dVxq+/lTcFmqN/E5pPsbA4Sjbktpo7fmCJ5pi2Y"),
        (
            "HmacSHA512",
            "",
            "sEpw9F6VKZaAYPACY0TV9NpZ8cPOIoJF9rsIjXuKqfyPXzwqSAJ+SDON4PvsfZ2P7ZY64zPSucVwTi6Vhk7Hiw==",
        ),
        (
            "HmacSHA512",
            TASKS,
            "mgNNIPMWCjg6qqqb7OR3tfCvb9se4g6vllYD/bG99SWbYR6bsIn0gAizq4saw8DKqcv9IS+b/11awT5VDlTfXA==",
        ),
    ];

    #[test]
    fn a_key_that_is_none_signs_and_accepts_nothing() {
        let mac = Mac::named("hmacsha256").unwrap();
        assert_eq!(mac.sign(&key("!"), b""), None);
        assert!(!mac.is_valid(&key("!"), b"", b""));
    }
}
