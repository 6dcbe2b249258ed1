//! The lease: how one caller asks the server for a value, and whether it is the one to load it.
//!
//! ```text
//!        ┌────────────────── Wait ◀──────────┐
//!        ▼                                   │ no value, taken
//!  ─▶  Ask ──value──▶ Done        TakeOver ◀─┤ taken for longer than a lease
//!        ├──win──▶ Extend ──▶ Load ──▶ Store ──▶ Done
//!        │                      └fails─▶ GiveBack ──▶ the error, or a stale value
//!        └──no answer, or waited for too long──▶ Own: load, store nothing
//! ```
//!
//! A server without meta commands knows no lease: `Ask` reads, and `add`s a placeholder in the place of what is missing;
//! whose `add` was stored has won. The lease is the life of the placeholder.

use core::time::Duration;
use std::time::Instant;

use bytes::Bytes;
use memring_text::{StoreOutcome, reply::ServerErrorKind};

use super::{
    Answer, Dialect, Errand, Fetched, Found, PLACEHOLDER, Times, Write,
    content::{self, NOTHING},
    errand::Condition,
    random::Random,
    times::{Age, after},
};
use crate::failure::{Error, ErrorKind};

/// The machine of one caller that leads: it is told of answers, of its loader and of the time, and says what to do next.
#[derive(Debug)]
pub(super) struct Lease {
    /// As the caller wants them, and as they are on the server that answers.
    times: Times,
    judged: Times,
    dialect: Dialect,
    terms: Terms,
    state: State,
    /// Whether an errand of this state is under way.
    is_sent: bool,
    sent_at: Instant,
    polls: u32,
    is_last_poll: bool,
    random: Random,
    nonce: [u8; 16],
    is_void: bool,
    win: Option<Win>,
    /// A value that may be handed out until then, should nothing better come.
    held: Option<(Fetched, Instant)>,
    notes: Notes,
}

/// What does not change during a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// Until when the caller waits for others.
    pub(super) wait_until: Instant,
    /// The longest value that is stored.
    pub(super) limit: usize,
    /// Whether the caller has a word for "there is nothing".
    pub(super) takes_nothing: bool,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Send(Errand),
    Wait(Instant),
    Load,
    /// Load; nothing is stored.
    Own,
    Done(Fetched),
    /// The loader has failed, and that is the result.
    Failed,
}

/// Why there is no answer to an errand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// The server does not know the command.
    UnknownCommand,
    /// The errand was not sent, or was refused.
    NotDone,
    /// It may have been done.
    Lost,
}

impl From<&Error> for NoAnswer {
    fn from(error: &Error) -> Self {
        let is_unknown = error.kind() == ErrorKind::Unsupported
            || error.server_error().is_some_and(|error| error.kind() == ServerErrorKind::UnknownCommand);
        if is_unknown {
            Self::UnknownCommand
        } else if error.is_ambiguous() {
            Self::Lost
        } else {
            Self::NotDone
        }
    }
}

/// What happened on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Notes {
    pub(super) has_waited: bool,
    pub(super) took_over: bool,
    pub(super) gave_back: bool,
    /// The value came too late, or was not the last one to be asked for.
    pub(super) is_late: bool,
    /// By how much the loader took longer than the lease, if that was why.
    pub(super) too_long_by: Option<Duration>,
    pub(super) is_stale: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Ask,
    /// Classic: puts the placeholder into its place, and reads its cas unique.
    Add,
    Check,
    Extend,
    TakeOver(Errand),
    Wait(Instant),
    Load,
    Store(Write, Fetched),
    /// Then the turn.
    GiveBack(Turn),
    End(Turn),
}

#[derive(Clone, Copy, Debug)]
struct Win {
    cas: u64,
    asked_at: Instant,
    /// Whether there is an item, which is to stay when the lease is given back.
    has_item: bool,
    /// Whether the lease was used up or given back, as far as the server has heard.
    is_settled: bool,
}

impl Lease {
    /// Before the first question.
    pub(super) fn new(times: Times, dialect: Dialect, terms: Terms, now: Instant, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut nonce = [0; 16];
        let (left, right) = nonce.split_at_mut(8);
        left.copy_from_slice(&random.next().to_le_bytes());
        right.copy_from_slice(&random.next().to_le_bytes());
        Self {
            times,
            judged: times,
            dialect,
            terms,
            state: State::Ask,
            is_sent: false,
            sent_at: now,
            polls: 0,
            is_last_poll: false,
            random,
            nonce,
            is_void: false,
            win: None,
            held: None,
            notes: Notes::default(),
        }
    }

