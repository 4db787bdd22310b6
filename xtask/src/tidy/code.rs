//! A view of Rust source that separates code from comments and literals.
//!
//! It knows just enough of the language to find words and braces: comments (nested, too), strings, raw
//! strings, byte and C strings, character literals against lifetimes. It does not parse.
//! Source: The Rust Reference, chapter "Lexical structure".

/// One file with comments and the insides of literals replaced by blanks, line structure kept.
pub(super) struct Code {
    /// The code of each line.
    pub(super) lines: Vec<String>,
    /// The comment text of each line, empty where there is none.
    pub(super) comments: Vec<String>,
}

/// What a character belongs to.
#[derive(Clone, Copy, PartialEq)]
enum State {
    BlockComment { depth: usize },
    Code,
    LineComment,
    RawText { hashes: usize },
    Text,
}

impl Code {
    /// Splits `source`.
    pub(super) fn of(source: &str) -> Self {
        let characters: Vec<char> = source.chars().collect();
        let mut splitter = Splitter { code: String::new(), comment: String::new() };
        let mut state = State::Code;
        let mut at = 0;
        while at < characters.len() {
            let (next, used) =
                splitter.step(state, &characters[at..], at.checked_sub(1).map(|i| characters[i]));
            state = next;
            at += used;
        }
        Self {
            lines: splitter.code.split('\n').map(str::to_owned).collect(),
            comments: splitter.comment.split('\n').map(|line| line.trim().to_owned()).collect(),
        }
    }
}

struct Splitter {
    code: String,
    comment: String,
}

impl Splitter {
    /// Takes the start of `rest`; returns the state after it and how many characters it took.
    fn step(&mut self, state: State, rest: &[char], before: Option<char>) -> (State, usize) {
        let pair = (rest[0], rest.get(1).copied().unwrap_or(' '));
        match state {
            State::Code => self.step_code(rest, pair, before),
            State::LineComment if rest[0] == '\n' => (State::Code, self.blank(&rest[..1])),
            State::LineComment => (state, self.comment(&rest[..1])),
            State::BlockComment { depth: 1 } if pair == ('*', '/') => (State::Code, self.blank(&rest[..2])),
            State::BlockComment { depth } if pair == ('*', '/') => {
                (State::BlockComment { depth: depth - 1 }, self.comment(&rest[..2]))
            }
            State::BlockComment { depth } if pair == ('/', '*') => {
                (State::BlockComment { depth: depth + 1 }, self.comment(&rest[..2]))
            }
            State::BlockComment { .. } => (state, self.comment(&rest[..1])),
            State::Text if rest[0] == '\\' && rest.len() > 1 => (state, self.blank(&rest[..2])),
            State::Text if rest[0] == '"' => (State::Code, self.code(&rest[..1])),
            State::RawText { hashes } if rest[0] == '"' && starts_with_hashes(&rest[1..], hashes) => {
                (State::Code, self.code(&rest[..=hashes]))
            }
            State::Text | State::RawText { .. } => (state, self.blank(&rest[..1])),
        }
    }

    fn step_code(&mut self, rest: &[char], pair: (char, char), before: Option<char>) -> (State, usize) {
        if pair == ('/', '/') {
            return (State::LineComment, self.comment(&rest[..2]));
        }
        if pair == ('/', '*') {
            return (State::BlockComment { depth: 1 }, self.comment(&rest[..2]));
        }
        if rest[0] == '"' {
            return (State::Text, self.code(&rest[..1]));
        }
        let starts_word = !before.is_some_and(is_word);
        if starts_word && let Some((hashes, used)) = raw_text_start(rest) {
            return (State::RawText { hashes }, self.code(&rest[..used]));
        }
        if rest[0] == '\''
            && let Some(used) = character_literal(rest)
        {
            return (State::Code, self.blank(&rest[..used]));
        }
        (State::Code, self.code(&rest[..1]))
    }

    fn code(&mut self, characters: &[char]) -> usize {
        self.code.extend(characters);
        self.comment.extend(characters.iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
        characters.len()
    }

    fn comment(&mut self, characters: &[char]) -> usize {
        self.comment.extend(characters);
        self.code.extend(characters.iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
        characters.len()
    }

    fn blank(&mut self, characters: &[char]) -> usize {
        let blanks: String = characters.iter().map(|c| if *c == '\n' { '\n' } else { ' ' }).collect();
        self.code.push_str(&blanks);
        self.comment.push_str(&blanks);
        characters.len()
    }
}

/// Letters, digits and underscore: what names are made of.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn starts_with_hashes(rest: &[char], hashes: usize) -> bool {
    rest.len() >= hashes && rest[..hashes].iter().all(|c| *c == '#')
}

/// The number of hashes and the length of `r"`, `r##"`, `br"`, `cr#"` at the start of `rest`.
fn raw_text_start(rest: &[char]) -> Option<(usize, usize)> {
    let prefix = match rest {
        ['r', ..] => 1,
        ['b' | 'c', 'r', ..] => 2,
        _ => return None,
    };
    let hashes = rest[prefix..].iter().take_while(|c| **c == '#').count();
    (rest.get(prefix + hashes) == Some(&'"')).then_some((hashes, prefix + hashes + 1))
}

/// The length of a character literal at the start of `rest`; `None` for a lifetime.
fn character_literal(rest: &[char]) -> Option<usize> {
    match rest {
        ['\'', '\\', _, tail @ ..] => tail.iter().position(|c| *c == '\'').map(|end| end + 4),
        ['\'', _, '\'', ..] => Some(3),
        _ => None,
    }
}

/// Byte positions at which `word` stands alone in `line`.
pub(super) fn word_positions(line: &str, word: &str) -> Vec<usize> {
    line.match_indices(word)
        .map(|(start, _)| start)
        .filter(|start| {
            let before = line[..*start].chars().next_back();
            let after = line[start + word.len()..].chars().next();
            !before.is_some_and(is_word) && !after.is_some_and(is_word)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(source: &str) -> String {
        Code::of(source).lines.join("\n")
    }

    #[test]
    fn literals_and_comments_hide_their_braces() {
        assert_eq!(code("a(\"{\\\"{\") // {"), "a(\"    \")     ");
        assert_eq!(code("r#\"{\"{\"# }"), "r#\"   \"# }");
        assert_eq!(code("br\"{\" x"), "br\" \" x");
        assert_eq!(code("/* { /* { */ { */ }"), "                  }");
        assert_eq!(code("'{' '\\'' '\\u{7d}' &'a str"), "                  &'a str");
    }

    #[test]
    fn line_structure_is_kept() {
        let split = Code::of("let a = \"x\ny\"; // one\n/* two\nthree */ b");
        assert_eq!(split.lines.len(), 4);
        assert_eq!(split.comments, ["", "// one", "/* two", "three"]);
    }

    #[test]
    fn words_stand_alone() {
        assert_eq!(word_positions("fn a() { a_fn(); fn_b }", "fn"), [0]);
        assert_eq!(word_positions("unsafe_code unsafe", "unsafe"), [12]);
    }
}
