//! Runs a compiled pattern by backtracking, with bounded steps and memory.
//!
//! One stack holds the ways not taken yet and, between them, what to undo on the way back: a sub-program
//! (look-around, atomic group) that succeeded drops its ways and leaves its undos.

use super::compile::{Op, Program};
use super::node::{CharSet, Fold, Position};

/// Steps for one attempt on one text. The stack grows by at most a few entries per step.
pub(super) const STEPS_MAX: usize = 1_000_000;

/// The step limit was reached.
pub(super) struct TooSlow;

/// Where groups begin and end: two entries for each, and behind them where open groups began.
pub(super) type Slots = Vec<Option<usize>>;

pub(super) struct Machine<'a> {
    program: &'a Program,
    text: &'a [char],
    slots: Slots,
    registers: Vec<Register>,
    stack: Vec<Entry>,
    steps: usize,
    whole: bool,
}

/// The state of a loop: iterations begun and where the latest began.
#[derive(Clone, Copy, Default)]
struct Register {
    count: u32,
    begin: Option<usize>,
}

enum Entry {
    Branch {
        op: usize,
        at: usize,
    },
    Register {
        index: usize,
        old: Register,
    },
    Slot {
        index: usize,
        old: Option<usize>,
    },
    /// Take the body of a lazy loop after all.
    Body {
        op: usize,
        at: usize,
        register: usize,
    },
}

impl<'a> Machine<'a> {
    pub(super) fn new(program: &'a Program, text: &'a [char]) -> Self {
        Self {
            program,
            text,
            slots: vec![None; program.groups * 3],
            registers: vec![Register::default(); program.registers],
            stack: Vec::new(),
            steps: 0,
            whole: false,
        }
    }

    /// Matches from `start`, up to the end of the text when `whole`.
    pub(super) fn matches_at(&mut self, start: usize, whole: bool) -> Result<Option<Slots>, TooSlow> {
        self.slots.fill(None);
        self.stack.clear();
        self.whole = whole;
        Ok(self.run(0, start, None)?.map(|_| self.slots[..self.program.groups * 2].to_vec()))
    }

    /// Runs from `op` to `Done`. A sub-program's `end` says where it must end; the pattern itself ends at the
    /// end of the text when that was asked for.
    fn run(&mut self, op: usize, at: usize, sub: Option<Option<usize>>) -> Result<Option<usize>, TooSlow> {
        let base = self.stack.len();
        let (mut op, mut at) = (op, at);
        loop {
            self.steps += 1;
            if self.steps > STEPS_MAX {
                return Err(TooSlow);
            }
            let next = if matches!(self.program.code[op], Op::Done) {
                let wanted = match sub {
                    Some(end) => end,
                    None => self.whole.then_some(self.text.len()),
                };
                if wanted.is_none_or(|end| end == at) {
                    self.drop_ways(base);
                    return Ok(Some(at));
                }
                None
            } else {
                self.step(op, at)?
            };
            match next.or_else(|| self.back(base)) {
                Some((next, position)) => (op, at) = (next, position),
                None => return Ok(None),
            }
        }
    }

    /// One instruction: where to go on, or `None` to go back.
    fn step(&mut self, op: usize, at: usize) -> Result<Option<(usize, usize)>, TooSlow> {
        let next = (op + 1, at);
        let one = (op + 1, at + 1);
        let here = self.text.get(at).copied();
        Ok(match self.program.code[op] {
            Op::At(position) => holds(position, self.text, at).then_some(next),
            Op::Atomic { next } => self.run(op + 1, at, Some(None))?.map(|end| (next, end)),
            Op::BackReference { group, fold } => self.repeated(group, fold, at).map(|end| (op + 1, end)),
            Op::Class(set) => here.filter(|letter| contains(&self.program.sets[set], *letter)).map(|_| one),
            Op::Close(group) => {
                self.set_slot(group * 2, self.slots[self.program.groups * 2 + group]);
                self.set_slot(group * 2 + 1, Some(at));
                Some(next)
            }
            Op::Done => None,
            Op::Folded(wanted) => here.filter(|letter| folded(*letter) == wanted).map(|_| one),
            Op::Jump(target) => Some((target, at)),
            Op::Literal(wanted) => here.filter(|letter| *letter == wanted).map(|_| one),
            Op::Look { ahead, negative, min, max, next } => {
                let found = self.look(op + 1, at, ahead, (min, max), negative)?;
                (found != negative).then_some((next, at))
            }
            Op::LoopStart { register } => {
                self.set_register(register, Register::default());
                Some(next)
            }
            Op::Loop { register, min, max, greedy, next } => {
                self.turn(op, at, Turn { register, min, max, greedy, next })
            }
            Op::Open(group) => {
                self.set_slot(self.program.groups * 2 + group, Some(at));
                Some(next)
            }
            Op::Split { first, second } => {
                self.stack.push(Entry::Branch { op: second, at });
                Some((first, at))
            }
        })
    }

    /// The start of a possible iteration. After one that matched nothing the loop ends.
    fn turn(&mut self, op: usize, at: usize, turn: Turn) -> Option<(usize, usize)> {
        let Turn { register, min, max, greedy, next } = turn;
        let state = self.registers[register];
        if state.begin == Some(at) {
            return Some((next, at));
        }
        if state.count < min {
            self.begin(register, at);
            return Some((op + 1, at));
        }
        if state.count >= max {
            return Some((next, at));
        }
        if greedy {
            self.stack.push(Entry::Branch { op: next, at });
            self.begin(register, at);
            return Some((op + 1, at));
        }
        self.stack.push(Entry::Body { op: op + 1, at, register });
        Some((next, at))
    }

