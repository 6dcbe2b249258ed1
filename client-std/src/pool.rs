//! The connections to one server. Each is lent to one operation at a time, and kept if it comes back in step.

use core::{mem, num::NonZeroUsize, time::Duration};
use std::{
    process,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use memring_client::{Config, Connections, failure::Cause, route, spec::ServerSpec, watch::Watch};
use memring_text::{Connection, Limits, Request, exchange::ExchangeState};

use crate::{
    deadline::Deadline,
    dial::{Dialer, Opening},
    socket::Socket,
};

/// A connection with the protocol's state; boxed, because it moves in and out of its pool with every operation.
pub(crate) type Wire = Box<Connection<Socket, Box<[u8]>>>;

/// The connections to one server.
///
/// The connection used last is lent first, so that connections that are not needed stay unused and can be closed. The
/// lock is held for a few instructions at a time, never during input or output.
#[derive(Debug)]
pub(crate) struct Pool {
    watch: Watch,
    dialer: Dialer,
    options: Arc<Config>,
    size: usize,
    shelf: Mutex<Shelf>,
    returned: Condvar,
}

/// The default number of connections to a server.
const SIZE: usize = 16;

#[derive(Debug)]
struct Shelf {
    idle: Vec<Idle>,
    lent: usize,
    /// How many of the lent parts have no connection that has served before.
    unproven: usize,
    /// No connection is opened before this time, because the server has turned one away.
    full_until: Option<Instant>,
    /// The process that the connections belong to. After a fork, two processes would read each other's replies.
    process: u32,
    /// How many threads wait for a part. A wake-up costs a system call, so there is none while this is 0.
    waiting: usize,
}

#[derive(Debug)]
struct Idle {
    wire: Wire,
    /// Until this time, the connection can be used without a look whether it has ended.
    fresh_until: Instant,
}

impl Shelf {
    fn new() -> Self {
        let process = process::id();
        Self { idle: Vec::new(), lent: 0, unproven: 0, full_until: None, process, waiting: 0 }
    }

    /// Whether a part can be lent now, with a connection that has served before or to open another.
    fn has_part(&self, size: usize, now: Instant) -> bool {
        self.lent < size && (!self.idle.is_empty() || self.may_grow(now))
    }

    /// Whether a connection may be opened: not for a while after the server has turned one away, as long as there are
    /// others.
    fn may_grow(&self, now: Instant) -> bool {
        !self.has_proven() || self.full_until.is_none_or(|until| until <= now)
    }

    /// Whether there is a connection, idle or lent, that has served before.
    fn has_proven(&self) -> bool {
        self.idle.len().saturating_add(self.lent) > self.unproven
    }

    /// Takes the connections of the process from which this one was forked. Nothing is sent on them: they belong to the
    /// parent.
    fn inherited(&mut self) -> Option<Self> {
        let is_inherited = self.process != process::id();
        is_inherited.then(|| mem::replace(self, Self::new()))
    }
}

impl Pool {
    /// A pool without any connection yet.
    pub(crate) fn new(spec: &ServerSpec, watch: Watch, options: &Arc<Config>) -> Result<Self, Cause> {
        Ok(Self {
            dialer: Dialer::new(spec, watch.is_vacant(), options)?,
            watch,
            options: Arc::clone(options),
            size: options.pool_size.map_or(SIZE, NonZeroUsize::get),
            shelf: Mutex::new(Shelf::new()),
            returned: Condvar::new(),
        })
    }

    /// The server's name.
    pub(crate) const fn name(&self) -> &Arc<str> {
        self.watch.name()
    }

    /// The watch over the server's health.
    pub(crate) const fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Counts the connections.
    pub(crate) fn connections(&self) -> Connections {
        let shelf = self.lock();
        let (idle, waiting) = (shelf.idle.len(), shelf.lent);
        Connections { count: idle.saturating_add(waiting), idle, waiting }
    }

    /// Takes a part of the pool for one operation, as soon as one is free.
    #[inline(always)]
    pub(crate) fn lease(&self, deadline: &Deadline) -> Result<Lease<'_>, Cause> {
        let mut shelf = self.lock();
        if shelf.lent < self.size {
            if let Some(idle) = shelf.idle.pop() {
                if deadline.began() < idle.fresh_until {
                    shelf.lent += 1;
                    drop(shelf);
                    return Ok(Lease::used(self, idle.wire, true));
                }
                shelf.idle.push(idle);
            }
        }
        self.lease_at_length(shelf, deadline)
    }

    /// Whether `cause`, with which a new connection or its opening failed, means that the server wants no further
    /// connections beside those that work. If so, none is opened for a while.
    #[cold]
    pub(crate) fn turns_away(&self, cause: &Cause, io: Option<&Socket>) -> bool {
        let is_refused = match io {
            None => cause.is_unreached() || matches!(cause, Cause::Tls(_)) || cause.is_closed(),
            Some(io) => cause.is_closed() && io.received() == 0,
        };
        let mut shelf = self.lock();
        let turns_away = (is_refused || cause.is_crowd()) && shelf.has_proven();
        if turns_away {
            shelf.full_until = Some(Instant::now() + CONTENT);
        }
        turns_away
    }

    /// Takes a part of the pool if one is free now.
    pub(crate) fn try_lease(&self, deadline: &Deadline) -> Option<Lease<'_>> {
        self.lease(&deadline.at_once()).ok()
    }

    /// Takes a part of the pool whose connection must be checked, opened or waited for.
    #[inline(never)]
    fn lease_at_length<'p>(
        &'p self,
        mut shelf: MutexGuard<'p, Shelf>,
        deadline: &Deadline,
    ) -> Result<Lease<'p>, Cause> {
        let inherited = shelf.inherited();
        // A caller that looks in from time to time began long ago; the clock is read only if it decides whether the
        // pool may grow.
        let mut now = if shelf.full_until.is_some() { Instant::now() } else { deadline.began() };
        let mut at_once = true;
        loop {
            while !shelf.has_part(self.size, now) {
                at_once = false;
                let left = deadline.left();
                if left.is_zero() {
                    return Err(Cause::PoolBusy);
                }
                // When this time has passed, a connection may be opened.
                let until = shelf.full_until.filter(|until| now < *until);
                let time = until.map_or(left, |until| left.min(until - now));
                shelf.waiting += 1;
                let waited = self.returned.wait_timeout(shelf, time);
                (shelf, _) = waited.unwrap_or_else(PoisonError::into_inner);
                shelf.waiting -= 1;
                now = Instant::now();
            }
            // A part that becomes free when time is over is left to the next caller: a connection could not be opened
            // any more.
            if !at_once && deadline.left().is_zero() {
                let is_awaited = shelf.waiting > 0;
                drop(shelf);
                if is_awaited {
                    self.returned.notify_one();
                }
                return Err(Cause::PoolBusy);
            }
            shelf.lent += 1;
            let Some(mut idle) = shelf.idle.pop() else {
                shelf.unproven += 1;
                drop(shelf);
                drop(inherited);
                return Ok(Lease { pool: self, wire: None, is_used: false, at_once, was_turned_away: false });
            };
            drop(shelf);
            let is_outworn = self.is_outworn(&idle, deadline.began());
            if now < idle.fresh_until || (!is_outworn && idle.wire.io_mut().is_silent()) {
                return Ok(Lease::used(self, idle.wire, at_once));
            }
            drop(idle);
            if !is_outworn {
                self.watch.ended();
            }
            shelf = self.lock();
            shelf.lent = shelf.lent.saturating_sub(1);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl route::Watched for Pool {
    fn watch(&self) -> &Watch {
        &self.watch
    }
}

/// A part of a pool, and its connection.
///
/// When the lease is dropped, also by an error or a panic, the connection goes back to the pool if its last exchange is
/// complete; else it is closed.
#[derive(Debug)]
pub(crate) struct Lease<'p> {
    pool: &'p Pool,
    wire: Option<Wire>,
    is_used: bool,
    /// Whether the connection was lent without waiting.
    at_once: bool,
    /// Whether the server has turned this connection away, while others work.
    was_turned_away: bool,
}

