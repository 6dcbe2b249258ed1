//! The connections to one server: lent to one operation at a time, kept when they come back whole.

use core::time::Duration;
use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use memring_client::{
    KnownCapabilities,
    failure::{Cause, Event, Observer},
    spec::ServerSpec,
    watch::{Watch, WatchOptions},
};
use memring_core::health::HealthPolicy;
use memring_text::{ArrayBuffer, Connection, Credentials, ExchangeState, Limits, Request, Ttl};

use crate::{
    deadline::Deadline,
    dial::{DialOptions, Dialer},
    fleet::CLOCK,
    socket::Socket,
};

/// A connection with the protocol's state; boxed, because it moves in and out of its pool with every operation.
pub(crate) type Wire = Box<Connection<Socket, Box<[u8]>>>;

/// What connections are opened with.
#[derive(Clone, Debug)]
pub(crate) struct PoolOptions {
    pub(crate) connect_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) size: usize,
    pub(crate) idle_timeout: Duration,
    pub(crate) limits: Limits,
    pub(crate) dial: DialOptions,
    /// The longest that an item lives on a server that stands in for another.
    pub(crate) stand_in_ttl: Ttl,
    pub(crate) health: Option<HealthPolicy>,
    pub(crate) observer: Observer,
}

/// The connections to one server.
///
/// The connection used last is lent first, so that a pool that was busy once lets the others rest. The lock is held
/// for a few instructions at a time, never during input or output.
#[derive(Debug)]
pub(crate) struct Pool {
    watch: Watch,
    capabilities: KnownCapabilities,
    dialer: Dialer,
    options: PoolOptions,
    shelf: Mutex<Shelf>,
    returned: Condvar,
}

#[derive(Debug, Default)]
struct Shelf {
    idle: Vec<Idle>,
    lent: usize,
    /// How many threads wait for a part: nobody is woken in vain, which would cost a system call.
    waiting: usize,
}

#[derive(Debug)]
struct Idle {
    wire: Wire,
    /// Until when it need not be looked at.
    fresh_until: Instant,
}

impl Pool {
    /// A pool without any connection yet.
    pub(crate) fn new(spec: &ServerSpec, options: PoolOptions) -> Result<Self, Cause> {
        let PoolOptions { connect_timeout, timeout, health, ref observer, .. } = options;
        let observer = observer.clone();
        let watch = WatchOptions { policy: health, observer, connect_timeout, timeout, clock: CLOCK };
        Ok(Self {
            watch: Watch::new(spec, watch),
            capabilities: KnownCapabilities::new(),
            dialer: Dialer::new(spec.address(), &options.dial)?,
            options,
            shelf: Mutex::default(),
            returned: Condvar::new(),
        })
    }

    /// The server's name.
    pub(crate) const fn name(&self) -> &Arc<str> {
        self.watch.name()
    }

    /// What is known of the server's health.
    pub(crate) const fn watch(&self) -> &Watch {
        &self.watch
    }

    /// What is known of what the server can do.
    pub(crate) const fn capabilities(&self) -> &KnownCapabilities {
        &self.capabilities
    }

    /// The longest that an item lives here while the server stands in for another.
    pub(crate) const fn stand_in_ttl(&self) -> Ttl {
        self.options.stand_in_ttl
    }

    /// How many connections are idle, and how many are lent.
    pub(crate) fn usage(&self) -> (usize, usize) {
        let shelf = self.lock();
        (shelf.idle.len(), shelf.lent)
    }

