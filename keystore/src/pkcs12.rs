//! Reading of PKCS12 stores as `keytool` (JDK 17 and later) and OpenSSL 3 write them.
//!
//! Owns: finding certificates and the one key. Content encrypted by PBES2 with AES is read; the ciphers of
//! older tools are not, and the error says what to do. The store's checksum is not verified: a wrong password
//! shows in the content. Source: RFC 7292, RFC 8018.

use std::num::NonZeroU32;

use aws_lc_rs::cipher::{AES_128, AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::pbkdf2;

use super::der::{self, Der, INTEGER, OBJECT, OCTETS, SEQUENCE, context};
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
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13];
const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 12];
/// What the pseudo-random functions start with; the last byte says which.
const HMAC: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2];
const AES_128_CBC: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 2];
const AES_256_CBC: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 42];

/// Rounds of key derivation that one store may ask for, all its parts together: a few seconds of work. Tools
/// use 10,000 per part.
const MAX_ITERATIONS: u32 = 10_000_000;
const MAX_DEPTH: usize = 8;
const CIPHER: &str = "it is encrypted with a cipher of older tools; write it anew with keytool of JDK 17 or \
                      later, or with OpenSSL 3";

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

/// Decrypts `content` as `algorithm` (an open AlgorithmIdentifier) says.
fn decrypt(
    mut algorithm: Der<'_>,
    content: &[u8],
    password: &str,
    iterations_left: &mut u32,
) -> Result<Vec<u8>, String> {
    if algorithm.expect(OBJECT)? != PBES2 {
        return Err(CIPHER.to_owned());
    }
    let mut parameters = algorithm.enter(SEQUENCE)?;
    let mut derivation = parameters.enter(SEQUENCE)?;
    if derivation.expect(OBJECT)? != PBKDF2 {
        return Err(CIPHER.to_owned());
    }
    let mut derivation = derivation.enter(SEQUENCE)?;
    let salt = derivation.expect(OCTETS)?;
    let iterations = der::number(derivation.expect(INTEGER)?).and_then(NonZeroU32::new);
    let left = iterations.and_then(|count| iterations_left.checked_sub(count.get()));
    let (Some(iterations), Some(left)) = (iterations, left) else {
        return Err("its iteration count is out of range".to_owned());
    };
    *iterations_left = left;
    if derivation.peek() == Some(INTEGER) {
        derivation.expect(INTEGER)?;
    }
    let function =
        if derivation.is_empty() { None } else { Some(derivation.enter(SEQUENCE)?.expect(OBJECT)?) };
    let function = match function.map(|oid| oid.strip_prefix(HMAC)) {
        None | Some(Some([7])) => pbkdf2::PBKDF2_HMAC_SHA1,
        Some(Some([9])) => pbkdf2::PBKDF2_HMAC_SHA256,
        Some(Some([10])) => pbkdf2::PBKDF2_HMAC_SHA384,
        Some(Some([11])) => pbkdf2::PBKDF2_HMAC_SHA512,
        Some(_) => return Err(CIPHER.to_owned()),
    };
    let mut cipher = parameters.enter(SEQUENCE)?;
    let (cipher, key_length) = match (cipher.expect(OBJECT)?, cipher.expect(OCTETS)?) {
        (AES_128_CBC, iv) => ((&AES_128, iv), 16),
        (AES_256_CBC, iv) => ((&AES_256, iv), 32),
        _ => return Err(CIPHER.to_owned()),
    };
    let iv: [u8; 16] = cipher.1.try_into().map_err(|_| "its cipher has no valid start")?;
    let mut key = [0; 32];
    let key = &mut key[..key_length];
    pbkdf2::derive(function, iterations, salt, password.as_bytes(), key);
    let key = UnboundCipherKey::new(cipher.0, key).and_then(PaddedBlockDecryptingKey::cbc_pkcs7);
    let mut content = content.to_vec();
    let context = DecryptionContext::Iv128(FixedLength::from(iv));
    let plain = key.and_then(|key| key.decrypt(&mut content, context).map(|plain| plain.len()));
    content.truncate(plain.map_err(|_| PASSWORD)?);
    // Wrong passwords rarely leave valid padding, and never a sequence that fills the content.
    let mut check = Der::new(&content);
    match check.enter(SEQUENCE) {
        Ok(_) if check.is_empty() => Ok(content),
        _ => Err(PASSWORD.to_owned()),
    }
}
