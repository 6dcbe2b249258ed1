//! One operation on one key that moves.

use core::{mem, time::Duration};
use std::time::Instant;

use memring_text::{StoreOutcome, Ttl};

use super::Phase;
use crate::{
    failure::Cause,
    fetch::{Answer, Condition, Errand, Found, NoAnswer, Write},
};

/// One of a key's two servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that holds it before the change.
    Old,
    /// The one that holds it after.
    New,
}

/// What the caller wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Read the item.
    Get,
    /// Read the item and its cas unique on the new server, once there is one.
    Gets,
    /// Store a value.
    Set,
    /// Store a value if there is none.
    Add,
    /// Store a value if there is one.
    Replace,
    /// Delete the item.
    Delete,
    /// Add to a counter, or subtract.
    Count,
    /// Store a value if the item has this cas unique, on this server.
    Cas(Side, u64),
}

/// What to do next.
#[derive(Debug)]
pub enum Next {
    /// Send this to that server, and to no other in its place; tell the answer.
    Send(Side, Errand),
    /// Do there what the caller wants; if there is a number, as a `cas` with it. Tell what became of it: `NotFound` for a
    /// counter or an item that is not there.
    Do(Side, Option<u64>),
    /// Wait until this time.
    Wait(Instant),
    /// This is the result.
    Done(Outcome),
    /// It has failed: with this, or with the last error if there is none.
    Failed(Option<Cause>),
}

/// The result of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The item that was read, and where its cas unique is from; `None` is a miss.
    Item(Option<(Found, Option<Side>)>),
    /// What became of a change. A number of a counter is the last one that came.
    Changed(StoreOutcome),
}

/// The machine of one operation on a moved key.
///
/// What is sent after one another goes to the very server that was asked first; a cas unique is never sent to a server that
/// has restarted since (see [`Errand::is_bound`]), nor to another one.
#[derive(Debug)]
pub struct Moved {
    verb: Verb,
    phase: Phase,
    /// The cas unique before which items on the new server are from before the transition.
    floor: u64,
    /// How long a mark lives.
    mark: u32,
    until: Instant,
    tries: u32,
    has_changed: bool,
    has_moved: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Reads one place and then, in Prepare, the other.
    Read(Side),
    /// Does it at the old place.
    DoOld,
    /// Deletes at the new place what is not true any more.
    WipeNew(StoreOutcome),
    Mark,
    /// Reads the old place, with the cas unique of the mark if it is ours.
    Look(Option<u64>),
    /// Deletes at the old place what was read there.
    Take(Found, u64),
    Fill(Found, u64),
    /// Takes the mark away, and then this.
    Unmark(u64, Then),
    /// Deletes at the old place, then does it at the new one.
    WipeOld(Option<u64>),
    DoNew(Option<u64>),
    DeleteOld,
    DeleteNew(StoreOutcome),
    /// Deletes at the new place what is from before the transition, then begins again.
    Drop(u64),
    Wait(Instant),
    Done(Outcome),
    Failed(Option<Cause>),
}

/// What comes after a mark was taken away.
#[derive(Debug)]
enum Then {
    Done(Outcome),
    Again,
}

impl Moved {
    /// Before the first errand. `floor` is the lowest cas unique of items that the new server got since the transition began, and
    /// 0 if it was empty then; a mark lives for `mark` seconds; nothing is tried again after `until`.
    #[must_use]
    pub const fn new(verb: Verb, phase: Phase, floor: u64, mark: u32, until: Instant) -> Self {
        let state = Self::first(verb, phase);
        Self { verb, phase, floor, mark, until, tries: 0, has_changed: false, has_moved: false, state }
    }

