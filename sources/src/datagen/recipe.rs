//! How the values of each type are made: the annotations of a schema, checked once.

use arrow_array::ArrayRef;
use lakeward_api::ConnectError;
use lakeward_api::schema::{Logical, Schema};
use serde_json::{Map, Value as Json};

use super::avro_types::{Shape, Type};
use super::generate::Node;
use super::iteration::Iteration;
use super::options;
use super::pattern::Pattern;
use super::random::{Random, below, mix};

/// Bytes of a text or items of a list, at most.
const LENGTH_MAX: u64 = 64 * 1024;
/// Java's length of texts and lists that say nothing.
const LENGTH_DEFAULT: Length = Length { min: 8, width: 8 };

/// How one type's values are made.
#[derive(Debug)]
pub(super) enum Recipe {
    Array {
        length: Length,
        item: Box<Node>,
    },
    Boolean {
        odds: f64,
    },
    Booleans(Iteration),
    Bytes(Length),
    /// Unscaled; `max` excluded.
    Decimal {
        min: i128,
        max: i128,
    },
    Float {
        min: f64,
        max: f64,
    },
    Floats(Iteration),
    /// `width` numbers from `min` on; 0 stands for all numbers.
    Integer {
        min: i64,
        width: u64,
    },
    Integers(Iteration),
    Map {
        length: Length,
        key: Box<Node>,
        value: Box<Node>,
    },
    /// Null in one of `branches` rows.
    Optional {
        branches: u64,
        inner: Box<Node>,
    },
    Options(ArrayRef),
    Struct(Vec<Node>),
    Text {
        prefix: String,
        pattern: Pattern,
        suffix: String,
    },
    Texts {
        prefix: String,
        iteration: Iteration,
        suffix: String,
    },
}

/// A length from `min` on, one of `width`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Length {
    min: u64,
    width: u64,
}

impl Length {
    pub(super) fn pick(self, random: &mut Random) -> usize {
        usize::try_from(self.min + below(random.next(), self.width)).expect("lengths are small")
    }
}

/// Turns types into recipes.
#[derive(Debug)]
pub(super) struct Cook {
    /// Records that were made before.
    done: u64,
    salt: u64,
}

impl Cook {
    /// For a task that goes on after `done` records.
    pub(super) fn new(done: u64) -> Self {
        Self { done, salt: 0 }
    }

    /// The recipe of `kind` and of everything in it.
    ///
    /// # Errors
    /// `Config` when an annotation is wrong.
    pub(super) fn cook(&mut self, kind: &Type) -> Result<Node, ConnectError> {
        self.salt += 1;
        let salt = mix(self.salt);
        let args = &kind.args;
        let recipe = match (args.get("options"), args.get("iteration")) {
            (Some(list), _) => Recipe::Options(options::column(&kind.schema, list)?),
            (None, Some(Json::Object(iteration))) => self.iteration(kind, iteration)?,
            (None, Some(_)) => return Err(wrong("iteration is no object")),
            (None, None) => self.random(kind)?,
        };
        Ok(Node { schema: kind.schema.clone().into(), recipe, salt })
    }

    fn iteration(&self, kind: &Type, args: &Map<String, Json>) -> Result<Recipe, ConnectError> {
        let int = (i64::from(i32::MIN), i64::from(i32::MAX));
        Ok(match &kind.shape {
            Shape::Boolean => Recipe::Booleans(Iteration::boolean(args, self.done)?),
            Shape::Double => Recipe::Floats(Iteration::float(args, f64::MAX, self.done)?),
            Shape::Float => Recipe::Floats(Iteration::float(args, f64::from(f32::MAX), self.done)?),
            Shape::Int => Recipe::Integers(Iteration::whole(args, int, self.done)?),
            Shape::Long => Recipe::Integers(Iteration::whole(args, (i64::MIN, i64::MAX), self.done)?),
            Shape::String => Recipe::Texts {
                prefix: text(&kind.args, "prefix")?,
                iteration: Iteration::whole(args, int, self.done)?,
                suffix: text(&kind.args, "suffix")?,
            },
            _ => return Err(wrong("only numbers, texts and booleans count (iteration)")),
        })
    }

    fn random(&mut self, kind: &Type) -> Result<Recipe, ConnectError> {
        let args = &kind.args;
        let range = args.get("range");
        Ok(match &kind.shape {
            Shape::Array(item) => Recipe::Array { length: length(args)?, item: Box::new(self.cook(item)?) },
            Shape::Boolean => Recipe::Boolean { odds: odds(args)? },
            Shape::Bytes | Shape::Fixed(_) if kind.schema.logical().is_some() => {
                decimal(&kind.schema, range)?
            }
            Shape::Bytes => Recipe::Bytes(length(args)?),
            Shape::Double => float_range(range, f64::MAX)?,
            Shape::Enum(symbols) => {
                let symbols = symbols.iter().map(|symbol| Json::from(symbol.as_str())).collect();
                Recipe::Options(options::column(&kind.schema, &Json::Array(symbols))?)
            }
            Shape::Fixed(size) => Recipe::Bytes(Length { min: *size as u64, width: 1 }),
            Shape::Float => float_range(range, f64::from(f32::MAX))?,
            Shape::Int => integer_range(range, i64::from(i32::MIN), i64::from(i32::MAX))?,
            Shape::Long => integer_range(range, i64::MIN, i64::MAX)?,
            Shape::Map(value) => self.map(args, value)?,
            Shape::Optional(inner) => Recipe::Optional { branches: 2, inner: Box::new(self.cook(inner)?) },
            Shape::Record(fields) => {
                Recipe::Struct(fields.iter().map(|(_, field)| self.cook(field)).collect::<Result<_, _>>()?)
            }
            Shape::String => text_recipe(args, length(args)?)?,
        })
    }