    /// Takes part of the pool for one operation, once there is one left.
    #[inline]
    pub(crate) fn lease(&self, deadline: &Deadline) -> Result<Lease<'_>, Cause> {
        let mut shelf = self.lock();
        if shelf.lent >= self.options.size {
            return self.lease_in_time(shelf, deadline);
        }
        shelf.lent += 1;
        let idle = shelf.idle.pop();
        drop(shelf);
        let mut lease = Lease { pool: self, wire: None, is_used: false, at_once: true };
        match idle {
            Some(Idle { wire, fresh_until }) if deadline.begun() < fresh_until => {
                lease.wire = Some(wire);
                lease.is_used = true;
            }
            idle => lease.take_idle(idle, deadline.begun()),
        }
        Ok(lease)
    }

    /// The same, if there is a part left now.
    pub(crate) fn try_lease(&self, deadline: &Deadline) -> Option<Lease<'_>> {
        self.lease(&deadline.at_once()).ok()
    }

    #[cold]
    fn lease_in_time(&self, shelf: MutexGuard<'_, Shelf>, deadline: &Deadline) -> Result<Lease<'_>, Cause> {
        let mut shelf = shelf;
        let is_empty = |shelf: &mut Shelf| shelf.lent >= self.options.size;
        shelf.waiting += 1;
        let waited = self.returned.wait_timeout_while(shelf, deadline.left(), is_empty);
        (shelf, _) = waited.unwrap_or_else(PoisonError::into_inner);
        shelf.waiting -= 1;
        if is_empty(&mut shelf) {
            return Err(Cause::PoolBusy);
        }
        shelf.lent += 1;
        let idle = shelf.idle.pop();
        drop(shelf);
        let mut lease = Lease { pool: self, wire: None, is_used: false, at_once: false };
        lease.take_idle(idle, deadline.begun());
        Ok(lease)
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A part of a pool, and its connection.
///
/// When it is dropped, be it by an error or a panic, the connection goes back if its last exchange is complete; else
/// it is closed.
#[derive(Debug)]
pub(crate) struct Lease<'p> {
    pool: &'p Pool,
    wire: Option<Wire>,
    is_used: bool,
    /// It was had without waiting.
    at_once: bool,
}

impl Lease<'_> {
    /// The connection, if there is one.
    pub(crate) fn opened(&self) -> Option<&Wire> {
        self.wire.as_ref()
    }

    /// Whether there is a connection that was used before: it may have ended without our knowing.
    pub(crate) const fn is_used(&self) -> bool {
        self.is_used
    }

    /// The connection, if it was had without waiting.
    #[inline]
    pub(crate) fn wire_at_once(&mut self) -> Option<&mut Wire> {
        if core::mem::take(&mut self.at_once) { self.wire.as_mut() } else { None }
    }

    /// The connection, opened now if there is none.
    pub(crate) fn wire(&mut self, deadline: Deadline) -> Result<&mut Wire, Cause> {
        match &mut self.wire {
            Some(wire) => Ok(wire),
            none => Ok(none.insert(self.pool.open(deadline)?)),
        }
    }

    /// Closes the connection because of `cause`; what was sent is to be sent again over another.
    pub(crate) fn replace(&mut self, cause: &Cause) {
        self.ends(cause);
        let watch = &self.pool.watch;
        watch.tell(Event::retried(watch.name()));
        self.wire = None;
        self.is_used = false;
    }

    /// Tells who watches that the connection, if it cannot be used again, ends by `cause`.
    #[cold]
    pub(crate) fn ends(&self, cause: &Cause) {
        if self.wire.as_ref().is_some_and(|wire| wire.state() != ExchangeState::Idle) {
            self.pool.tell_end(cause);
        }
    }

    /// After a failure: may `request` be sent again on another connection? (The protocol's own connection counts what
    /// was written, not what has left.)
    pub(crate) fn may_retry(&self, request: &Request<'_>) -> bool {
        self.io().is_some_and(|io| io.received() == 0 && request.may_retry(io.sent()))
    }

    /// After a failure: may `request` have changed something all the same?
    pub(crate) fn leaves_open(&self, request: &Request<'_>) -> bool {
        self.io().is_some_and(|io| !request.may_retry(io.sent()))
    }

    fn io(&self) -> Option<&Socket> {
        self.wire.as_ref().map(|wire| wire.io())
    }

    /// Takes a connection that is idle at `now`, and on which nothing has happened since it is: `first`, or another.
    #[inline(never)]
    fn take_idle(&mut self, first: Option<Idle>, now: Instant) {
        let mut next = first;
        while let Some(mut idle) = next {
            let is_outworn = self.pool.is_outworn(&idle, now);
            if now < idle.fresh_until || (!is_outworn && idle.wire.io_mut().is_silent()) {
                self.wire = Some(idle.wire);
                self.is_used = true;
                return;
            }
            drop(idle);
            next = self.pool.lock().idle.pop();
        }
    }
}

