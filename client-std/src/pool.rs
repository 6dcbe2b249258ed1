//! The connections to one server: lent to one operation at a time, kept when they come back whole.

use core::{mem, num::NonZeroUsize, time::Duration};
use std::{
    process,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use memring_client::{
    Config, Connections, KnownCapabilities,
    failure::{Cause, Event},
    route,
    spec::ServerSpec,
    watch::Watch,
};
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
/// The connection used last is lent first, so that a pool that was busy once lets the others rest. The lock is held
/// for a few instructions at a time, never during input or output.
#[derive(Debug)]
pub(crate) struct Pool {
    watch: Watch,
    capabilities: KnownCapabilities,
    dialer: Dialer,
    options: Arc<Config>,
    size: usize,
    shelf: Mutex<Shelf>,
    returned: Condvar,
}

/// How many connections a server gets unless told otherwise.
const SIZE: usize = 16;

#[derive(Debug)]
struct Shelf {
    idle: Vec<Idle>,
    lent: usize,
    /// How many of those lent have no connection that has served before.
    unproven: usize,
    /// The server has turned a connection away: until then, those that there are must do.
    full_until: Option<Instant>,
    /// Whose connections these are. After a fork, two processes would read each other's replies.
    process: u32,
    /// How many threads wait for a part: nobody is woken in vain, which would cost a system call.
    waiting: usize,
}

#[derive(Debug)]
struct Idle {
    wire: Wire,
    /// Until when it need not be looked at.
    fresh_until: Instant,
}

impl Shelf {
    fn new() -> Self {
        let process = process::id();
        Self { idle: Vec::new(), lent: 0, unproven: 0, full_until: None, process, waiting: 0 }
    }

    /// Whether somebody may have a part now: with a connection that has served before, or to open another.
    fn has_part(&self, size: usize, now: Instant) -> bool {
        self.lent < size && (!self.idle.is_empty() || self.may_grow(now))
    }

    /// While there are others, one that the server turned away is a reason to open none for a while.
    fn may_grow(&self, now: Instant) -> bool {
        !self.has_proven() || self.full_until.is_none_or(|until| until <= now)
    }

    /// Whether there is a connection, idle or lent, that has served before.
    fn has_proven(&self) -> bool {
        self.idle.len().saturating_add(self.lent) > self.unproven
    }

    /// Takes what a process has left that this one was forked from. Nothing is said on those connections: they are the
    /// other's.
    fn inherited(&mut self) -> Option<Self> {
        let is_inherited = self.process != process::id();
        is_inherited.then(|| mem::replace(self, Self::new()))
    }
}

impl Pool {
    /// A pool without any connection yet.
    pub(crate) fn new(spec: &ServerSpec, watch: Watch, options: &Arc<Config>) -> Result<Self, Cause> {
        Ok(Self {
            watch,
            capabilities: KnownCapabilities::new(spec.name(), &options.corrections),
            dialer: Dialer::new(spec, options)?,
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

    /// What is known of the server's health.
    pub(crate) const fn watch(&self) -> &Watch {
        &self.watch
    }

    /// What is known of what the server can do.
    pub(crate) const fn capabilities(&self) -> &KnownCapabilities {
        &self.capabilities
    }

    /// How many connections there are now.
    pub(crate) fn connections(&self) -> Connections {
        let shelf = self.lock();
        let (idle, waiting) = (shelf.idle.len(), shelf.lent);
        Connections { count: idle.saturating_add(waiting), idle, waiting }
    }

    /// Takes part of the pool for one operation, once there is one left.
    #[inline]
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

    /// Whether `cause`, by which a new connection or the way to one has ended, says that the server wants no more than those
    /// that work. Then no more are opened for a while.
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

    /// Takes part of the pool if one is left now.
    pub(crate) fn try_lease(&self, deadline: &Deadline) -> Option<Lease<'_>> {
        self.lease(&deadline.at_once()).ok()
    }

    /// Takes part of the pool where the connection must be looked at first, opened, or waited for.
    #[inline(never)]
    fn lease_at_length<'p>(
        &'p self,
        mut shelf: MutexGuard<'p, Shelf>,
        deadline: &Deadline,
    ) -> Result<Lease<'p>, Cause> {
        let inherited = shelf.inherited();
        // Who looks in from time to time began long ago; the clock is read only where it tells whether the pool may grow.
        let mut now = if shelf.full_until.is_some() { Instant::now() } else { deadline.began() };
        let mut at_once = true;
        loop {
            while !shelf.has_part(self.size, now) {
                at_once = false;
                let left = deadline.left();
                if left.is_zero() {
                    return Err(Cause::PoolBusy);
                }
                // Time alone may let another connection be opened, too.
                let until = shelf.full_until.filter(|until| now < *until);
                let time = until.map_or(left, |until| left.min(until - now));
                shelf.waiting += 1;
                let waited = self.returned.wait_timeout(shelf, time);
                (shelf, _) = waited.unwrap_or_else(PoisonError::into_inner);
                shelf.waiting -= 1;
                now = Instant::now();
            }
            // A part that comes when time is over is the next one's: a connection could not be opened any more.
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
/// When it is dropped, be it by an error or a panic, the connection goes back if its last exchange is complete; else
/// it is closed.
#[derive(Debug)]
pub(crate) struct Lease<'p> {
    pool: &'p Pool,
    wire: Option<Wire>,
    is_used: bool,
    /// It was had without waiting.
    at_once: bool,
    /// The server has turned this connection away, while others work.
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

    /// Whether there is a connection that was used before: it may have ended without our knowing.
    pub(crate) const fn is_used(&self) -> bool {
        self.is_used
    }

    /// The connection, if it was had without waiting.
    #[inline]
    pub(crate) fn wire_at_once(&mut self) -> Option<&mut Wire> {
        if mem::take(&mut self.at_once) { self.wire.as_mut() } else { None }
    }

    /// The connection, opened now if there is none.
    pub(crate) fn wire(&mut self, deadline: Deadline) -> Result<&mut Wire, Cause> {
        match &mut self.wire {
            Some(wire) => Ok(wire),
            none => Ok(none.insert(self.pool.finish(self.pool.opening(deadline))?)),
        }
    }

    /// The connection, if it is open. One that has to be opened goes on to be, in `opening`, as far as that is possible without
    /// waiting.
    pub(crate) fn wire_in_turns(
        &mut self,
        opening: &mut Option<Box<Opening<'p>>>,
        deadline: Deadline,
    ) -> Result<Option<&mut Wire>, Cause> {
        if self.wire.is_none() {
            let mut begun = opening.take().unwrap_or_else(|| Box::new(self.pool.opening(deadline)));
            match begun.turn() {
                Ok(None) => {
                    *opening = Some(begun);
                    return Ok(None);
                }
                Ok(Some(wire)) => {
                    self.pool.tell_opened(&begun, Ok(&wire));
                    self.wire = Some(wire);
                }
                Err(cause) => {
                    self.pool.tell_opened(&begun, Err(&cause));
                    return Err(cause);
                }
            }
        }
        Ok(self.wire.as_mut())
    }

    /// Closes the connection because of `cause`; what was sent is to be sent again over another.
    pub(crate) fn replace(&mut self, cause: &Cause) {
        self.ends(cause);
        let watch = &self.pool.watch;
        watch.tell(Event::retried(watch.name()));
        self.wire = None;
        if mem::take(&mut self.is_used) {
            self.pool.lock().unproven += 1;
        }
    }

    /// Whether `cause` says that the server wants no more connections than those that work: it turned this one away before
    /// it had served anybody. That is no failure of the server, and no more are opened for a while.
    #[cold]
    pub(crate) fn is_turned_away(&mut self, cause: &Cause) -> bool {
        self.was_turned_away |= !self.is_used && self.pool.turns_away(cause, self.io());
        self.was_turned_away
    }

    /// Whether [`is_turned_away`](Self::is_turned_away) has said so.
    pub(crate) const fn was_turned_away(&self) -> bool {
        self.was_turned_away
    }

    /// After a connection was turned away because of `cause`: may `request` be sent over another?
    #[cold]
    pub(crate) fn may_take_turns(&self, request: &Request<'_>, cause: &Cause) -> bool {
        self.wire.is_none() || cause.is_crowd() || self.may_retry(request)
    }

    /// Waits for one that works, instead of the connection that was turned away because of `cause`.
    #[cold]
    pub(crate) fn take_turns(&mut self, cause: &Cause, deadline: &Deadline) -> Result<(), Cause> {
        self.ends(cause);
        self.wire = None;
        let pool = self.pool;
        // This part goes back first: a caller must not wait while it holds what others wait for.
        let mut shelf = pool.lock();
        shelf.lent = shelf.lent.saturating_sub(1);
        shelf.unproven = shelf.unproven.saturating_sub(1);
        match pool.lease_at_length(shelf, deadline) {
            // It is given back already.
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

    /// Tells the observer that the connection, if it cannot be used again, ends by `cause`.
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
}

impl Drop for Lease<'_> {
    #[inline]
    fn drop(&mut self) {
        let is_whole = |wire: &Wire| wire.state() == ExchangeState::Idle && !wire.io().is_in_turns();
        let wire = self.wire.take().filter(is_whole);
        let idle = wire.map(|wire| Idle { fresh_until: wire.io().read_at() + RESTLESS, wire });
        let mut shelf = self.pool.lock();
        // In a process that was forked meanwhile, nothing is lent.
        shelf.lent = shelf.lent.saturating_sub(1);
        if !self.is_used {
            shelf.unproven = shelf.unproven.saturating_sub(1);
        }
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
    /// Begins to open a connection.
    pub(crate) fn opening(&self, deadline: Deadline) -> Opening<'_> {
        self.opening_with(deadline, self.options.limits)
    }

    /// Begins to open a connection for one exchange whose reply may have any number of lines. It does not go into the pool.
    pub(crate) fn opening_for_lines(&self, deadline: Deadline) -> Opening<'_> {
        self.opening_with(deadline, Limits { stats: u32::MAX, ..self.options.limits })
    }

    fn opening_with(&self, deadline: Deadline, limits: Limits) -> Opening<'_> {
        let Config { connect_timeout, timeout, .. } = *self.options;
        self.dialer.dial(deadline.within(connect_timeout), timeout, limits)
    }

    /// Opens a connection.
    pub(crate) fn finish(&self, mut opening: Opening<'_>) -> Result<Wire, Cause> {
        let wire = opening.finish();
        self.tell_opened(&opening, wire.as_ref());
        wire
    }

    /// Tells the observer of the result of `opening`.
    pub(crate) fn tell_opened(&self, opening: &Opening<'_>, wire: Result<&Wire, &Cause>) {
        match wire {
            Ok(_) => self.watch.tell(Event::connected(self.name(), opening.begun().elapsed())),
            Err(cause) => self.tell_end(cause),
        }
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

/// How long ago a connection may have been read from before it is looked at again, which takes two system calls. This is
/// less than a `fork` takes, and more than what lies between two operations of a caller that does nothing else.
const RESTLESS: Duration = Duration::from_micros(10);

/// How long the connections that there are must do when the server has turned another one away.
const CONTENT: Duration = Duration::from_secs(1);
