//! Who gives way when the server is full.
//!
//! A connection whose request has not arrived in full costs its client nothing to hold. When no room is left,
//! the one that has been like that for longest is closed: clients that dribble or idle keep nobody out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// The connections that wait for a request, longest first.
#[derive(Default)]
pub(super) struct Lobby(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    seats: BTreeMap<u64, Arc<Notify>>,
    next: u64,
}

impl Lobby {
    /// A place for a new connection, which waits for its first request.
    pub(super) fn seat(self: &Arc<Self>) -> Arc<Seat> {
        let seat = Seat { lobby: Arc::clone(self), leave: Arc::default(), number: Mutex::new(None) };
        seat.wait();
        Arc::new(seat)
    }

    /// Asks the connection that has waited for longest to leave.
    pub(super) fn make_room(&self) {
        let first = self.0.lock().unwrap_or_else(PoisonError::into_inner).seats.pop_first();
        if let Some((_, leave)) = first {
            leave.notify_one();
        }
    }
}

/// A connection's place.
pub(super) struct Seat {
    lobby: Arc<Lobby>,
    leave: Arc<Notify>,
    /// The place in the lobby while it waits.
    number: Mutex<Option<u64>>,
}

impl Seat {
    /// The request is complete: the connection stays until its answer is made.
    pub(super) fn work(&self) {
        let number = self.number.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(number) = number {
            self.lobby.0.lock().unwrap_or_else(PoisonError::into_inner).seats.remove(&number);
        }
    }

    /// The answer is made: the next request may be long in coming.
    pub(super) fn wait(&self) {
        let mut waiting = self.lobby.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.next += 1;
        let next = waiting.next;
        let before = self.number.lock().unwrap_or_else(PoisonError::into_inner).replace(next);
        if let Some(before) = before {
            waiting.seats.remove(&before);
        }
        waiting.seats.insert(next, Arc::clone(&self.leave));
    }

    /// Resolves when the connection must give way. One whose request came meanwhile stays, and another is
    /// asked: the answer to what was carried out must not be lost.
    pub(super) async fn must_leave(&self) {
        loop {
            self.leave.notified().await;
            if self.number.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
                return;
            }
            self.lobby.make_room();
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.work();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn the_longest_waiting_connection_leaves_and_working_ones_stay() {
        let lobby = Arc::new(Lobby::default());
        let seats = [lobby.seat(), lobby.seat(), lobby.seat()];
        seats[0].work();
        lobby.make_room();
        let leaves = || seats.each_ref().map(|seat| seat.must_leave().now_or_never().is_some());
        assert_eq!(leaves(), [false, true, false]);
    }

    #[test]
    fn a_request_that_comes_while_its_connection_is_asked_to_leave_is_answered() {
        let lobby = Arc::new(Lobby::default());
        let (first, second) = (lobby.seat(), lobby.seat());
        lobby.make_room();
        first.work();
        assert!(first.must_leave().now_or_never().is_none());
        assert!(second.must_leave().now_or_never().is_some(), "another one was asked");
    }
}
