//! Reading of PKCS12 stores as `keytool` and OpenSSL write them.
//!
//! Owns: finding certificates and keys. The store's checksum is not verified: a wrong password shows in the
//! content. Source: RFC 7292.

use super::der::{self, Der, INTEGER, OBJECT, OCTETS, SEQUENCE, context};
use super::pbe::{self, MAX_ITERATIONS, Problem};
use super::{Contents, PASSWORD, Passwords};

const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
const ENCRYPTED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 6];
/// What all kinds of bags start with.
const BAG: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 10, 1];
const KEY_BAG: u8 = 1;
const SHROUDED_KEY_BAG: u8 = 2;
const CERTIFICATE_BAG: u8 = 3;
const NESTED_BAG: u8 = 6;
const X509: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 22, 1];
const MAX_DEPTH: usize = 8;
const CIPHER: &str = "it is encrypted with a cipher that is not known; write it anew with keytool of JDK 17 \
                      or later, or with OpenSSL 3";

/// Reads a store. The error is a sentence about the store and never holds its content.
pub(super) fn read(store: &[u8], passwords: Passwords<'_>) -> Result<Contents, String> {
    read_within(store, passwords, MAX_ITERATIONS)
}

/// [`read`] of a store that may ask for `left` rounds of key derivation.
pub(super) fn read_within(store: &[u8], passwords: Passwords<'_>, mut left: u32) -> Result<Contents, String> {
    let mut contents = Contents::default();
    let mut store = Der::new(store).enter(SEQUENCE)?;
    store.expect(INTEGER)?;
    let safe =
        content(store.enter(SEQUENCE)?)?.ok_or("its content is signed, not protected by a password")?;
    let mut safe = Der::new(safe).enter(SEQUENCE)?;
    while !safe.is_empty() {
        let part = safe.enter(SEQUENCE)?;
        match content(part.clone())? {
            Some(plain) => add_bags(&mut contents, plain, passwords, &mut left, 0)?,
            None => {
                let plain = decrypted_content(part, passwords.store, &mut left)?;
                add_bags(&mut contents, &plain, passwords, &mut left, 0)?;
            }
        }
    }
    Ok(contents)
}

fn add_bags(
    found: &mut Contents,
    contents: &[u8],
    passwords: Passwords<'_>,
    iterations_left: &mut u32,
    depth: usize,
) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err("it is nested too deep".to_owned());
    }
    let mut bags = Der::new(contents).enter(SEQUENCE)?;
    while !bags.is_empty() {
        let mut bag = bags.enter(SEQUENCE)?;
        let kind = bag.expect(OBJECT)?;
        let value = bag.expect(context(0))?;
        match kind.strip_prefix(BAG) {
            Some([KEY_BAG]) => found.keys.push(value.to_vec()),
            Some([SHROUDED_KEY_BAG]) => {
                let mut value = Der::new(value).enter(SEQUENCE)?;
                let algorithm = value.enter(SEQUENCE)?;
                let content = value.expect(OCTETS)?;
                found.keys.push(decrypt(algorithm, content, passwords.key, iterations_left)?);
            }
            Some([CERTIFICATE_BAG]) => {
                let mut value = Der::new(value).enter(SEQUENCE)?;
                if value.expect(OBJECT)? == X509 {
                    let certificate = value.enter(context(0))?.expect(OCTETS)?;
                    found.certificates.push(certificate.to_vec());
                }
            }
            Some([NESTED_BAG]) => add_bags(found, value, passwords, iterations_left, depth + 1)?,
            // Secrets and revocation lists.
            _ => {}
        }
    }
    Ok(())
}

/// The plain content of a content info; `None` when it is of another kind.
fn content(mut info: Der<'_>) -> Result<Option<&[u8]>, String> {
    if info.expect(OBJECT)? != DATA {
        return Ok(None);
    }
    info.enter(context(0))?.expect(OCTETS).map(Some)
}

fn decrypted_content(
    mut info: Der<'_>,
    password: &str,
    iterations_left: &mut u32,
) -> Result<Vec<u8>, String> {
    if info.expect(OBJECT)? != ENCRYPTED_DATA {
        return Err("it holds content of an unknown kind".to_owned());
    }
    let mut data = info.enter(context(0))?.enter(SEQUENCE)?;
    data.expect(INTEGER)?;
    let mut encrypted = data.enter(SEQUENCE)?;
    encrypted.expect(OBJECT)?;
    let algorithm = encrypted.enter(SEQUENCE)?;
    decrypt(algorithm, encrypted.expect(der::IMPLICIT_0)?, password, iterations_left)
}

fn decrypt(
    algorithm: Der<'_>,
    content: &[u8],
    password: &str,
    iterations_left: &mut u32,
) -> Result<Vec<u8>, String> {
    pbe::decrypt(algorithm, content, password, iterations_left).map_err(|problem| {
        let sentence = match problem {
            Problem::Cipher => CIPHER,
            Problem::Damaged => "it is no JKS or PKCS12 store, or it is damaged",
            Problem::Iterations => "its iteration count is out of range",
            Problem::Password => PASSWORD,
        };
        sentence.to_owned()
    })
}
