//! `invalidate`: marks a value stale, so that the next caller loads another while the others still get this one.

use std::time::Instant;

use memring_text::StoreOutcome;

use super::{
    Answer, Dialect, Errand, Found, NoAnswer, Times,
    lease::{is_blank, is_placeholder},
    talk::{Next, Talk},
    times::after,
};

/// The machine of `invalidate`.
///
/// An item is looked at before it is marked. `md … I T` alone would give it its time anew, so an invalidation every few
/// seconds and a loader that fails would keep a value for ever. What has no value to be handed out is deleted: marked, a
/// placeholder would look like an empty value that is stale.
#[derive(Debug)]
pub struct Invalidate {
    times: Times,
    dialect: Dialect,
    looks: u32,
    state: State,
}

#[derive(Debug)]
enum State {
    Look,
    Change(Errand),
    Delete,
    Done(bool),
    Failed,
}

impl Invalidate {
    /// Before the first errand, to a server that speaks `dialect`.
    #[must_use]
    pub const fn new(times: Times, dialect: Dialect) -> Self {
        let state = match dialect {
            Dialect::Meta => State::Look,
            Dialect::Classic => State::Delete,
        };
        Self { times, dialect, looks: 0, state }
    }

    fn change(&self, found: &Found) -> Errand {
        let Times { stale_for, grace, .. } = self.times;
        let left = u64::try_from(found.left).ok();
        if is_placeholder(found)
            || is_blank(found)
            || left.is_some_and(|left| left <= grace)
            || stale_for == 0
        {
            Errand::Discard(found.cas)
        } else if found.stale || left.is_some_and(|left| left <= self.times.beyond()) {
            Errand::MarkStale(found.cas, None)
        } else {
            Errand::MarkStale(found.cas, Some(after(self.times.beyond())))
        }
    }
}

impl Talk for Invalidate {
    /// Whether there was anything.
    type Output = bool;

    fn next(&mut self, _: Instant) -> Next<bool> {
        match &self.state {
            State::Look => Next::Send(Errand::Look),
            State::Change(errand) => Next::Send(errand.clone()),
            State::Delete => Next::Send(Errand::Delete),
            State::Done(was_there) => Next::Done(*was_there),
            State::Failed => Next::Failed(None),
        }
    }

    fn answered(&mut self, answer: Result<Answer, NoAnswer>, _: Instant) {
        self.state = match (&self.state, answer) {
            (State::Look | State::Change(_), Err(NoAnswer::UnknownCommand))
                if self.dialect == Dialect::Meta =>
            {
                self.dialect = Dialect::Classic;
                State::Delete
            }
            (State::Look, Ok(Answer::Found(None))) => State::Done(false),
            (State::Look, Ok(Answer::Found(Some(found)))) => State::Change(self.change(&found)),
            (State::Change(_), Ok(Answer::Changed(StoreOutcome::Exists))) => {
                self.looks += 1;
                if self.looks < MOST { State::Look } else { State::Delete }
            }
            (State::Change(_) | State::Delete, Ok(Answer::Changed(outcome))) => {
                State::Done(outcome == StoreOutcome::Stored)
            }
            _ => State::Failed,
        };
    }

    fn dialect(&self) -> Dialect {
        self.dialect
    }
}

/// How often an item that others change is looked at. To delete it is always right.
const MOST: u32 = 3;

#[cfg(test)]
mod tests {
    use memring_text::{Ttl, ttl::UnixTime};

    use super::{super::talk::tell, *};
    use crate::fetch::Freshness;

    /// The machine for items of 100 seconds, which are kept for 171, the last eleven of them without a value.
    fn begun() -> Invalidate {
        let times = Freshness::new(Ttl::seconds(100)).times(UnixTime::from_secs(1_700_000_000)).unwrap();
        Invalidate::new(times, Dialect::Meta)
    }

    fn item(left: i64) -> Answer {
        Answer::Found(Some(Found { value: "v".into(), len: 1, cas: 9, left, ..Found::default() }))
    }

    #[test]
    fn an_item_keeps_its_value_for_as_long_as_an_old_one_is_handed_out() {
        let marked = |left| {
            let mut machine = begun();
            assert_eq!(tell(&mut machine, Instant::now(), Ok(item(left))), Errand::Look);
            tell(&mut machine, Instant::now(), Ok(Answer::Changed(StoreOutcome::Stored)))
        };
        assert_eq!(marked(150), Errand::MarkStale(9, Some(after(71))));
        assert_eq!(marked(50), Errand::MarkStale(9, None));
        assert_eq!(marked(5), Errand::Discard(9));
    }

    #[test]
    fn an_item_that_others_change_again_and_again_is_deleted() {
        let mut machine = begun();
        for _ in 0..MOST {
            assert_eq!(tell(&mut machine, Instant::now(), Ok(item(150))), Errand::Look);
            tell(&mut machine, Instant::now(), Ok(Answer::Changed(StoreOutcome::Exists)));
        }
        assert_eq!(
            tell(&mut machine, Instant::now(), Ok(Answer::Changed(StoreOutcome::Stored))),
            Errand::Delete
        );
        assert!(matches!(machine.next(Instant::now()), Next::Done(true)));
    }
}
