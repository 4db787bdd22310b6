//! How large the next piece of a file is: as configured at first, larger the longer the file gets, so that
//! the 10,000 parts that S3 allows hold any object up to 5 TiB.
//!
//! A file of 6 GiB still has pieces of 25 MiB; 640 MiB are reached at 160 GiB.

/// S3 has no more parts in one object.
pub(crate) const PIECES_MAX: usize = 10_000;

/// The size of the piece after `sent_bytes`, the first one having `first_bytes`.
pub(crate) fn next_piece_bytes(first_bytes: usize, sent_bytes: u64) -> usize {
    let share = usize::try_from(sent_bytes / GROWTH).unwrap_or(usize::MAX);
    share.min(GROWN_BYTES_MAX).max(first_bytes)
}

/// Pieces that a file has about whenever its piece size has doubled.
const GROWTH: u64 = 256;

/// 10,000 pieces with this end hold 5 TiB, from the smallest first size on.
const GROWN_BYTES_MAX: usize = 640 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_pieces_hold_five_tebibytes_whatever_the_first_size() {
        for first_bytes in [5 << 20, 25 << 20, 1 << 30] {
            let mut sent_bytes = 0;
            for _ in 0..PIECES_MAX {
                sent_bytes += next_piece_bytes(first_bytes, sent_bytes) as u64;
            }
            assert!(sent_bytes >= 5 << 40, "{first_bytes}: {sent_bytes}");
        }
    }

    #[test]
    fn usual_files_have_pieces_of_the_configured_size() {
        for sent_bytes in [0, 1 << 30, 6 << 30] {
            assert_eq!(next_piece_bytes(25 << 20, sent_bytes), 25 << 20);
        }
        // S3 takes no larger part than 5 GiB.
        assert!(next_piece_bytes(i32::MAX as usize, u64::MAX) < 5 << 30);
    }
}