    const fn first(verb: Verb, phase: Phase) -> State {
        use Phase::{Guard, Move, New, Old, Prepare, Seal};
        const CHANGED: State = State::Done(Outcome::Changed(StoreOutcome::Exists));
        match (verb, phase) {
            (Verb::Get | Verb::Gets, Move) => State::Mark,
            (Verb::Get | Verb::Gets, Old | Guard | Prepare) => State::Read(Side::Old),
            (Verb::Get | Verb::Gets, Seal | New) => State::Read(Side::New),
            (Verb::Delete, New) => State::DeleteNew(StoreOutcome::NotFound),
            (Verb::Delete, _) => State::DeleteOld,
            (Verb::Cas(Side::New, cas), New) => State::DoNew(Some(cas)),
            // The number of no item.
            (Verb::Cas(_, 0), _) => CHANGED,
            (Verb::Cas(Side::Old, _), Old | Guard | Prepare) => State::DoOld,
            (Verb::Cas(Side::New, cas), Move | Seal) => State::WipeOld(Some(cas)),
            // Numbers of two servers have nothing to do with each other: equal ones are chance.
            (Verb::Cas(..), _) => CHANGED,
            (_, Old | Guard | Prepare) => State::DoOld,
            (_, New) => State::DoNew(None),
            (Verb::Set, _) | (_, Seal) => State::WipeOld(None),
            (Verb::Add | Verb::Replace | Verb::Count, Move) => State::Mark,
        }
    }

    /// What to do at `now`.
    pub fn next(&mut self, now: Instant) -> Next {
        if let State::Wait(until) = self.state {
            if now < until {
                return Next::Wait(until);
            }
            self.state = Self::first(self.verb, self.phase);
        }
        let delete = |side| Next::Send(side, Errand::Delete);
        match &mut self.state {
            State::Read(side) => Next::Send(*side, Errand::Read),
            State::DoOld => match self.verb {
                Verb::Cas(_, cas) => Next::Do(Side::Old, Some(cas)),
                _ => Next::Do(Side::Old, None),
            },
            State::WipeNew(_) | State::DeleteNew(_) => delete(Side::New),
            State::Mark => Next::Send(Side::New, Errand::Mark(self.mark)),
            State::Look(_) => Next::Send(Side::Old, Errand::Read),
            State::Take(found, _) => Next::Send(Side::Old, Errand::Discard(found.cas)),
            State::Fill(found, mark) => {
                let ttl = u64::try_from(found.left)
                    .map_or(Ttl::NEVER, |left| Ttl::after(Duration::from_secs(left)));
                let condition = Condition::Unchanged(*mark);
                let write = Write { flags: found.flags, value: found.value.clone(), ttl, condition };
                Next::Send(Side::New, Errand::Write(write))
            }
            State::Unmark(cas, _) | State::Drop(cas) => Next::Send(Side::New, Errand::Discard(*cas)),
            State::WipeOld(_) | State::DeleteOld => delete(Side::Old),
            State::DoNew(over) => Next::Do(Side::New, *over),
            State::Wait(until) => Next::Wait(*until),
            State::Done(outcome) => Next::Done(outcome.clone()),
            State::Failed(cause) => Next::Failed(cause.take()),
        }
    }

    /// Takes the answer to what was sent or done.
    pub fn answered(&mut self, answer: Result<Answer, NoAnswer>, now: Instant) {
        let state = mem::replace(&mut self.state, State::Failed(None));
        self.state = match (state, answer) {
            (State::Read(side), Ok(Answer::Found(found))) => self.read(side, found),
            (State::DoOld, Ok(answer)) => self.done_at_old(&answer),
            (State::WipeNew(outcome), Ok(_)) => State::Done(Outcome::Changed(outcome)),
            (State::Mark, Ok(Answer::Found(Some(found)))) => self.marked(found),
            (State::Look(mark), Ok(Answer::Found(found))) => self.looked(mark, found, now),
            (State::Take(found, mark), Ok(Answer::Changed(StoreOutcome::Stored))) => State::Fill(found, mark),
            // It was changed in between, or the answer is lost: it is not brought over.
            (State::Take(found, mark), Ok(_) | Err(NoAnswer::Lost | NoAnswer::NotDone)) => {
                self.give_up(found, mark)
            }
            (State::Fill(found, _), Ok(Answer::Changed(outcome))) => self.filled(found, outcome, now),
            (State::Fill(found, _), Err(_)) if self.is_read() => {
                State::Done(Outcome::Item(Some((found, None))))
            }
            // Whatever became of it: a mark ends by itself.
            (State::Unmark(_, Then::Done(outcome)), _) => State::Done(outcome),
            (State::Unmark(_, Then::Again), _) => self.again(now),
            (State::WipeOld(over), Ok(_)) => State::DoNew(over),
            (State::DoNew(over), Ok(answer)) => self.done_at_new(over, &answer, now),
            (State::DeleteOld, Ok(Answer::Changed(outcome))) if self.phase == Phase::Old => {
                State::Done(Outcome::Changed(outcome))
            }
            (State::DeleteOld, Ok(Answer::Changed(outcome))) => State::DeleteNew(outcome),
            (State::DeleteNew(at_old), Ok(Answer::Changed(at_new))) => {
                let found = at_old == StoreOutcome::Stored || at_new == StoreOutcome::Stored;
                let outcome = if found { StoreOutcome::Stored } else { StoreOutcome::NotFound };
                State::Done(Outcome::Changed(outcome))
            }
            (State::Drop(_), Ok(_)) => self.at_once(now),
            (ended @ (State::Done(_) | State::Failed(_)), _) => ended,
            _ => State::Failed(None),
        };
    }

