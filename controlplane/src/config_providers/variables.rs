//! Variables in configuration texts: `${provider:path:key}` and `${provider:key}`.
//!
//! Owns the syntax only: no nesting, no escaping, several per text. Source: `ConfigTransformer`, pattern
//! `\$\{([^}]*?):(([^}]*?):)?([^}]*?)\}`, Kafka 4.1.

/// One variable of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Variable<'a> {
    /// Byte offset of the variable in the text.
    pub(super) start: usize,
    /// The variable as written.
    pub(super) text: &'a str,
    pub(super) provider: &'a str,
    /// Empty when there is none.
    pub(super) path: &'a str,
    pub(super) key: &'a str,
}

impl Variable<'_> {
    /// Byte offset of what follows the variable.
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// The variables of `text`, in order. Linear in its length.
pub(super) fn variables(text: &str) -> impl Iterator<Item = Variable<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + text[at..].find("${")?;
            let inner = start + 2;
            let close = inner + text[inner..].find('}')?;
            // Without a colon before the brace, no later `${` before it can be a variable either.
            at = close + 1;
            let Some((provider, rest)) = text[inner..close].split_once(':') else { continue };
            let (path, key) = rest.split_once(':').unwrap_or(("", rest));
            return Some(Variable { start, text: &text[start..at], provider, path, key });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<(&str, &str, &str)> {
        variables(text).map(|found| (found.provider, found.path, found.key)).collect()
    }

    /// The cases were answered by `ConfigTransformer` of Kafka 4.1.
    #[test]
    fn variables_are_found_as_java_finds_them() {
        assert_eq!(parts("${f:/a/b.properties:k}"), [("f", "/a/b.properties", "k")]);
        assert_eq!(parts("a${env:A}b${env:B}"), [("env", "", "A"), ("env", "", "B")]);
        assert_eq!(parts("${env::HOME}"), [("env", "", "HOME")]);
        assert_eq!(parts("${f:p:k:z}"), [("f", "p", "k:z")]);
        assert_eq!(parts("$${env:HOME}}"), [("env", "", "HOME")]);
        assert_eq!(parts("${a ${env:HOME}"), [("a ${env", "", "HOME")]);
        assert_eq!(parts("${env:HO\nME}"), [("env", "", "HO\nME")]);
        assert_eq!(parts("${ env: HOME}"), [(" env", "", " HOME")]);
        assert_eq!(parts("${:}"), [("", "", "")]);
        assert_eq!(parts("${env} ${x:y}"), [("x", "", "y")]);
        for none in ["", "${", "${}", "${env}", "$ {a:b}", "${a:b", "a:b}", "${${${"] {
            assert_eq!(parts(none), [], "{none}");
        }
        let found: Vec<_> = variables("é${a:b}c").collect();
        assert_eq!((found[0].start, found[0].end(), found[0].text), (2, 8, "${a:b}"));
    }

    #[test]
    fn a_text_of_openings_takes_linear_time() {
        let text = "${".repeat(500_000) + "}";
        assert_eq!(variables(&text).count(), 0);
    }
}
