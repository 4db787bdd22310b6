//! From keywords to rules.
//!
//! A schema that says several things at once is an `allOf` of what it says: one part for its choices, one for
//! each type that it names or speaks of.

use std::collections::HashMap;

use fancy_regex::{Regex, RegexBuilder};
use serde_json::{Map, Value as Json};

use super::super::document::Texts;
use super::super::fault::{Converted, invalid};
use super::exact::Exact;
use super::format::Format;
use super::rule::{
    Additional, Array, Criterion, Demand, Integers, Limit, Numbers, Object, Others, Rule, RuleId, Rules, Text,
};
use super::{Dialects, unsupported_rule};

/// The rules of the root of `texts`.
///
/// # Errors
/// See [`super::Validator::new`].
pub(super) fn compile(texts: &Texts<'_>, dialects: Dialects) -> Converted<Rules> {
    let draft = Draft::of(texts.root(), dialects)?;
    let mut compiler = Compiler {
        texts,
        draft,
        rules: Vec::new(),
        targets: Vec::new(),
        known: HashMap::new(),
        location: String::from("#"),
        depth: 0,
    };
    let root = compiler.schema(0, texts.root())?;
    let integers = if draft > Draft::Seven { Integers::ByValue } else { Integers::ByText };
    Ok(Rules { rules: compiler.rules, root, targets: compiler.targets, integers })
}

/// A pattern, which may go back so often and become so large.
pub(super) fn pattern(text: &str) -> Result<Regex, Box<fancy_regex::Error>> {
    RegexBuilder::new(text)
        .backtrack_limit(BACKTRACKS_MAX)
        .delegate_size_limit(PATTERN_BYTES_MAX)
        .delegate_dfa_size_limit(PATTERN_BYTES_MAX)
        .build()
        .map_err(Box::new)
}

/// A version of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Draft {
    Four,
    Six,
    Seven,
    Y2019,
    Y2020,
}

impl Draft {
    fn of(root: &Json, dialects: Dialects) -> Converted<Self> {
        let Some(name) = root.get("$schema") else { return Ok(Self::Seven) };
        let name = name.as_str().ok_or_else(|| invalid("$schema is no text"))?;
        let draft = match name.trim_end_matches('#').split_once("://").map_or(name, |(_, rest)| rest) {
            "json-schema.org/draft-04/schema" => Self::Four,
            "json-schema.org/draft-06/schema" => Self::Six,
            "json-schema.org/draft/2019-09/schema" => Self::Y2019,
            "json-schema.org/draft/2020-12/schema" => Self::Y2020,
            _ => Self::Seven,
        };
        Ok(if dialects == Dialects::Older { draft.min(Self::Seven) } else { draft })
    }
}

struct Compiler<'l, 'a> {
    texts: &'l Texts<'a>,
    draft: Draft,
    rules: Vec<Rule>,
    targets: Vec<Option<RuleId>>,
    /// Targets by the address of the schema they point to.
    known: HashMap<usize, usize>,
    /// Pointer of the schema at hand.
    location: String,
    depth: usize,
}

type Members<'a> = &'a Map<String, Json>;

