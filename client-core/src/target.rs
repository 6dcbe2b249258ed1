//! Where one operation goes: to the server that holds its key, or to one that stands in for it.

use std::{sync::Arc, time::Instant};

use memring_core::health::Down;
use memring_text::Operation;

use crate::{
    failure::{Cause, Error},
    route::{Fleet, Route, Watched},
    watch::Attempt,
};

/// How long an operation may take, as a client keeps it: by its own clock.
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
}

impl<'k, P: Watched, D: Deadline> Target<'k, P, D> {
    /// The server for the operation `name` on what is placed by `key`. The observer hears of a server that stands in for
    /// another.
    ///
    /// A server that is due for its trial is tried by this operation, and by no other until it is over: so the operation
    /// must be sent now, whatever happens.
    ///
    /// # Errors
    /// [`ErrorKind::Down`](crate::failure::ErrorKind::Down): no server may be asked now.
    #[inline]
    pub fn new(fleet: Arc<Fleet<P>>, key: &'k [u8], name: &'static str, deadline: D) -> Result<Self, Error> {
        let route = match fleet.route(key) {
            Ok(route) => route,
            Err(down) => return Err(nobody(&fleet, key, name, down)),
        };
        if fleet.is_stand_in(route) {
            fleet.pool(fleet.place(key)).watch().rerouted(fleet.pool(route.place).watch(), name);
        }
        Ok(Self { fleet, key, name, deadline, route })
    }

    /// What reaches the server.
    #[inline]
    pub fn pool(&self) -> &P {
        self.fleet.pool(self.route.place)
    }

    /// What the operation is called.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// How long the operation may take.
    #[inline]
    pub const fn deadline(&self) -> D {
        self.deadline
    }

    /// The operation on its way to the server, whose health must be told how it ends.
    #[inline]
    pub fn attempt(&self) -> Attempt<'_> {
        self.pool().watch().attempt(self.name, self.deadline.began(), self.route.is_probe)
    }

    /// What to ask the server in the place of `operation` where it stands in for another: see [`Fleet::short_lived`].
    #[inline]
    pub fn shorter<O: Operation>(&self, operation: &O) -> Option<O> {
        if self.fleet.is_stand_in(self.route) { self.fleet.short_lived(operation) } else { None }
    }

    /// Goes on to the next server, as nothing has reached this one. Returns whether there is one, and time left to ask it.
    #[cold]
    pub fn move_on(&mut self) -> bool {
        if self.deadline.is_over() {
            return false;
        }
        let Some(next) = self.fleet.route_on(self.key, self.route) else { return false };
        self.pool().watch().rerouted(self.fleet.pool(next.place).watch(), self.name);
        self.route = next;
        true
    }

    /// The operation's error on the server, which has changed nothing there. The observer hears of it.
    #[cold]
    pub fn error(&self, cause: Cause) -> Error {
        self.failed(cause, false)
    }

    /// The operation's error on the server: see [`Watch::failed`](crate::watch::Watch::failed).
    #[cold]
    pub fn failed(&self, cause: Cause, ambiguous: bool) -> Error {
        self.pool().watch().failed(self.name, cause, ambiguous)
    }
}

#[cold]
fn nobody<P: Watched>(fleet: &Fleet<P>, key: &[u8], name: &'static str, down: Down) -> Error {
    let watch = fleet.pool(fleet.place(key)).watch();
    watch.failed(name, watch.down(down.retry_at), false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Clock, config::Config, spec::ServerSpec, watch::Watch};

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
            Clock::SYSTEM.now()
        }

        fn is_over(self) -> bool {
            self.is_over
        }
    }

    fn fleet() -> Arc<Fleet<Pool>> {
        let specs = |names: &[&str]| ServerSpec::read_all(names).unwrap();
        let config =
            Config { servers: specs(&["a:1", "b:1"]), gutter: specs(&["spare:1"]), ..Config::default() };
        let open = |_: &ServerSpec, watch| Ok::<_, core::convert::Infallible>(Pool(watch));
        Arc::new(Fleet::build(&Arc::new(config), Clock::SYSTEM, open).unwrap())
    }

    #[test]
    fn another_server_is_asked_only_while_there_is_time() {
        for is_over in [false, true] {
            let fleet = fleet();
            let mut target = Target::new(Arc::clone(&fleet), b"k", "get", Time { is_over }).unwrap();
            let own = Arc::clone(target.pool().watch().name());
            assert_eq!(target.move_on(), !is_over);
            assert_eq!(&**target.pool().watch().name(), if is_over { &*own } else { "spare:1" });
            let counts = fleet.pool(fleet.place(b"k")).watch().counters().counts();
            assert_eq!(counts.rerouted, u64::from(!is_over));
            assert!(!target.move_on(), "there is no third one");
        }
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