    fn map(&mut self, args: &Map<String, Json>, value: &Type) -> Result<Recipe, ConnectError> {
        let keys = match args.get("keys") {
            None => [("length".to_owned(), Json::from(1))].into_iter().collect(),
            Some(Json::Object(keys)) => keys.clone(),
            Some(_) => return Err(wrong("keys is no object")),
        };
        let schema = Schema::new(lakeward_api::schema::Kind::String);
        let key = Type { shape: Shape::String, schema, args: keys };
        let (key, value) = (Box::new(self.cook(&key)?), Box::new(self.cook(value)?));
        Ok(Recipe::Map { length: length(args)?, key, value })
    }
}

fn wrong(text: &str) -> ConnectError {
    ConnectError::config(format!("The arg.properties of the schema are wrong: {text}"))
}

fn text(args: &Map<String, Json>, key: &str) -> Result<String, ConnectError> {
    match args.get(key) {
        None => Ok(String::new()),
        Some(Json::String(text)) => Ok(text.clone()),
        Some(_) => Err(wrong(&format!("{key} is no text"))),
    }
}

/// Without a pattern, any ASCII characters.
fn text_recipe(args: &Map<String, Json>, length: Length) -> Result<Recipe, ConnectError> {
    let pattern = match args.get("regex") {
        Some(Json::String(pattern)) => Pattern::parse(pattern)?,
        Some(_) => return Err(wrong("regex is no text")),
        None => {
            let (min, max) = (length.min, length.min + length.width - 1);
            let [min, max] = [min, max].map(|length| u32::try_from(length).expect("lengths are small"));
            let letters = (0..128_u8).map(char::from).collect();
            Pattern::Repeat { min, max, inner: Box::new(Pattern::Letter(letters)) }
        }
    };
    Ok(Recipe::Text { prefix: text(args, "prefix")?, pattern, suffix: text(args, "suffix")? })
}

fn length(args: &Map<String, Json>) -> Result<Length, ConnectError> {
    let number = |json: &Json| json.as_u64().ok_or_else(|| wrong("a length is no whole number"));
    let (min, max) = match args.get("length") {
        None => return Ok(LENGTH_DEFAULT),
        Some(Json::Object(bounds)) => {
            let (min, max) = (bounds.get("min").map(number), bounds.get("max").map(number));
            if min.is_none() && max.is_none() {
                return Err(wrong("a length has neither min nor max"));
            }
            (min.transpose()?.unwrap_or(0), max.transpose()?.unwrap_or(LENGTH_MAX))
        }
        Some(exact) => {
            let exact = number(exact)?;
            (exact, exact.saturating_add(1))
        }
    };
    if min >= max || max > LENGTH_MAX + 1 {
        return Err(wrong(&format!("lengths go from min up to, not including, max, at most {LENGTH_MAX}")));
    }
    Ok(Length { min, width: max - min })
}

fn odds(args: &Map<String, Json>) -> Result<f64, ConnectError> {
    let Some(odds) = args.get("odds") else { return Ok(0.5) };
    odds.as_f64().filter(|odds| (0.0..=1.0).contains(odds)).ok_or_else(|| wrong("odds go from 0.0 to 1.0"))
}

/// The bounds of `range`; `max` is excluded.
fn bounds<T: PartialOrd>(
    range: &Json,
    limits: (T, T),
    read: impl Fn(&Json) -> Option<T>,
) -> Result<(T, T), ConnectError> {
    let Json::Object(range) = range else { return Err(wrong("range is no object")) };
    let bound = |key: &str, limit: T| match range.get(key) {
        None => Ok(limit),
        Some(json) => read(json).ok_or_else(|| wrong(&format!("{key} of range does not fit its type"))),
    };
    let (min, max) = (bound("min", limits.0)?, bound("max", limits.1)?);
    if min < max { Ok((min, max)) } else { Err(wrong("min of range must be below max")) }
}

fn integer_range(range: Option<&Json>, least: i64, most: i64) -> Result<Recipe, ConnectError> {
    let Some(range) = range else { return Ok(Recipe::Integer { min: 0, width: 0 }) };
    let fits = |json: &Json| json.as_i64().filter(|number| (least..=most).contains(number));
    let (min, max) = bounds(range, (least, most), fits)?;
    Ok(Recipe::Integer { min, width: max.abs_diff(min) })
}

fn float_range(range: Option<&Json>, limit: f64) -> Result<Recipe, ConnectError> {
    let Some(range) = range else { return Ok(Recipe::Float { min: 0.0, max: 1.0 }) };
    // Half of each limit: the width between both is a number, too.
    let (min, max) = bounds(range, (-limit / 2.0, limit / 2.0), Json::as_f64)?;
    Ok(Recipe::Float { min, max })
}

/// A decimal of the schema's scale; without a range, of all its digits.
fn decimal(schema: &Schema, range: Option<&Json>) -> Result<Recipe, ConnectError> {
    let Some(Logical::Decimal { scale }) = schema.logical() else { return Err(wrong("no decimal")) };
    let precision = schema.parameters.get("connect.decimal.precision");
    let precision: u32 = precision.and_then(|text| text.parse().ok()).unwrap_or(18);
    // Numbers of more digits would be as good: all they have to be is random.
    let limit = 10_i128.pow(precision.clamp(1, 37));
    let Some(range) = range else { return Ok(Recipe::Decimal { min: 1 - limit, max: limit }) };
    let unscaled = |json: &Json| {
        let unscaled = json.as_f64()? * 10_f64.powi(scale);
        (unscaled.abs() < 1e36).then_some(unscaled.round() as i128)
    };
    let (min, max) = bounds(range, (1 - limit, limit), unscaled)?;
    Ok(Recipe::Decimal { min, max })
}
