//! A value against its rules.

use std::cmp::Ordering;

use serde_json::Value as Json;

use super::STEPS_MAX;
use super::compile::escaped;
use super::exact::Exact;
use super::report::{Violation, summed_up};
use super::rule::{
    Additional, Array, Criterion, Demand, Integers, Limit, Numbers, Object, Others, RuleId, Rules, Text,
};

/// Checks one value.
pub(super) struct Checker<'r> {
    rules: &'r Rules,
    /// Pointer of the value at hand.
    pointer: String,
    left: usize,
    depth: usize,
    gave_up: Option<&'static str>,
}

type Violations = Vec<Violation>;

impl<'r> Checker<'r> {
    pub(super) fn new(rules: &'r Rules) -> Self {
        Self { rules, pointer: String::from("#"), left: STEPS_MAX, depth: 0, gave_up: None }
    }

    /// Why the check did not come to an end.
    pub(super) fn gave_up(&self) -> Option<&'static str> {
        self.gave_up
    }

    /// Counts `steps`; false when there are no more.
    fn take(&mut self, steps: usize) -> bool {
        match self.left.checked_sub(steps) {
            Some(left) => self.left = left,
            None => {
                self.left = 0;
                self.gave_up = Some("the value needs more steps to be checked than are allowed");
            }
        }
        self.gave_up.is_none()
    }

    /// Adds what `value` violates of rule `id`. Recursion is bounded by [`DEPTH_MAX`].
    pub(super) fn check(&mut self, id: RuleId, value: &Json, out: &mut Violations) {
        if !self.take(1) {
            return;
        }
        if self.depth == DEPTH_MAX {
            self.gave_up = Some("the schema is nested too deeply for the value");
            return;
        }
        self.depth += 1;
        let rules = self.rules;
        let rule = &rules.rules[id];
        let location = rule.location.as_str();
        match &rule.demand {
            Demand::Nothing => {}
            Demand::Never => self.violated(out, location, "false", "false schema always fails"),
            Demand::Array(array) => match value {
                Json::Array(items) => self.array(array, location, items, out),
                _ => self.other(array.others, location, "JSONArray", value, out),
            },
            Demand::Boolean if !value.is_boolean() => {
                self.other(Others::Refused, location, "Boolean", value, out);
            }
            Demand::Boolean => {}
            Demand::Combined { criterion, parts } => self.combined(*criterion, parts, location, value, out),
            Demand::Conditional { condition, then, otherwise } => {
                self.conditional((*condition, *then, *otherwise), location, value, out);
            }
            Demand::Const(expected) => {
                if !self.is_same(expected, value) {
                    self.violated(out, location, "const", "");
                }
            }
            Demand::Enum(values) => {
                if !values.iter().any(|known| self.is_same(known, value)) {
                    let message = format!("{} is not a valid enum value", shown(value));
                    self.violated(out, location, "enum", message);
                }
            }
            Demand::Not(denied, text) => {
                if self.inside(*denied, value).is_empty() {
                    let message = format!("subject must not be valid against schema {text}");
                    self.violated(out, location, "not", message);
                }
            }
            Demand::Null if value.is_null() => {}
            Demand::Null => {
                self.violated(out, location, "type", format!("expected: null, found: {}", class(value)));
            }
            Demand::Number(numbers) => match value {
                Json::Number(number) => self.number(numbers, location, &Exact::of(number), value, out),
                _ => {
                    let expected = if numbers.integer { "Integer" } else { "Number" };
                    self.other(numbers.others, location, expected, value, out);
                }
            },
            Demand::Object(object) => match value {
                Json::Object(members) => self.object(object, location, members, out),
                _ => self.other(object.others, location, "JSONObject", value, out),
            },
            Demand::Reference(target) => {
                let target = rules.targets[*target].expect("every reference is resolved while compiling");
                self.check(target, value, out);
            }
            Demand::Text(text) => match value {
                Json::String(found) => self.text(text, location, found, out),
                _ => self.other(text.others, location, "String", value, out),
            },
        }
        self.depth -= 1;
    }

    /// What `value` violates of rule `id`.
    fn inside(&mut self, id: RuleId, value: &Json) -> Violations {
        let mut found = Vec::new();
        self.check(id, value, &mut found);
        found
    }

    fn violated(
        &self,
        out: &mut Violations,
        location: &str,
        keyword: &'static str,
        message: impl Into<String>,
    ) {
        if out.len() < VIOLATIONS_MAX {
            out.push(Violation::new(&self.pointer, location, Some(keyword), message.into()));
        }
    }

    /// A value of another type than `expected`.
    fn other(&self, others: Others, location: &str, expected: &str, value: &Json, out: &mut Violations) {
        if others == Others::Refused {
            let message = format!("expected type: {expected}, found: {}", class(value));
            self.violated(out, location, "type", message);
        }
    }

    fn combined(
        &mut self,
        criterion: Criterion,
        parts: &[RuleId],
        location: &str,
        value: &Json,
        out: &mut Violations,
    ) {
        let total = parts.len();
        let mut matches = 0;
        let mut causes = Vec::new();
        for part in parts {
            let found = self.inside(*part, value);
            matches += usize::from(found.is_empty());
            causes
                .extend(summed_up(found, &self.pointer, location).filter(|_| causes.len() < VIOLATIONS_MAX));
        }
        let (is_good, keyword, problem) = match criterion {
            Criterion::All => {
                let problem = format!("only {matches} subschema matches out of {total}");
                (matches == total, "allOf", problem)
            }
            Criterion::Any => {
                let problem = format!("no subschema matched out of the total {total} subschemas");
                (matches > 0, "anyOf", problem)
            }
            Criterion::One => (matches == 1, "oneOf", format!("{matches} subschemas matched instead of one")),
        };
        if !is_good && out.len() < VIOLATIONS_MAX {
            // Java's message has the pointer twice.
            let violation =
                Violation::new(&self.pointer, location, Some(keyword), format!("#: {problem}")).with(causes);
            out.push(violation);
        }
    }

    fn conditional(
        &mut self,
        (condition, then, otherwise): (RuleId, Option<RuleId>, Option<RuleId>),
        location: &str,
        value: &Json,
        out: &mut Violations,
    ) {
        let holds = self.inside(condition, value).is_empty();
        let Some(rule) = (if holds { then } else { otherwise }) else { return };
        let causes = self.inside(rule, value);
        if !causes.is_empty() && out.len() < VIOLATIONS_MAX {
            let (keyword, message) = if holds {
                ("then", "input is invalid against the \"then\" schema")
            } else {
                ("else", "input is invalid against both the \"if\" and \"else\" schema")
            };
            let violation = Violation::new(&self.pointer, location, Some(keyword), message.to_owned());
            out.push(violation.with(causes));
        }
    }

    fn array(&mut self, array: &Array, location: &str, items: &[Json], out: &mut Violations) {
        let count = items.len() as u64;
        if let Some(least) = array.min_items.filter(|least| count < *least) {
            let message = format!("expected minimum item count: {least}, found: {count}");
            self.violated(out, location, "minItems", message);
        }
        if let Some(most) = array.max_items.filter(|most| count > *most) {
            let message = format!("expected maximum item count: {most}, found: {count}");
            self.violated(out, location, "maxItems", message);
        }
        if array.unique && !self.is_unique(items) {
            self.violated(out, location, "uniqueItems", "array items are not unique");
        }
        if array.ends && items.len() > array.first.len() {
            let message = format!("expected: [{}] array items, found: [{count}]", array.first.len());
            self.violated(out, location, "items", message);
        }
        for (at, item) in items.iter().enumerate() {
            if let Some(rule) = array.first.get(at).copied().or(array.rest) {
                self.below(&at.to_string(), |checker| checker.check(rule, item, out));
            }
        }
        if let Some((rule, least, most)) = array.contains {
            let matches = items.iter().filter(|item| self.inside(rule, item).is_empty()).count() as u64;
            if matches < least || most.is_some_and(|most| matches > most) {
                let message = "expected at least one array item to match 'contains' schema";
                self.violated(out, location, "contains", message);
            }
        }
    }

    fn is_unique(&mut self, items: &[Json]) -> bool {
        (1..items.len()).all(|at| (0..at).all(|before| !self.is_same(&items[before], &items[at])))
    }

    fn number(&self, numbers: &Numbers, location: &str, number: &Exact, value: &Json, out: &mut Violations) {
        let is_integer = match self.rules.integers {
            Integers::ByText => number.is_integer_text(),
            Integers::ByValue => number.is_whole(),
        };
        if numbers.integer && !is_integer {
            return self.other(numbers.others, location, "Integer", value, out);
        }
        let text = number.text();
        if let Some((minimum, limit)) = &numbers.minimum {
            let limit_text = minimum.text();
            match (number.compare(minimum), limit) {
                (Ordering::Less, Limit::Allowed) => {
                    let message = format!("{text} is not greater or equal to {limit_text}");
                    self.violated(out, location, "minimum", message);
                }
                (Ordering::Less | Ordering::Equal, Limit::Excluded) => {
                    let message = format!("{text} is not greater than {limit_text}");
                    self.violated(out, location, "exclusiveMinimum", message);
                }
                _ => {}
            }
        }
        if let Some((maximum, limit)) = &numbers.maximum {
            let limit_text = maximum.text();
            match (number.compare(maximum), limit) {
                (Ordering::Greater, Limit::Allowed) => {
                    let message = format!("{text} is not less or equal to {limit_text}");
                    self.violated(out, location, "maximum", message);
                }
                (Ordering::Greater | Ordering::Equal, Limit::Excluded) => {
                    let message = format!("{text} is not less than {limit_text}");
                    self.violated(out, location, "exclusiveMaximum", message);
                }
                _ => {}
            }
        }
        if let Some(divisor) = numbers.multiple_of.as_ref().filter(|divisor| !number.is_multiple_of(divisor))
        {
            let message = format!("{text} is not a multiple of {}", divisor.text());
            self.violated(out, location, "multipleOf", message);
        }
    }

    fn object(
        &mut self,
        object: &Object,
        location: &str,
        members: &serde_json::Map<String, Json>,
        out: &mut Violations,
    ) {
        let count = members.len() as u64;
        for name in object.required.iter().filter(|name| !members.contains_key(*name)) {
            self.violated(out, location, "required", format!("required key [{name}] not found"));
        }
        if let Some(least) = object.min_properties.filter(|least| count < *least) {
            let message = format!("minimum size: [{least}], found: [{count}]");
            self.violated(out, location, "minProperties", message);
        }
        if let Some(most) = object.max_properties.filter(|most| count > *most) {
            let message = format!("maximum size: [{most}], found: [{count}]");
            self.violated(out, location, "maxProperties", message);
        }
        for (name, needed) in object.needs.iter().filter(|(name, _)| members.contains_key(name)) {
            for missing in needed.iter().filter(|needed| !members.contains_key(*needed)) {
                let message = format!("property [{missing}] is required");
                let _ = name;
                self.violated(out, location, "dependencies", message);
            }
        }
        for (name, rule) in &object.dependent {
            if members.contains_key(name) {
                let found = self.inside(*rule, &Json::Object(members.clone()));
                out.extend(found.into_iter().take(VIOLATIONS_MAX.saturating_sub(out.len())));
            }
        }
        for (name, rule) in &object.properties {
            if let Some(member) = members.get(name) {
                self.below(name, |checker| checker.check(*rule, member, out));
            }
        }
        if object.names.is_some() || !object.patterns.is_empty() || !is_open(object.additional) {
            for (name, member) in members {
                self.unnamed(object, location, name, member, out);
            }
        }
    }

    /// The rules of a member that its name alone does not tell.
    fn unnamed(&mut self, object: &Object, location: &str, name: &str, member: &Json, out: &mut Violations) {
        if !self.take(1 + object.patterns.len() * (1 + name.len() / 64) + object.properties.len() / 64) {
            return;
        }
        if let Some(rule) = object.names {
            self.below(name, |checker| checker.check(rule, &Json::from(name), out));
        }
        let mut is_named = object.properties.iter().any(|(known, _)| known == name);
        for (pattern, rule) in &object.patterns {
            match pattern.is_match(name) {
                Ok(true) => {
                    is_named = true;
                    self.below(name, |checker| checker.check(*rule, member, out));
                }
                Ok(false) => {}
                Err(_) => self.gave_up = Some("a pattern needs more steps than are allowed"),
            }
        }
        match object.additional {
            Additional::Refused if !is_named => {
                let message = format!("extraneous key [{name}] is not permitted");
                self.violated(out, location, "additionalProperties", message);
            }
            Additional::Ruled(rule) if !is_named => {
                self.below(name, |checker| checker.check(rule, member, out));
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &Text, location: &str, found: &str, out: &mut Violations) {
        if text.min_length.is_some() || text.max_length.is_some() {
            let length = found.chars().count() as u64;
            if let Some(least) = text.min_length.filter(|least| length < *least) {
                let message = format!("expected minLength: {least}, actual: {length}");
                self.violated(out, location, "minLength", message);
            }
            if let Some(most) = text.max_length.filter(|most| length > *most) {
                let message = format!("expected maxLength: {most}, actual: {length}");
                self.violated(out, location, "maxLength", message);
            }
        }
        if let Some(pattern) = &text.pattern
            && self.take(found.len() / 64)
        {
            match pattern.is_match(found) {
                Ok(true) => {}
                Ok(false) => {
                    let message = format!("string [{found}] does not match pattern {}", pattern.as_str());
                    self.violated(out, location, "pattern", message);
                }
                Err(_) => self.gave_up = Some("a pattern needs more steps than are allowed"),
            }
        }
        if let Some(problem) = text.format.and_then(|format| format.problem(found)) {
            self.violated(out, location, "format", problem);
        }
    }

    /// Does something at a step below the value at hand.
    fn below(&mut self, step: &str, check: impl FnOnce(&mut Self)) {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(&escaped(step));
        check(self);
        self.pointer.truncate(length);
    }

    /// Whether both are the same, numbers by their value. Recursion is bounded by the depth of what was
    /// parsed.
    fn is_same(&mut self, one: &Json, other: &Json) -> bool {
        if !self.take(1) {
            return true;
        }
        match (one, other) {
            (Json::Array(one), Json::Array(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| self.is_same(one, other))
            }
            (Json::Number(one), Json::Number(other)) => Exact::of(one).compare(&Exact::of(other)).is_eq(),
            (Json::Object(one), Json::Object(other)) => {
                one.len() == other.len()
                    && one
                        .iter()
                        .all(|(name, one)| other.get(name).is_some_and(|other| self.is_same(one, other)))
            }
            _ => one == other,
        }
    }
}

fn is_open(additional: Additional) -> bool {
    matches!(additional, Additional::Allowed)
}

/// The simple name of the class that Java has for a value.
fn class(value: &Json) -> &'static str {
    match value {
        Json::Null => "Null",
        Json::Bool(_) => "Boolean",
        Json::Number(number) if !Exact::of(number).is_integer_text() => "BigDecimal",
        Json::Number(number) => match number.as_i64() {
            Some(number) if i32::try_from(number).is_ok() => "Integer",
            Some(_) => "Long",
            None => "BigInteger",
        },
        Json::String(_) => "String",
        Json::Array(_) => "JSONArray",
        Json::Object(_) => "JSONObject",
    }
}

fn shown(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Violations of one value that are told.
const VIOLATIONS_MAX: usize = 100;

/// Schemas within schemas, also through references, and values within values.
const DEPTH_MAX: usize = 500;
