//! Decryption under a password, as an AlgorithmIdentifier describes it.
//!
//! Owns which schemes are known and what they may cost: PBES2 with PBKDF2, the schemes of PKCS12, and PBES1
//! with MD5 and DES, of which Java 17 reads keys in PEM form. Must not word errors: a store and a key have
//! different remedies. Source: RFC 8018, RFC 7292 appendix B, `PBES1Core` and `PBES2Parameters` of OpenJDK.

use std::num::NonZeroU32;

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, Algorithm, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::pbkdf2;

use super::der::{self, Der, INTEGER, OBJECT, OCTETS, SEQUENCE};
use super::{legacy, pkcs12_kdf};

/// Rounds of key derivation that one store or key may ask for, all its parts together: a few seconds of work.
/// Tools use 2,048 to 10,000 per part.
pub(super) const MAX_ITERATIONS: u32 = 10_000_000;

const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13];
const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 12];
const MD5_AND_DES: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 3];
/// What the schemes of PKCS12 start with; the last byte says which.
const PKCS12: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 1];
/// What the pseudo-random functions and 3DES start with; the last byte says which.
const HMAC: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2];
const DES_EDE3_CBC: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 3, 7];
const AES_128_CBC: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 2];
const AES_192_CBC: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 22];
const AES_256_CBC: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 42];

/// Why something cannot be decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// The scheme is not known.
    Cipher,
    /// It is no such thing, or it is damaged.
    Damaged,
    /// The key derivation would cost too much.
    Iterations,
    /// The password is wrong, or the content is damaged.
    Password,
}

/// Decrypts `content` as `algorithm` (an open AlgorithmIdentifier) says; what comes out is one SEQUENCE.
/// Takes what the key derivation costs from `iterations_left`.
pub(super) fn decrypt(
    algorithm: Der<'_>,
    content: &[u8],
    password: &str,
    iterations_left: &mut u32,
) -> Result<Vec<u8>, Problem> {
    let plain = decrypted(algorithm, content, password, iterations_left)?;
    // Wrong passwords rarely leave valid padding, and never a sequence that fills the content.
    let mut check = Der::new(&plain);
    match check.enter(SEQUENCE) {
        Ok(_) if check.is_empty() => Ok(plain),
        _ => Err(Problem::Password),
    }
}

fn decrypted(
    mut algorithm: Der<'_>,
    content: &[u8],
    password: &str,
    iterations_left: &mut u32,
) -> Result<Vec<u8>, Problem> {
    let scheme = algorithm.expect(OBJECT).map_err(damaged)?;
    if scheme == PBES2 {
        return pbes2(algorithm, content, password, iterations_left);
    }
    let is_old = scheme == MD5_AND_DES || matches!(scheme.strip_prefix(PKCS12), Some([1..=6]));
    if !is_old {
        return Err(Problem::Cipher);
    }
    let mut parameters = algorithm.enter(SEQUENCE).map_err(damaged)?;
    let salt = parameters.expect(OCTETS).map_err(damaged)?;
    let iterations = iterations(&mut parameters, iterations_left)?;
    let Some([kind]) = scheme.strip_prefix(PKCS12) else {
        let sum = legacy::pbkdf1_md5(password.as_bytes(), salt, iterations);
        let (key, iv) = sum.split_at(8);
        return legacy::des(key, iv, content).ok_or(Problem::Password);
    };
    let derive = |id, bytes: &mut [u8]| pkcs12_kdf::derive(id, password, salt, iterations, bytes);
    let mut key = [0; 24];
    let key = match kind {
        1 | 5 => &mut key[..16],
        2 | 6 => &mut key[..5],
        4 => &mut key[..16],
        _ => &mut key[..],
    };
    derive(pkcs12_kdf::KEY, key);
    if matches!(kind, 1 | 2) {
        return Ok(legacy::rc4(key, content));
    }
    let mut iv = [0; 8];
    derive(pkcs12_kdf::START, &mut iv);
    let plain = match kind {
        5 | 6 => legacy::rc2(key, &iv, content),
        _ => legacy::triple_des(key, &iv, content),
    };
    plain.ok_or(Problem::Password)
}

