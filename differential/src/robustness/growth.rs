//! Families of inputs that grow: what they cost has to grow with their length, not with its square.

/// A family. Its members are `head`, then as many items as fit, then as many `close`s, then `tail`.
pub struct Family {
    /// How the names of the decoders start that read it.
    decoders: &'static str,
    head: &'static str,
    item: fn(usize) -> String,
    close: &'static str,
    tail: &'static str,
}

impl Family {
    /// Whether the decoder called `name` is measured with this family. Lists of fields are measured with
    /// growing records only: a person writes the list, and every record is searched for each of its fields.
    pub fn is_for(&self, name: &str) -> bool {
        name.starts_with(self.decoders) && (!self.decoders.is_empty() || name != LIST)
    }

    /// The member of about `bytes` bytes.
    pub fn of_size(&self, bytes: usize) -> Vec<u8> {
        let mut input = unescape(self.head);
        let close = unescape(self.close);
        let mut items = 0;
        while input.len() + items * close.len() < bytes {
            input.extend(unescape(&(self.item)(items)));
            items += 1;
        }
        input.extend(close.repeat(items));
        input.extend(unescape(self.tail));
        input
    }

    /// What tells this family from others.
    pub fn name(&self) -> String {
        format!("{} {}{}{}{}", self.decoders, self.head, (self.item)(0), self.close, self.tail)
    }
}

/// `~` and two hexadecimal digits are a byte.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('~');
    bytes.extend(parts.next().unwrap_or_default().bytes());
    for part in parts {
        let byte = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.expect("two digits after ~"));
        bytes.extend(&part.as_bytes()[2..]);
    }
    bytes
}

/// A family of repeated pieces, or of pieces that differ by their number `i`.
macro_rules! family {
    ($decoders:expr, $head:expr, $item:literal, $close:expr, $tail:expr) => {
        Family { decoders: $decoders, head: $head, item: |_| $item.to_owned(), close: $close, tail: $tail }
    };
    ($decoders:expr, $head:expr, |$at:ident| $item:expr, $close:expr, $tail:expr) => {
        Family { decoders: $decoders, head: $head, item: |$at| $item, close: $close, tail: $tail }
    };
}

const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";
const ENVELOPE: &str = "org.apache.kafka.connect.json.JsonConverter true";
const LITERAL: &str = "literal";
const DATE: &str = "date pattern";
const REGEX: &str = "regular expression";
const PATH: &str = "json path";
const FIELD: &str = "field path";
const LIST: &str = "field list";
const AVRO: &str = "AvroConverter";
const PROTOBUF: &str = "ProtobufConverter";
const JSON_SCHEMA: &str = "JsonSchemaConverter";
const OUTBOX: &str = "outbox";
const AVRO_TEXT: &str = "schema Avro";
const JSON_TEXT: &str = "schema JSON";
const PROTO_TEXT: &str = "schema Protobuf";
const DECLARED: &str = "schema declared";

