//! Seeded web-shop events: realistic to compress, and each one a pure function of seed, partition and
//! sequence.
//!
//! Owns: the event's shape and its Avro schema. Must not: keep state between events, so that the verifier can
//! rebuild any event from its id alone.

/// Avro schema of the events, for `lakeward.schema`.
pub const EVENT_SCHEMA: &str = concat!(
    r#"{"type":"record","name":"Event","namespace":"lakeward.demo","fields":["#,
    r#"{"name":"id","type":"string"},{"name":"time","type":"long"},{"name":"user","type":"string"},"#,
    r#"{"name":"country","type":"string"},{"name":"url","type":"string"},{"name":"status","type":"int"},"#,
    r#"{"name":"latency_ms","type":"double"},"#,
    r#"{"name":"device","type":{"type":"record","name":"Device","fields":["#,
    r#"{"name":"os","type":"string"},{"name":"version","type":"string"},"#,
    r#"{"name":"model","type":"string"}]}},"#,
    r#"{"name":"tags","type":{"type":"array","items":"string"}},"#,
    r#"{"name":"referrer","type":["null","string"],"default":null}]}"#
);

const COUNTRIES: [&str; 12] = ["DE", "US", "IN", "BR", "JP", "FR", "GB", "MX", "PL", "ES", "NL", "KE"];
const SECTIONS: [&str; 8] = ["books", "garden", "music", "shoes", "kitchen", "toys", "sports", "travel"];
const DEVICES: [(&str, &str, &str); 8] = [
    ("android", "15.0.2", "Pixel 9 Pro"),
    ("android", "14.1.0", "Galaxy S24"),
    ("ios", "18.3.1", "iPhone 16"),
    ("ios", "17.7.2", "iPhone 13 mini"),
    ("windows", "11.0.26100", "desktop"),
    ("macos", "15.3.0", "MacBook Air"),
    ("linux", "6.12.9", "desktop"),
    ("android", "13.0.0", "Redmi Note 12"),
];
const TAGS: [&str; 10] =
    ["mobile", "beta", "returning", "campaign", "discount", "newsletter", "guest", "prime", "slow", "search"];
const REFERRERS: [&str; 6] = [
    "https://search.example.com/results",
    "https://news.example.org/today",
    "https://mail.example.net/",
    "https://social.example.com/feed",
    "https://ads.example.com/click",
    "https://blog.example.org/post/best-of-the-year",
];
/// Most requests succeed; the weights are the repetitions.
const STATUSES: [&str; 16] = [
    "200", "200", "200", "200", "200", "200", "200", "200", "200", "200", "200", "304", "304", "302", "404",
    "500",
];

/// Which event: the place of a record in the generated stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventId {
    /// Topic partition the event is sent to.
    pub partition: i32,
    /// Count within the partition, from 0.
    pub sequence: u64,
}

impl EventId {
    /// Reads the id text of an event (`p3-000000123`); `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (partition, sequence) = text.strip_prefix('p')?.split_once('-')?;
        Some(Self { partition: partition.parse().ok()?, sequence: sequence.parse().ok()? })
    }
}

/// Writes events as JSON of about 300 bytes.
#[derive(Clone, Copy, Debug)]
pub struct EventGenerator {
    seed: u64,
}

