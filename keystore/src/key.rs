//! Private keys in PEM form, plain or encrypted as PKCS#8.
//!
//! Source: `DefaultSslEngineFactory.PemStore`, Kafka 4.1; RFC 5958, RFC 7468. Java 17 reads none of the
//! schemes of PBES2; a password beside a plain key is an accident there and no problem here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::der::{Der, OCTETS, SEQUENCE};
use super::pbe::{self, MAX_ITERATIONS, Problem};
use super::pem;

const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";

/// Why a key in PEM form cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyProblem {
    /// A sentence about the key, which never holds its content.
    Key(String),
    /// A sentence about its password, which never holds it.
    Password(String),
}

/// The one private key in `text` as plain PEM, alone. What is before and after the key is left out.
///
/// # Errors
/// No key, more than one, an encrypted one that cannot be decrypted.
pub fn plain_key(text: &str, password: Option<&str>) -> Result<String, KeyProblem> {
    plain_key_within(text, password, MAX_ITERATIONS)
}

/// [`plain_key`] of a key that may ask for `left` rounds of key derivation.
pub(super) fn plain_key_within(
    text: &str,
    password: Option<&str>,
    mut left: u32,
) -> Result<String, KeyProblem> {
    let problem = |sentence: &str| KeyProblem::Key(sentence.to_owned());
    let mut found = blocks(text).filter(|block| block.label.ends_with("PRIVATE KEY"));
    let block = found.next().ok_or_else(|| problem("it holds no private key in PEM form"))?;
    if found.next().is_some() {
        return Err(problem("it holds more than one private key"));
    }
    if block.body.contains("Proc-Type:") {
        return Err(problem(
            "its encryption is that of old OpenSSL; write the key anew with \"openssl pkcs8 -topk8\"",
        ));
    }
    let damaged = || problem("its private key is damaged");
    let bytes = block.bytes().ok_or_else(damaged)?;
    if block.label != ENCRYPTED {
        return Ok(pem(block.label, &bytes));
    }
    let Some(password) = password else {
        return Err(KeyProblem::Password("the private key is encrypted and needs its password".to_owned()));
    };
    let mut outer = Der::new(&bytes);
    let mut info = outer.enter(SEQUENCE).map_err(|_| damaged())?;
    let algorithm = info.enter(SEQUENCE).map_err(|_| damaged())?;
    let content = info.expect(OCTETS).map_err(|_| damaged())?;
    match pbe::decrypt(algorithm, content, password, &mut left) {
        Ok(key) => Ok(pem("PRIVATE KEY", &key)),
        Err(Problem::Cipher) => Err(problem(
            "the cipher of its private key is not known; write the key anew with \"openssl pkcs8 -topk8\"",
        )),
        Err(Problem::Damaged) => Err(damaged()),
        Err(Problem::Iterations) => Err(problem("the iteration count of its private key is out of range")),
        Err(Problem::Password) => {
            Err(KeyProblem::Password("the password is wrong or the private key is damaged".to_owned()))
        }
    }
}

/// The certificates in `text` as PEM, in their order, alone.
///
/// # Errors
/// A sentence when there is none, or one is no base64.
pub fn plain_certificates(text: &str) -> Result<String, String> {
    let mut found = String::new();
    for block in blocks(text).filter(|block| block.label.ends_with("CERTIFICATE")) {
        found.push_str(&pem("CERTIFICATE", &block.bytes().ok_or("one of its certificates is damaged")?));
    }
    if found.is_empty() { Err("it holds no certificate in PEM form".to_owned()) } else { Ok(found) }
}

/// What is between two lines of PEM.
struct Block<'a> {
    label: &'a str,
    body: &'a str,
}

impl Block<'_> {
    /// What it holds; lines with a colon are no part of it.
    fn bytes(&self) -> Option<Vec<u8>> {
        let lines = self.body.lines().filter(|line| !line.contains(':'));
        let letters: String = lines.flat_map(str::split_whitespace).collect();
        STANDARD.decode(letters).ok()
    }
}

/// The blocks of a text. Settings may hold each in one line, as Java allows.
fn blocks(text: &str) -> impl Iterator<Item = Block<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once("-----BEGIN ")?;
        let (label, after) = after.split_once("-----")?;
        let (body, after) = after.split_once("-----END ")?;
        let (_, after) = after.split_once("-----")?;
        rest = after;
        Some(Block { label, body })
    })
}

#[cfg(test)]
mod tests;
