//! Which task has what: the same answer in every task, worker and run.

/// Source: `String#hashCode`.
fn java_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0, |hash: i32, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

/// The task of `text` among `tasks`. Source: `Math#floorMod`.
pub(super) fn task_of(text: &str, tasks: u32) -> u32 {
    let task = i64::from(java_hash(text)).rem_euclid(i64::from(tasks.max(1)));
    u32::try_from(task).expect("below the number of tasks")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_javas() {
        let texts = ["", "topic-00001", "é😀", "polygenelubricants", "topics/t/partition=0"];
        assert_eq!(texts.map(java_hash), [0, -1_588_398_573, 1_996_812, i32::MIN, 270_689_591]);
        assert_eq!(texts.map(|text| task_of(text, 3)), [0, 0, 0, 1, 2]);
        assert_eq!(texts.map(|text| task_of(text, 7)), [0, 1, 6, 5, 4]);
    }
}
