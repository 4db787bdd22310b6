//! Values that tasks of one process share as long as one of them is alive, and random numbers.

use std::collections::HashMap;
use std::convert::Infallible;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

/// Values by key. Holds nothing by itself: a value goes with its last user.
pub(super) struct Shared<T> {
    known: OnceLock<Mutex<HashMap<String, Weak<T>>>>,
}

impl<T> Shared<T> {
    /// None yet.
    pub(super) const fn new() -> Self {
        Self { known: OnceLock::new() }
    }

    /// The value of `key`, made when nobody has it.
    pub(super) fn get(&self, key: &str, make: impl FnOnce() -> T) -> Arc<T> {
        let made: Result<Arc<T>, Infallible> = self.try_get(key, || Ok(make()));
        match made {
            Ok(value) => value,
        }
    }

    /// The same with values that cannot always be made.
    pub(super) fn try_get<E>(&self, key: &str, make: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        let known = self.known.get_or_init(Mutex::default);
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, value| value.strong_count() > 0);
        if let Some(value) = known.get(key).and_then(Weak::upgrade) {
            return Ok(value);
        }
        let value = Arc::new(make()?);
        known.insert(key.to_owned(), Arc::downgrade(&value));
        Ok(value)
    }
}

/// A random time up to `bound`.
pub(super) fn random_up_to(bound: Duration) -> Duration {
    let bound_us = u64::try_from(bound.as_micros()).unwrap_or(u64::MAX);
    // A fresh hasher is seeded at random.
    Duration::from_micros(RandomState::new().hash_one(bound_us) % bound_us.saturating_add(1).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shared_while_somebody_has_it() {
        let shared: Shared<u32> = Shared::new();
        let first = shared.get("a", || 1);
        assert!(Arc::ptr_eq(&first, &shared.get("a", || 2)));
        assert_eq!(*shared.get("b", || 3), 3);
        drop(first);
        assert_eq!(*shared.get("a", || 4), 4);
    }

    #[test]
    fn random_times_stay_below_their_bound() {
        let bound = Duration::from_micros(3);
        let times: Vec<Duration> = (0..200).map(|_| random_up_to(bound)).collect();
        assert!(times.iter().all(|time| *time <= bound));
        assert!(times.iter().any(|time| *time != times[0]));
        assert_eq!(random_up_to(Duration::ZERO), Duration::ZERO);
    }
}
