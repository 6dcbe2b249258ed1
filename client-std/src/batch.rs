//! Many requests at once: written to every server before a reply of any is read, and from then on each server goes on by
//! itself. One that hangs keeps nobody waiting but those who asked for its keys.

use core::{iter, time::Duration};
use std::time::Instant;

use memring_client::{
    failure::{Cause, Error, Many},
    shares,
};
use memring_core::health::Verdict;
use memring_text::{Request, exchange::ProtocolError};

use crate::{
    deadline::Deadline,
    pool::{Pool, Wire},
    socket::wait,
};

mod gets;
mod leg;
mod requests;

pub(crate) use gets::Gets;
use leg::Leg;
pub(crate) use requests::Requests;

/// One server's share of a batch.
pub(crate) trait Share {
    /// What a key comes to.
    type Output;

    /// Writes the next requests, if there may be more of them now. Says whether there could be more if the connection had
    /// taken what it has.
    fn send(&mut self, wire: &mut Wire) -> Result<bool, Cause>;

    /// Reads what has come of the replies, and gives `put` what the key at each position of the batch comes to. The first
    /// word counts. Says whether everything that was written is answered.
    fn receive(
        &mut self,
        wire: &mut Wire,
        put: impl FnMut(usize, Result<Self::Output, Cause>),
    ) -> Result<bool, Cause>;

    /// How much is written and not answered.
    fn owed(&self) -> usize;

    /// Forgets that anything was written that is not answered: it is written again, over another connection.
    fn forget(&mut self);

    /// A request of those to be answered, to tell what its kind allows; `None` when there are none left.
    fn request(&self) -> Option<Request<'_>>;

    /// The position of a key that has come to something by a part of a reply which is to be taken back if the reply goes
    /// no further.
    fn unproven(&self) -> Option<usize> {
        None
    }

    /// The positions of the share's keys in the batch.
    fn positions(&self) -> &[usize];
}

/// The server that a share goes to, and whether it may be asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site<'b> {
    pub(crate) pool: &'b Pool,
    pub(crate) verdict: Verdict,
}

impl<'b> Site<'b> {
    /// The server of `share`.
    pub(crate) const fn of<T>(share: &shares::Share<'b, Pool, T>) -> Self {
        Self { pool: share.pool, verdict: share.verdict }
    }
}

/// Works off `shares`, each on the server of its site, until all `count` keys of the batch have come to something.
pub(crate) fn run<'b, S: Share>(
    name: &'static str,
    shares: impl Iterator<Item = (Site<'b>, S)>,
    count: usize,
    deadline: Deadline,
) -> Many<S::Output> {
    let mut results = Results::new(name, count);
    let mut legs: Vec<_> = shares.map(|(site, share)| Leg::new(name, site, share, deadline)).collect();
    match &mut legs[..] {
        [leg] => leg.run_alone(&mut results),
        legs => run_together(legs, &mut results, deadline),
    }
    results.into_many()
}

/// Lets each of `legs` go on as soon as it can.
fn run_together<S: Share>(legs: &mut [Leg<'_, S>], results: &mut Results<S::Output>, deadline: Deadline) {
    for leg in &mut *legs {
        leg.enter(results);
    }
    let mut is_ready = Vec::new();
    loop {
        // To open a connection can take long. All servers that we have connections to are asked before that.
        let mut is_waiting = false;
        for leg in legs.iter_mut().filter(|leg| leg.is_outside()) {
            leg.enter(results);
            is_waiting |= leg.is_outside();
        }
        for leg in legs.iter_mut().filter(|leg| leg.has_turn()) {
            leg.turn(results);
        }
        let opened = legs.iter_mut().find(|leg| leg.is_unopened()).map(|leg| leg.turn(results)).is_some();
        if !legs.iter().any(Leg::is_under_way) {
            return;
        }
        let has_turn = opened || legs.iter().any(Leg::has_turn);
        let time = match deadline.patience() {
            _ if has_turn => Duration::ZERO,
            Some(left) if is_waiting => left.min(LOOK_AGAIN),
            left => left.unwrap_or_default(),
        };
        let sockets = legs.iter().filter_map(Leg::socket);
        if let Err(error) = wait(sockets, time, &mut is_ready) {
            let cause = Cause::from(error);
            legs.iter_mut().filter(|leg| leg.is_under_way()).for_each(|leg| leg.fail(results, &cause));
            return;
        }
        let now = Instant::now();
        let (is_late, is_over) = (deadline.left().is_zero(), deadline.patience().is_none());
        let waiting = legs.iter_mut().filter(|leg| leg.socket().is_some());
        for (leg, is_ready) in waiting.zip(is_ready.iter().copied()) {
            if is_over || (is_late && !is_ready && !leg.has_turn()) {
                leg.fail_in_time(results, now, is_ready);
            } else if is_ready {
                leg.may_go_on();
            }
        }
    }
}

/// How soon a pool that had no part left is asked again while there are other servers to wait for.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// What the keys have come to so far.
struct Results<T> {
    name: &'static str,
    /// `None` for results to come.
    slots: Vec<Option<Result<T, Error>>>,
    errors: Vec<Error>,
}

impl<T> Results<T> {
    fn new(name: &'static str, count: usize) -> Self {
        let slots = iter::repeat_with(|| None).take(count).collect();
        Self { name, slots, errors: Vec::new() }
    }

    /// Puts a result where there is none yet.
    #[inline]
    fn put(&mut self, position: usize, result: Result<T, Error>) {
        if let Some(slot @ None) = self.slots.get_mut(position) {
            if let Err(refusal) = &result {
                self.errors.push(refusal.clone());
            }
            *slot = Some(result);
        }
    }

    /// Forgets the result of this position, unless that is an error.
    fn take_back(&mut self, position: usize) {
        if let Some(slot @ Some(Ok(_))) = self.slots.get_mut(position) {
            *slot = None;
        }
    }

    /// Notes that nothing more comes for these positions.
    fn fail(&mut self, positions: &[usize], error: Error) {
        for position in positions {
            if let Some(slot @ None) = self.slots.get_mut(*position) {
                *slot = Some(Err(error.clone()));
            }
        }
        self.errors.push(error);
    }

    /// All of them. Every position is one of a share's, and each share ends in results or a failure.
    fn into_many(self) -> Many<T> {
        let Self { name, slots, errors } = self;
        let unanswered = || Err(Error::new(name, Cause::Protocol(ProtocolError::Broken)));
        Many::new(slots.into_iter().map(|slot| slot.unwrap_or_else(unanswered)).collect(), errors)
    }
}