    /// What to do at `now`. An errand that was not answered counts as lost.
    pub(super) fn step(&mut self, now: Instant) -> Turn {
        if self.is_sent {
            self.answered(Err(NoAnswer::Lost), now, &mut |_| now);
        }
        if let State::Wait(until) = self.state {
            if now < until {
                return Turn::Wait(until);
            }
            self.state = State::Ask;
        }
        let errand = match &self.state {
            State::Ask if self.dialect == Dialect::Meta => Errand::Ask(self.times),
            State::Ask | State::Check => Errand::Read,
            State::Add => Errand::Write(Write {
                flags: PLACEHOLDER,
                value: Bytes::copy_from_slice(&self.nonce),
                ttl: after(self.judged.grace),
                condition: Condition::Missing,
            }),
            State::Extend => Errand::Extend(self.judged),
            State::TakeOver(errand) => errand.clone(),
            State::Store(write, _) => Errand::Write(write.clone()),
            State::GiveBack(turn) => {
                let turn = turn.clone();
                let Some(errand) = self.give_back() else { return turn };
                errand
            }
            State::Load => return Turn::Load,
            State::End(turn) => return turn.clone(),
            State::Wait(until) => return Turn::Wait(*until),
        };
        if let (State::Store(..) | State::GiveBack(_), Some(win)) = (&self.state, &mut self.win) {
            win.is_settled = true;
        }
        if self.state != State::Check {
            self.sent_at = now;
        }
        self.is_sent = true;
        Turn::Send(errand)
    }

    /// Takes the answer to the errand under way. `seen` notes the token of another caller, and says since when this
    /// process has known of it.
    pub(super) fn answered(
        &mut self,
        answer: Result<Answer, NoAnswer>,
        now: Instant,
        seen: &mut dyn FnMut(u64) -> Instant,
    ) {
        if !core::mem::take(&mut self.is_sent) {
            return;
        }
        self.state = match (core::mem::replace(&mut self.state, OWN), answer) {
            (State::Ask, Err(NoAnswer::UnknownCommand)) | (State::Ask, Ok(Answer::Found(None)))
                if self.dialect == Dialect::Meta =>
            {
                // A server without meta commands, or a proxy that knows them and no lease.
                self.dialect = Dialect::Classic;
                State::Ask
            }
            (State::Ask, Ok(Answer::Found(None))) => State::Add,
            (State::Ask, Ok(Answer::Found(Some(found)))) => self.judge(found, now, seen),
            (State::Add, Ok(Answer::Changed(StoreOutcome::Stored))) => State::Check,
            (State::Add, Ok(Answer::Changed(_))) => self.wait(now),
            (State::Check, Ok(Answer::Found(Some(found)))) => {
                if found.flags == PLACEHOLDER && *found.value == self.nonce {
                    self.won(&found, false);
                    State::Load
                } else {
                    self.judge(found, now, seen)
                }
            }
            (State::Check, Ok(Answer::Found(None))) => self.wait(now),
            (State::Extend, Ok(Answer::Found(found))) => {
                let is_ours = found.zip(self.win).is_some_and(|(found, win)| found.cas == win.cas);
                match (is_ours, self.is_void) {
                    (true, _) => State::Load,
                    (false, false) => {
                        (self.is_void, self.win) = (true, None);
                        State::Ask
                    }
                    (false, true) => {
                        self.win = None;
                        OWN
                    }
                }
            }
            (State::Extend, Err(_)) => State::Load,
            (State::TakeOver(_), Ok(_)) => State::Ask,
            (State::TakeOver(_), Err(_)) => self.held_or(Turn::Own, now),
            (State::Store(_, fetched), answer) => {
                if let Ok(Answer::Changed(StoreOutcome::Exists | StoreOutcome::NotFound)) = answer {
                    self.is_late(now);
                }
                State::End(Turn::Done(fetched))
            }
            (State::GiveBack(turn), _) => State::End(turn),
            _ => OWN,
        };
    }

    /// The times on the server that answers, which stands in for another.
    pub(super) const fn judge_by(&mut self, times: Times) {
        self.judged = times;
    }

