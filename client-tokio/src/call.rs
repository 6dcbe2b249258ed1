//! One request to one server: queued on a connection, waited for in a slot; and to the next server, where that may be and
//! nothing has reached the first.

use core::{future::poll_fn, pin::Pin, task::Poll};
use std::{sync::Arc, time::SystemTime};

use memring_client::{
    failure::{Cause, Error, Event},
    route::Route,
    watch::{self, Attempt},
};
use memring_text::{Operation, ttl::UnixTime};
use tokio::time::Instant;

use crate::{
    deadline::Deadline,
    fleet::{self, Fleet},
    hang_up,
    pool::{
        Pool,
        growth::TurnedAway,
        mux::{MustWatch, Mux},
        slots::{Failure, Outcome, SlotId},
        vigil::Vigil,
        waiting::{Entering, Waiting},
    },
};

/// Where an operation goes: to the server that holds `key`, or to who stands in for it.
pub(crate) struct Target<'k> {
    fleet: Arc<Fleet>,
    key: &'k [u8],
    name: &'static str,
    deadline: Deadline,
    route: Route,
}

impl<'k> Target<'k> {
    /// The operation `name` on `key`.
    pub(crate) fn new(
        fleet: Arc<Fleet>,
        key: &'k [u8],
        name: &'static str,
        deadline: Deadline,
    ) -> Result<Self, Error> {
        let route = fleet.route(key, fleet::now).map_err(|down| {
            failed(fleet.pool(fleet.place(key)), name, watch::down(down.retry_at, fleet::now()), false)
        })?;
        let target = Self { fleet, key, name, deadline, route };
        if target.fleet.is_stand_in(route) {
            target.rerouted(target.fleet.place(key));
        }
        Ok(target)
    }

    /// The pool of the server that is asked.
    pub(crate) fn pool(&self) -> &Pool {
        self.fleet.pool(self.route.place)
    }

    /// Sends `operation` and reads its result.
    pub(crate) async fn call<O: Operation>(&mut self, operation: &O) -> Result<O::Output<Vec<u8>>, Error> {
        loop {
            // Boxed, because it is rare: the future of every call would be larger for it.
            let shorter = self.shorter(operation).map(Box::new);
            let operation = shorter.as_deref().unwrap_or(operation);
            let failure =
                match ask(self.pool(), self.name, operation, self.deadline, self.route.is_probe).await {
                    Ok(output) => return Ok(output),
                    Err(failure) => failure,
                };
            if failure.sent || !failure.cause.is_unreached() || !self.route_on() {
                let Failure { mut cause, sent, .. } = *failure;
                // Boxed, as above, because it is rare.
                if cause.is_closed()
                    && Box::pin(hang_up::is_told(self.pool(), self.name, operation, self.deadline)).await
                {
                    cause = Cause::HangsUp;
                }
                return Err(self.failed(operation, Failure::new(cause, sent)));
            }
        }
    }

    /// What to ask in the place of `operation`, if anything, of a server that stands in for another.
    pub(crate) fn shorter<O: Operation>(&self, operation: &O) -> Option<O> {
        if self.fleet.is_stand_in(self.route) { short_lived(self.pool(), operation) } else { None }
    }

    #[cold]
    fn failed<O: Operation>(&self, operation: &O, failure: Failure) -> Error {
        let is_open = !operation.request().may_retry(usize::from(failure.sent));
        failed(self.pool(), self.name, failure.cause, is_open)
    }

    /// For who asks the server in another way than this: it wants to know how that ends.
    pub(crate) fn attempt(&self) -> Attempt<'_> {
        self.pool().watch().attempt(self.name, self.deadline.begun(), self.route.is_probe)
    }

    /// What the operation is called.
    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// An error of the server that was asked.
    #[cold]
    pub(crate) fn error(&self, cause: Cause) -> Error {
        failed(self.pool(), self.name, cause, false)
    }

    fn route_on(&mut self) -> bool {
        let from = self.route.place;
        let next = self.fleet.route_on(self.key, self.route, fleet::now());
        self.route = next.unwrap_or(self.route);
        if next.is_some() {
            self.rerouted(from);
        }
        next.is_some()
    }

    fn rerouted(&self, from: usize) {
        let (from, to) = (self.fleet.pool(from).watch(), self.pool().watch());
        from.tell(Event::rerouted(from.name(), to.name(), self.name));
    }
}

