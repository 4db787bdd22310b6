//! Reading of Java's own stores.
//!
//! Owns: entries, the store's checksum, and the key's cover, which is a stream of SHA-1 sums. Source:
//! `JavaKeyStore` and `KeyProtector` of OpenJDK.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA1_OUTPUT_LEN};

use super::der::{Der, OBJECT, OCTETS, SEQUENCE};
use super::{Contents, PASSWORD, Passwords};

/// How keys are covered.
const KEY_PROTECTOR: &[u8] = &[0x2b, 6, 1, 4, 1, 42, 2, 17, 1, 1];
/// Goes into the checksum between the password and the store.
const CHECKSUM: &[u8] = b"Mighty Aphrodite";
const KEY: u32 = 1;
const TRUSTED: u32 = 2;
const DAMAGED: &str = "the store is damaged";

/// Reads a store that starts as one of Java's. Without a password the checksum is not looked at, as in Java.
pub(super) fn read(store: &[u8], passwords: Passwords<'_>) -> Result<Contents, String> {
    let (content, checksum) = store.split_last_chunk::<SHA1_OUTPUT_LEN>().ok_or(DAMAGED)?;
    if !passwords.store.is_empty() {
        let found = sum(&[&utf16(passwords.store), CHECKSUM, content]);
        verify_slices_are_equal(&found, checksum).map_err(|_| PASSWORD)?;
    }
    let mut entries = Bytes(content);
    let (_magic, version) = (entries.number()?, entries.number()?);
    if !matches!(version, 1 | 2) {
        return Err(format!("it is of version {version}, which is not known"));
    }
    let mut contents = Contents::default();
    for _ in 0..entries.number()? {
        let kind = entries.number()?;
        let _alias = entries.text()?;
        let _created = entries.take(8)?;
        match kind {
            KEY => {
                contents.keys.push(uncovered(entries.sized()?, passwords.key)?);
                for _ in 0..entries.number()? {
                    contents.chain.push(entries.certificate(version)?);
                }
            }
            TRUSTED => contents.certificates.push(entries.certificate(version)?),
            _ => return Err(DAMAGED.to_owned()),
        }
    }
    Ok(contents)
}

/// The key under its cover.
fn uncovered(covered: &[u8], password: &str) -> Result<Vec<u8>, String> {
    let mut info = Der::new(covered).enter(SEQUENCE)?;
    if info.enter(SEQUENCE)?.expect(OBJECT)? != KEY_PROTECTOR {
        return Err("its key is encrypted with an unknown cipher; write it anew with keytool".to_owned());
    }
    let covered = info.expect(OCTETS)?;
    let (salt, rest) = covered.split_first_chunk::<SHA1_OUTPUT_LEN>().ok_or(DAMAGED)?;
    let (key, checksum) = rest.split_last_chunk::<SHA1_OUTPUT_LEN>().ok_or(DAMAGED)?;
    let password = utf16(password);
    let mut stream = *salt;
    let mut plain = Vec::with_capacity(key.len());
    for part in key.chunks(SHA1_OUTPUT_LEN) {
        stream = sum(&[&password, &stream]);
        plain.extend(part.iter().zip(&stream).map(|(byte, cover)| byte ^ cover));
    }
    verify_slices_are_equal(&sum(&[&password, &plain]), checksum)
        .map_err(|_| "the password of the key is wrong or the store is damaged")?;
    Ok(plain)
}

fn sum(parts: &[&[u8]]) -> [u8; SHA1_OUTPUT_LEN] {
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    parts.iter().for_each(|part| context.update(part));
    let mut sum = [0; SHA1_OUTPUT_LEN];
    sum.copy_from_slice(context.finish().as_ref());
    sum
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

/// What is left of a store.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(DAMAGED)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32, String> {
        let bytes = self.take(4)?.try_into().map_err(|_| DAMAGED)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn text(&mut self) -> Result<&'a [u8], String> {
        let length = self.take(2)?.try_into().map_err(|_| DAMAGED)?;
        self.take(u16::from_be_bytes(length).into())
    }

    fn sized(&mut self) -> Result<&'a [u8], String> {
        let length = self.number()?;
        self.take(usize::try_from(length).map_err(|_| DAMAGED)?)
    }

    fn certificate(&mut self, version: u32) -> Result<Vec<u8>, String> {
        // The first version has X.509 certificates only and does not say so.
        if version > 1 && self.text()? != b"X.509" {
            return Err("it holds a certificate that is not X.509".to_owned());
        }
        self.sized().map(<[u8]>::to_vec)
    }
}
