//! The target of one operation: the server that holds its key, or one that stands in for it.

use std::{sync::Arc, time::Instant};

use memring_core::health::Down;
use memring_text::{Operation, Ttl};

use crate::{
    failure::{Cause, Error},
    fetch::{Dialect, Place},
    route::{Fleet, Route, Watched},
    watch::Attempt,
};

/// The deadline of an operation, by the client's own clock.
pub trait Deadline: Copy {
    /// When the operation began.
    fn began(self) -> Instant;

    /// Whether the time is over.
    fn is_over(self) -> bool;
}

/// The server that an operation on one key goes to.
#[derive(Debug)]
pub struct Target<'k, P, D> {
    fleet: Arc<Fleet<P>>,
    key: &'k [u8],
    name: &'static str,
    deadline: D,
    route: Route,
    /// When the operation went on to the server of the route, if that is not the first one.
    turned_at: Option<Instant>,
    /// Whether only this server will do.
    is_pinned: bool,
}

impl<'k, P: Watched, D: Deadline> Target<'k, P, D> {
    /// Finds the server for the operation `name` by the routing key `key`. The observer is told of a server that stands
    /// in for another.
    ///
    /// If the server is due for its trial, this operation is the trial, and no other tries the server until it is over:
    /// so the operation must be sent now, whatever happens.
    ///
    /// # Errors
    /// [`ErrorKind::Down`](crate::failure::ErrorKind::Down): no server may be asked now.
    /// [`ErrorKind::Moving`](crate::failure::ErrorKind::Moving): the key moves to another server.
    #[inline(always)]
    pub fn new(fleet: Arc<Fleet<P>>, key: &'k [u8], name: &'static str, deadline: D) -> Result<Self, Error> {
        if fleet.moves(key) {
            return Err(is_moving(name));
        }
        let route = match fleet.route(key) {
            Ok(route) => route,
            Err(down) => return Err(nobody(&fleet, key, name, down)),
        };
        if fleet.is_stand_in(route) {
            fleet.pool(fleet.primary(key)).watch().rerouted(fleet.pool(route.index).watch(), name);
        }
        Ok(Self { fleet, key, name, deadline, route, turned_at: None, is_pinned: false })
    }

    /// Finds the key's own server, for a request that goes there or nowhere, whether the key moves or not.
    ///
    /// # Errors
    /// [`ErrorKind::Down`](crate::failure::ErrorKind::Down): it may not be asked now.
    pub(crate) fn own(
        fleet: Arc<Fleet<P>>,
        key: &'k [u8],
        name: &'static str,
        deadline: D,
    ) -> Result<Self, Error> {
        match fleet.route_own(key) {
            Ok(route) => Ok(Self { fleet, key, name, deadline, route, turned_at: None, is_pinned: true }),
            Err(down) => Err(nobody(&fleet, key, name, down)),
        }
    }

    /// The server's pool.
    #[inline]
    pub fn pool(&self) -> &P {
        self.fleet.pool(self.route.index)
    }

    /// The server's pool, to be kept.
    pub fn shared_pool(&self) -> &Arc<P> {
        self.fleet.pool(self.route.index)
    }

    /// The same server, for another request, which goes there or nowhere.
    #[must_use]
    pub fn pinned(&self, deadline: D) -> Self {
        let route = self.route.without_probe();
        Self { fleet: Arc::clone(&self.fleet), deadline, route, turned_at: None, is_pinned: true, ..*self }
    }

    /// The key by which the server was found.
    pub const fn routing_key(&self) -> &'k [u8] {
        self.key
    }

    /// Counts whether the item that was read was there.
    #[inline]
    pub fn found<T, E>(&self, found: &Result<Option<T>, E>) {
        match found {
            Ok(Some(_)) => self.pool().watch().found(1, 0),
            Ok(None) => self.pool().watch().found(0, 1),
            Err(_) => {}
        }
    }

    /// The server, and the span of time in which it has not restarted.
    pub fn place(&self) -> Place {
        Place { server: Arc::as_ptr(self.shared_pool()).addr(), ends: self.pool().watch().ends() }
    }

    /// Which commands the server has, as far as is known.
    #[inline]
    pub fn dialect(&self) -> Option<Dialect> {
        self.pool().watch().capabilities().dialect()
    }

    /// Whether the server stands in for another.
    #[inline]
    pub fn is_stand_in(&self) -> bool {
        self.fleet.is_stand_in(self.route)
    }

    /// Counts a value that was there.
    #[inline]
    pub fn has_hit(&self) {
        self.pool().watch().found(1, 0);
    }

    /// The longest time to live on this server, if it stands in for another.
    pub fn stand_in_ttl(&self) -> Option<Ttl> {
        self.fleet.is_stand_in(self.route).then(|| self.fleet.stand_in_ttl())
    }

    /// The operation's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// How long the operation may take.
    #[inline]
    pub const fn deadline(&self) -> D {
        self.deadline
    }

    /// Begins an attempt at the server, whose health must be told how it ends.
    #[inline]
    pub fn attempt(&self) -> Attempt<'_> {
        let attempt = self.pool().watch().attempt(self.name, self.deadline.began(), self.route.is_probe);
        attempt.turned_to(self.turned_at)
    }

    /// Begins an attempt to learn something of the server first, which is not the operation itself.
    #[cold]
    pub fn inquiry(&self) -> Attempt<'_> {
        self.pool().watch().attempt(self.name, self.deadline.began(), false).turned_to(self.turned_at)
    }

    /// The operation to send in place of `operation` if the server stands in for another: see [`Config::stand_in_ttl`](crate::Config::stand_in_ttl).
    #[inline]
    pub fn shorter<O: Operation>(&self, operation: &O) -> Option<O> {
        if self.fleet.is_stand_in(self.route) { self.fleet.short_lived(operation) } else { None }
    }

    /// Moves on to the next server, after nothing has reached this one. Returns whether there is one, and time left to
    /// ask it.
    #[cold]
    pub fn move_on(&mut self) -> bool {
        if self.is_pinned || self.deadline.is_over() {
            return false;
        }
        let Some(next) = self.fleet.route_on(self.key, self.route) else { return false };
        self.pool().watch().rerouted(self.fleet.pool(next.index).watch(), self.name);
        self.route = next;
        self.turned_at = Some(self.pool().watch().now());
        true
    }

    /// The error of the operation, which has changed nothing on the server. The observer is told of it.
    #[cold]
    pub fn error(&self, cause: Cause) -> Error {
        self.failed(cause, false)
    }

    /// The error of the operation on the server: see [`Watch::failed`](crate::watch::Watch::failed).
    #[cold]
    pub fn failed(&self, cause: Cause, ambiguous: bool) -> Error {
        self.pool().watch().failed(self.name, cause, ambiguous)
    }
}

