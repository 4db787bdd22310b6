//! Certificates and keys out of the stores of Java's `keytool`, JKS and PKCS12, and out of texts in PEM form.
//!
//! Must not keep or show what a store holds beyond the caller's. Source: Java looks at a store's first bytes,
//! not at its declared type, when it reads either of the two (`DualFormat` of `java.security.KeyStore`).

mod der;
mod jks;
mod key;
mod legacy;
mod pbe;
mod pkcs12;
mod pkcs12_kdf;
#[cfg(test)]
mod tests;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub use key::{KeyProblem, plain_certificates, plain_key};

/// What a store holds.
#[derive(Debug, Default)]
pub struct Contents {
    /// X.509 certificates in DER form, in the store's order.
    certificates: Vec<Vec<u8>>,
    /// The certificates of the key, its own first; empty when the store does not tell them from others.
    chain: Vec<Vec<u8>>,
    /// Private keys in PKCS#8 DER form.
    keys: Vec<Vec<u8>>,
}

/// What protects a store.
#[derive(Clone, Copy)]
pub struct Passwords<'a> {
    /// That of the store; empty when none is given.
    pub store: &'a str,
    /// That of the key.
    pub key: &'a str,
}

impl Contents {
    /// Reads a store; memory: a few times its size.
    ///
    /// # Errors
    /// A sentence about the store (a wrong password, an unknown kind), which never holds its content.
    pub fn read(store: &[u8], passwords: Passwords<'_>) -> Result<Self, String> {
        match store {
            [0xfe, 0xed, 0xfe, 0xed, ..] => jks::read(store, passwords),
            [0xce, 0xce, 0xce, 0xce, ..] => Err("JCEKS stores cannot be read; convert it with \
                 \"keytool -importkeystore -srcstoretype JCEKS -deststoretype PKCS12\""
                .to_owned()),
            _ => pkcs12::read(store, passwords),
        }
    }

    /// The certificates in PEM form; empty without any.
    pub fn certificates(&self) -> String {
        self.chain.iter().chain(&self.certificates).map(|one| pem("CERTIFICATE", one)).collect()
    }

    /// Certificates and the key in PEM form.
    ///
    /// # Errors
    /// A sentence, when the store does not hold exactly one private key.
    pub fn identity(&self) -> Result<String, String> {
        Ok(self.chain() + &self.key()?)
    }

    /// The certificates of the key in PEM form, its own first.
    pub fn chain(&self) -> String {
        let chain = if self.chain.is_empty() { &self.certificates } else { &self.chain };
        chain.iter().map(|one| pem("CERTIFICATE", one)).collect()
    }

    /// The key in PEM form.
    ///
    /// # Errors
    /// A sentence, when the store does not hold exactly one private key.
    pub fn key(&self) -> Result<String, String> {
        match self.keys.as_slice() {
            [key] => Ok(pem("PRIVATE KEY", key)),
            [] => Err("it holds no private key".to_owned()),
            keys => {
                Err(format!("it holds {} private keys; export the one to use into its own store", keys.len()))
            }
        }
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.extend(line.iter().map(|byte| char::from(*byte)));
        pem.push('\n');
    }
    pem + &format!("-----END {label}-----\n")
}

const PASSWORD: &str = "the password is wrong or the store is damaged";
