//! `update`: changes a value by what it was, however many others do so at the same time.

use core::time::Duration;
use std::time::Instant;

use memring_text::{StoreOutcome, Ttl};

use super::{
    Answer, Content, Dialect, Errand, Found, Freshness, Loaded, NoAnswer, Times, Write,
    content::{self, NOTHING},
    errand::Condition,
    lease::{is_blank, is_placeholder},
    random::Random,
    talk::{Next, Talk},
    times::after,
};
use crate::failure::Cause;

/// How long an item lives that `update` stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lifetime {
    /// As long as the old one would have, which may be a second less; a new one for ever. Servers without meta commands
    /// do not tell how long that is, so there this fails, if there is an old value.
    Keep,
    /// This time.
    Plain(Ttl),
    /// The key is one of `fetch`, and the value is as fresh as one that was loaded.
    Fetched(Freshness),
}

impl<T: Into<Ttl>> From<T> for Lifetime {
    fn from(ttl: T) -> Self {
        Self::Plain(ttl.into())
    }
}

impl From<Freshness> for Lifetime {
    fn from(freshness: Freshness) -> Self {
        Self::Fetched(freshness)
    }
}

/// What `update` came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Updated<T = Content> {
    /// What is stored now; `None` if the closure left all as it was.
    pub content: Option<T>,
    /// How often the closure has run. More than once means that others changed the item at the same time.
    pub tries: u32,
    /// Whether the answer to the write was lost, and the item was found to be the one that was written.
    pub is_uncertain: bool,
}

impl Updated {
    /// The same, of the value that `content` is.
    pub(crate) fn with_content<T>(self, content: Option<T>) -> Updated<T> {
        let Self { tries, is_uncertain, .. } = self;
        Updated { content, tries, is_uncertain }
    }
}

/// The machine of `update`, with the caller's closure.
pub struct Update<F> {
    change: F,
    lifetime: Life,
    dialect: Dialect,
    until: Instant,
    random: Random,
    tries: u32,
    state: State,
}

/// A [`Lifetime`] in numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Life {
    Keep,
    Plain(Ttl),
    Fetched(Times),
}

enum State {
    Read,
    Wait(Instant),
    /// With the cas unique that was read.
    Write(Write, Content, Option<u64>),
    /// The answer to a write was lost: reads whether it is there.
    Check(Content, Option<u64>),
    /// Gives back what was won by reading.
    Decline(u64),
    Done(Updated),
    Failed(Option<Cause>),
}

impl<F: FnMut(Option<&Content>) -> Option<L>, L: Loaded> Update<F> {
    /// Before the first errand, to a server that speaks `dialect`; it ends at `until`.
    pub(crate) const fn new(change: F, lifetime: Life, dialect: Dialect, until: Instant, seed: u64) -> Self {
        let random = Random::new(seed);
        Self { change, lifetime, dialect, until, random, tries: 0, state: State::Read }
    }

    fn read(&mut self, found: Option<Found>) -> State {
        self.tries = self.tries.saturating_add(1);
        let old = found.as_ref().filter(|found| self.has_value(found));
        let old = old.and_then(|found| content::read(found.flags, found.value.clone()));
        let new = (self.change)(old.as_ref()).and_then(L::into_content);
        match (new, found) {
            (Some(new), found) => self.write(new, found.as_ref()),
            (None, Some(found)) if found.win => State::Decline(found.cas),
            (None, _) => State::Done(self.done(None, false)),
        }
    }

    /// Whether there is a value. Of an item of `fetch`, the grace has none.
    fn has_value(&self, found: &Found) -> bool {
        let is_leased = found.win || found.stale || found.taken;
        let is_over = match &self.lifetime {
            Life::Fetched(times) if self.dialect == Dialect::Meta => {
                u64::try_from(found.left).is_ok_and(|left| left <= times.grace)
            }
            _ => false,
        };
        let is_nothing = found.flags == NOTHING && found.value.is_empty();
        let is_held = is_placeholder(found) || (is_blank(found) && is_leased);
        !is_held && !is_nothing && !is_over
    }

