//! How long a match of a part can be, as far as Java knows: its look-behinds only look that far back.
//!
//! The numbers are Java's 32-bit ones with their overflow, because that decides which patterns it refuses.
//!
//! Source: `Pattern.Node#study`, JDK 17.

use super::node::Node;

/// What is known about the matches of the parts studied so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Study {
    /// Fewest characters.
    pub(super) min: i32,
    /// Most characters, when known.
    pub(super) max: i32,
    /// Whether `max` is known.
    pub(super) is_max_known: bool,
    /// Whether there is only one way to match.
    is_only_way: bool,
    /// What comes before the latest choice: Java counts anew behind one, so that its checks for overflow
    /// do, too.
    carried: Carried,
}

#[derive(Clone, Copy, Debug)]
struct Carried {
    min: i32,
    max: i32,
    is_max_known: bool,
    is_only_way: bool,
}

/// What Java takes for "without limit".
const MANY: i32 = i32::MAX;

/// What Java takes instead of a sum that does not fit.
const LARGE: i32 = 0x0fff_ffff;

const NOTHING: Study = Study {
    min: 0,
    max: 0,
    is_max_known: true,
    is_only_way: true,
    carried: Carried { min: 0, max: 0, is_max_known: true, is_only_way: true },
};

impl Node {
    /// Studies this part alone.
    pub(super) fn study(&self) -> Study {
        let mut study = NOTHING;
        self.study_after(&mut study);
        let Carried { min, max, is_max_known, is_only_way } = study.carried;
        study.min = study.min.wrapping_add(min);
        study.max = study.max.wrapping_add(max);
        study.is_max_known &= is_max_known;
        study.is_only_way &= is_only_way;
        study
    }

    fn is_group(&self) -> bool {
        matches!(self, Self::Capture(..) | Self::Group(_) | Self::Atomic(_))
    }

    /// Adds this part to what was studied before it.
    fn study_after(&self, all: &mut Study) {
        match self {
            Self::Alternatives(nodes) => {
                let (mut min, mut max) = (MANY, -1);
                for one in nodes.iter().map(Self::study) {
                    min = min.min(one.min);
                    max = max.max(one.max);
                    all.is_max_known &= one.is_max_known;
                }
                all.choice(min, max);
            }
            Self::At(_) | Self::Look { .. } => {}
            Self::Atomic(inner) => match inner.as_ref() {
                Self::Repeat { inner, min, max, .. } => all.repeat(inner, *min, *max),
                other => other.study_after(all),
            },
            Self::BackReference { .. } => all.is_max_known = false,
            Self::Capture(_, inner) | Self::Group(inner) => inner.study_after(all),
            Self::Class(_) | Self::Folded(_) | Self::Literal(_) => {
                all.min = all.min.wrapping_add(1);
                all.max = all.max.wrapping_add(1);
            }
            Self::Repeat { inner, min, max, greedy } => {
                let is_simple = matches!(**inner, Self::Class(_) | Self::Folded(_) | Self::Literal(_));
                if is_simple && *greedy && max.is_none() {
                    all.min = all.min.wrapping_add(number(*min));
                    all.max = all.max.wrapping_add(MANY);
                    all.is_only_way = false;
                } else if (*min, *max) == (0, Some(1)) && inner.is_group() {
                    let one = inner.study();
                    all.is_max_known &= one.is_max_known;
                    all.choice(0, one.max);
                } else if (*min, *max) == (0, Some(1)) || inner.study().is_only_way {
                    all.repeat(inner, *min, *max);
                } else {
                    all.is_max_known = false;
                    all.is_only_way = false;
                }
            }
            Self::Sequence(nodes) => nodes.iter().for_each(|node| node.study_after(all)),
        }
    }
}

impl Study {
    /// A choice between parts of `min` to `max` characters.
    fn choice(&mut self, min: i32, max: i32) {
        let before = self.carried;
        *self = Self {
            carried: Carried {
                min: before.min.wrapping_add(self.min).wrapping_add(min),
                max: before.max.wrapping_add(self.max).wrapping_add(max),
                is_max_known: before.is_max_known && self.is_max_known,
                is_only_way: false,
            },
            ..NOTHING
        };
    }

    fn repeat(&mut self, inner: &Node, min: u32, max: Option<u32>) {
        if (min, max) == (0, Some(1)) {
            let shortest = self.min;
            inner.study_after(self);
            self.min = shortest;
            self.is_only_way = false;
            return;
        }
        let one = inner.study();
        let shortest = one.min.wrapping_mul(number(min)).wrapping_add(self.min);
        self.min = if shortest < self.min { LARGE } else { shortest };
        let longest = one.max.wrapping_mul(max.map_or(MANY, number)).wrapping_add(self.max);
        self.is_max_known &= one.is_max_known && longest >= self.max;
        self.max = longest;
        self.is_only_way &= one.is_only_way && Some(min) == max;
    }
}

fn number(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(MANY)
}
