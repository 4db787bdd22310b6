//! Lines and letters, against what Java 4.1 writes.

use lakeward_api::record::RawHeader;

use super::*;

fn id() -> TaskId {
    TaskId { connector: "my-sink".into(), task: 3 }
}

#[test]
fn the_log_is_off_unless_enabled_and_names_records_only_when_asked() {
    let lines = |entries: &[(&str, &str)]| {
        LogLines::from_config(&entries.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect())
    };
    assert_eq!(lines(&[("errors.log.include.messages", "true")]), LogLines::Off);
    assert_eq!(lines(&[("errors.log.enable", "true")]), LogLines::WithoutRecord);
    let both = [("errors.log.enable", "TRUE"), ("errors.log.include.messages", "true")];
    assert_eq!(lines(&both), LogLines::WithRecord);
}

#[test]
fn coordinates_are_javas_and_leave_out_a_missing_timestamp() {
    assert_eq!(
        coordinates("t", 0, 7, Some((1_700_000_000_000, "CreateTime"))),
        ", where consumed record is {topic='t', partition=0, offset=7, timestamp=1700000000000, \
         timestampType=CreateTime}"
    );
    assert_eq!(coordinates("t", 2, 7, None), ", where consumed record is {topic='t', partition=2, offset=7}");
}

#[test]
fn a_letter_keeps_the_bytes_and_appends_the_context() {
    let record = RawRecord { offset: 17, timestamp_ms: Some(5), key: None, value: Some(b"\xff\x00") };
    let own = [RawHeader { name: b"__connect.errors.topic", value: None }];
    let mut letter = Letter::of_record(&record, &own);
    let exception = ("x.Boom", "no".to_owned(), "x.Boom: no\n".to_owned());
    let partition = TopicPartition::new("orders", 2);
    letter.add_context(&id(), (&partition, 17), ("TASK_PUT", SINK_TASK), &exception);
    letter.with("dlq", |sent| {
        assert_eq!((sent.topic, sent.partition, sent.timestamp_ms), ("dlq", None, Some(5)));
        assert_eq!((sent.key, sent.value), (None, Some(&b"\xff\x00"[..])));
        let text = |value: Option<&[u8]>| value.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
        let headers: Vec<(String, Option<String>)> =
            sent.headers.iter().map(|(name, value)| ((*name).to_owned(), text(*value))).collect();
        let context = [
            ("topic", "orders"),
            ("partition", "2"),
            ("offset", "17"),
            ("connector.name", "my-sink"),
            ("task.id", "3"),
            ("stage", "TASK_PUT"),
            ("class.name", "org.apache.kafka.connect.sink.SinkTask"),
            ("exception.class.name", "x.Boom"),
            ("exception.message", "no"),
            ("exception.stacktrace", "x.Boom: no\n"),
        ];
        let context = context.map(|(name, text)| (format!("__connect.errors.{name}"), Some(text.to_owned())));
        let first = ("__connect.errors.topic".to_owned(), None);
        assert_eq!(headers, [&[first][..], &context].concat());
    });
}