    /// Whether the caller is to load a value while others can be handed one.
    pub(super) const fn is_refresh(&self) -> bool {
        matches!(self.state, State::Load) && self.held.is_some()
    }

    /// Whether others that ask for the key are to wait for this caller, or to ask with it: while there is no value to be
    /// handed out.
    pub(super) const fn is_shared(&self) -> bool {
        match self.state {
            State::End(_) => false,
            State::Load => self.held.is_none(),
            _ => true,
        }
    }

    /// Whether the caller has won.
    pub(super) const fn has_won(&self) -> bool {
        self.win.is_some()
    }

    /// Takes what the loader has returned.
    pub(super) fn loaded(&mut self, fetched: Fetched) {
        let done = Turn::Done(fetched.clone());
        self.state = match (&self.state, self.win) {
            (State::Load, Some(win)) => match self.write(&fetched, win.cas) {
                Some(write) => State::Store(write, fetched),
                None => State::GiveBack(done),
            },
            _ => State::End(done),
        };
    }

    /// Notes that the loader has failed.
    pub(super) fn failed(&mut self, now: Instant) {
        let is_ours = self.state == State::Load;
        let turn = if self.times.errors_first { None } else { self.held_at(now).map(Turn::Done) };
        self.notes.is_stale = turn.is_some();
        let turn = turn.unwrap_or(Turn::Failed);
        self.state = if is_ours { State::GiveBack(turn) } else { State::End(turn) };
    }

    /// Ends the call, whose caller has gone. Returns what is to be sent so that others need not wait for the lease to
    /// end.
    pub(super) fn abandon(&mut self) -> Option<Errand> {
        let errand = self.give_back();
        if let Some(win) = &mut self.win {
            win.is_settled = true;
        }
        self.state = OWN;
        errand
    }

    /// Which commands the server has, as far as is known by now.
    pub(super) const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// What happened on the way.
    pub(super) const fn notes(&self) -> Notes {
        self.notes
    }

    fn judge(&mut self, found: Found, now: Instant, seen: &mut dyn FnMut(u64) -> Instant) -> State {
        if self.dialect == Dialect::Classic {
            return if is_placeholder(&found) || is_blank(&found) {
                self.wait(now)
            } else {
                self.serve(found, Age::Fresh)
            };
        }
        let is_marked = is_placeholder(&found);
        let is_empty = is_marked || (is_blank(&found) && (found.win || found.stale || found.taken));
        let age = if is_empty { Age::Nothing } else { self.judged.age(found.left, found.stale) };
        if age != Age::Nothing {
            let until = self.sent_at.checked_add(self.judged.served_for(found.left));
            let content = content::read(found.flags, found.value.clone());
            self.held = Some((content, until.unwrap_or_else(|| now + LONG)));
        }
        if found.win && !is_marked {
            let lives_on = u64::try_from(found.left).is_ok_and(|left| left < self.judged.grace);
            self.won(&found, !is_empty);
            return if lives_on { State::Extend } else { State::Load };
        }
        if found.taken && !is_marked && !self.notes.took_over && self.is_overdue(seen(found.cas), now) {
            self.notes.took_over = true;
            return State::TakeOver(forget(found.cas, !is_empty));
        }
        match age {
            Age::Nothing if found.taken || is_marked => self.wait(now),
            Age::Nothing => OWN,
            age => self.serve(found, age),
        }
    }

    fn serve(&mut self, found: Found, age: Age) -> State {
        if found.flags == NOTHING && !self.terms.takes_nothing {
            return OWN;
        }
        self.notes.is_stale = age == Age::Stale;
        State::End(Turn::Done(content::read(found.flags, found.value)))
    }

    fn won(&mut self, found: &Found, has_item: bool) {
        let win = Win { cas: found.cas, asked_at: self.sent_at, has_item, is_settled: false };
        self.win = Some(win);
    }

    /// Waits for the caller that loads, as long as there is time.
    fn wait(&mut self, now: Instant) -> State {
        if self.is_last_poll || now >= self.terms.wait_until {
            return OWN;
        }
        let next = now + self.random.jitter(FIRST_DELAY, LONGEST_DELAY, self.polls);
        self.polls = self.polls.saturating_add(1);
        self.is_last_poll = next >= self.terms.wait_until;
        self.notes.has_waited = true;
        State::Wait(next.min(self.terms.wait_until))
    }

    fn is_overdue(&self, first_seen: Instant, now: Instant) -> bool {
        now.saturating_duration_since(first_seen) >= self.judged.lease
    }

