//! Words for months, days, eras and halves of the day, by language.
//!
//! Source: `DateFormatSymbols` of JDK 17 (CLDR), for `new Locale(text)`: the text as a whole is the language.
//! So `de_DE` is no language that Java knows, and gets the words of none: months are `Jan` to `Dec` for
//! `MMMM`, too. `words.txt` is written by `generate/JodaTables.java`.

/// The words of one language.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words([&'static str; WORDS]);

impl Words {
    /// Those of the language that is `text`, in any case.
    pub(super) fn of(text: &str) -> Self {
        let language = text.to_lowercase();
        find(&language).or_else(|| find("")).expect("the table has the words of no language")
    }

    /// Before Christ is 0.
    pub(super) fn era(&self, number: usize) -> &'static str {
        self.0[number]
    }

    /// January is 0.
    pub(super) fn month(&self, number: usize, length: Length) -> &'static str {
        self.0[MONTHS + number + if length == Length::Short { 12 } else { 0 }]
    }

    /// Monday is 0.
    pub(super) fn day(&self, number: usize, length: Length) -> &'static str {
        self.0[DAYS + number + if length == Length::Short { 7 } else { 0 }]
    }

    /// The first half is 0.
    pub(super) fn half_day(&self, number: usize) -> &'static str {
        self.0[HALF_DAYS + number]
    }
}

/// How much of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    Full,
    Short,
}

fn find(language: &str) -> Option<Words> {
    TABLE.lines().find_map(|line| {
        let (languages, words) = line.split_once('\t')?;
        if !languages.split(',').any(|one| one == language) {
            return None;
        }
        let mut words = words.split('\t');
        Some(Words(std::array::from_fn(|_| words.next().expect("each line of the table has all words"))))
    })
}

const TABLE: &str = include_str!("words.txt");
/// Where months begin: behind two eras.
const MONTHS: usize = 2;
const DAYS: usize = MONTHS + 24;
const HALF_DAYS: usize = DAYS + 14;
const WORDS: usize = HALF_DAYS + 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_has_all_words() {
        let mut languages = 0;
        for line in TABLE.lines() {
            assert_eq!(line.split('\t').count(), WORDS + 1, "{line}");
            languages += line.split('\t').next().unwrap().split(',').count();
        }
        assert!(languages > 200, "{languages}");
    }

    #[test]
    fn the_whole_text_is_the_language() {
        assert_eq!(Words::of("FR").month(1, Length::Full), "février");
        assert_eq!(Words::of("en").month(1, Length::Full), "February");
        for other in ["en_US", "en-US", "fr_FR", "nonsense"] {
            assert!(find(&other.to_lowercase()).is_none());
            assert_eq!(Words::of(other).month(1, Length::Full), "Feb");
        }
    }
}
