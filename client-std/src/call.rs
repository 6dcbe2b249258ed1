//! One request to one server: over the connection at hand, or, when that turns out dead, over a fresh one; and to the
//! next server, where that may be and nothing has reached the first.

use core::cell::Cell;
use std::time::SystemTime;

use memring_client::{
    failure::{Cause, Error, Event},
    route::Route,
    watch::{self, Attempt},
};
use memring_text::{Operation, Reply, Request, buffer::Buffer, ttl::UnixTime};

use crate::{
    deadline::Deadline,
    fleet::{self, Fleet},
    hang_up,
    pool::{Lease, Pool, Wire},
};

/// Where an operation goes: to the server that holds `key`, or to who stands in for it.
pub(crate) struct Target<'f> {
    fleet: &'f Fleet,
    key: &'f [u8],
    name: &'static str,
    deadline: Deadline,
    place: Cell<usize>,
}

impl<'f> Target<'f> {
    /// The operation `name` on `key`.
    pub(crate) const fn new(fleet: &'f Fleet, key: &'f [u8], name: &'static str, deadline: Deadline) -> Self {
        Self { fleet, key, name, deadline, place: Cell::new(0) }
    }

    /// Sends `operation` and reads its result; `value` takes what the reply brings.
    pub(crate) fn call<O: Operation, V: Buffer>(
        &self,
        operation: &O,
        value: V,
    ) -> Result<O::Output<V>, Error> {
        self.call_where(operation, value, |_| Ok(()))
    }

    /// The same on a server that `allows` it.
    pub(crate) fn call_where<O: Operation, V: Buffer>(
        &self,
        operation: &O,
        value: V,
        allows: impl Fn(&Pool) -> Result<(), Cause>,
    ) -> Result<O::Output<V>, Error> {
        let mut reply = Reply::new(value);
        let mut route = self.route()?;
        loop {
            self.place.set(route.place);
            let pool = &**self.fleet.pool(route.place);
            let shorter = if self.fleet.is_stand_in(route) { short_lived(pool, operation) } else { None };
            let operation = shorter.as_ref().unwrap_or(operation);
            let request = operation.request();
            let mut attempt = pool.watch().attempt(self.name, self.deadline.begun(), route.is_probe);
            if let Err(cause) = allows(pool) {
                drop(attempt);
                let next = if cause.is_unreached() { self.route_on(route) } else { None };
                route = next.ok_or_else(|| self.error(cause))?;
                continue;
            }
            let mut lease = pool.lease(&self.deadline).map_err(|cause| self.error(cause))?;
            let done = exchange(&mut lease, &request, &mut reply, &self.deadline);
            if let Err(cause) = &done {
                if lease.was_turned_away() {
                    attempt.says_nothing();
                }
                if cause.is_unreached() {
                    attempt.ended(Err::<(), _>(cause));
                    drop(lease);
                    route = self.route_on(route).ok_or_else(|| self.error(cause.clone()))?;
                    continue;
                }
            }
            let result = done.and_then(|()| operation.output(reply).map_err(Cause::from));
            attempt.ended(result.as_ref());
            return result.map_err(|cause| {
                lease.ends(&cause);
                let leaves_open = lease.leaves_open(&request);
                drop(lease);
                let hangs_up =
                    cause.is_closed() && hang_up::is_told(pool, self.name, &request, self.deadline);
                failed(pool, self.name, if hangs_up { Cause::HangsUp } else { cause }, leaves_open)
            });
        }
    }

    /// The server to ask for `operation` in another way than this, and what to ask instead if it stands in for another; the
    /// attempt wants to know how that ends.
    pub(crate) fn server<O: Operation>(
        &self,
        operation: &O,
    ) -> Result<(&'f Pool, Attempt<'f>, Option<O>), Error> {
        let route = self.route()?;
        self.place.set(route.place);
        let pool = &**self.fleet.pool(route.place);
        let shorter = if self.fleet.is_stand_in(route) { short_lived(pool, operation) } else { None };
        Ok((pool, pool.watch().attempt(self.name, self.deadline.begun(), route.is_probe), shorter))
    }