impl<'p> Lease<'p> {
    #[inline]
    const fn used(pool: &'p Pool, wire: Wire, at_once: bool) -> Self {
        Self { pool, wire: Some(wire), is_used: true, at_once, was_turned_away: false }
    }

    /// The connection, if there is one.
    pub(crate) fn opened(&self) -> Option<&Wire> {
        self.wire.as_ref()
    }

    /// Whether there is a connection that was used before, which may have ended unnoticed.
    pub(crate) const fn is_used(&self) -> bool {
        self.is_used
    }

    /// The connection, if it was lent without waiting.
    #[inline]
    pub(crate) fn wire_at_once(&mut self) -> Option<&mut Wire> {
        if mem::take(&mut self.at_once) { self.wire.as_mut() } else { None }
    }

    /// The connection; opens it if there is none.
    pub(crate) fn wire(&mut self, deadline: Deadline) -> Result<&mut Wire, Cause> {
        match &mut self.wire {
            Some(wire) => Ok(wire),
            none => Ok(none.insert(self.pool.finish(self.pool.opening(deadline))?)),
        }
    }

    /// The connection, if it is open. Else goes on with opening it, in `opening`, as far as that is possible without
    /// waiting.
    pub(crate) fn wire_in_turns(
        &mut self,
        opening: &mut Option<Box<Opening<'p>>>,
        deadline: Deadline,
    ) -> Result<Option<&mut Wire>, Cause> {
        if self.wire.is_none() {
            let mut begun = opening.take().unwrap_or_else(|| Box::new(self.pool.opening(deadline)));
            self.wire = self.pool.turn(&mut begun)?;
            if self.wire.is_none() {
                *opening = Some(begun);
            }
        }
        Ok(self.wire.as_mut())
    }

