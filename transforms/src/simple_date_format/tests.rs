use super::*;

fn compiled(pattern: &str) -> SimpleDateFormat {
    // 2024-06-01T00:00:00Z.
    SimpleDateFormat::compile_at(pattern, 1_717_200_000_000).unwrap()
}

#[test]
fn placeholder() {}
