//! Avro schemas: a text, and what is needed to write data of it.

use super::defaults;
use crate::generate::text;
use crate::random::Random;

/// What data are made of.
#[derive(Clone, Debug)]
pub(super) enum Type {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    String,
    Bytes,
    Fixed(usize),
    /// With its symbols.
    Enum(Vec<&'static str>),
    Array(Box<Self>),
    Map(Box<Self>),
    Union(Vec<Self>),
    /// With the names of its fields.
    Record(Vec<(String, Self)>),
    /// A record that contains itself: its place among the records that are open, counted from the innermost.
    Enclosing(usize),
}

/// A type and its text.
type Made = (String, Type);

/// Schemas nested at most this deep.
const DEPTH: usize = 3;
const SYMBOLS: [&str; 4] = ["A", "B", "C1", "d_"];
const NAMESPACES: [&str; 4] = ["ns", "ns.e", "org.example", ""];

/// Whether there are unions of one type.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Singles {
    None,
    Some,
}

/// A schema: a record most of the time.
pub(super) fn schema(random: &mut Random, singles: Singles) -> Made {
    let mut maker = Maker {
        random,
        singles,
        count: 0,
        known: Vec::new(),
        open: Vec::new(),
        namespace: String::new(),
        entry: false,
    };
    if maker.random.once_in(4) { maker.any(DEPTH, Place::Free) } else { maker.record(DEPTH) }
}

/// Where a type stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Free,
    /// In a union: none of its own kind.
    Union,
}

struct Maker<'a> {
    random: &'a mut Random,
    singles: Singles,
    /// Named types so far.
    count: usize,
    /// Named types that are complete.
    known: Vec<(String, Type)>,
    /// Full names of records around the place at hand.
    open: Vec<String>,
    namespace: String,
    /// Whether there is an entry of a map by the name that Connect gives it.
    entry: bool,
}

