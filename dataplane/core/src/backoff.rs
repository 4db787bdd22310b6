//! Waiting between attempts of work that may succeed later.

use std::time::Duration;

/// Exponential back-off: doubles from `first` to `max`; a success starts over.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    max: Duration,
    next: Duration,
}

impl Backoff {
    /// A back-off between `first` and `max`.
    pub fn new(first: Duration, max: Duration) -> Self {
        Self { first, max, next: first }
    }

    /// How long to wait before the next attempt. `jitter` in 0..=255 shortens the wait by up to a quarter, so
    /// that tasks that failed together do not come back together.
    pub fn next_wait(&mut self, jitter: u8) -> Duration {
        let wait = self.next;
        self.next = (self.next * 2).min(self.max);
        wait - wait * u32::from(jitter) / 1024
    }

    /// The work succeeded.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_limit_and_start_over() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(3));
        let waits: Vec<u64> = (0..4).map(|_| backoff.next_wait(0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 3, 3]);
        backoff.reset();
        assert!(backoff.next_wait(255) >= Duration::from_millis(750));
    }
}