    fn held_at(&self, now: Instant) -> Option<Fetched> {
        let (content, until) = self.held.as_ref()?;
        let can_be_told = content.is_some() || self.terms.takes_nothing;
        (now < *until && can_be_told).then(|| content.clone())
    }

    fn held_or(&self, turn: Turn, now: Instant) -> State {
        State::End(self.held_at(now).map_or(turn, Turn::Done))
    }

    fn write(&self, fetched: &Fetched, cas: u64) -> Option<Write> {
        if fetched.is_none() && self.judged.negative_ttl == 0 {
            return None;
        }
        let ttl = self.judged.kept_by(self.dialect, fetched.is_some());
        let (flags, value) = content::stored(fetched)?;
        (value.len() <= self.terms.limit).then_some(Write {
            flags,
            value,
            ttl,
            condition: Condition::Unchanged(cas),
        })
    }

    fn give_back(&mut self) -> Option<Errand> {
        let win = self.win.filter(|win| !win.is_settled)?;
        self.notes.gave_back = true;
        Some(forget(win.cas, win.has_item))
    }

    fn is_late(&mut self, now: Instant) {
        self.notes.is_late = true;
        let took = self.win.map(|win| now.saturating_duration_since(win.asked_at));
        let over = took.and_then(|took| took.checked_sub(self.judged.lease));
        self.notes.too_long_by = over.filter(|over| !over.is_zero());
    }
}

/// What is to be sent if the caller of a question has gone before its answer came.
#[must_use]
pub fn give_back_of(answer: &Answer) -> Option<Errand> {
    match answer {
        Answer::Found(Some(found)) if found.win && !is_placeholder(found) => {
            Some(forget(found.cas, !is_blank(found)))
        }
        _ => None,
    }
}

/// Ends a lease: an item stays, and the next caller wins it; a placeholder goes.
const fn forget(cas: u64, has_item: bool) -> Errand {
    if has_item { Errand::MarkStale(cas, None) } else { Errand::Discard(cas) }
}

/// Whether this is the placeholder of a caller that speaks the classic dialect.
pub(super) const fn is_placeholder(found: &Found) -> bool {
    found.flags == PLACEHOLDER
}

/// Whether this looks as the placeholder of a caller that speaks the meta dialect does.
pub(super) const fn is_blank(found: &Found) -> bool {
    found.flags == 0 && found.len == 0
}

const OWN: State = State::End(Turn::Own);

/// The first delay between two questions, and the longest. Each is a random part of 1.6 times the one before.
const FIRST_DELAY: Duration = Duration::from_millis(10);
const LONGEST_DELAY: Duration = Duration::from_millis(250);

