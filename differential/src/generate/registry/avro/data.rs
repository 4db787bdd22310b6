//! Avro data: bodies as any writer of Avro may make them.

use super::schema::Type;
use crate::generate::text;
use crate::random::Random;

/// Records within records: deeper ones end.
const DEPTH_MAX: usize = 6;

/// A body of a payload. Bytes stand there bare.
pub(super) fn body(random: &mut Random, made: &Type) -> Vec<u8> {
    if matches!(made, Type::Bytes) {
        return some_bytes(random);
    }
    let mut writer = Writer { random, open: Vec::new(), depth: 0, out: Vec::new() };
    writer.value(made);
    writer.out
}

struct Writer<'a> {
    random: &'a mut Random,
    /// Records around the place at hand.
    open: Vec<Type>,
    depth: usize,
    out: Vec<u8>,
}

impl Writer<'_> {
    fn value(&mut self, made: &Type) {
        match made {
            Type::Null => {}
            Type::Boolean => self.out.push(u8::from(self.random.once_in(2))),
            Type::Int => {
                let number = int(self.random);
                self.long(number.into());
            }
            Type::Long => {
                let number = self.random.integer();
                self.long(number);
            }
            Type::Float => {
                let number = self.random.pick(&[0.0f32, -1.5, f32::NAN, 1e30, 1e-45, -0.0]);
                self.out.extend(number.to_le_bytes());
            }
            Type::Double => {
                let number = self.random.pick(&[0.0f64, 1e300, f64::NAN, -2.5, 5e-324, -0.0]);
                self.out.extend(number.to_le_bytes());
            }
            Type::String => {
                let text = text::text(self.random);
                self.bytes(text.as_bytes());
            }
            Type::Bytes => {
                let bytes = some_bytes(self.random);
                self.bytes(&bytes);
            }
            Type::Fixed(size) => {
                let fill = self.random.pick(&[0u8, 0xff, 1]);
                let bytes = (0..*size)
                    .map(|_| if self.random.once_in(2) { fill } else { self.random.bits().to_be_bytes()[0] });
                let bytes: Vec<u8> = bytes.collect();
                self.out.extend(bytes);
            }
            Type::Enum(symbols) => {
                let at = self.random.below(symbols.len());
                self.count(at);
            }
            Type::Array(items) => self.blocks(&mut |writer, _| writer.value(items)),
            Type::Map(values) => self.blocks(&mut |writer, at| {
                let name = format!("{}{at}", text::name(writer.random));
                writer.bytes(name.as_bytes());
                writer.value(values);
            }),
            Type::Union(branches) => {
                let at = if self.depth > DEPTH_MAX { 0 } else { self.random.below(branches.len().max(1)) };
                self.count(at);
                if let Some(branch) = branches.get(at) {
                    self.value(branch);
                }
            }
            Type::Record(fields) => {
                self.open.push(made.clone());
                self.depth += 1;
                fields.iter().for_each(|(_, made)| self.value(made));
                self.depth -= 1;
                self.open.pop();
            }
            Type::Enclosing(at) => {
                let kept = self.open.len() - 1 - at;
                let inner = self.open.split_off(kept + 1);
                let record = self.open[kept].clone();
                self.value(&record);
                self.open.extend(inner);
            }
        }
    }

    /// Items in blocks, some of which say how long they are.
    fn blocks(&mut self, item: &mut dyn FnMut(&mut Self, usize)) {
        let mut at = 0;
        let blocks = if self.depth > DEPTH_MAX / 2 { 0 } else { self.random.pick(&[0, 1, 1, 1, 2]) };
        for _ in 0..blocks {
            let count = 1 + self.random.below(3);
            let before = std::mem::take(&mut self.out);
            for _ in 0..count {
                item(self, at);
                at += 1;
            }
            let block = std::mem::replace(&mut self.out, before);
            let count = i64::try_from(count).expect("few items");
            if self.random.once_in(4) {
                self.long(-count);
                self.count(block.len());
            } else {
                self.long(count);
            }
            self.out.extend(block);
        }
        self.long(0);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.out.extend(bytes);
    }

    fn count(&mut self, number: usize) {
        self.long(i64::try_from(number).expect("small numbers"));
    }

    /// Zigzag, seven bits a byte.
    fn long(&mut self, number: i64) {
        let mut rest = ((number << 1) ^ (number >> 63)).cast_unsigned();
        while rest > 0x7f {
            self.out.push(rest.to_le_bytes()[0] | 0x80);
            rest >>= 7;
        }
        self.out.push(rest.to_le_bytes()[0]);
    }
}

fn int(random: &mut Random) -> i32 {
    match random.below(4) {
        0 => random.pick(&[0, 1, -1, 127, -128, 128, 32767, -32768, i32::MAX, i32::MIN, 86_399_999]),
        1 => i32::try_from(random.integer() >> 32).expect("32 bits"),
        _ => i32::try_from(random.below(256)).expect("small") - 128,
    }
}

fn some_bytes(random: &mut Random) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..random.below(7)).map(|_| random.bits().to_be_bytes()[0]).collect();
    if let Some(first) = bytes.first_mut()
        && random.once_in(3)
    {
        *first = 0;
    }
    bytes
}