    fn write(&self, new: Content, found: Option<&Found>) -> State {
        let ttl = match (&self.lifetime, self.dialect, found) {
            (Life::Plain(ttl), ..) => *ttl,
            (Life::Fetched(times), Dialect::Meta, _) => times.kept(),
            (Life::Fetched(times), Dialect::Classic, _) => times.kept_plainly(),
            (Life::Keep, _, None) => Ttl::NEVER,
            (Life::Keep, Dialect::Classic, Some(_)) => return State::Failed(Some(Cause::Unclear)),
            (Life::Keep, Dialect::Meta, Some(found)) => match u64::try_from(found.left) {
                // In its last second.
                Ok(left) => after(left.max(1)),
                Err(_) => Ttl::NEVER,
            },
        };
        let (flags, value) = match (&self.lifetime, content::stored(&Some(new.clone()))) {
            (Life::Fetched(_), Some(stored)) => stored,
            (Life::Fetched(_), None) => return State::Failed(Some(Cause::NotStored)),
            (Life::Keep | Life::Plain(_), _) => (new.flags, new.value.clone()),
        };
        let cas = found.map(|found| found.cas);
        let condition = cas.map_or(Condition::Missing, Condition::Unchanged);
        State::Write(Write { flags, value, ttl, condition }, new, cas)
    }

    fn again(&mut self, now: Instant) -> State {
        let next = now + self.random.jitter(FIRST_DELAY, LONGEST_DELAY, self.tries.saturating_sub(1));
        if next < self.until { State::Wait(next) } else { State::Failed(Some(Cause::Timeout)) }
    }

    const fn done(&self, content: Option<Content>, is_uncertain: bool) -> Updated {
        Updated { content, tries: self.tries, is_uncertain }
    }
}

impl<F: FnMut(Option<&Content>) -> Option<L>, L: Loaded> Talk for Update<F> {
    type Output = Updated;

    fn next(&mut self, now: Instant) -> Next<Updated> {
        if let State::Wait(until) = self.state {
            if now < until {
                return Next::Wait(until);
            }
            self.state = State::Read;
        }
        match &mut self.state {
            State::Read | State::Wait(_) | State::Check(..) => Next::Send(Errand::Read),
            State::Write(write, ..) => Next::Send(Errand::Write(write.clone())),
            State::Decline(cas) => Next::Send(Errand::MarkStale(*cas, None)),
            State::Done(updated) => Next::Done(updated.clone()),
            State::Failed(cause) => Next::Failed(cause.take()),
        }
    }

    fn answered(&mut self, answer: Result<Answer, NoAnswer>, now: Instant) {
        self.state = match (core::mem::replace(&mut self.state, State::Failed(None)), answer) {
            (State::Read, Err(NoAnswer::UnknownCommand)) if self.dialect == Dialect::Meta => {
                self.dialect = Dialect::Classic;
                State::Read
            }
            (State::Read, Ok(Answer::Found(found))) => self.read(found),
            (State::Write(_, content, _), Ok(Answer::Changed(StoreOutcome::Stored))) => {
                State::Done(self.done(Some(content), false))
            }
            (State::Write(..), Ok(Answer::Changed(_))) => self.again(now),
            (State::Write(write, _, cas), Err(NoAnswer::Lost)) => {
                State::Check(Content { flags: write.flags, value: write.value }, cas)
            }
            (State::Check(written, before), Ok(Answer::Found(Some(found))))
                if found.value == written.value
                    && found.flags == written.flags
                    && before != Some(found.cas) =>
            {
                State::Done(self.done(content::read(written.flags, written.value), true))
            }
            (State::Decline(_), _) => State::Done(self.done(None, false)),
            _ => State::Failed(None),
        };
    }

    fn dialect(&self) -> Dialect {
        self.dialect
    }
}