    /// Whether a part of the operation has been done, so that an error leaves open what came of it.
    #[must_use]
    pub const fn has_changed(&self) -> bool {
        self.has_changed
    }

    /// Whether the item was brought from the old server to the new one.
    #[must_use]
    pub const fn has_moved(&self) -> bool {
        self.has_moved
    }

    fn is_read(&self) -> bool {
        matches!(self.verb, Verb::Get | Verb::Gets)
    }

    fn read(&mut self, side: Side, found: Option<Found>) -> State {
        match (side, found.filter(|found| !is_mark(found))) {
            (Side::New, Some(found)) if found.cas < self.floor => State::Drop(found.cas),
            (_, Some(found)) => State::Done(Outcome::Item(Some((found, Some(side))))),
            (Side::Old, None) if self.phase == Phase::Prepare => State::Read(Side::New),
            (_, None) => State::Done(Outcome::Item(None)),
        }
    }

    fn done_at_old(&mut self, answer: &Answer) -> State {
        match outcome_of(answer) {
            Some(StoreOutcome::Stored) if self.phase != Phase::Old => {
                self.has_changed = true;
                State::WipeNew(StoreOutcome::Stored)
            }
            Some(outcome) => State::Done(Outcome::Changed(outcome)),
            None => State::Failed(None),
        }
    }

    fn marked(&mut self, found: Found) -> State {
        if !is_mark(&found) {
            return match self.verb {
                _ if found.cas < self.floor => State::Drop(found.cas),
                Verb::Add => State::Done(Outcome::Changed(StoreOutcome::NotStored)),
                Verb::Replace => State::WipeOld(Some(found.cas)),
                Verb::Count => State::WipeOld(None),
                _ => State::Done(Outcome::Item(Some((found, Some(Side::New))))),
            };
        }
        State::Look(found.win.then_some(found.cas))
    }

    fn looked(&mut self, mark: Option<u64>, found: Option<Found>, now: Instant) -> State {
        match (mark, found.filter(|found| !is_mark(found))) {
            (Some(mark), Some(found)) if is_movable(&found) => State::Take(found, mark),
            (Some(mark), Some(found)) => self.give_up(found, mark),
            (Some(mark), None) => match self.verb {
                Verb::Add => State::DoNew(Some(mark)),
                Verb::Get | Verb::Gets => State::Unmark(mark, Then::Done(Outcome::Item(None))),
                _ => State::Unmark(mark, Then::Done(Outcome::Changed(StoreOutcome::NotFound))),
            },
            (None, Some(found)) => match self.verb {
                Verb::Get | Verb::Gets => State::Done(Outcome::Item(Some((found, None)))),
                Verb::Add => State::Done(Outcome::Changed(StoreOutcome::NotStored)),
                _ => self.again(now),
            },
            (None, None) if self.is_read() => State::Done(Outcome::Item(None)),
            (None, None) => self.again(now),
        }
    }

    /// Leaves the old item where it is, or was.
    fn give_up(&mut self, found: Found, mark: u64) -> State {
        let then = match self.verb {
            Verb::Get | Verb::Gets => Then::Done(Outcome::Item(Some((found, None)))),
            Verb::Add => Then::Done(Outcome::Changed(StoreOutcome::NotStored)),
            // In its last second, or not to be moved: it may end.
            _ if !is_movable(&found) => Then::Done(Outcome::Changed(StoreOutcome::NotFound)),
            _ => Then::Again,
        };
        State::Unmark(mark, then)
    }