    fn begin(&mut self, register: usize, at: usize) {
        let count = self.registers[register].count + 1;
        self.set_register(register, Register { count, begin: Some(at) });
    }

    fn set_slot(&mut self, index: usize, new: Option<usize>) {
        self.stack.push(Entry::Slot { index, old: self.slots[index] });
        self.slots[index] = new;
    }

    fn set_register(&mut self, index: usize, new: Register) {
        self.stack.push(Entry::Register { index, old: self.registers[index] });
        self.registers[index] = new;
    }

    /// Goes back to the latest way not taken above `base`, undoing what happened since.
    fn back(&mut self, base: usize) -> Option<(usize, usize)> {
        while self.stack.len() > base {
            match self.stack.pop()? {
                Entry::Branch { op, at } => return Some((op, at)),
                Entry::Body { op, at, register } => {
                    self.begin(register, at);
                    return Some((op, at));
                }
                Entry::Register { index, old } => self.registers[index] = old,
                Entry::Slot { index, old } => self.slots[index] = old,
            }
        }
        None
    }

    /// Keeps only what to undo above `base`.
    fn drop_ways(&mut self, base: usize) {
        let mut kept = base;
        for at in base..self.stack.len() {
            if matches!(self.stack[at], Entry::Register { .. } | Entry::Slot { .. }) {
                self.stack.swap(kept, at);
                kept += 1;
            }
        }
        self.stack.truncate(kept);
    }

    fn look(
        &mut self,
        op: usize,
        at: usize,
        ahead: bool,
        (min, max): (i32, i32),
        negative: bool,
    ) -> Result<bool, TooSlow> {
        let base = self.stack.len();
        let mut found = false;
        if ahead {
            found = self.run(op, at, Some(None))?.is_some();
        } else {
            let place = i32::try_from(at).unwrap_or(i32::MAX);
            let lowest = place.wrapping_sub(max).max(0);
            let mut start = place.wrapping_sub(min);
            while start >= lowest && !found {
                let from = usize::try_from(start).unwrap_or_default();
                found = self.run(op, from, Some(Some(at)))?.is_some();
                start -= 1;
            }
        }
        if negative {
            // Nothing remains of a look that had to fail.
            while self.stack.len() > base {
                self.back(base);
            }
        }
        Ok(found)
    }

    fn repeated(&self, group: usize, fold: Fold, at: usize) -> Option<usize> {
        if group >= self.program.groups {
            return None;
        }
        let begin = (*self.slots.get(group * 2)?)?;
        let end = (*self.slots.get(group * 2 + 1)?)?;
        let earlier = self.text.get(begin..end)?;
        let stop = at + earlier.len();
        let same = |(a, b): (&char, &char)| match fold {
            Fold::None => a == b,
            Fold::Ascii => a.eq_ignore_ascii_case(b),
            Fold::Unicode => folded(*a) == folded(*b),
        };
        let here = self.text.get(at..stop)?;
        earlier.iter().zip(here).all(same).then_some(stop)
    }
}

struct Turn {
    register: usize,
    min: u32,
    max: u32,
    greedy: bool,
    next: usize,
}

fn contains(set: &CharSet, letter: char) -> bool {
    let ranges = set.ranges();
    let at = ranges.partition_point(|range| range.end() < letter);
    ranges.get(at).is_some_and(|range| range.start() <= letter)
}

/// The lower case of the upper case, each where it is one character.
pub(super) fn folded(letter: char) -> char {
    fn single(mut letters: impl Iterator<Item = char>, or: char) -> char {
        match (letters.next(), letters.next()) {
            (Some(letter), None) => letter,
            _ => or,
        }
    }
    let upper = single(letter.to_uppercase(), letter);
    single(upper.to_lowercase(), upper)
}

fn holds(position: Position, text: &[char], at: usize) -> bool {
    let word = |unicode: bool, index: Option<usize>| {
        index.and_then(|index| text.get(index)).is_some_and(|letter| is_word(*letter, unicode))
    };
    let is_boundary = |unicode| word(unicode, at.checked_sub(1)) != word(unicode, Some(at));
    match position {
        Position::Begin => at == 0,
        Position::Boundary { unicode } => is_boundary(unicode),
        Position::NoBoundary { unicode } => !is_boundary(unicode),
        Position::VeryEnd => at == text.len(),
        Position::LineBegin { unix } => {
            at < text.len()
                && (at == 0
                    || is_line_end(text[at - 1], unix) && (unix || text[at - 1] != '\r' || text[at] != '\n'))
        }
        Position::LineEnd { unix } => at == text.len() || is_before_line_end(text, at, unix),
        Position::End { unix } => {
            let rest = &text[at..];
            rest.is_empty()
                || (rest.len() == 1 || !unix && rest == ['\r', '\n']) && is_before_line_end(text, at, unix)
        }
    }
}

fn is_before_line_end(text: &[char], at: usize, unix: bool) -> bool {
    let is_inside = !unix && text[at] == '\n' && at > 0 && text[at - 1] == '\r';
    is_line_end(text[at], unix) && !is_inside
}

pub(super) fn is_line_end(letter: char, unix: bool) -> bool {
    letter == '\n' || !unix && matches!(letter, '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_word(letter: char, unicode: bool) -> bool {
    if letter.is_ascii() {
        return letter.is_ascii_alphanumeric() || letter == '_';
    }
    // Without flag `U`: letters and decimal digits; with it also marks and connectors.
    let is_letter = letter.is_alphanumeric();
    is_letter || unicode && super::property::is_unicode_word(letter)
}
