//! A bounded map whose oldest entry makes room, with an age limit.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::{Duration, Instant};

pub(super) struct Cache<K, V> {
    /// Values with the moment from which they count no more.
    entries: HashMap<K, (V, Option<Instant>)>,
    /// Keys of `entries`, oldest first.
    order: VecDeque<K>,
    capacity: usize,
    ttl: Option<Duration>,
}

impl<K: Clone + Eq + Hash, V> Cache<K, V> {
    /// At most `capacity` entries, each for `ttl` at most.
    pub(super) fn new(capacity: usize, ttl: Option<Duration>) -> Self {
        Self { entries: HashMap::new(), order: VecDeque::new(), capacity: capacity.max(1), ttl }
    }

    pub(super) fn get(&self, key: &K, now: Instant) -> Option<&V> {
        let (value, until) = self.entries.get(key)?;
        until.is_none_or(|until| now < until).then_some(value)
    }

    pub(super) fn insert(&mut self, key: K, value: V, now: Instant) {
        // A moment too far away to be named never comes.
        let until = self.ttl.and_then(|ttl| now.checked_add(ttl));
        if self.entries.insert(key.clone(), (value, until)).is_some() {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_age_and_make_room() {
        let now = Instant::now();
        let mut cache = Cache::new(2, Some(Duration::from_secs(1)));
        cache.insert(1, 'a', now);
        cache.insert(2, 'b', now);
        assert_eq!(cache.get(&1, now), Some(&'a'));
        assert_eq!(cache.get(&1, now + Duration::from_secs(1)), None);
        cache.insert(3, 'c', now);
        assert_eq!((cache.get(&1, now), cache.get(&3, now)), (None, Some(&'c')));
        cache.insert(3, 'd', now);
        assert_eq!((cache.get(&2, now), cache.get(&3, now)), (Some(&'b'), Some(&'d')));
    }
}