impl EventGenerator {
    /// A generator; equal seeds give equal events.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Appends the JSON of event `id`, stamped with `time_ms` (ms since the epoch), to `out`.
    pub fn write(&self, id: EventId, time_ms: i64, out: &mut Vec<u8>) {
        let mut dice = Dice(
            self.seed
                ^ u64::from(id.partition.unsigned_abs()).wrapping_mul(0x9E37_79B9_7F4A_7C15)
                ^ id.sequence.wrapping_mul(0xD1B5_4A32_D192_ED03),
        );
        out.extend_from_slice(b"{\"id\":\"p");
        write_number(u64::from(id.partition.unsigned_abs()), 1, out);
        out.push(b'-');
        write_number(id.sequence, 9, out);
        out.extend_from_slice(b"\",\"time\":");
        write_number(time_ms.unsigned_abs(), 1, out);
        out.extend_from_slice(b",\"user\":\"user-");
        // The square skews towards few busy users, as real traffic does.
        let spread = dice.below(1000) * dice.below(1000) / 20;
        write_number(spread, 6, out);
        text_field("\",\"country\":\"", dice.pick(&COUNTRIES), out);
        text_field("\",\"url\":\"/shop/", dice.pick(&SECTIONS), out);
        out.extend_from_slice(b"/item-");
        write_number(dice.below(4000), 5, out);
        text_field("?list=", dice.pick(&SECTIONS), out);
        text_field("\",\"status\":", dice.pick(&STATUSES), out);
        write_latency(&mut dice, out);
        let (os, version, model) = *dice.pick_any(&DEVICES);
        text_field(",\"device\":{\"os\":\"", os, out);
        text_field("\",\"version\":\"", version, out);
        text_field("\",\"model\":\"", model, out);
        out.extend_from_slice(b"\"},\"tags\":[");
        write_tags(&mut dice, out);
        if dice.below(3) == 0 {
            out.extend_from_slice(b"],\"referrer\":null}");
        } else {
            text_field("],\"referrer\":\"", dice.pick(&REFERRERS), out);
            out.extend_from_slice(b"\"}");
        }
    }
}

fn text_field(before: &str, text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(before.as_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn write_latency(dice: &mut Dice, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"latency_ms\":");
    write_number(1 + dice.below(30) * dice.below(30), 1, out);
    out.push(b'.');
    // The last digit is never zero, so that the text is the shortest form of the number.
    write_number(dice.below(100) * 10 + 1 + dice.below(9), 3, out);
}

fn write_tags(dice: &mut Dice, out: &mut Vec<u8>) {
    let count = dice.below(4);
    for index in 0..count {
        out.extend_from_slice(if index == 0 { b"\"".as_slice() } else { b",\"".as_slice() });
        out.extend_from_slice(dice.pick(&TAGS).as_bytes());
        out.push(b'"');
    }
}

fn write_number(mut number: u64, digits_min: usize, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    while number > 0 || digits.len() - start < digits_min {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    out.extend_from_slice(&digits[start..]);
}

/// SplitMix64: one multiplication chain per draw, good enough to look random to a compressor.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        ((self.roll() >> 32) * bound) >> 32
    }

    fn pick(&mut self, words: &[&'static str]) -> &'static str {
        self.pick_any::<&str>(words)
    }

    fn pick_any<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(seed: u64, sequence: u64) -> Vec<u8> {
        let mut out = Vec::new();
        EventGenerator::new(seed).write(EventId { partition: 3, sequence }, 1_763_700_000_123, &mut out);
        out
    }

    #[test]
    fn events_are_json_of_about_three_hundred_bytes() {
        let mut bytes = 0;
        for sequence in 0..1000 {
            let text = event(7, sequence);
            bytes += text.len();
            let value: serde_json::Value = serde_json::from_slice(&text).expect("valid JSON");
            let id = EventId::parse(value["id"].as_str().expect("id")).expect("parses");
            assert_eq!(id, EventId { partition: 3, sequence });
            assert_eq!(value["time"].as_i64(), Some(1_763_700_000_123));
            assert!(value["status"].is_i64() && value["latency_ms"].is_f64() && value["tags"].is_array());
        }
        assert!((250_000..350_000).contains(&bytes), "{bytes} bytes per 1000 events");
    }

    #[test]
    fn equal_seeds_give_equal_events_and_other_seeds_do_not() {
        assert_eq!(event(7, 5), event(7, 5));
        assert_ne!(event(7, 5), event(8, 5));
        assert_ne!(event(7, 5), event(7, 6));
    }

    #[test]
    fn schema_names_every_field_of_an_event() {
        let schema: serde_json::Value = serde_json::from_str(EVENT_SCHEMA).expect("valid JSON");
        let declared: Vec<_> =
            schema["fields"].as_array().expect("fields").iter().map(|field| field["name"].clone()).collect();
        let value: serde_json::Value = serde_json::from_slice(&event(1, 1)).expect("valid JSON");
        let written: Vec<_> = value.as_object().expect("object").keys().cloned().collect();
        assert_eq!(declared, written);
    }
}