    /// What the operation is called.
    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// An error of the server that was asked.
    #[cold]
    pub(crate) fn error(&self, cause: Cause) -> Error {
        failed(self.fleet.pool(self.place.get()), self.name, cause, false)
    }

    #[inline]
    fn route(&self) -> Result<Route, Error> {
        match self.fleet.route(self.key, fleet::now) {
            Ok(route) => {
                if self.fleet.is_stand_in(route) {
                    self.rerouted(self.fleet.place(self.key), route.place);
                }
                Ok(route)
            }
            Err(down) => {
                self.place.set(self.fleet.place(self.key));
                Err(self.error(watch::down(down.retry_at, fleet::now())))
            }
        }
    }

    #[cold]
    fn route_on(&self, route: Route) -> Option<Route> {
        if self.deadline.left().is_zero() {
            return None;
        }
        let next = self.fleet.route_on(self.key, route, fleet::now())?;
        self.rerouted(route.place, next.place);
        Some(next)
    }

    #[cold]
    fn rerouted(&self, from: usize, to: usize) {
        let (from, to) = (self.fleet.pool(from).watch(), self.fleet.pool(to).watch());
        from.tell(Event::rerouted(from.name(), to.name(), self.name));
    }
}

/// Sends `operation` to the pool's server, whatever is known of that, and reads its result.
pub(crate) fn call<O: Operation, V: Buffer>(
    pool: &Pool,
    name: &'static str,
    operation: &O,
    value: V,
    deadline: Deadline,
) -> Result<O::Output<V>, Cause> {
    let request = operation.request();
    let mut reply = Reply::new(value);
    let mut attempt = pool.watch().attempt(name, deadline.begun(), false);
    let mut lease = pool.lease(&deadline)?;
    let done = exchange(&mut lease, &request, &mut reply, &deadline);
    if lease.was_turned_away() {
        attempt.says_nothing();
    }
    let result = done.and_then(|()| operation.output(reply).map_err(Cause::from));
    attempt.ended(result.as_ref());
    result.inspect_err(|cause| lease.ends(cause))
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
    pool.watch().tell(Event::failed(&error));
    error
}

#[inline]
fn exchange<V: Buffer>(
    lease: &mut Lease<'_>,
    request: &Request<'_>,
    reply: &mut Reply<V>,
    deadline: &Deadline,
) -> Result<(), Cause> {
    if let Some(wire) = lease.wire_at_once() {
        wire.io_mut().begin_at_once(deadline);
        match attempt(wire, request, reply) {
            Err(cause) if cause.is_closed() && lease.may_retry(request) => lease.replace(&cause),
            done => return done,
        }
    }
    exchange_at_length(lease, request, reply, *deadline)
}

/// The same with a connection that has to be opened or waited for.
#[inline(never)]
fn exchange_at_length<V: Buffer>(
    lease: &mut Lease<'_>,
    request: &Request<'_>,
    reply: &mut Reply<V>,
    deadline: Deadline,
) -> Result<(), Cause> {
    loop {
        let was_used = lease.is_used();
        let cause = match try_it(lease, request, reply, deadline) {
            Ok(()) => return Ok(()),
            Err(cause) => cause,
        };
        if was_used && cause.is_closed() && lease.may_retry(request) {
            lease.replace(&cause);
        } else if lease.is_turned_away(&cause) && lease.may_take_turns(request, &cause) {
            lease.take_turns(&cause, &deadline)?;
        } else {
            return Err(cause);
        }
    }
}

fn try_it<V: Buffer>(
    lease: &mut Lease<'_>,
    request: &Request<'_>,
    reply: &mut Reply<V>,
    deadline: Deadline,
) -> Result<(), Cause> {
    let wire = lease.wire(deadline)?;
    wire.io_mut().begin(deadline);
    attempt(wire, request, reply)?;
    reply.turned_away().map_or(Ok(()), |error| Err(Cause::Server(error)))
}

#[inline(always)]
fn attempt<V: Buffer>(wire: &mut Wire, request: &Request<'_>, reply: &mut Reply<V>) -> Result<(), Cause> {
    wire.send(request)?;
    wire.receive_reply(request, reply)?;
    Ok(())
}