impl<'a> Compiler<'_, 'a> {
    fn add(&mut self, demand: Demand) -> Converted<RuleId> {
        if self.rules.len() == RULES_MAX {
            return Err(invalid(format!("more than {RULES_MAX} parts")));
        }
        self.rules.push(Rule { location: self.location.clone(), demand });
        Ok(self.rules.len() - 1)
    }

    /// Compiles `json`, which stands at `step` of the schema at hand, in document `text`. Recursion is
    /// bounded by [`DEPTH_MAX`].
    fn at(&mut self, text: usize, step: &str, json: &'a Json) -> Converted<RuleId> {
        let length = self.location.len();
        self.location.push('/');
        self.location.push_str(step);
        if self.location.len() > LOCATION_BYTES_MAX {
            return Err(invalid("names nested too deeply"));
        }
        let compiled = self.schema(text, json);
        self.location.truncate(length);
        compiled
    }

    fn schema(&mut self, text: usize, json: &'a Json) -> Converted<RuleId> {
        let members = match json {
            Json::Bool(true) => return self.add(Demand::Nothing),
            Json::Bool(false) => return self.add(Demand::Never),
            Json::Object(members) => members,
            _ => return Err(invalid("a schema is neither an object nor a boolean")),
        };
        if self.depth == DEPTH_MAX {
            return Err(invalid(format!("nested more than {DEPTH_MAX} deep")));
        }
        self.depth += 1;
        let compiled = self.object_schema(text, members);
        self.depth -= 1;
        compiled
    }

    fn object_schema(&mut self, text: usize, members: Members<'a>) -> Converted<RuleId> {
        let mut parts = Vec::new();
        if let Some(reference) = members.get("$ref") {
            let name = reference.as_str().ok_or_else(|| invalid("$ref is no text"))?;
            let reference = self.reference(text, name)?;
            if self.draft <= Draft::Seven {
                return self.add(reference);
            }
            parts.push(reference);
        }
        if self.draft > Draft::Seven
            && let Some(name) = UNSUPPORTED.iter().find(|name| members.contains_key(**name))
        {
            return Err(unsupported_rule(name));
        }
        self.choices(text, members, &mut parts)?;
        self.types(text, members, &mut parts)?;
        if parts.len() < 2 {
            return self.add(parts.pop().unwrap_or(Demand::Nothing));
        }
        let parts = parts.into_iter().map(|part| self.add(part)).collect::<Converted<Vec<_>>>()?;
        self.add(Demand::Combined { criterion: Criterion::All, parts })
    }

    fn reference(&mut self, text: usize, name: &str) -> Converted<Demand> {
        let (text, json) = self.texts.find(text, name)?;
        let address = std::ptr::from_ref(json) as usize;
        if let Some(&target) = self.known.get(&address) {
            return Ok(Demand::Reference(target));
        }
        let target = self.targets.len();
        self.targets.push(None);
        self.known.insert(address, target);
        let pointer = name.split_once('#').map_or("", |(_, pointer)| pointer);
        let outer = std::mem::replace(&mut self.location, format!("#{pointer}"));
        let compiled = self.schema(text, json);
        self.location = outer;
        self.targets[target] = Some(compiled?);
        Ok(Demand::Reference(target))
    }

    /// Choices, and what holds for values of every type.
    fn choices(&mut self, text: usize, members: Members<'a>, parts: &mut Vec<Demand>) -> Converted<()> {
        if let Some(values) = members.get("enum") {
            let values = values.as_array().ok_or_else(|| invalid("enum is no list"))?;
            parts.push(Demand::Enum(values.clone()));
        }
        let combinations = [("allOf", Criterion::All), ("oneOf", Criterion::One), ("anyOf", Criterion::Any)];
        for (name, criterion) in combinations {
            let Some(listed) = members.get(name) else { continue };
            let listed = listed.as_array().ok_or_else(|| invalid(format!("{name} is no list")))?;
            let listed =
                listed.iter().enumerate().map(|(at, part)| self.at(text, &format!("{name}/{at}"), part));
            let combined = listed.collect::<Converted<Vec<_>>>()?;
            parts.push(Demand::Combined { criterion, parts: combined });
        }
        if let Some(denied) = members.get("not") {
            parts.push(Demand::Not(self.at(text, "not", denied)?, denied.to_string()));
        }
        if self.draft >= Draft::Six
            && let Some(value) = members.get("const")
        {
            parts.push(Demand::Const(value.clone()));
        }
        if self.draft >= Draft::Seven
            && let Some(condition) = members.get("if")
        {
            let condition = self.at(text, "if", condition)?;
            let then = self.optional(text, members, "then")?;
            let otherwise = self.optional(text, members, "else")?;
            parts.push(Demand::Conditional { condition, then, otherwise });
        }
        Ok(())
    }

    fn optional(&mut self, text: usize, members: Members<'a>, name: &str) -> Converted<Option<RuleId>> {
        members.get(name).map(|json| self.at(text, name, json)).transpose()
    }

    fn types(&mut self, text: usize, members: Members<'a>, parts: &mut Vec<Demand>) -> Converted<()> {
        let mut spoken: Vec<&str> = Vec::new();
        match members.get("type") {
            None => {}
            Some(Json::String(name)) => {
                parts.push(self.of_type(text, name, members)?);
                spoken.push(name);
            }
            Some(Json::Array(names)) => {
                let mut types = Vec::with_capacity(names.len());
                for name in names {
                    let name = name.as_str().ok_or_else(|| invalid("type is no list of names"))?;
                    let demand = self.of_type(text, name, members)?;
                    types.push(self.add(demand)?);
                    spoken.push(name);
                }
                parts.push(Demand::Combined { criterion: Criterion::Any, parts: types });
            }
            Some(_) => return Err(invalid("type is neither a name nor a list of names")),
        }
        let says = |names: &[&str]| names.iter().any(|name| members.contains_key(*name));
        let is_spoken = |name: &str| spoken.contains(&name);
        if !is_spoken("array") && says(&ARRAY) {
            parts.push(self.array(text, members, Others::Passed)?);
        }
        if !is_spoken("object") && says(&OBJECT) {
            parts.push(self.object(text, members, Others::Passed)?);
        }
        if !is_spoken("number") && !is_spoken("integer") && says(&NUMBER) {
            parts.push(self.numbers(members, Others::Passed, false)?);
        }
        if !is_spoken("string") && says(&STRING) {
            parts.push(self.text(members, Others::Passed)?);
        }
        Ok(())
    }

    fn of_type(&mut self, text: usize, name: &str, members: Members<'a>) -> Converted<Demand> {
        match name {
            "array" => self.array(text, members, Others::Refused),
            "boolean" => Ok(Demand::Boolean),
            "integer" | "number" => self.numbers(members, Others::Refused, name == "integer"),
            "null" => Ok(Demand::Null),
            "object" => self.object(text, members, Others::Refused),
            "string" => self.text(members, Others::Refused),
            unknown => Err(invalid(format!("unknown type: [{unknown}]"))),
        }
    }

    fn array(&mut self, text: usize, members: Members<'a>, others: Others) -> Converted<Demand> {
        // From 2020-12 on the first items have a keyword of their own.
        let (first, rest) = match self.draft {
            Draft::Y2020 => ("prefixItems", "items"),
            _ => ("items", "additionalItems"),
        };
        let mut array = Array {
            others,
            min_items: count(members, "minItems"),
            max_items: count(members, "maxItems"),
            unique: members.get("uniqueItems") == Some(&Json::Bool(true)),
            first: Vec::new(),
            rest: None,
            ends: false,
            contains: None,
        };
        match members.get(first) {
            Some(Json::Array(listed)) => {
                for (at, item) in listed.iter().enumerate() {
                    array.first.push(self.at(text, &format!("{first}/{at}"), item)?);
                }
                array.ends = members.get(rest) == Some(&Json::Bool(false));
                array.rest = self.optional(text, members, rest)?.filter(|_| !array.ends);
            }
            Some(_) if self.draft == Draft::Y2020 => return Err(invalid("prefixItems is no list")),
            Some(items) => array.rest = Some(self.at(text, first, items)?),
            None if self.draft == Draft::Y2020 => array.rest = self.optional(text, members, rest)?,
            None => {}
        }
        if self.draft >= Draft::Six
            && let Some(contains) = self.optional(text, members, "contains")?
        {
            let limits = |name| if self.draft > Draft::Seven { count(members, name) } else { None };
            let least = limits("minContains").unwrap_or(1);
            array.contains = Some((contains, least, limits("maxContains")));
        }
        Ok(Demand::Array(Box::new(array)))
    }

    fn numbers(&self, members: Members<'a>, others: Others, integer: bool) -> Converted<Demand> {
        let exact = |name: &str| match members.get(name) {
            Some(Json::Number(number)) => Some(Exact::of(number)),
            _ => None,
        };
        let limit = |plain_name: &str, excluded: &str| match (
            exact(plain_name),
            exact(excluded).filter(|_| self.draft > Draft::Four),
        ) {
            (Some(limit), None)
                if self.draft == Draft::Four && members.get(excluded) == Some(&Json::Bool(true)) =>
            {
                Some((limit, Limit::Excluded))
            }
            (limit, None) => limit.map(|limit| (limit, Limit::Allowed)),
            (None, limit) => limit.map(|limit| (limit, Limit::Excluded)),
            (Some(plain), Some(excluded)) => {
                let order = plain.compare(&excluded);
                let is_stricter = if plain_name == "minimum" { order.is_gt() } else { order.is_lt() };
                Some(if is_stricter { (plain, Limit::Allowed) } else { (excluded, Limit::Excluded) })
            }
        };
        Ok(Demand::Number(Box::new(Numbers {
            others,
            integer,
            minimum: limit("minimum", "exclusiveMinimum"),
            maximum: limit("maximum", "exclusiveMaximum"),
            multiple_of: exact("multipleOf"),
        })))
    }

    fn text(&self, members: Members<'a>, others: Others) -> Converted<Demand> {
        let pattern = members.get("pattern").and_then(Json::as_str).map(compiled).transpose()?;
        let format = members.get("format").and_then(Json::as_str).and_then(Format::named);
        Ok(Demand::Text(Box::new(Text {
            others,
            min_length: count(members, "minLength"),
            max_length: count(members, "maxLength"),
            pattern,
            format: format.filter(|_| self.draft <= Draft::Seven),
        })))
    }

    fn object(&mut self, text: usize, members: Members<'a>, others: Others) -> Converted<Demand> {
        let mut object = Object {
            others,
            min_properties: count(members, "minProperties"),
            max_properties: count(members, "maxProperties"),
            required: names(members.get("required")),
            properties: Vec::new(),
            patterns: Vec::new(),
            additional: Additional::Allowed,
            names: None,
            needs: Vec::new(),
            dependent: Vec::new(),
        };
        for (name, json) in listed(members, "properties") {
            let step = format!("properties/{}", escaped(name));
            object.properties.push((name.clone(), self.at(text, &step, json)?));
        }
        for (name, json) in listed(members, "patternProperties") {
            let rule = self.at(text, &format!("patternProperties/{}", escaped(name)), json)?;
            object.patterns.push((compiled(name)?, rule));
        }
        object.additional = match members.get("additionalProperties") {
            None | Some(Json::Bool(true)) => Additional::Allowed,
            Some(Json::Bool(false)) => Additional::Refused,
            Some(json) => Additional::Ruled(self.at(text, "additionalProperties", json)?),
        };
        if self.draft >= Draft::Six {
            object.names = self.optional(text, members, "propertyNames")?;
        }
        let dependencies = ["dependencies", "dependentRequired", "dependentSchemas"];
        let known = if self.draft > Draft::Seven { &dependencies[..] } else { &dependencies[..1] };
        for keyword in known {
            for (name, json) in listed(members, keyword) {
                if json.is_array() {
                    object.needs.push((name.clone(), names(Some(json))));
                } else {
                    let step = format!("{keyword}/{}", escaped(name));
                    object.dependent.push((name.clone(), self.at(text, &step, json)?));
                }
            }
        }
        Ok(Demand::Object(Box::new(object)))
    }
}