    fn filled(&mut self, found: Found, outcome: StoreOutcome, now: Instant) -> State {
        self.has_moved |= outcome == StoreOutcome::Stored;
        match self.verb {
            Verb::Get => State::Done(Outcome::Item(Some((found, None)))),
            Verb::Gets if outcome != StoreOutcome::Stored => State::Done(Outcome::Item(Some((found, None)))),
            Verb::Add => State::Done(Outcome::Changed(StoreOutcome::NotStored)),
            _ if outcome == StoreOutcome::Stored => self.at_once(now),
            _ => self.again(now),
        }
    }

    fn done_at_new(&mut self, over: Option<u64>, answer: &Answer, now: Instant) -> State {
        match (self.verb, outcome_of(answer)) {
            (_, Some(StoreOutcome::Stored)) => State::Done(Outcome::Changed(StoreOutcome::Stored)),
            (Verb::Add | Verb::Replace, Some(StoreOutcome::Exists | StoreOutcome::NotFound))
                if over.is_some() =>
            {
                self.again(now)
            }
            (_, Some(outcome)) => State::Done(Outcome::Changed(outcome)),
            (_, None) => State::Failed(None),
        }
    }

    /// Begins again without a wait.
    fn at_once(&mut self, now: Instant) -> State {
        self.tries = self.tries.saturating_add(1);
        if now < self.until && self.tries < MOST_TRIES {
            Self::first(self.verb, self.phase)
        } else {
            State::Failed(Some(Cause::Timeout))
        }
    }

    /// Begins again after a while: another process is just at it.
    fn again(&mut self, now: Instant) -> State {
        self.tries = self.tries.saturating_add(1);
        let next = now + (DELAY * self.tries.min(16));
        if next < self.until { State::Wait(next) } else { State::Failed(Some(Cause::Timeout)) }
    }
}

const fn outcome_of(answer: &Answer) -> Option<StoreOutcome> {
    match answer {
        Answer::Changed(outcome) => Some(*outcome),
        Answer::Number(Some(_)) => Some(StoreOutcome::Stored),
        Answer::Number(None) => Some(StoreOutcome::NotFound),
        Answer::Found(_) => None,
    }
}

/// Whether an item is a mark, which is a miss for all who read: it is empty, somebody has won it, and it is not stale.
#[must_use]
pub fn is_mark(found: &Found) -> bool {
    found.len == 0 && (found.win || found.taken) && !found.stale
}

/// Whether an item is worth the move. One in its last second ends on its way, and a stale one would become fresh.
fn is_movable(found: &Found) -> bool {
    found.left != 0 && found.left != 1 && !found.stale
}

/// The first wait for another process.
const DELAY: Duration = Duration::from_millis(2);