/// Every family.
pub const FAMILIES: &[Family] = &[
    // Whatever reads them.
    family!("", "", "[", "", ""),
    family!("", "", "{\"a\":", "", ""),
    family!("", "", "~00", "", ""),
    family!("", "", "~ff", "", ""),
    family!("", "", "9", "", ""),
    family!("", "", "\"", "", ""),
    family!("", "", "(", "", ""),
    family!("", "", "~0a", "", ""),
    family!("", "[0", ",1", "", "]"),
    family!("", "{\"x\":0", |i| format!(",\"a{i}\":{i}"), "", "}"),
    family!("", "[{}", |i| format!(",{{\"a{i}\":1}}"), "", "]"),
    family!("", "", "[", "]", ""),
    family!("", "", "{\"a\":[{},", "{}]}", ""),
    family!("", "\"", "\\u00e9", "", "\""),
    // Payloads.
    family!(JSON, "{\"a\":0", ",\"a\":1", "", "}"),
    family!(JSON, "{\"a\":[0", |i| format!(",{{\"b{i}\":[1]}}"), "", "]}"),
    family!(JSON, "0.", "7", "", ""),
    family!(JSON, "[0", ",\"x\",1", "", "]"),
    family!(OUTBOX, "{\"a\":[{}", |i| format!(",{{\"b{i}\":[1]}}"), "", "]}"),
    family!(OUTBOX, "{\"a\":[{\"b\":1}", ",{\"b\":1}", "", "]}"),
    family!(
        ENVELOPE,
        "{\"schema\":{\"type\":\"struct\",\"fields\":[",
        |i| format!("{}{{\"field\":\"a{i}\",\"type\":\"int32\"}}", if i > 0 { "," } else { "" }),
        "",
        "]},\"payload\":{}}"
    ),
    family!(
        ENVELOPE,
        "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"field\":\"a\",\"type\":\"int32\"}",
        ",{\"field\":\"a\",\"type\":\"int32\"}",
        "",
        "]},\"payload\":{\"a\":1}}"
    ),
    family!(ENVELOPE, "{\"schema\":", "{\"type\":\"array\",\"items\":", "}", ",\"payload\":[]}"),
    family!(
        ENVELOPE,
        "{\"schema\":{\"type\":\"map\",\"keys\":{\"type\":\"int32\"},\"values\":{\"type\":\"int32\"}},
        \"payload\":[[-1,0]",
        |i| format!(",[{i},0]"),
        "",
        "]}"
    ),
    family!(
        ENVELOPE,
        "{\"schema\":{\"type\":\"int32\",\"parameters\":{\"x\":\"y\"",
        |i| format!(",\"p{i}\":\"y\""),
        "",
        "}},\"payload\":1}"
    ),
    family!(AVRO, "~00~00~00~00~01", "~02", "", ""),
    family!(AVRO, "~00~00~00~00~01", "~02~00", "", ""),
    family!(
        AVRO,
        "~00~00~00~00~01~00",
        |i| format!("~02~02{}~00", char::from(b'a' + (i % 26) as u8)),
        "",
        ""
    ),
    family!(PROTOBUF, "~00~00~00~00~01~00", "~0a~00", "", ""),
    family!(PROTOBUF, "~00~00~00~00~01~00", "~22~02~00~01", "", ""),
    family!(PROTOBUF, "~00~00~00~00~01~00", |i| format!("~2a~06~0a~04{:04}", i % 10_000), "", ""),
    family!(PROTOBUF, "~00~00~00~00~01~00", "~12~04~08~01~12~00", "", ""),
    family!(PROTOBUF, "~00~00~00~00~01~00", "~0b", "~0c", ""),
    family!(PROTOBUF, "~00~00~00~00~01", "~02", "", ""),
    family!(JSON_SCHEMA, "~00~00~00~00~01{\"a\":1", |i| format!(",\"x{i}\":{i}"), "", "}"),
    family!(JSON_SCHEMA, "~00~00~00~00~01{\"a\":1", ",\"a\":1", "", "}"),
    family!(JSON_SCHEMA, "~00~00~00~00~01{\"e\":{\"x\":true", |i| format!(",\"x{i}\":true"), "", "}}"),
    family!(
        JSON_SCHEMA,
        "~00~00~00~00~01{\"d\":[{\"key\":-1,\"value\":\"\"}",
        |i| format!(",{{\"key\":{i},\"value\":\"x\"}}"),
        "",
        "]}"
    ),
    family!(JSON_SCHEMA, "~00~00~00~00~01", "[", "]", ""),
    // Texts and settings.
    family!(LITERAL, "{0:0", |i| format!(",{i}:{i}"), "", "}"),
    family!(LITERAL, "[0", ",\"x\"", "", "]"),
    family!(LITERAL, "[0", ",[1]", "", "]"),
    family!(LITERAL, "", "{1:", "}", ""),
    family!(LITERAL, "[", "{\"a\":1},", "", "{}]"),
    family!(LITERAL, "", "\\", "", ""),
    family!(DATE, "", "yyyy", "", ""),
    family!(DATE, "", "'x'", "", ""),
    family!(DATE, "yyyy~0a", "1", "", ""),
    family!(DATE, "", "d ", "", "~0a1 1 1"),
    family!(REGEX, "(a+)+$~0a", "a", "", "b"),
    family!(REGEX, "(a|a)*b~0a", "a", "", ""),
    family!(REGEX, "(?:a?){30}a{30}~0a", "a", "", ""),
    family!(REGEX, "(.*)(.*)(.*)(.*)(.*)x~0a", "a", "", ""),
    family!(REGEX, "(a*)*\\1b~0a", "a", "", ""),
    family!(REGEX, "", "(a", "", ""),
    family!(REGEX, "", "(a", ")*", ""),
    family!(REGEX, "", "a|", "", "b"),
    family!(REGEX, "[", "a-c&&", "", "a]"),
    family!(REGEX, "a{1,", "1", "", "}~0aaaaa"),
    family!(REGEX, "a*~0aaaa~0a", "$0", "", ""),
    family!(PATH, "$", ".a", "", ""),
    family!(PATH, "$", "[0,0]", "", "~0a[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"),
    family!(PATH, "$..*..*..*..*..*..*..*~0a", "[", "]", ""),
    family!(PATH, "$", "..*", "", "~0a[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"),
    family!(PATH, "$[?(@.a", " || @.a", "", ")]"),
    family!(PATH, "$[?(", "!", "", "@.a)]"),
    family!(PATH, "$[?(", "(", ")", ")]"),
    family!(PATH, "$[?(@ in [1", ",1", "", "])]"),
    family!(FIELD, "a", ".a", "", ""),
    family!(FIELD, "", "`a`.", "", "b"),
    family!(FIELD, "`", "a\\`.", "", ""),
    family!(LIST, "a:string,a9:int32~0a{\"a\":0", |i| format!(",\"a{i}\":{i}"), "", "}"),
    family!(LIST, "a:b,a9:a8~0a{\"a\":0", |i| format!(",\"a{i}\":{i}"), "", "}"),
    // Texts of schemas.
    family!(AVRO_TEXT, "", "{\"type\":\"array\",\"items\":", "}", ""),
    family!(
        AVRO_TEXT,
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}",
        |i| format!(",{{\"name\":\"a{i}\",\"type\":\"int\"}}"),
        "",
        "]}"
    ),
    family!(
        AVRO_TEXT,
        "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"",
        |i| format!(",\"A{i}\""),
        "",
        "]}"
    ),
    family!(
        AVRO_TEXT,
        "[\"null\"",
        |i| format!(",{{\"type\":\"fixed\",\"name\":\"F{i}\",\"size\":1}}"),
        "",
        "]"
    ),
    family!(
        AVRO_TEXT,
        "[\"null\",{\"type\":\"record\",\"name\":\"R0\",\"fields\":[]}",
        |i| format!(
            ",{{\"type\":\"record\",\"name\":\"R{}\",\"fields\":[{{\"name\":\"a\",\"type\":\"R{i}\"}}]}}",
            i + 1
        ),
        "",
        "]"
    ),
    family!(
        AVRO_TEXT,
        "[\"null\",{\"type\":\"record\",\"name\":\"R0\",\"fields\":[]}",
        |i| format!(
            ",{{\"type\":\"record\",\"name\":\"R{}\",\"fields\":[{{\"name\":\"a\",\"type\":\"R{i}\"}},
            {{\"name\":\"b\",\"type\":\"R{i}\"}}]}}",
            i + 1
        ),
        "",
        "]"
    ),
    family!(
        AVRO_TEXT,
        "{\"type\":\"fixed\",\"name\":\"F\",\"size\":1,\"aliases\":[\"a\"",
        |i| format!(",\"a{i}\""),
        "",
        "]}"
    ),
    family!(DECLARED, "", "{\"type\":\"array\",\"items\":", "}", ""),
    family!(
        DECLARED,
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}",
        |i| format!(",{{\"name\":\"a{i}\",\"type\":[\"null\",\"int\"]}}"),
        "",
        "]}"
    ),
    family!(
        DECLARED,
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}",
        |i| format!(",\"a{i}\":{{\"type\":\"string\"}}"),
        "",
        "}}"
    ),
    family!(
        JSON_TEXT,
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}",
        |i| format!(",\"a{i}\":{{\"type\":\"string\"}}"),
        "",
        "}}"
    ),
    family!(JSON_TEXT, "", "{\"type\":\"array\",\"items\":", "}", ""),
    family!(JSON_TEXT, "{\"type\":\"object\",\"required\":[\"a\"", |i| format!(",\"a{i}\""), "", "]}"),
    family!(JSON_TEXT, "{\"oneOf\":[{\"type\":\"null\"}", ",{\"type\":\"string\"}", "", "]}"),
    family!(JSON_TEXT, "{\"enum\":[\"a\"", |i| format!(",\"a{i}\""), "", "]}"),
    family!(
        JSON_TEXT,
        "{\"allOf\":[{\"properties\":{\"a\":{\"type\":\"string\"}}}",
        |i| format!(",{{\"properties\":{{\"a{i}\":{{\"type\":\"string\"}}}}}}"),
        "",
        "]}"
    ),
    family!(
        JSON_TEXT,
        "{\"$ref\":\"#/definitions/d3\",\"definitions\":{\"d0\":{\"type\":\"string\"}",
        |i| format!(",\"d{}\":{{\"$ref\":\"#/definitions/d{i}\"}}", i + 1),
        "",
        "}}"
    ),
    family!(
        JSON_TEXT,
        "{\"$ref\":\"#/definitions/d60\",\"definitions\":{\"d0\":{\"type\":\"object\",\"properties\":{}}",
        |i| format!(
            ",\"d{}\":{{\"type\":\"object\",\"properties\":{{\"a\":{{\"$ref\":\"#/definitions/d{i}\"}},
            \"b\":{{\"$ref\":\"#/definitions/d{i}\"}}}}}}",
            i + 1
        ),
        "",
        "}}"
    ),
    family!(
        JSON_TEXT,
        "{\"allOf\":[{\"$ref\":\"#/definitions/d60\"},{}],\"definitions\":{\"d0\":{\"type\":\"string\"}",
        |i| format!(
            ",\"d{}\":{{\"allOf\":[{{\"$ref\":\"#/definitions/d{i}\"}},
            {{\"$ref\":\"#/definitions/d{i}\"}}]}}",
            i + 1
        ),
        "",
        "}}"
    ),
    family!(PROTO_TEXT, "message M {", |i| format!("int32 a{i} = {};", i + 1), "", "}"),
    family!(PROTO_TEXT, "", |i| format!("message M{i} {{}}"), "", ""),
    family!(PROTO_TEXT, "", |i| format!("message M{i} {{"), "}", ""),
    family!(PROTO_TEXT, "message M { oneof o {", |i| format!("int32 a{i} = {};", i + 1), "", "} }"),
    family!(PROTO_TEXT, "message M {", |i| format!("oneof o{i} {{ int32 a{i} = {}; }}", i + 1), "", "}"),
    family!(PROTO_TEXT, "enum E {", |i| format!("A{i} = {i};"), "", "} message M { E e = 1; }"),
    family!(PROTO_TEXT, "message M {", |i| format!("map<string, int32> a{i} = {};", i + 1), "", "}"),
    family!(
        PROTO_TEXT,
        "message M0 { }",
        |i| format!("message M{} {{ M{i} a = 1; M{i} b = 2; }}", i + 1),
        "",
        ""
    ),
    family!(PROTO_TEXT, "message M { int32 a = 1 [(o) = ", "{a:", "}", "]; }"),
    family!(PROTO_TEXT, "message M { int32 a = 1 [", "b = \"x\", ", "", "c = 1]; }"),
    family!(PROTO_TEXT, "message M { optional string a = 1 [default = ", "\"x\" ", "", "]; }"),
    family!(PROTO_TEXT, "", "/* */ // ~0a", "", ""),
    family!(PROTO_TEXT, "", |i| format!("import \"a{i}.proto\";"), "", "message M { }"),
    family!(PROTO_TEXT, "message M { .a.b", ".c", "", " a = 1; }"),
];
