//! Figures for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Figure, Reference};

/// What every class must reach: so many times Java's records per CPU second of the whole process, which pays
/// for memory as well (garbage collection there, freeing here).
pub(super) const RATIO_MIN: f64 = 10.0;

const INDICATION: &str = "\
* an indication: on the side of Java, libraries read and write, but the mapping to Kafka's values is our own
";

/// One line per figure, and the figures below the mark once more.
pub fn table(figures: &[Figure]) -> String {
    let mut text = format!(
        "{:<34} {:<12} {:>12} {:>12} {:>9} {:>9}\n",
        "class", "records", "java/CPU s", "ours/CPU s", "call", "process"
    );
    for figure in figures {
        text.push_str(&line(figure));
        text.push('\n');
    }
    let slow: Vec<&Figure> = figures.iter().filter(|figure| is_slow(figure)).collect();
    writeln!(text, "{} of {} below {RATIO_MIN}×", slow.len(), figures.len())
        .expect("writing to a String cannot fail");
    for figure in slow {
        writeln!(text, "below {RATIO_MIN}×: {} {} {:.1}×", figure.name, figure.shape, figure.ratio_freed())
            .expect("writing to a String cannot fail");
    }
    if figures.iter().any(|figure| figure.reference == Reference::Indication) {
        text.push_str(INDICATION);
    }
    text
}

/// A figure in one line.
pub fn line(figure: &Figure) -> String {
    let star = if figure.reference == Reference::Indication { " *" } else { "" };
    let mark = if is_slow(figure) { "  below 10×" } else { "" };
    format!(
        "{:<34} {:<12} {:>12.0} {:>12.0} {:>8.1}× {:>8.1}×{star}{mark}",
        figure.name,
        figure.shape,
        figure.java,
        figure.ours,
        figure.ratio(),
        figure.ratio_freed()
    )
}

/// Everything as one JSON object.
pub fn json(figures: &[Figure]) -> String {
    let rounded =
        |number: f64| if number.is_finite() { json!((number * 100.0).round() / 100.0) } else { Value::Null };
    let one = |figure: &Figure| {
        json!({
            "class": figure.name,
            "records": figure.shape,
            "java_records_per_cpu_second": rounded(figure.java),
            "java_records_per_process_cpu_second": rounded(figure.java_process),
            "ours_records_per_cpu_second": rounded(figure.ours),
            "ours_records_per_cpu_second_with_freeing": rounded(figure.ours_freed),
            "ratio": rounded(figure.ratio()),
            "ratio_with_memory": rounded(figure.ratio_freed()),
            "below_mark": is_slow(figure),
            "is_indication": figure.reference == Reference::Indication,
        })
    };
    let figures: Vec<Value> = figures.iter().map(one).collect();
    let object = json!({
        "bench": "transforms",
        "rows_per_batch": super::data::ROWS,
        "ratio_min": RATIO_MIN,
        "figures": figures,
    });
    object.to_string()
}

fn is_slow(figure: &Figure) -> bool {
    figure.java > 0.0 && figure.ratio_freed() < RATIO_MIN
}