fn pbes2(
    mut algorithm: Der<'_>,
    content: &[u8],
    password: &str,
    iterations_left: &mut u32,
) -> Result<Vec<u8>, Problem> {
    let mut parameters = algorithm.enter(SEQUENCE).map_err(damaged)?;
    let mut derivation = parameters.enter(SEQUENCE).map_err(damaged)?;
    if derivation.expect(OBJECT).map_err(damaged)? != PBKDF2 {
        return Err(Problem::Cipher);
    }
    let mut derivation = derivation.enter(SEQUENCE).map_err(damaged)?;
    let salt = derivation.expect(OCTETS).map_err(damaged)?;
    let iterations = iterations(&mut derivation, iterations_left)?;
    if derivation.peek() == Some(INTEGER) {
        derivation.expect(INTEGER).map_err(damaged)?;
    }
    let function = if derivation.is_empty() {
        None
    } else {
        Some(derivation.enter(SEQUENCE).and_then(|mut function| function.expect(OBJECT)).map_err(damaged)?)
    };
    let function = match function.map(|oid| oid.strip_prefix(HMAC)) {
        None | Some(Some([7])) => pbkdf2::PBKDF2_HMAC_SHA1,
        Some(Some([9])) => pbkdf2::PBKDF2_HMAC_SHA256,
        Some(Some([10])) => pbkdf2::PBKDF2_HMAC_SHA384,
        Some(Some([11])) => pbkdf2::PBKDF2_HMAC_SHA512,
        Some(_) => return Err(Problem::Cipher),
    };
    let derive = |key: &mut [u8]| {
        pbkdf2::derive(function, iterations, salt, password.as_bytes(), key);
    };
    let mut cipher = parameters.enter(SEQUENCE).map_err(damaged)?;
    let name = cipher.expect(OBJECT).map_err(damaged)?;
    let (cipher, key_length) = match (name, cipher.expect(OCTETS)) {
        (AES_128_CBC, Ok(iv)) => ((&AES_128, iv), 16),
        (AES_192_CBC, Ok(iv)) => ((&AES_192, iv), 24),
        (AES_256_CBC, Ok(iv)) => ((&AES_256, iv), 32),
        (DES_EDE3_CBC, Ok(iv)) => {
            let mut key = [0; 24];
            derive(&mut key);
            return legacy::triple_des(&key, iv, content).ok_or(Problem::Password);
        }
        _ => return Err(Problem::Cipher),
    };
    let mut key = [0; 32];
    let key = &mut key[..key_length];
    derive(key);
    aes(cipher.0, key, cipher.1, content)
}

fn aes(cipher: &'static Algorithm, key: &[u8], iv: &[u8], content: &[u8]) -> Result<Vec<u8>, Problem> {
    let iv: [u8; 16] = iv.try_into().map_err(|_| Problem::Damaged)?;
    let key = UnboundCipherKey::new(cipher, key).and_then(PaddedBlockDecryptingKey::cbc_pkcs7);
    let mut content = content.to_vec();
    let context = DecryptionContext::Iv128(FixedLength::from(iv));
    let plain = key.and_then(|key| key.decrypt(&mut content, context).map(|plain| plain.len()));
    content.truncate(plain.map_err(|_| Problem::Password)?);
    Ok(content)
}

/// The next number as rounds, if there is still a budget for it.
fn iterations(parameters: &mut Der<'_>, left: &mut u32) -> Result<NonZeroU32, Problem> {
    let number = parameters.expect(INTEGER).map_err(damaged)?;
    let count = der::number(number).and_then(NonZeroU32::new).ok_or(Problem::Iterations)?;
    *left = left.checked_sub(count.get()).ok_or(Problem::Iterations)?;
    Ok(count)
}

fn damaged(_: String) -> Problem {
    Problem::Damaged
}
