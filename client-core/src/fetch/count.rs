//! `incr_or`: counters that make themselves.

use std::time::Instant;

use bytes::Bytes;
use memring_text::{StoreOutcome, Ttl};

use super::{
    Answer, Count, Dialect, Errand, NoAnswer, Write,
    errand::Condition,
    talk::{Next, Talk},
};
use crate::failure::Cause;

/// The machine of `incr_or`. What may have been counted is never sent again.
#[derive(Debug)]
pub struct IncrOr {
    count: Count,
    dialect: Dialect,
    /// Classic: how often the counter was neither there nor could be made.
    rounds: u32,
    state: State,
}

#[derive(Debug)]
enum State {
    Count,
    Add,
    Done(u64),
    Failed(Option<Cause>),
}

impl IncrOr {
    /// Before the first errand, to a server that speaks `dialect`.
    #[must_use]
    pub const fn new(delta: u64, initial: u64, ttl: Ttl, dialect: Dialect) -> Self {
        let count = Count { delta, initial, ttl };
        Self { count, dialect, rounds: 0, state: State::Count }
    }
}

impl Talk for IncrOr {
    /// The new number.
    type Output = u64;

    fn next(&mut self, _: Instant) -> Next<u64> {
        match &mut self.state {
            State::Count => Next::Send(Errand::Count(self.count)),
            State::Add => Next::Send(Errand::Write(Write {
                flags: 0,
                value: Bytes::from(self.count.initial.to_string()),
                ttl: self.count.ttl,
                condition: Condition::Missing,
            })),
            State::Done(number) => Next::Done(*number),
            State::Failed(cause) => Next::Failed(cause.take()),
        }
    }

    fn answered(&mut self, answer: Result<Answer, NoAnswer>, _: Instant) {
        self.state = match (&self.state, answer) {
            (State::Count, Err(NoAnswer::UnknownCommand)) if self.dialect == Dialect::Meta => {
                self.dialect = Dialect::Classic;
                State::Count
            }
            (State::Count, Ok(Answer::Number(Some(number)))) => State::Done(number),
            (State::Count, Ok(Answer::Number(None))) if self.dialect == Dialect::Classic => State::Add,
            (State::Add, Ok(Answer::Changed(StoreOutcome::Stored))) => State::Done(self.count.initial),
            (State::Add, Ok(Answer::Changed(_))) if self.rounds == 0 => {
                self.rounds += 1;
                State::Count
            }
            (_, Ok(_)) => State::Failed(Some(Cause::NotStored)),
            (_, Err(_)) => State::Failed(None),
        };
    }

    fn dialect(&self) -> Dialect {
        self.dialect
    }
}

#[cfg(test)]
mod tests {
    use super::{super::talk::tell, *};

    #[test]
    fn a_counter_that_comes_and_goes_is_made_twice_at_most() {
        let mut machine = IncrOr::new(1, 5, Ttl::NEVER, Dialect::Meta);
        let count = tell(&mut machine, Instant::now(), Err(NoAnswer::UnknownCommand));
        assert_eq!(machine.dialect(), Dialect::Classic);
        for _ in 0..2 {
            assert_eq!(tell(&mut machine, Instant::now(), Ok(Answer::Number(None))), count);
            let made = tell(&mut machine, Instant::now(), Ok(Answer::Changed(StoreOutcome::NotStored)));
            assert!(matches!(made, Errand::Write(Write { condition: Condition::Missing, .. })));
        }
        assert!(matches!(machine.next(Instant::now()), Next::Failed(Some(Cause::NotStored))));
    }

    #[test]
    fn what_may_have_been_counted_is_not_sent_again() {
        let mut machine = IncrOr::new(1, 5, Ttl::NEVER, Dialect::Classic);
        tell(&mut machine, Instant::now(), Err(NoAnswer::Lost));
        assert!(matches!(machine.next(Instant::now()), Next::Failed(None)));
    }
}
