//! Turns a parsed pattern into instructions of the [machine](super::machine).

use super::node::{CharSet, Fold, Node, Position};
use super::parse::Parsed;

/// Instructions and what they refer to.
pub(super) struct Program {
    pub(super) code: Vec<Op>,
    pub(super) sets: Vec<CharSet>,
    /// Names of groups with their numbers.
    pub(super) names: Vec<(String, usize)>,
    /// Groups, with group 0.
    pub(super) groups: usize,
    /// Loop registers.
    pub(super) registers: usize,
}

/// An instruction. Targets are indices of instructions.
#[derive(Clone, Copy, Debug)]
pub(super) enum Op {
    At(Position),
    /// Runs the instructions after it up to their `Done`, then goes on at `next` without a way back.
    Atomic {
        next: usize,
    },
    BackReference {
        group: usize,
        fold: Fold,
    },
    Class(usize),
    /// Remembers the text of a group.
    Close(usize),
    /// The end of a sub-program or of the pattern.
    Done,
    Folded(char),
    Jump(usize),
    Literal(char),
    /// Runs the instructions after it up to their `Done` as a condition.
    Look {
        ahead: bool,
        negative: bool,
        min: i32,
        max: i32,
        next: usize,
    },
    /// Starts a loop: count 0, no iteration began yet.
    LoopStart {
        register: usize,
    },
    /// Decides about another iteration.
    Loop {
        register: usize,
        min: u32,
        max: u32,
        greedy: bool,
        next: usize,
    },
    /// Remembers where a group begins; its old text stays until it is closed.
    Open(usize),
    /// Tries `first`, then `second`.
    Split {
        first: usize,
        second: usize,
    },
}

pub(super) fn compile(parsed: Parsed) -> Program {
    let mut compiler = Compiler { code: Vec::new(), sets: Vec::new(), registers: 0 };
    compiler.code.push(Op::Open(0));
    compiler.node(&parsed.root);
    compiler.code.push(Op::Close(0));
    compiler.code.push(Op::Done);
    Program {
        code: compiler.code,
        sets: compiler.sets,
        names: parsed.names,
        groups: parsed.groups,
        registers: compiler.registers,
    }
}

struct Compiler {
    code: Vec<Op>,
    sets: Vec<CharSet>,
    registers: usize,
}

impl Compiler {
    fn node(&mut self, node: &Node) {
        match node {
            Node::Alternatives(nodes) => self.alternatives(nodes),
            Node::At(position) => self.code.push(Op::At(*position)),
            Node::Atomic(inner) => {
                let at = self.reserve();
                self.node(inner);
                self.code.push(Op::Done);
                self.code[at] = Op::Atomic { next: self.code.len() };
            }
            Node::BackReference { group, fold } => {
                self.code.push(Op::BackReference { group: *group, fold: *fold });
            }
            Node::Capture(group, inner) => {
                self.code.push(Op::Open(*group));
                self.node(inner);
                self.code.push(Op::Close(*group));
            }
            Node::Class(set) => {
                self.code.push(Op::Class(self.sets.len()));
                self.sets.push(set.clone());
            }
            Node::Folded(letter) => self.code.push(Op::Folded(*letter)),
            Node::Group(inner) => self.node(inner),
            Node::Literal(letter) => self.code.push(Op::Literal(*letter)),
            Node::Look { ahead, negative, inner } => {
                let at = self.reserve();
                self.node(inner);
                self.code.push(Op::Done);
                let study = inner.study();
                let next = self.code.len();
                let (min, max) = (study.min, study.max);
                self.code[at] = Op::Look { ahead: *ahead, negative: *negative, min, max, next };
            }
            Node::Repeat { inner, min, max, greedy } => self.repeat(inner, *min, *max, *greedy),
            Node::Sequence(nodes) => nodes.iter().for_each(|node| self.node(node)),
        }
    }

    fn alternatives(&mut self, nodes: &[Node]) {
        let mut ends = Vec::new();
        for (at, node) in nodes.iter().enumerate() {
            if at + 1 == nodes.len() {
                self.node(node);
                continue;
            }
            let split = self.reserve();
            self.node(node);
            ends.push(self.reserve());
            self.code[split] = Op::Split { first: split + 1, second: self.code.len() };
        }
        let end = self.code.len();
        for at in ends {
            self.code[at] = Op::Jump(end);
        }
    }

    fn repeat(&mut self, inner: &Node, min: u32, max: Option<u32>, greedy: bool) {
        let register = self.registers;
        self.registers += 1;
        self.code.push(Op::LoopStart { register });
        let at = self.reserve();
        self.node(inner);
        self.code.push(Op::Jump(at));
        let next = self.code.len();
        self.code[at] = Op::Loop { register, min, max: max.unwrap_or(u32::MAX), greedy, next };
    }

    /// Room for an instruction that needs to know what follows.
    fn reserve(&mut self) -> usize {
        self.code.push(Op::Done);
        self.code.len() - 1
    }
}
