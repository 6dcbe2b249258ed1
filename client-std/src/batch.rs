//! Many requests at once: written to every server before a reply of any is read, and from then on each server goes on by
//! itself. One that hangs keeps nobody waiting but the callers that asked for its keys.

use core::iter;
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
    /// The result of a key.
    type Output;

    /// Writes the next requests, if there may be more of them now. Says whether there could be more if the connection had
    /// taken what it has.
    fn send(&mut self, wire: &mut Wire) -> Result<bool, Cause>;

    /// Reads what has arrived of the replies, and gives `put` the result of the key at each position of the batch. The first
    /// result of a position counts. Returns whether everything that was written is answered.
    fn receive(
        &mut self,
        wire: &mut Wire,
        put: impl FnMut(usize, Result<Self::Output, Cause>),
    ) -> Result<bool, Cause>;

    /// How much is written and not answered.
    fn owed(&self) -> usize;

    /// Forgets that anything was written that is not answered: it is written again, over another connection.
    fn forget(&mut self);

    /// A request of those to be answered, to tell what its kind allows; `None` when all are answered.
    fn request(&self) -> Option<Request<'_>>;

    /// The position of a key that has its result from a part of a reply; the result is taken back if the reply goes no
    /// further.
    fn unproven(&self) -> Option<usize> {
        None
    }

    /// The positions of the share's keys in the batch.
    fn positions(&self) -> &[usize];

    /// Whether the request of the key that is number `index` of the share may have taken effect, if bytes of what is written
    /// and not answered have left: it is one of those, and must not be sent twice.
    fn is_open(&self, index: usize) -> bool;
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

/// Works off `shares`, each on the server of its site, until all `count` keys of the batch have a result.
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
    let mut is_ready = Vec::new();
    loop {
        for leg in legs.iter_mut().filter(|leg| leg.is_outside()) {
            leg.enter(results);
        }
        // What has to be opened comes behind all servers that we have connections to.
        for is_open in [true, false] {
            for leg in legs.iter_mut().filter(|leg| leg.has_turn() && leg.is_open() == is_open) {
                leg.turn(results);
            }
        }
        let under_way = legs.iter().filter(|leg| leg.is_under_way());
        let left = deadline.patience().unwrap_or_default();
        let Some(time) = under_way.map(|leg| leg.patience(left)).min() else { return };
        if let Err(error) = wait(legs.iter().filter_map(Leg::awaited), time, &mut is_ready) {
            let cause = Cause::from(error);
            legs.iter_mut().filter(|leg| leg.is_under_way()).for_each(|leg| leg.fail(results, &cause));
            return;
        }
        let now = Instant::now();
        let over = (deadline.left().is_zero(), deadline.patience().is_none());
        let mut is_ready = is_ready.iter().copied();
        for leg in legs.iter_mut().filter(|leg| leg.is_inside()) {
            let is_ready = leg.awaited().is_some() && is_ready.next() == Some(true);
            leg.waited(results, now, is_ready, over);
        }
    }
}

/// The results of the keys so far.
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

    /// Puts a result in a position that has none yet.
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

    /// Notes that nothing more comes for these positions. `error` makes the error of those whose requests may have taken
    /// effect, which `is_open` says of each by its index among them, and the error of the others: each once.
    fn fail(&mut self, positions: &[usize], is_open: impl Fn(usize) -> bool, error: impl Fn(bool) -> Error) {
        let mut errors = [None, None];
        for (index, position) in positions.iter().enumerate() {
            if let Some(slot @ None) = self.slots.get_mut(*position) {
                let is_open = is_open(index);
                let told = &mut errors[usize::from(is_open)];
                *slot = Some(Err(told.get_or_insert_with(|| error(is_open)).clone()));
            }
        }
        if errors.iter().all(Option::is_none) {
            errors[0] = Some(error(false));
        }
        self.errors.extend(errors.into_iter().flatten());
    }

    /// All of them. Every position is one of a share's, and each share ends in results or a failure.
    fn into_many(self) -> Many<T> {
        let Self { name, slots, errors } = self;
        let unanswered = || Err(Error::new(name, Cause::Protocol(ProtocolError::Broken)));
        Many::new(slots.into_iter().map(|slot| slot.unwrap_or_else(unanswered)).collect(), errors)
    }
}
