//! Bytes that are written, compared with a table made by Java.

use lakeward_api::config::ConfigMap;
use lakeward_api::plugin::{ConverterContext, ConverterPlugin, ConverterRole};

use super::super::JsonConverterPlugin;
use crate::converter::StringConverterPlugin;

fn written(plugin: &dyn ConverterPlugin, settings: &str, envelope: &str) -> Vec<u8> {
    let pairs = settings.split(',').filter_map(|pair| pair.split_once('='));
    let settings: ConfigMap = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let connector = ConfigMap::new();
    let context = |settings| ConverterContext {
        role: ConverterRole::Value,
        settings,
        connector: &connector,
        network: None,
    };
    let mut reader = JsonConverterPlugin.new_converter(&context(&connector)).unwrap();
    let decoded = reader.decode("t", &[Some(envelope.as_bytes())]).unwrap();
    assert!(decoded.errors.is_empty(), "{envelope}: {:?}", decoded.errors);
    let mut writer = plugin.new_converter(&context(&settings)).unwrap();
    let encoded = writer.encode("t", &decoded.runs[0].values).unwrap();
    assert!(encoded.errors.is_empty(), "{envelope}: {:?}", encoded.errors);
    encoded.payload(0).unwrap_or(b"<null>").to_vec()
}

#[test]
fn bytes_are_those_of_java() {
    let table = include_str!("written.txt");
    let lines: Vec<&str> = table.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(lines.len() > 60 && lines.len().is_multiple_of(4));
    for case in lines.chunks(4) {
        let [settings, envelope, json, text] = case else { panic!("four lines each") };
        let ours = String::from_utf8(written(&JsonConverterPlugin, settings, envelope)).unwrap();
        assert_eq!(&ours, json, "{envelope}");
        // The text of an array of bytes is its identity.
        if !text.contains("[B@") {
            let ours = String::from_utf8(written(&StringConverterPlugin, "", envelope)).unwrap();
            assert_eq!(&ours, text, "{envelope}");
        }
    }
}