fn compiled(text: &str) -> Converted<Regex> {
    pattern(text).map_err(|error| invalid(format!("{text} is no pattern: {error}")))
}

fn count(members: Members<'_>, name: &str) -> Option<u64> {
    let number = members.get(name)?;
    // A count may be written with a fraction of zero.
    number.as_u64().or_else(|| number.as_f64().filter(|count| *count >= 0.0).map(|count| count as u64))
}

fn names(json: Option<&Json>) -> Vec<String> {
    let listed = json.and_then(Json::as_array).into_iter().flatten();
    listed.filter_map(Json::as_str).map(str::to_owned).collect()
}

fn listed<'a>(members: Members<'a>, name: &str) -> impl Iterator<Item = (&'a String, &'a Json)> {
    members.get(name).and_then(Json::as_object).into_iter().flatten()
}

/// A name as a step of a JSON pointer.
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

const UNSUPPORTED: [&str; 4] = ["unevaluatedProperties", "unevaluatedItems", "$dynamicRef", "$recursiveRef"];
const ARRAY: [&str; 7] =
    ["items", "additionalItems", "minItems", "maxItems", "uniqueItems", "contains", "prefixItems"];
const NUMBER: [&str; 5] = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
const OBJECT: [&str; 10] = [
    "properties",
    "required",
    "minProperties",
    "maxProperties",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "patternProperties",
    "additionalProperties",
    "propertyNames",
];
const STRING: [&str; 4] = ["minLength", "maxLength", "pattern", "format"];

/// Parts of a schema, references compiled once.
const RULES_MAX: usize = 100_000;

/// Schemas within schemas, also through references.
const DEPTH_MAX: usize = 200;

/// Bytes of the pointer of a part.
const LOCATION_BYTES_MAX: usize = 16 * 1024;

/// Steps back of a pattern that needs them.
const BACKTRACKS_MAX: usize = 100_000;

/// Bytes of a pattern that is ready for use.
const PATTERN_BYTES_MAX: usize = 1 << 20;
