//! Login configuration files: the one entry that names who may use REST.
//!
//! Owns the syntax. Source: `javax.security.auth.login.Configuration`, `ConfigFile`, Java 17.

/// One login module of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LoginModule {
    pub(super) class: String,
    pub(super) options: Vec<(String, String)>,
}

/// The modules of the entry `name`; `None` when the file has no such entry.
pub(super) fn entry(text: &str, name: &str) -> Result<Option<Vec<LoginModule>>, String> {
    let mut tokens = tokens(text)?.into_iter().peekable();
    let ended = || "it ends within an entry".to_owned();
    let mut found = None;
    while let Some(entry) = tokens.next() {
        if tokens.next().as_deref() != Some("{") {
            return Err(format!("'{{' is missing after {entry}"));
        }
        let mut modules = Vec::new();
        loop {
            let class = tokens.next().ok_or_else(ended)?;
            if class == "}" {
                break;
            }
            let _flag = tokens.next().ok_or_else(ended)?;
            let mut options = Vec::new();
            loop {
                let option = tokens.next().ok_or_else(ended)?;
                if option == ";" {
                    break;
                }
                if tokens.next().as_deref() != Some("=") {
                    return Err(format!("'=' is missing after {option}"));
                }
                options.push((option, tokens.next().ok_or_else(ended)?));
            }
            modules.push(LoginModule { class, options });
        }
        // The semicolon after an entry.
        if tokens.peek().is_some_and(|token| token == ";") {
            tokens.next();
        }
        if entry == name {
            found = Some(modules);
        }
    }
    Ok(found)
}

/// Words, quoted texts without their quotes, and the characters `{ } ; =`; comments are left out.
fn tokens(text: &str) -> Result<Vec<String>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c.is_whitespace() {
            rest = rest.trim_start();
        } else if c == '#' || rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            let end = comment.find("*/").ok_or("a comment does not end")?;
            rest = &comment[end + 2..];
        } else if let Some(quoted) = rest.strip_prefix('"') {
            let (token, after) = quoted_text(quoted)?;
            tokens.push(token);
            rest = after;
        } else if "{};=".contains(c) {
            tokens.push(c.to_string());
            rest = &rest[1..];
        } else {
            let ends = |c: char| c.is_whitespace() || "{};=\"".contains(c);
            let end = rest.find(ends).unwrap_or(rest.len());
            tokens.push(rest[..end].to_owned());
            rest = &rest[end..];
        }
    }
    Ok(tokens)
}

/// The text up to the closing quote, and what follows it.
fn quoted_text(text: &str) -> Result<(String, &str), String> {
    let mut token = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((token, &text[at + 1..])),
            '\\' => token.extend(chars.next().map(|(_, c)| c)),
            c => token.push(c),
        }
    }
    Err("a quoted text does not end".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_found_among_others() {
        let text = "Other { a.B optional; };\n// none\nKafkaConnect {\n  x.PropertyFileLoginModule \
                    required\n file=\"/etc/a b\" debug=true;\n};";
        let options =
            vec![("file".to_owned(), "/etc/a b".to_owned()), ("debug".to_owned(), "true".to_owned())];
        let module = LoginModule { class: "x.PropertyFileLoginModule".to_owned(), options };
        assert_eq!(entry(text, "KafkaConnect"), Ok(Some(vec![module])));
        assert_eq!(entry(text, "Nobody"), Ok(None));
    }

    #[test]
    fn what_does_not_end_is_refused() {
        for bad in ["A {", "A { b.C required", "A { b.C required x", "A", "A { \"x", "/* x"] {
            assert!(entry(bad, "A").is_err(), "{bad}");
        }
    }
}
