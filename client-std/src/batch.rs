//! Many requests at once: written to every server before a reply of any is read.

use core::{iter, mem, ptr};

use memring_client::{
    failure::{Cause, Error, Evidence, Many},
    watch::{self, Attempt},
};
use memring_core::health::Verdict;
use memring_text::{ProtocolError, Request};

use crate::{
    call::failed,
    deadline::Deadline,
    fleet,
    pool::{Lease, Pool, Wire},
};

mod gets;
mod plan;
mod requests;

pub(crate) use gets::Gets;
pub(crate) use plan::Plan;
pub(crate) use requests::Requests;

/// One server's share of a batch. It is worked off in rounds, each of them small enough for the server to take it
/// whole although nobody reads its replies yet.
pub(crate) trait Share {
    /// What a key comes to.
    type Output;

    /// Writes the requests of the next round.
    fn send(&mut self, wire: &mut Wire) -> Result<(), Cause>;

    /// Reads the replies of this round, and gives `put` what the key at each position of the batch comes to. The first
    /// word counts.
    fn receive(
        &mut self,
        wire: &mut Wire,
        put: impl FnMut(usize, Result<Self::Output, Cause>),
    ) -> Result<(), Cause>;

    /// A request of the round at hand, to tell what its kind allows; `None` when all rounds are over.
    fn request(&self) -> Option<Request<'_>>;

    /// The positions of the share's keys in the batch.
    fn positions(&self) -> &[usize];
}

/// The server that a share goes to, and whether it may be asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site<'b> {
    pub(crate) pool: &'b Pool,
    pub(crate) verdict: Verdict,
}

/// Works off `shares`, each on the server of its site, until all `count` keys of the batch have come to something.
pub(crate) fn run<'b, S: Share>(
    name: &'static str,
    shares: impl Iterator<Item = (Site<'b>, S)>,
    count: usize,
    deadline: Deadline,
) -> Many<S::Output> {
    let mut results = Results::new(name, count);
    let leg = |(site, share)| Leg::new(name, site, share, deadline);
    let mut legs: Vec<_> = shares.map(leg).collect();
    // All batches take their parts of the pools in the same order, so that no two of them wait for each other.
    legs.sort_unstable_by_key(|leg| ptr::from_ref(leg.pool).addr());
    for leg in &mut legs {
        leg.enter(&mut results, deadline);
    }
    // To open a connection can take long. Meanwhile, the servers we have connections to may as well work.
    legs.sort_by_key(|leg| !leg.is_used());
    for leg in &mut legs {
        leg.send(&mut results, deadline);
    }
    while legs.iter().any(Leg::is_open) {
        for leg in &mut legs {
            leg.receive(&mut results, deadline);
        }
        for leg in &mut legs {
            leg.send(&mut results, deadline);
        }
    }
    results.into_many()
}

/// One server's way through a batch.
struct Leg<'b, S> {
    name: &'static str,
    pool: &'b Pool,
    share: S,
    verdict: Verdict,
    /// What the server's health is told of; taken when the leg is over. A server that is down is not asked.
    attempt: Option<Attempt<'b>>,
    /// A refusal of one request that speaks against the server as a whole.
    refusal: Option<Cause>,
    /// `None` when it is over, well or not.
    lease: Option<Lease<'b>>,
}

impl<'b, S: Share> Leg<'b, S> {
    fn new(name: &'static str, site: Site<'b>, share: S, deadline: Deadline) -> Self {
        let Site { pool, verdict } = site;
        let attempt = match verdict {
            Verdict::Down { .. } => None,
            verdict => Some(pool.watch().attempt(name, deadline.begun(), verdict == Verdict::Probe)),
        };
        Self { name, pool, share, verdict, attempt, refusal: None, lease: None }
    }

    const fn is_open(&self) -> bool {
        self.lease.is_some()
    }

    fn is_used(&self) -> bool {
        self.lease.as_ref().is_some_and(Lease::is_used)
    }

    fn enter(&mut self, results: &mut Results<S::Output>, deadline: Deadline) {
        if let Verdict::Down { retry_at } = self.verdict {
            return self.fail(results, watch::down(retry_at, fleet::now()), false);
        }
        match self.pool.lease(&patience(deadline)) {
            Ok(lease) => self.lease = Some(lease),
            Err(cause) => self.fail(results, cause, false),
        }
    }

    fn send(&mut self, results: &mut Results<S::Output>, deadline: Deadline) {
        self.step(results, |leg, lease, _| leg.try_send(lease, deadline));
    }

    fn receive(&mut self, results: &mut Results<S::Output>, deadline: Deadline) {
        let mut is_repeated = false;
        self.step(results, |leg, lease, results| {
            // Over a fresh connection, the round has to be written once more.
            if mem::replace(&mut is_repeated, true) {
                leg.try_send(lease, deadline)?;
            }
            let Leg { name, pool, share, refusal, .. } = leg;
            share.receive(lease.wire(deadline)?, |position, result| {
                let refused = |cause: Cause| {
                    if cause.evidence() == Evidence::Failed {
                        *refusal = Some(cause.clone());
                    }
                    failed(pool, name, cause, false)
                };
                results.put(position, result.map_err(refused));
            })
        });
    }

    /// Takes `step`, and takes it again over a fresh connection when the one from the pool turns out dead.
    fn step(
        &mut self,
        results: &mut Results<S::Output>,
        mut step: impl FnMut(&mut Self, &mut Lease<'b>, &mut Results<S::Output>) -> Result<(), Cause>,
    ) {
        let Some(mut lease) = self.lease.take() else { return };
        let mut taken = step(self, &mut lease, results);
        let closed = taken.as_ref().err().filter(|cause| cause.is_closed() && lease.is_used());
        if let Some(cause) =
            closed.filter(|_| self.share.request().is_some_and(|request| lease.may_retry(&request))).cloned()
        {
            lease.replace(&cause);
            taken = step(self, &mut lease, results);
        }
        match taken {
            Ok(()) if self.share.request().is_some() => self.lease = Some(lease),
            // The lease ends here, and others may have the connection while this batch goes on.
            Ok(()) => {
                if let Some(attempt) = self.attempt.take() {
                    attempt.ended(self.refusal.as_ref().map_or(Ok(()), Err));
                }
            }
            Err(cause) => {
                lease.ends(&cause);
                let open = self.share.request().is_some_and(|request| lease.leaves_open(&request));
                self.fail(results, cause, open);
            }
        }
    }

    fn try_send(&mut self, lease: &mut Lease<'b>, deadline: Deadline) -> Result<(), Cause> {
        let wire = lease.wire(patience(deadline))?;
        wire.io_mut().begin(deadline);
        self.share.send(wire)?;
        Ok(wire.io_mut().flush()?)
    }

    fn fail(&mut self, results: &mut Results<S::Output>, cause: Cause, ambiguous: bool) {
        if let Some(attempt) = self.attempt.take() {
            attempt.ended(Err::<(), _>(&cause));
        }
        results.fail(self.share.positions(), failed(self.pool, self.name, cause, ambiguous));
    }
}

/// How long one server may be waited for before it is even asked: when that takes too long, there must be time left for
/// those that answer.
fn patience(deadline: Deadline) -> Deadline {
    deadline.within(deadline.left() / 2)
}

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