const FIRST_DELAY: Duration = Duration::from_millis(2);
const LONGEST_DELAY: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use memring_text::ttl::UnixTime;

    use super::{super::talk::tell, *};

    fn item(text: &'static str) -> Found {
        Found { value: text.into(), len: text.len() as u64, cas: 9, left: 100, ..Found::default() }
    }

    /// What the closure is given when `found` was read, of a key of `fetch` or not.
    fn given(found: Found, is_fetched: bool) -> Option<Content> {
        let times = Freshness::new(Ttl::seconds(100)).times(UnixTime::from_secs(1_700_000_000)).unwrap();
        let lifetime = if is_fetched { Life::Fetched(times) } else { Life::Plain(Ttl::NEVER) };
        let now = Instant::now();
        let mut given = None;
        let change = |old: Option<&Content>| {
            given = old.cloned();
            Some("new")
        };
        let mut machine = Update::new(change, lifetime, Dialect::Meta, now, 7);
        tell(&mut machine, now, Ok(Answer::Found(Some(found))));
        let written = tell(&mut machine, now, Ok(Answer::Changed(StoreOutcome::Stored)));
        let Errand::Write(Write { condition: Condition::Unchanged(9), .. }) = written else {
            panic!("{written:?}")
        };
        given
    }

    #[test]
    fn the_closure_is_given_the_value_if_there_is_one() {
        let value = Some(Content { flags: 0, value: "old".into() });
        assert_eq!(given(item("old"), false), value);
        assert_eq!(given(item("old"), true), value);
        assert_eq!(given(Found { left: 5, ..item("old") }, false), value);
        assert_eq!(given(Found { left: 5, ..item("old") }, true), None, "in its grace");
        assert_eq!(given(item(""), false), Some(Content { flags: 0, value: "".into() }));
        for won in [
            Found { win: true, ..item("") },
            Found { stale: true, ..item("") },
            Found { taken: true, ..item("") },
        ] {
            assert_eq!(given(won, false), None, "a placeholder");
        }
        assert_eq!(given(Found { flags: crate::fetch::PLACEHOLDER, ..item("token") }, false), None);
        assert_eq!(given(Found { flags: NOTHING, ..item("") }, false), None);
    }

    #[test]
    fn an_update_that_others_are_before_waits_and_reads_again() {
        let now = Instant::now();
        let until = now + Duration::from_secs(5);
        let mut machine =
            Update::new(|_: Option<&Content>| Some("new"), Life::Plain(Ttl::NEVER), Dialect::Meta, until, 7);
        tell(&mut machine, now, Ok(Answer::Found(None)));
        tell(&mut machine, now, Ok(Answer::Changed(StoreOutcome::NotStored)));
        let Next::Wait(next) = machine.next(now) else { panic!("it does not wait") };
        assert!(next > now && next <= now + FIRST_DELAY);
        assert_eq!(tell(&mut machine, next, Ok(Answer::Found(None))), Errand::Read);
    }

    #[test]
    fn a_write_whose_answer_was_lost_is_known_by_its_new_cas() {
        let now = Instant::now();
        for (cas, was_written) in [(10, true), (9, false)] {
            let new = |_: Option<&Content>| Some("new");
            let mut machine = Update::new(new, Life::Plain(Ttl::NEVER), Dialect::Meta, now, 7);
            tell(&mut machine, now, Ok(Answer::Found(Some(item("old")))));
            assert!(matches!(machine.next(now), Next::Send(Errand::Write(_))));
            machine.answered(Err(NoAnswer::Lost), now);
            tell(&mut machine, now, Ok(Answer::Found(Some(Found { cas, ..item("new") }))));
            let is_done = matches!(machine.next(now), Next::Done(updated) if updated.is_uncertain);
            assert_eq!(is_done, was_written, "{cas}");
        }
    }

    #[test]
    fn what_reading_has_won_is_given_back_by_an_update_that_changes_nothing() {
        let now = Instant::now();
        let nothing = |_: Option<&Content>| None::<&str>;
        let mut machine = Update::new(nothing, Life::Plain(Ttl::NEVER), Dialect::Meta, now, 7);
        tell(&mut machine, now, Ok(Answer::Found(Some(Found { win: true, ..item("old") }))));
        let given_back = tell(&mut machine, now, Ok(Answer::Changed(StoreOutcome::Exists)));
        assert_eq!(given_back, Errand::MarkStale(9, None));
        let Next::Done(updated) = machine.next(now) else { panic!("it is not done") };
        assert_eq!((updated.content, updated.tries), (None, 1));
    }
}