impl Drop for Lease<'_> {
    #[inline]
    fn drop(&mut self) {
        let is_whole = |wire: &Wire| wire.state() == ExchangeState::Idle && !wire.io().is_in_turns();
        let wire = self.wire.take().filter(is_whole);
        let idle = wire.map(|wire| Idle { wire, fresh_until: Instant::now() + RESTLESS });
        let mut shelf = self.pool.lock();
        shelf.lent -= 1;
        // The one that has rested longest is at the bottom. One at a time goes as fast as they come.
        let is_outworn = match (&idle, shelf.idle.first()) {
            (Some(idle), Some(oldest)) => self.pool.is_outworn(oldest, idle.fresh_until),
            _ => false,
        };
        let outworn = is_outworn.then(|| shelf.idle.remove(0));
        shelf.idle.extend(idle);
        let is_awaited = shelf.waiting > 0;
        drop(shelf);
        drop(outworn);
        if is_awaited {
            self.pool.returned.notify_one();
        }
    }
}

impl Pool {
    fn open(&self, deadline: Deadline) -> Result<Wire, Cause> {
        self.open_with(deadline, self.options.limits)
    }

    /// Opens a connection for one exchange whose reply may have any number of lines. It does not go into the pool.
    pub(crate) fn open_for_lines(&self, deadline: Deadline) -> Result<Wire, Cause> {
        self.open_with(deadline, Limits { stats: u32::MAX, ..self.options.limits })
    }

    fn open_with(&self, deadline: Deadline, limits: Limits) -> Result<Wire, Cause> {
        let begun = Instant::now();
        match self.try_open(deadline, limits) {
            Ok(wire) => {
                self.watch.tell(Event::connected(self.name(), begun.elapsed()));
                Ok(wire)
            }
            Err(cause) => {
                self.tell_end(&cause);
                Err(cause)
            }
        }
    }

    fn try_open(&self, deadline: Deadline, limits: Limits) -> Result<Wire, Cause> {
        let PoolOptions { connect_timeout, timeout, ref dial, .. } = self.options;
        let deadline = deadline.within(connect_timeout);
        let socket = self.dialer.dial(deadline, timeout)?;
        let buffer = vec![0; BUFFER.max(limits.line)].into_boxed_slice();
        let mut wire = Box::new(Connection::with_limits(socket, buffer, limits));
        if let Some(auth) = &dial.auth {
            wire.io_mut().begin(deadline);
            authenticate(&mut wire, auth.credentials())?;
        }
        Ok(wire)
    }
}

impl Pool {
    /// Whether a connection has rested for too long at `now`.
    fn is_outworn(&self, idle: &Idle, now: Instant) -> bool {
        now.saturating_duration_since(idle.fresh_until) >= self.options.idle_timeout
    }

    #[cold]
    pub(crate) fn tell_end(&self, cause: &Cause) {
        self.watch.tell(Event::disconnected(self.name(), cause.kind()));
    }
}

/// Says who we are. What takes too long here is a connection that is not there in time.
fn authenticate(wire: &mut Wire, credentials: Credentials<'_>) -> Result<(), Cause> {
    wire.call(&credentials, ArrayBuffer::<0>::new()).map_err(|error| match Cause::from(error) {
        Cause::Timeout => Cause::connect(io::ErrorKind::TimedOut.into()),
        cause => cause,
    })
}

/// How long a connection may be idle before it is looked at again. What ends or sends within this time is found by the
/// exchange itself; looking takes three system calls.
const RESTLESS: Duration = Duration::from_millis(1);

/// What a connection reads at once, in bytes.
const BUFFER: usize = 16 * 1024;