#[cold]
fn is_moving(name: &'static str) -> Error {
    Error::new(name, Cause::Moving)
}

#[cold]
fn nobody<P: Watched>(fleet: &Fleet<P>, key: &[u8], name: &'static str, down: Down) -> Error {
    let watch = fleet.pool(fleet.primary(key)).watch();
    watch.failed(name, watch.down(down.retry_at), false)
}

#[cfg(test)]
mod tests {
    use core::{cell::Cell, time::Duration};

    use memring_core::health::HealthStatus;

    use super::*;
    use crate::{clock::Clock, config::Config, spec::ServerSpec, watch::Watch};

    thread_local! {
        /// How long ago the test began: no time passes by itself.
        static PASSED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
        static BEGIN: Instant = Instant::now();
    }

    const CLOCK: Clock = Clock { monotonic: || BEGIN.with(|begin| *begin) + PASSED.get(), ..Clock::SYSTEM };

    struct Pool(Watch);

    impl Watched for Pool {
        fn watch(&self) -> &Watch {
            &self.0
        }
    }

    #[derive(Clone, Copy)]
    struct Time {
        is_over: bool,
    }

    impl Deadline for Time {
        fn began(self) -> Instant {
            BEGIN.with(|begin| *begin)
        }

        fn is_over(self) -> bool {
            self.is_over
        }
    }

    fn fleet() -> Arc<Fleet<Pool>> {
        let specs = |names: &[&str]| ServerSpec::read_all(names).unwrap();
        let config =
            Config { servers: specs(&["a:1", "b:1"]), gutter: specs(&["spare:1"]), ..Config::default() };
        let open = |_: &ServerSpec, watch| Ok(Pool(watch));
        Arc::new(Fleet::build(&Arc::new(config), CLOCK, open).unwrap())
    }

    #[test]
    fn another_server_is_asked_only_while_there_is_time() {
        for is_over in [false, true] {
            let fleet = fleet();
            let mut target = Target::new(Arc::clone(&fleet), b"k", "get", Time { is_over }).unwrap();
            let own = Arc::clone(target.pool().watch().name());
            assert_eq!(target.move_on(), !is_over);
            assert_eq!(&**target.pool().watch().name(), if is_over { &*own } else { "spare:1" });
            let counts = fleet.pool(fleet.primary(b"k")).watch().counters().counts();
            assert_eq!(counts.rerouted, u64::from(!is_over));
            assert!(!target.move_on(), "there is no third one");
        }
    }

    /// The failures that are noted of the spare server after an operation that turned to it when this share of the time was
    /// over, and ended there by `cause` when all of it was. Another one lost a connection to it at half time.
    fn failures(turned_at: f64, cause: &Cause) -> u32 {
        let fleet = fleet();
        let (timeout, began) = (Config::default().timeout, BEGIN.with(|begin| *begin));
        let mut target = Target::new(Arc::clone(&fleet), b"k", "get", Time { is_over: false }).unwrap();
        PASSED.set(timeout / 2);
        fleet.pool(2).watch().attempt("get", began, false).ended(Err::<(), _>(&Cause::Closed(None)));
        PASSED.set(timeout.mul_f64(turned_at));
        assert!(target.move_on());
        let attempt = target.attempt();
        PASSED.set(timeout);
        attempt.ended(Err::<(), _>(cause));
        match target.pool().watch().status() {
            HealthStatus::Up { failures, .. } => failures,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_server_is_judged_by_the_time_that_it_had_itself() {
        assert_eq!(failures(0.4, &Cause::Timeout), 2);
        assert_eq!(failures(0.6, &Cause::Timeout), 1, "it had less than half of the time");
        assert_eq!(failures(0.6, &Cause::Closed(None)), 2, "it was turned to after the other loss");
        assert_eq!(failures(0.4, &Cause::Closed(None)), 1, "one loss, which two operations tell of");
    }

    #[test]
    fn an_error_names_the_server_that_was_asked_and_is_counted() {
        let fleet = fleet();
        let target = Target::new(fleet, b"k", "get", Time { is_over: false }).unwrap();
        let error = target.error(Cause::Timeout);
        assert_eq!(error.server(), Some(&**target.pool().watch().name()));
        assert_eq!(target.pool().watch().counters().counts().timeouts, 1);
    }
}