    /// Closes the connection because of `cause`, before the request is sent again over another.
    pub(crate) fn replace(&mut self, cause: &Cause) {
        self.ends(cause);
        self.pool.watch.retried();
        self.wire = None;
        if mem::take(&mut self.is_used) {
            self.pool.lock().unproven += 1;
        }
    }

    /// Whether `cause` means that the server wants no further connections: it has turned this one away before any
    /// reply, while others work. That is no failure of the server, and no connection is opened for a while.
    #[cold]
    pub(crate) fn is_turned_away(&mut self, cause: &Cause) -> bool {
        self.was_turned_away |= !self.is_used && self.pool.turns_away(cause, self.io());
        self.was_turned_away
    }

    /// Whether [`is_turned_away`](Self::is_turned_away) has returned true.
    pub(crate) const fn was_turned_away(&self) -> bool {
        self.was_turned_away
    }

    /// Whether `request` may be sent over another connection after this one was turned away because of `cause`.
    #[cold]
    pub(crate) fn may_take_turns(&self, request: &Request<'_>, cause: &Cause) -> bool {
        self.wire.is_none() || cause.is_crowd() || self.may_retry(request)
    }

    /// Waits for a connection that works, after this one was turned away because of `cause`.
    #[cold]
    pub(crate) fn take_turns(&mut self, cause: &Cause, deadline: &Deadline) -> Result<(), Cause> {
        self.ends(cause);
        self.wire = None;
        let pool = self.pool;
        // This part goes back first: a caller must not hold a part while it waits for another.
        let mut shelf = pool.lock();
        shelf.lent = shelf.lent.saturating_sub(1);
        shelf.unproven = shelf.unproven.saturating_sub(1);
        match pool.lease_at_length(shelf, deadline) {
            // The old part is given back already.
            Ok(lease) => mem::forget(mem::replace(self, lease)),
            Err(cause) => {
                let mut shelf = pool.lock();
                shelf.lent += 1;
                shelf.unproven += 1;
                return Err(cause);
            }
        }
        Ok(())
    }