impl Maker<'_> {
    fn any(&mut self, depth: usize, place: Place) -> Made {
        if place == Place::Free && self.random.once_in(15) && !self.known.is_empty() {
            let (name, made) = self.random.pick(&self.known);
            // A name without namespace means another type within a namespace.
            if name.contains('.') || self.namespace.is_empty() {
                return (json(&name), made);
            }
        }
        match self.random.below(if depth == 0 { 16 } else { 24 }) {
            0 => self.primitive("boolean", Type::Boolean),
            1 => self.primitive("int", Type::Int),
            2 => self.primitive("long", Type::Long),
            3 => self.primitive("float", Type::Float),
            4 => self.primitive("double", Type::Double),
            5 | 6 => self.primitive("string", Type::String),
            7 => self.primitive("bytes", Type::Bytes),
            8 => self.narrow(),
            9 | 10 => self.logical(),
            11 => self.decimal(),
            12 => self.enumeration(),
            13 => self.fixed(),
            14 if place == Place::Free && self.random.once_in(8) => ("\"null\"".to_owned(), Type::Null),
            14 | 15 => self.primitive("long", Type::Long),
            16 | 17 => self.array(depth - 1),
            18 => self.map(depth - 1),
            19 => self.entries(depth - 1),
            20 | 21 if place == Place::Free => self.union(depth - 1),
            _ => self.record(depth - 1),
        }
    }

    /// Attributes that Connect reads, and some that it does not.
    fn properties(&mut self) -> String {
        let mut out = String::new();
        let mut add = |name: &str, value: String| out.push_str(&format!(",\"{name}\":{value}"));
        let random = &mut *self.random;
        if random.once_in(12) {
            add("connect.doc", json(&text::text(random)));
        }
        if random.once_in(12) {
            add("connect.version", random.pick(&["0", "1", "3", "-1", "2147483647"]).to_owned());
        }
        if random.once_in(12) {
            let value = json(&text::text(random));
            add("connect.parameters", format!("{{\"z\":{value},\"k\":\"v\"}}"));
        }
        if random.once_in(12) {
            add("connect.name", json(random.pick(&["org.example.Renamed", "n", "my.Name"])));
        }
        if random.once_in(30) {
            add("other", random.pick(&["1", "\"x\"", "{\"a\":[1]}", "null"]).to_owned());
        }
        if random.once_in(200) {
            let wrong = [
                ("connect.version", "\"1\""),
                ("connect.parameters", "[1]"),
                ("connect.parameters", "{\"a\":1}"),
                ("connect.doc", "7"),
                ("connect.name", "7"),
            ];
            let (name, value) = random.pick(&wrong);
            if !out.contains(name) {
                out.push_str(&format!(",\"{name}\":{value}"));
            }
        }
        out
    }

    fn primitive(&mut self, name: &str, made: Type) -> Made {
        if self.random.once_in(2) {
            return (json(name), made);
        }
        let mut more = self.properties();
        if self.random.once_in(5) && !matches!(made, Type::Float | Type::Double) {
            let value = defaults::value(self.random, &made);
            more.push_str(&format!(",\"connect.default\":{value}"));
        }
        if name == "string" && self.random.once_in(8) {
            more.push_str(",\"avro.java.string\":\"String\"");
        }
        (format!("{{\"type\":\"{name}\"{more}}}"), made)
    }

    fn narrow(&mut self) -> Made {
        let (name, base) =
            self.random.pick(&[("int8", "int"), ("int16", "int"), ("int8", "int"), ("x", "int")]);
        let mut more = self.properties();
        if self.random.once_in(5) {
            more.push_str(&format!(",\"connect.default\":{}", self.random.below(100)));
        }
        (format!("{{\"type\":\"{base}\",\"connect.type\":\"{name}\"{more}}}"), Type::Int)
    }

    fn logical(&mut self) -> Made {
        let all = [
            ("int", "date"),
            ("int", "time-millis"),
            ("long", "timestamp-millis"),
            ("long", "timestamp-micros"),
            ("long", "time-micros"),
            ("long", "local-timestamp-millis"),
            ("string", "uuid"),
            ("string", "date"),
        ];
        let (base, logical) = self.random.pick(&all);
        // A name that fits the type, but perhaps not its logical one.
        let names: &[&str] = if base == "int" { &["Date", "Time"] } else { &["Timestamp"] };
        let connect = "\"connect.version\":1,\"connect.name\":\"org.apache.kafka.connect.data.";
        let more = match self.random.below(3) {
            0 => self.properties(),
            1 if base != "string" => format!(",{connect}{}\"", self.random.pick(names)),
            _ => String::new(),
        };
        let made = match base {
            "int" => Type::Int,
            "long" => Type::Long,
            _ => Type::String,
        };
        (format!("{{\"type\":\"{base}\"{more},\"logicalType\":\"{logical}\"}}"), made)
    }

    fn decimal(&mut self) -> Made {
        let precision = self.random.pick(&[64, 10, 20, 5]);
        let scale = self.random.below(6);
        let more = if self.random.once_in(2) { self.properties() } else { String::new() };
        let scale = if self.random.once_in(6) { String::new() } else { format!(",\"scale\":{scale}") };
        let logical = format!("\"logicalType\":\"decimal\",\"precision\":{precision}{scale}");
        if self.random.once_in(4) {
            let size = 9 + self.random.below(8);
            let name = self.name();
            let text = format!("{{\"type\":\"fixed\",{name},\"size\":{size},{logical}{more}}}");
            return (text, Type::Fixed(size));
        }
        (format!("{{\"type\":\"bytes\",{logical}{more}}}"), Type::Bytes)
    }

    /// A fresh name with or without namespace, as members of a schema; it is known at once.
    fn name(&mut self) -> String {
        self.count += 1;
        let name = format!("N{}", self.count);
        match self.random.below(6) {
            0 => format!("\"name\":\"{name}\",\"namespace\":\"{}\"", self.random.pick(&NAMESPACES)),
            1 => format!("\"name\":\"org.example.{name}\""),
            _ => format!("\"name\":\"{name}\""),
        }
    }

    /// The full name that the members of [`Maker::name`] give.
    fn full(&self, members: &str) -> String {
        let part = |key: &str| {
            let (_, rest) = members.split_once(&format!("\"{key}\":\""))?;
            rest.split('"').next()
        };
        let name = part("name").unwrap_or_default();
        match part("namespace") {
            _ if name.contains('.') => name.to_owned(),
            Some("") => name.to_owned(),
            Some(namespace) => format!("{namespace}.{name}"),
            None if self.namespace.is_empty() => name.to_owned(),
            None => format!("{}.{name}", self.namespace),
        }
    }

    fn documented(&mut self) -> String {
        let mut more = self.properties();
        if self.random.once_in(5) {
            more.push_str(&format!(",\"doc\":{}", json(&text::text(self.random))));
        }
        if self.random.once_in(12) {
            more.push_str(",\"aliases\":[\"Old\",\"x.Older\"]");
        }
        more
    }

    fn enumeration(&mut self) -> Made {
        let name = self.name();
        let symbols = SYMBOLS[..1 + self.random.below(SYMBOLS.len())].to_vec();
        let mut more = self.documented();
        if self.random.once_in(4) {
            more.push_str(&format!(",\"default\":\"{}\"", symbols[0]));
        }
        let made = Type::Enum(symbols.clone());
        self.known.push((self.full(&name), made.clone()));
        let symbols = symbols.iter().map(|symbol| json(symbol)).collect::<Vec<_>>().join(",");
        (format!("{{\"type\":\"enum\",{name},\"symbols\":[{symbols}]{more}}}"), made)
    }

    fn fixed(&mut self) -> Made {
        let name = self.name();
        let size = self.random.below(9);
        let more = self.documented();
        self.known.push((self.full(&name), Type::Fixed(size)));
        (format!("{{\"type\":\"fixed\",{name},\"size\":{size}{more}}}"), Type::Fixed(size))
    }

    fn array(&mut self, depth: usize) -> Made {
        let (items, made) = self.any(depth, Place::Free);
        let more = if self.random.once_in(3) { self.properties() } else { String::new() };
        (format!("{{\"type\":\"array\",\"items\":{items}{more}}}"), Type::Array(Box::new(made)))
    }

    fn map(&mut self, depth: usize) -> Made {
        let (values, made) = self.any(depth, Place::Free);
        let more = if self.random.once_in(3) { self.properties() } else { String::new() };
        (format!("{{\"type\":\"map\",\"values\":{values}{more}}}"), Type::Map(Box::new(made)))
    }

    /// A map with keys of another type than text, as Connect writes it.
    fn entries(&mut self, depth: usize) -> Made {
        let (key, key_type) = match self.random.below(5) {
            0 => ("[\"null\",\"string\"]", Type::Union(vec![Type::Null, Type::String])),
            1 => ("\"string\"", Type::String),
            2 => ("\"long\"", Type::Long),
            _ => ("\"int\"", Type::Int),
        };
        let (value, value_type) = self.any(depth, Place::Free);
        self.count += 1;
        let name = match self.random.below(3) {
            0 if !std::mem::replace(&mut self.entry, true) => {
                "\"name\":\"MapEntry\",\"namespace\":\"io.confluent.connect.avro\"".to_owned()
            }
            0 | 1 => format!("\"name\":\"E{}\",\"connect.internal.type\":\"MapEntry\"", self.count),
            _ => format!(
                "\"name\":\"E{}\",\"namespace\":\"ns\",\"connect.internal.type\":\"MapEntry\"",
                self.count
            ),
        };
        // The names inside are relative to that of the entry.
        if name.contains("namespace") && value.contains('N') {
            return self.primitive("string", Type::String);
        }
        let fields = format!("{{\"name\":\"key\",\"type\":{key}}},{{\"name\":\"value\",\"type\":{value}}}");
        let entry = Type::Record(vec![("key".to_owned(), key_type), ("value".to_owned(), value_type)]);
        let text =
            format!("{{\"type\":\"array\",\"items\":{{\"type\":\"record\",{name},\"fields\":[{fields}]}}}}");
        (text, Type::Array(Box::new(entry)))
    }

    fn union(&mut self, depth: usize) -> Made {
        let mut branches: Vec<Made> = Vec::new();
        let null = ("\"null\"".to_owned(), Type::Null);
        match self.random.below(8) {
            0..3 => branches.extend([null, self.any(depth, Place::Union)]),
            3 => branches.extend([self.any(depth, Place::Union), null]),
            4 => branches.push(self.any(depth, Place::Union)),
            _ => {
                for _ in 0..1 + self.random.below(4) {
                    branches.push(self.any(depth, Place::Union));
                }
                if self.random.once_in(2) {
                    let at = self.random.below(branches.len() + 1);
                    branches.insert(at, null);
                }
            }
        }
        // One branch of each kind, unless it has a name.
        let mut kinds: Vec<std::mem::Discriminant<Type>> = Vec::new();
        branches.retain(|(text, made)| {
            let kind = std::mem::discriminant(made);
            let named = matches!(made, Type::Record(_) | Type::Enum(_) | Type::Fixed(_));
            let fits = !matches!(made, Type::Union(_)) && (named || !kinds.contains(&kind));
            // Java writes the default of a branch in place of the value of a later one.
            let fits = fits && !text.contains("connect.default");
            kinds.push(kind);
            fits
        });
        if branches.is_empty() {
            return self.primitive("long", Type::Long);
        }
        if branches.len() == 1 && self.singles == Singles::None {
            return branches.remove(0);
        }
        let (texts, types): (Vec<String>, Vec<Type>) = branches.into_iter().unzip();
        (format!("[{}]", texts.join(",")), Type::Union(types))
    }

    fn record(&mut self, depth: usize) -> Made {
        let name = self.name();
        let full = self.full(&name);
        let namespace = full.rsplit_once('.').map_or("", |(namespace, _)| namespace).to_owned();
        let outer = std::mem::replace(&mut self.namespace, namespace);
        self.open.push(full.clone());
        let count = self.random.below(6);
        let (mut fields, mut types) = (Vec::new(), Vec::new());
        for at in 0..count {
            let (text, made) = self.field(depth, at);
            fields.push(text);
            types.push((format!("f{at}"), made));
        }
        self.open.pop();
        self.namespace = outer;
        let more = self.documented();
        let made = Type::Record(types);
        if !contains_enclosing(&made) {
            self.known.push((full, made.clone()));
        }
        (format!("{{\"type\":\"record\",{name}{more},\"fields\":[{}]}}", fields.join(",")), made)
    }

    fn field(&mut self, depth: usize, at: usize) -> Made {
        let (text, made) = match self.random.below(4) {
            0 => {
                let (text, made) = self.any(depth, Place::Union);
                let fits = !matches!(made, Type::Union(_) | Type::Null);
                if fits {
                    (format!("[\"null\",{text}]"), Type::Union(vec![Type::Null, made]))
                } else {
                    (text, made)
                }
            }
            _ => self.any(depth, Place::Free),
        };
        let mut more = String::new();
        if self.random.once_in(3) && !contains_enclosing(&made) {
            more.push_str(&format!(",\"default\":{}", defaults::of_field(self.random, &made)));
        }
        if self.random.once_in(10) {
            more.push_str(&format!(",\"doc\":{}", json(&text::text(self.random))));
        }
        if self.random.once_in(20) {
            more.push_str(self.random.pick(&[
                ",\"aliases\":[\"old\"]",
                ",\"order\":\"ignore\"",
                ",\"order\":\"descending\"",
                ",\"x\":1",
            ]));
        }
        (format!("{{\"name\":\"f{at}\",\"type\":{text}{more}}}"), made)
    }
}

/// Whether a type refers to a record around it.
fn contains_enclosing(made: &Type) -> bool {
    match made {
        Type::Enclosing(_) => true,
        Type::Array(inner) | Type::Map(inner) => contains_enclosing(inner),
        Type::Union(all) => all.iter().any(contains_enclosing),
        Type::Record(fields) => fields.iter().any(|(_, made)| contains_enclosing(made)),
        _ => false,
    }
}

/// A text of JSON.
fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
