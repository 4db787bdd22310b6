//! The worker's memory as it is counted (decision 0010): Kafka Connect has nothing like it, a JVM has its
//! heap.

use lakeward_api::memory::{Memory, MemoryKind};

use super::page::{Labels, Page};

/// Appends the memory of this process, if it has a data plane.
pub(super) fn append(page: &mut Page<'_>) {
    if let Some(memory) = Memory::shown() {
        show(page, memory);
    }
}

fn show(page: &mut Page<'_>, memory: &Memory) {
    let kinds =
        MemoryKind::ALL.map(|kind| (Labels::new(&[("kind", kind.name())]), memory.used_by(kind) as f64));
    let none = Labels::default();
    page.own_gauges("lakeward_memory_used_bytes", kinds.iter().map(|(labels, bytes)| (labels, *bytes)));
    for (name, bytes) in [
        ("lakeward_memory_limit_bytes", memory.limit_bytes()),
        ("lakeward_memory_spilled_bytes", memory.spilled_bytes()),
    ] {
        page.own_gauges(name, std::iter::once((&none, bytes as f64)));
    }
    let total = memory.spilled_total_bytes() as f64;
    page.own_counters("lakeward_memory_spilled_bytes_total", std::iter::once((&none, total)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_and_the_limit_are_shown() {
        let memory = Memory::new(1 << 30);
        let open = memory.share(MemoryKind::Open);
        open.set(77);
        memory.spilled(5000);
        memory.unspilled(2000);
        let mut nowhere = |_: String| None;
        let mut page = Page::new(1 << 20, String::new(), &mut nowhere);
        show(&mut page, &memory);
        let text = page.finish();
        for line in [
            "# TYPE lakeward_memory_used_bytes gauge",
            r#"lakeward_memory_used_bytes{kind="open"} 77"#,
            r#"lakeward_memory_used_bytes{kind="in_flight"} 0"#,
            "lakeward_memory_limit_bytes 1073741824",
            "lakeward_memory_spilled_bytes 3000",
            "lakeward_memory_spilled_bytes_total 5000",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line} in\n{text}");
        }
    }
}
