//! Ciphers of older tools: DES, triple DES, RC2 and RC4, to read what they wrote and for nothing else.
//!
//! Source: RFC 8018, RFC 2268; PBKDF1 with MD5 as PKCS#5 1.5 has it.

use std::num::NonZeroU32;

use des::cipher::{Array, BlockCipherDecrypt, BlockSizeUser, KeyInit};
use des::{Des, TdesEde2, TdesEde3};
use md5::{Digest, Md5};
use rc2::Rc2;

/// Bytes of a block of all these ciphers.
const BLOCK: usize = 8;

/// Sixteen bytes out of a password.
pub(super) fn pbkdf1_md5(password: &[u8], salt: &[u8], iterations: NonZeroU32) -> [u8; 16] {
    let mut sum: [u8; 16] = Md5::new().chain_update(password).chain_update(salt).finalize().into();
    for _ in 1..iterations.get() {
        sum = Md5::digest(sum).into();
    }
    sum
}

/// `None` when the content does not fit the key.
pub(super) fn des(key: &[u8], iv: &[u8], content: &[u8]) -> Option<Vec<u8>> {
    cbc::<Des>(key, iv, content)
}

/// Triple DES with two or three keys; `None` when the content does not fit them.
pub(super) fn triple_des(key: &[u8], iv: &[u8], content: &[u8]) -> Option<Vec<u8>> {
    if key.len() == 16 { cbc::<TdesEde2>(key, iv, content) } else { cbc::<TdesEde3>(key, iv, content) }
}

/// RC2 with as many bits as the key has; `None` when the content does not fit it.
pub(super) fn rc2(key: &[u8], iv: &[u8], content: &[u8]) -> Option<Vec<u8>> {
    cbc::<Rc2>(key, iv, content)
}

/// RC4, which fits everything.
pub(super) fn rc4(key: &[u8], content: &[u8]) -> Vec<u8> {
    let mut state: [u8; 256] = std::array::from_fn(|at| at.to_le_bytes()[0]);
    let mut other = 0u8;
    for at in 0..state.len() {
        other = other.wrapping_add(state[at]).wrapping_add(key[at % key.len()]);
        state.swap(at, other.into());
    }
    let (mut at, mut other) = (0u8, 0u8);
    let stream = content.iter().map(|byte| {
        at = at.wrapping_add(1);
        other = other.wrapping_add(state[usize::from(at)]);
        state.swap(at.into(), other.into());
        byte ^ state[usize::from(state[usize::from(at)].wrapping_add(state[usize::from(other)]))]
    });
    stream.collect()
}

/// Chained blocks with the padding of PKCS#7.
fn cbc<C>(key: &[u8], iv: &[u8], content: &[u8]) -> Option<Vec<u8>>
where
    C: KeyInit + BlockCipherDecrypt + BlockSizeUser,
{
    if iv.len() != BLOCK || content.is_empty() || !content.len().is_multiple_of(BLOCK) {
        return None;
    }
    let cipher = C::new_from_slice(key).ok()?;
    let mut plain = Vec::with_capacity(content.len());
    let mut before = iv;
    for block in content.chunks_exact(BLOCK) {
        let mut opened = Array::<u8, C::BlockSize>::try_from(block).ok()?;
        cipher.decrypt_block(&mut opened);
        plain.extend(opened.iter().zip(before).map(|(byte, before)| byte ^ before));
        before = block;
    }
    let padding = usize::from(*plain.last()?);
    let kept = plain.len().checked_sub(padding).filter(|_| (1..=BLOCK).contains(&padding))?;
    if plain[kept..].iter().any(|byte| usize::from(*byte) != padding) {
        return None;
    }
    plain.truncate(kept);
    Some(plain)
}
