//! Machines that send one errand after the other and load nothing.

use std::time::Instant;

use super::{Answer, Dialect, Errand, NoAnswer};
use crate::failure::Cause;

/// A machine that a client carries as it carries a [`Call`](super::Call): it sends what [`next`](Self::next) says, to one
/// server, and tells what came of it.
pub trait Talk {
    /// The result.
    type Output;

    /// What to do at `now`.
    fn next(&mut self, now: Instant) -> Next<Self::Output>;

    /// Takes the answer to the errand.
    fn answered(&mut self, answer: Result<Answer, NoAnswer>, now: Instant);

    /// Which commands the server has, as far as is known by now.
    fn dialect(&self) -> Dialect;
}

/// What to do next.
#[derive(Debug)]
pub enum Next<T> {
    /// Send this to the server of the first errand, and tell the answer.
    Send(Errand),
    /// Wait until this time.
    Wait(Instant),
    /// This is the result.
    Done(T),
    /// It has failed: with this, or with the last error if there is none.
    Failed(Option<Cause>),
}

/// Takes the errand that `machine` is to send at `now`, and gives `answer` to it.
#[cfg(test)]
pub(super) fn tell<T: Talk>(machine: &mut T, now: Instant, answer: Result<Answer, NoAnswer>) -> Errand {
    let Next::Send(errand) = machine.next(now) else { panic!("nothing is to be sent") };
    machine.answered(answer, now);
    errand
}