/// What the pool's server is asked in the place of `operation` while it stands in for another: nothing is left there for
/// long. `None`: the same.
#[cold]
pub(crate) fn short_lived<O: Operation>(pool: &Pool, operation: &O) -> Option<O> {
    operation.with_ttl_cap(pool.stand_in_ttl(), UnixTime::from(SystemTime::now()))
}

/// The error of an operation on one server; who watches is told of it.
#[cold]
pub(crate) fn failed(pool: &Pool, name: &'static str, cause: Cause, ambiguous: bool) -> Error {
    let error = Error::on(pool.name(), name, cause, ambiguous);
    tell(pool, &error);
    error
}

/// Tells who watches of an error.
pub(crate) fn tell(pool: &Pool, error: &Error) {
    pool.watch().tell(Event::failed(error));
}

/// Sends `operation` to the pool's server and reads its result. What that says of the server is noted.
pub(crate) async fn ask<O: Operation>(
    pool: &Pool,
    name: &'static str,
    operation: &O,
    deadline: Deadline,
    is_probe: bool,
) -> Result<O::Output<Vec<u8>>, Box<Failure>> {
    let mut attempt = pool.watch().attempt(name, deadline.begun(), is_probe);
    let mut turns = 0;
    loop {
        let outcome = exchange(pool.mux(), operation, deadline).await;
        let result = read(operation, outcome);
        if let Err(failure) = &result {
            match pool.turned_away(failure) {
                TurnedAway::No => {}
                TurnedAway::Again if turns < TURNS && Instant::now() < deadline.at() => {
                    turns += 1;
                    continue;
                }
                TurnedAway::Again | TurnedAway::Sent => attempt.says_nothing(),
            }
        }
        attempt.ended(result.as_ref().map_err(|failure| &failure.cause));
        return result;
    }
}

/// What the outcome of an operation comes to.
pub(crate) fn read<O: Operation>(
    operation: &O,
    outcome: Outcome,
) -> Result<O::Output<Vec<u8>>, Box<Failure>> {
    let refused = |error| Box::new(Failure::new(Cause::from(error), true));
    operation.output(outcome?.into_reply()).map_err(refused)
}

async fn exchange<O: Operation>(mux: &Arc<Mux>, operation: &O, deadline: Deadline) -> Outcome {
    let (slot, must_watch) = match submit(mux, operation, deadline).await {
        Ok(submitted) => submitted,
        Err(cause) => return Err(Box::new(Failure::new(cause, false))),
    };
    let mut waiting = Waiting::fresh(mux, slot, must_watch);
    if must_watch == MustWatch(false) {
        if let Ok(outcome) = (&mut waiting).await {
            return outcome;
        }
    }
    // Boxed, as above, because it is rare: the future of every call would be larger for it.
    Box::pin(waiting.watched(deadline)).await
}

/// Queues the request, and waits for room where there is none. The slot has the waker of the poll that returns it.
async fn submit<O: Operation>(
    mux: &Arc<Mux>,
    operation: &O,
    deadline: Deadline,
) -> Result<(SlotId, MustWatch), Cause> {
    let mut entering = Entering::new(mux);
    let mut submit = poll_fn(|cx| entering.poll_submit(cx, &operation.request(), deadline));
    match poll_fn(|cx| Poll::Ready(Pin::new(&mut submit).poll(cx))).await {
        Poll::Ready(submitted) => submitted,
        Poll::Pending => Box::pin(watched(mux, submit, deadline)).await,
    }
}

/// Waits for room, and sees to it that the connection is driven.
async fn watched<T>(
    mux: &Arc<Mux>,
    mut submit: impl Future<Output = Result<T, Cause>> + Unpin,
    deadline: Deadline,
) -> Result<T, Cause> {
    let mut vigil = Vigil::new(mux, deadline)?;
    let over = poll_fn(|cx| match Pin::new(&mut submit).poll(cx) {
        Poll::Ready(submitted) => Poll::Ready(submitted),
        Poll::Pending => vigil.poll(cx, mux).map(|()| Err(Cause::NoRoom)),
    });
    over.await
}

/// How many connections that work are tried at most in the place of one that was turned away.
const TURNS: usize = 3;