/// More than any operation needs without a wait.
const MOST_TRIES: u32 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &[u8] = b"v";

    fn value(cas: u64, left: i64) -> Found {
        Found { value: VALUE.into(), len: 1, flags: 7, cas, left, ..Found::default() }
    }

    fn mark(cas: u64, win: bool) -> Found {
        Found { cas, left: -1, win, taken: !win, ..Found::default() }
    }

    fn found(found: Found) -> Result<Answer, NoAnswer> {
        Ok(Answer::Found(Some(found)))
    }

    const MISS: Result<Answer, NoAnswer> = Ok(Answer::Found(None));
    const STORED: Result<Answer, NoAnswer> = Ok(Answer::Changed(StoreOutcome::Stored));
    const MISSING: Result<Answer, NoAnswer> = Ok(Answer::Changed(StoreOutcome::NotFound));

    /// Runs an operation with these answers, and returns what was sent, and its end.
    fn run(
        verb: Verb,
        phase: Phase,
        answers: impl IntoIterator<Item = Result<Answer, NoAnswer>>,
    ) -> (Vec<String>, Next) {
        let mut now = Instant::now();
        let mut moved = Moved::new(verb, phase, 5, 2, now + Duration::from_secs(1));
        let (mut sent, mut answers) = (Vec::new(), answers.into_iter());
        loop {
            match moved.next(now) {
                Next::Send(side, Errand::Write(write)) => {
                    assert_eq!((&*write.value, write.flags), (VALUE, 7), "copied as it was");
                    let Condition::Unchanged(cas) = write.condition else { panic!("{write:?}") };
                    sent.push(format!(
                        "fill {side:?} {cas} {:?}",
                        write.ttl.exptime_by(|| unreachable!()).unwrap()
                    ));
                }
                Next::Send(side, Errand::Mark(_)) => sent.push(format!("mark {side:?}")),
                Next::Send(side, errand) => sent.push(format!("{errand:?} {side:?}")),
                Next::Do(side, over) => sent.push(format!("do {side:?} {over:?}")),
                Next::Wait(until) => {
                    now = until;
                    continue;
                }
                end => return (sent, end),
            }
            let Some(answer) = answers.next() else { return (sent, Next::Failed(None)) };
            moved.answered(answer, now);
        }
    }

    fn item(next: Next) -> Option<(Found, Option<Side>)> {
        let Next::Done(Outcome::Item(item)) = next else { panic!("{next:?}") };
        item
    }

    fn changed(next: &Next) -> StoreOutcome {
        let Next::Done(Outcome::Changed(outcome)) = next else { panic!("{next:?}") };
        *outcome
    }

    #[test]
    fn a_take_deletes_what_it_fills_in_and_keeps_its_time() {
        let answers = [found(mark(9, true)), found(value(3, 77)), STORED, STORED];
        let (sent, end) = run(Verb::Get, Phase::Move, answers);
        assert_eq!(sent, ["mark New", "Read Old", "Discard(3) Old", "fill New 9 77"]);
        assert_eq!(item(end).unwrap().0.value, VALUE);
        let answers = [found(mark(9, true)), found(value(3, -1)), STORED, STORED];
        assert_eq!(run(Verb::Get, Phase::Move, answers).0[3], "fill New 9 0", "never stays never");
    }

    #[test]
    fn what_was_changed_in_between_is_returned_and_not_filled_in() {
        for answer in [MISSING, Ok(Answer::Changed(StoreOutcome::Exists)), Err(NoAnswer::Lost)] {
            let answers = [found(mark(9, true)), found(value(3, 77)), answer, STORED];
            let (sent, end) = run(Verb::Get, Phase::Move, answers);
            assert_eq!(sent[2..], ["Discard(3) Old", "Discard(9) New"]);
            assert_eq!(item(end).unwrap().1, None, "its number is of no use");
        }
    }

    #[test]
    fn a_miss_takes_its_mark_away_and_an_old_server_that_fails_is_no_miss() {
        let (sent, end) = run(Verb::Get, Phase::Move, [found(mark(9, true)), MISS, STORED]);
        assert_eq!((sent.last().unwrap().as_str(), item(end)), ("Discard(9) New", None));
        let (_, end) = run(Verb::Get, Phase::Move, [found(mark(9, true)), Err(NoAnswer::NotDone)]);
        assert!(matches!(end, Next::Failed(None)));
    }

    #[test]
    fn who_has_not_made_the_mark_fills_nothing() {
        let (sent, end) = run(Verb::Get, Phase::Move, [found(mark(9, false)), found(value(3, 77))]);
        assert_eq!((sent.len(), item(end).unwrap().1), (2, None));
    }

    #[test]
    fn items_from_before_the_transition_are_dropped() {
        let answers = [found(value(4, 77)), STORED, found(mark(9, true)), MISS, STORED];
        let (sent, end) = run(Verb::Get, Phase::Move, answers);
        assert_eq!((sent[1].as_str(), item(end)), ("Discard(4) New", None));
        let (sent, end) = run(Verb::Get, Phase::Seal, [found(value(4, 77)), STORED, MISS]);
        assert_eq!(
            (sent, item(end)),
            (vec!["Read New".into(), "Discard(4) New".into(), "Read New".into()], None)
        );
    }

    #[test]
    fn items_at_their_end_and_stale_ones_stay_where_they_are() {
        for old in [value(3, 1), value(3, 0), Found { stale: true, ..value(3, 60) }] {
            let (sent, end) = run(Verb::Get, Phase::Move, [found(mark(9, true)), found(old), STORED]);
            assert_eq!((sent[2].as_str(), item(end).is_some()), ("Discard(9) New", true));
        }
    }

    #[test]
    fn the_old_place_comes_first() {
        let (sent, end) = run(Verb::Set, Phase::Move, [MISSING, STORED]);
        assert_eq!(
            (sent, changed(&end)),
            (vec!["Delete Old".into(), "do New None".into()], StoreOutcome::Stored)
        );
        let (sent, _) = run(Verb::Set, Phase::Guard, [STORED, MISSING]);
        assert_eq!(sent, ["do Old None", "Delete New"]);
        for phase in [Phase::Guard, Phase::Prepare, Phase::Move, Phase::Seal] {
            let (sent, end) = run(Verb::Delete, phase, [STORED, MISSING]);
            assert_eq!(
                (sent, changed(&end)),
                (vec!["Delete Old".into(), "Delete New".into()], StoreOutcome::Stored)
            );
        }
    }

    #[test]
    fn nothing_is_stored_at_new_when_old_does_not_answer() {
        let (sent, end) = run(Verb::Set, Phase::Move, [Err(NoAnswer::NotDone)]);
        assert!(sent.len() == 1 && matches!(end, Next::Failed(None)));
    }

    #[test]
    fn a_counter_is_taken_and_wiped_before_it_counts() {
        let hit = [found(value(9, 77)), MISSING, Ok(Answer::Number(Some(5)))];
        assert_eq!(run(Verb::Count, Phase::Move, hit).0, ["mark New", "Delete Old", "do New None"]);
        let answers =
            [found(mark(9, true)), found(value(3, 77)), STORED, STORED, found(value(10, 77)), MISSING];
        let (sent, end) =
            run(Verb::Count, Phase::Move, answers.into_iter().chain([Ok(Answer::Number(Some(5)))]));
        assert_eq!(sent[4..], ["mark New", "Delete Old", "do New None"]);
        assert_eq!(changed(&end), StoreOutcome::Stored);
        let (sent, end) = run(Verb::Count, Phase::Move, [found(mark(9, true)), MISS, STORED]);
        assert_eq!((sent[2].as_str(), changed(&end)), ("Discard(9) New", StoreOutcome::NotFound));
    }

    #[test]
    fn a_number_of_one_server_is_never_sent_to_the_other() {
        use Phase::{Guard, Move, Prepare, Seal};
        for (phase, own) in [(Guard, Side::Old), (Prepare, Side::Old), (Move, Side::New), (Seal, Side::New)] {
            for side in [Side::Old, Side::New] {
                let (sent, end) = run(Verb::Cas(side, 4), phase, [STORED, STORED]);
                let outcome = if side == own { StoreOutcome::Stored } else { StoreOutcome::Exists };
                assert_eq!((sent.is_empty(), changed(&end)), (side != own, outcome));
            }
        }
    }

    #[test]
    fn an_add_is_stored_over_its_mark_or_not_at_all() {
        let (sent, end) = run(Verb::Add, Phase::Move, [found(mark(9, true)), MISS, STORED]);
        assert_eq!((sent[2].as_str(), changed(&end)), ("do New Some(9)", StoreOutcome::Stored));
        let answers = [found(mark(9, true)), found(value(3, 77)), STORED, STORED];
        let (sent, end) = run(Verb::Add, Phase::Move, answers);
        assert_eq!((sent[3].as_str(), changed(&end)), ("fill New 9 77", StoreOutcome::NotStored));
    }

    #[test]
    fn who_waits_for_another_process_ends_in_time() {
        let answers = core::iter::repeat([found(mark(9, false)), MISS]).flatten();
        let (sent, end) = run(Verb::Count, Phase::Move, answers);
        assert!(sent.len() > 10 && matches!(end, Next::Failed(Some(Cause::Timeout))));
    }

    #[test]
    fn a_change_whose_second_half_fails_is_told_as_changed() {
        let now = Instant::now();
        let mut moved = Moved::new(Verb::Set, Phase::Guard, 0, 2, now);
        moved.answered(STORED, now);
        assert!(moved.has_changed());
        moved.answered(Err(NoAnswer::NotDone), now);
        assert!(matches!(moved.next(now), Next::Failed(None)));
    }
}
