//! `partition-by`: what new tables are partitioned by.
//!
//! Source: `SchemaUtils#createPartitionSpec`, iceberg-kafka-connect 1.10.

use iceberg::spec::Transform;

/// One item: a column, or a transform of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::iceberg) struct PartitionBy {
    /// With dots between the names of structs.
    pub(in crate::iceberg) column: String,
    pub(in crate::iceberg) transform: Transform,
}

impl PartitionBy {
    /// The items of `text`, which are separated by commas outside parentheses.
    ///
    /// # Errors
    /// The problem of the first item that is none.
    pub(super) fn items(text: &str) -> Result<Vec<Self>, String> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let mut items = vec![String::new()];
        for (at, letter) in text.char_indices() {
            let is_inside =
                || text[at..].find(['(', ')']).is_some_and(|next| text[at + next..].starts_with(')'));
            if letter == ',' && !is_inside() {
                items.push(String::new());
            } else {
                items.last_mut().expect("there is one from the start").push(letter);
            }
        }
        // Java's split leaves out empty items at the end.
        while items.last().is_some_and(String::is_empty) {
            items.pop();
        }
        items.iter().map(|item| Self::parse(item.trim())).collect()
    }

    fn parse(item: &str) -> Result<Self, String> {
        let plain = || Self { column: item.to_owned(), transform: Transform::Identity };
        if item.is_empty() {
            return Err("an item is empty".to_owned());
        }
        let Some((name, inner)) = item.strip_suffix(')').and_then(|item| item.split_once('(')) else {
            return Ok(plain());
        };
        let is_word = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        if inner.is_empty() || name.is_empty() || !is_word {
            return Ok(plain());
        }
        let one = |transform| Ok(Self { column: inner.to_owned(), transform });
        match name {
            "year" | "years" => one(Transform::Year),
            "month" | "months" => one(Transform::Month),
            "day" | "days" => one(Transform::Day),
            "hour" | "hours" => one(Transform::Hour),
            "bucket" => Self::with_number(item, inner, Transform::Bucket),
            "truncate" => Self::with_number(item, inner, Transform::Truncate),
            _ => Err(format!("unsupported transform {name}: use year, month, day, hour, bucket or truncate")),
        }
    }

    fn with_number(item: &str, inner: &str, transform: fn(u32) -> Transform) -> Result<Self, String> {
        let parts: Vec<&str> = inner.split(',').map(str::trim).collect();
        let number = |text: &str| text.parse::<i32>().ok().filter(|number| *number > 0);
        match &parts[..] {
            [column, text] if number(text).is_some() => {
                let number = number(text).unwrap_or(1).unsigned_abs();
                Ok(Self { column: (*column).to_owned(), transform: transform(number) })
            }
            _ => Err(format!("{item} must name a column and a number above 0")),
        }
    }

    /// What Java calls the partition field, with underscores where a name in Avro has no such character: the
    /// library writes names as they are.
    pub(in crate::iceberg) fn name(&self) -> String {
        let ending = match self.transform {
            Transform::Year => "_year",
            Transform::Month => "_month",
            Transform::Day => "_day",
            Transform::Hour => "_hour",
            Transform::Bucket(_) => "_bucket",
            Transform::Truncate(_) => "_trunc",
            _ => "",
        };
        let name = format!("{}{ending}", self.column).replace(|letter: char| !letter.is_alphanumeric(), "_");
        if name.starts_with(|first: char| first.is_numeric()) { format!("_{name}") } else { name }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(text: &str) -> Result<Vec<(String, Transform)>, String> {
        let items = PartitionBy::items(text)?;
        Ok(items.iter().map(|item| (item.name(), item.transform)).collect())
    }

    #[test]
    fn every_item_of_java_is_known() {
        let found = items("a, years(b.c),month(d),days(e), hour(f),bucket(g, 16),truncate( h ,4),").unwrap();
        let expected = [
            ("a", Transform::Identity),
            ("b_c_year", Transform::Year),
            ("d_month", Transform::Month),
            ("e_day", Transform::Day),
            ("f_hour", Transform::Hour),
            ("g_bucket", Transform::Bucket(16)),
            ("h_trunc", Transform::Truncate(4)),
        ];
        assert_eq!(found, expected.map(|(name, transform)| (name.to_owned(), transform)));
        assert_eq!(items("").unwrap(), []);
        assert_eq!(items("odd name(").unwrap(), [("odd_name_".to_owned(), Transform::Identity)]);
    }

    #[test]
    fn what_cannot_be_is_named() {
        for (text, problem) in [
            ("a,decade(b)", "unsupported transform decade"),
            ("bucket(a)", "bucket(a) must name"),
            ("bucket(a, b, 3)", "bucket(a, b, 3) must name"),
            ("truncate(a, 0)", "truncate(a, 0) must name"),
            ("a,,b", "an item is empty"),
        ] {
            let said = items(text).unwrap_err();
            assert!(said.starts_with(problem), "{said}");
        }
    }
}
