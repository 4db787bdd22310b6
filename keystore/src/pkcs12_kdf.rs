//! Keys out of passwords in the way of PKCS12, with SHA-1.
//!
//! Source: RFC 7292, appendix B.

use std::num::NonZeroU32;

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA1_OUTPUT_LEN};

/// What is derived: a key, or where a cipher starts.
pub(super) const KEY: u8 = 1;
pub(super) const START: u8 = 2;
/// Bytes of a block of SHA-1.
const BLOCK: usize = 64;

/// Fills `out`.
pub(super) fn derive(id: u8, password: &str, salt: &[u8], iterations: NonZeroU32, out: &mut [u8]) {
    // Two bytes of zero end the password.
    let password: Vec<u8> = password.encode_utf16().chain([0]).flat_map(u16::to_be_bytes).collect();
    let mut input = filled(salt);
    input.extend(filled(&password));
    for part in out.chunks_mut(SHA1_OUTPUT_LEN) {
        let mut sum = sha1(&[&[id; BLOCK], &input]);
        for _ in 1..iterations.get() {
            sum = sha1(&[&sum]);
        }
        part.copy_from_slice(&sum[..part.len()]);
        for block in input.chunks_mut(BLOCK) {
            add_and_one(block, &sum);
        }
    }
}

/// `bytes` again and again up to whole blocks; nothing when there are none.
fn filled(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().cycle().take(bytes.len().next_multiple_of(BLOCK)).collect()
}

/// Adds `sum`, repeated, and one to the number in `block`.
fn add_and_one(block: &mut [u8], sum: &[u8]) {
    let mut carry = 1u16;
    for (at, byte) in block.iter_mut().enumerate().rev() {
        carry += u16::from(*byte) + u16::from(sum[at % sum.len()]);
        *byte = carry.to_le_bytes()[0];
        carry >>= 8;
    }
}

fn sha1(parts: &[&[u8]]) -> [u8; SHA1_OUTPUT_LEN] {
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    parts.iter().for_each(|part| context.update(part));
    let mut sum = [0; SHA1_OUTPUT_LEN];
    sum.copy_from_slice(context.finish().as_ref());
    sum
}