    /// Tells the observer that the connection ends by `cause`, if it cannot be used again.
    #[cold]
    pub(crate) fn ends(&self, cause: &Cause) {
        if self.wire.as_ref().is_some_and(|wire| wire.state() != ExchangeState::Idle) {
            self.pool.watch.disconnected(cause);
        }
    }

    /// Whether `request` may be sent again on another connection after a failure. (The codec's connection counts
    /// written bytes, not sent ones.)
    pub(crate) fn may_retry(&self, request: &Request<'_>) -> bool {
        self.io().is_some_and(|io| io.received() == 0 && request.may_retry(io.sent()))
    }

    /// Whether `request` may have changed something although it failed.
    pub(crate) fn leaves_open(&self, request: &Request<'_>) -> bool {
        self.io().is_some_and(|io| !request.may_retry(io.sent()))
    }

    /// Whether any byte of what was written last has left.
    pub(crate) fn has_sent(&self) -> bool {
        self.io().is_some_and(|io| io.sent() > 0)
    }

    fn io(&self) -> Option<&Socket> {
        self.wire.as_ref().map(|wire| wire.io())
    }
}

impl Drop for Lease<'_> {
    #[inline]
    fn drop(&mut self) {
        let is_whole = |wire: &Wire| wire.state() == ExchangeState::Idle && !wire.io().is_in_turns();
        let wire = self.wire.take().filter(is_whole);
        let idle = wire.map(|wire| Idle { fresh_until: wire.io().read_at() + RESTLESS, wire });
        let mut shelf = self.pool.lock();
        // In a process that was forked meanwhile, `lent` is 0.
        shelf.lent = shelf.lent.saturating_sub(1);
        if !self.is_used {
            shelf.unproven = shelf.unproven.saturating_sub(1);
        }
        // The connection that has been unused longest is the first. To close one for each that comes back is enough.
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
    /// Begins to open a connection.
    pub(crate) fn opening(&self, deadline: Deadline) -> Opening<'_> {
        self.opening_with(deadline, self.options.limits)
    }

    /// Begins to open a connection for one exchange whose reply may have any number of lines. The connection must not
    /// go into the pool.
    pub(crate) fn opening_for_lines(&self, deadline: Deadline) -> Opening<'_> {
        self.opening_with(deadline, Limits { stats: u32::MAX, ..self.options.limits })
    }

    fn opening_with(&self, deadline: Deadline, limits: Limits) -> Opening<'_> {
        let Config { connect_timeout, timeout, .. } = *self.options;
        self.dialer.dial(deadline.within(connect_timeout), timeout, limits)
    }

    /// Opens a connection.
    fn finish(&self, mut opening: Opening<'_>) -> Result<Wire, Cause> {
        let wire = opening.finish();
        self.tell_end(&opening, wire.as_ref().err());
        wire
    }

    /// Goes on with `opening`, as far as that is possible without waiting. Returns the connection once it is open.
    pub(crate) fn turn(&self, opening: &mut Opening<'_>) -> Result<Option<Wire>, Cause> {
        let wire = opening.turn();
        if !matches!(wire, Ok(None)) {
            self.tell_end(opening, wire.as_ref().err());
        }
        wire
    }

    /// Tells the observer how `opening` ended.
    fn tell_end(&self, opening: &Opening<'_>, failure: Option<&Cause>) {
        match failure {
            None => self.watch.connected(opening.begun().elapsed()),
            Some(cause) => self.watch.disconnected(cause),
        }
    }
}

impl Pool {
    /// Whether a connection has been unused for too long at `now`.
    fn is_outworn(&self, idle: &Idle, now: Instant) -> bool {
        now.saturating_duration_since(idle.fresh_until) >= self.options.idle_timeout
    }
}

/// How long after its last read a connection is used without a look, which takes two system calls. This is less than a
/// `fork` takes, and more than what lies between two operations of a caller that does nothing else.
const RESTLESS: Duration = Duration::from_micros(10);

/// How long no connection is opened after the server has turned one away.
const CONTENT: Duration = Duration::from_secs(1);