/// Longer than any item that is not for ever is handed out.
const LONG: Duration = Duration::from_secs(365 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use memring_text::{Ttl, ttl::UnixTime};

    use super::*;
    use crate::{
        failure::Cause,
        fetch::{Content, Freshness},
    };

    const SECOND: Duration = Duration::from_secs(1);

    /// A lease of ten seconds, and a grace of eleven; an item of 100 seconds is kept for 171.
    fn begun(dialect: Dialect) -> (Lease, Instant) {
        let now = Instant::now();
        let times = Freshness::new(Ttl::seconds(100)).times(UnixTime::from_secs(1_700_000_000)).unwrap();
        let terms = Terms { wait_until: now + 5 * SECOND, limit: 1000, takes_nothing: true };
        (Lease::new(times, dialect, terms, now, 7), now)
    }

    /// Takes the errand that is to be sent, and gives `answer` to it.
    fn tell(lease: &mut Lease, now: Instant, answer: Answer) -> Errand {
        let Turn::Send(errand) = lease.step(now) else { panic!("nothing is to be sent: {lease:?}") };
        lease.answered(Ok(answer), now, &mut |_| now);
        errand
    }

    fn value(text: &'static str, left: i64) -> Found {
        Found { value: text.into(), len: text.len() as u64, cas: 9, left, ..Found::default() }
    }

    fn content(text: &'static str) -> Fetched {
        Some(Content { flags: 0, value: text.into() })
    }

    /// A caller without meta commands whose placeholder was stored; its token.
    fn placed() -> (Lease, Instant, Bytes) {
        let (mut lease, now) = begun(Dialect::Classic);
        assert_eq!(tell(&mut lease, now, Answer::Found(None)), Errand::Read);
        let placed = tell(&mut lease, now + SECOND, Answer::Changed(StoreOutcome::Stored));
        let Errand::Write(Write { flags: PLACEHOLDER, value, .. }) = placed else { panic!("{placed:?}") };
        (lease, now, value)
    }

    #[test]
    fn only_the_own_placeholder_wins() {
        let (mut lease, now, token) = placed();
        let own = Found { flags: PLACEHOLDER, value: token, ..Found::default() };
        tell(&mut lease, now, Answer::Found(Some(own)));
        assert_eq!(lease.step(now), Turn::Load);

        let (mut lease, now, _) = placed();
        let other = Found { flags: PLACEHOLDER, ..value("another caller's", -1) };
        tell(&mut lease, now, Answer::Found(Some(other)));
        assert!(matches!(lease.step(now), Turn::Wait(_)));

        let (mut lease, now, token) = placed();
        let same = Found { value: token.clone(), len: 16, ..Found::default() };
        tell(&mut lease, now, Answer::Found(Some(same)));
        assert_eq!(lease.step(now), Turn::Done(Some(Content { flags: 0, value: token })));
    }

    #[test]
    fn who_wins_an_item_that_soon_ends_loads_only_while_it_is_the_same() {
        let won = Answer::Found(Some(Found { win: true, ..value("old", 5) }));
        let (mut lease, now) = begun(Dialect::Meta);
        tell(&mut lease, now, won.clone());
        let same = tell(&mut lease, now, Answer::Found(Some(value("", -1))));
        assert!(matches!(same, Errand::Extend(_)));
        assert_eq!(lease.step(now), Turn::Load);

        let (mut lease, now) = begun(Dialect::Meta);
        for _ in 0..2 {
            assert!(matches!(tell(&mut lease, now, won.clone()), Errand::Ask(_)));
            let changed = Found { cas: 10, ..value("", -1) };
            tell(&mut lease, now, Answer::Found(Some(changed)));
        }
        assert_eq!(lease.step(now), Turn::Own);
    }

    #[test]
    fn what_is_loaded_is_stored_over_what_was_won() {
        let (mut lease, now) = begun(Dialect::Meta);
        tell(&mut lease, now, Answer::Found(Some(Found { win: true, ..value("old", 50) })));
        assert_eq!(lease.step(now), Turn::Load);
        lease.loaded(content("new"));
        let stored = tell(&mut lease, now + 13 * SECOND, Answer::Changed(StoreOutcome::Exists));
        let Errand::Write(write) = stored else { panic!("{stored:?}") };
        assert_eq!((&*write.value, write.condition), (&b"new"[..], Condition::Unchanged(9)));
        assert_eq!(lease.step(now), Turn::Done(content("new")));
        assert!(lease.notes().is_late);
        assert_eq!(lease.notes().too_long_by, Some(3 * SECOND));
    }

    #[test]
    fn a_lease_without_meta_commands_begins_with_its_placeholder() {
        let (mut lease, now, token) = placed();
        let own = Found { flags: PLACEHOLDER, value: token, ..Found::default() };
        tell(&mut lease, now + 2 * SECOND, Answer::Found(Some(own)));
        lease.loaded(content("new"));
        tell(&mut lease, now + 14 * SECOND, Answer::Changed(StoreOutcome::NotFound));
        assert_eq!(lease.notes().too_long_by, Some(3 * SECOND));
    }

    #[test]
    fn only_an_old_value_is_told_as_stale() {
        for (left, is_stale) in [(150, false), (50, true)] {
            let (mut lease, now) = begun(Dialect::Meta);
            tell(&mut lease, now, Answer::Found(Some(value("value", left))));
            assert_eq!(lease.step(now), Turn::Done(content("value")));
            assert_eq!(lease.notes().is_stale, is_stale);
        }
    }

    #[test]
    fn an_error_tells_whether_the_errand_may_have_been_done() {
        let server: Arc<str> = "a:1".into();
        let on = |is_ambiguous| NoAnswer::from(&Error::on(&server, "fetch", Cause::Timeout, is_ambiguous));
        assert_eq!((on(false), on(true)), (NoAnswer::NotDone, NoAnswer::Lost));
        let refused = Error::on(&server, "fetch", Cause::HangsUp, true);
        assert_eq!(NoAnswer::from(&refused), NoAnswer::UnknownCommand);
    }
}
