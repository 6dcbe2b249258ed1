//! How many connections a server takes. One that it turns away while others work is no failure: those must do.

use core::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use std::sync::{Mutex, MutexGuard, PoisonError};

use memring_client::failure::Cause;
use tokio::time::Instant;

/// What the connections to one server know of each other.
#[derive(Debug)]
pub(crate) struct Growth {
    /// How many connections have had a reply, and are open.
    proven: AtomicUsize,
    /// The server has turned a connection away: until then, no other is tried beside those that work.
    full_until: Mutex<Option<Instant>>,
}

/// Whether a server turned a connection away while others worked. That says nothing against the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TurnedAway {
    /// No: what happened is the server's failure, if it is one.
    No,
    /// Yes, but nobody knows whether the server has read the request, which must not be sent twice.
    Sent,
    /// Yes, and the request may be sent over one that works.
    Again,
}

impl Growth {
    /// No connection yet.
    pub(crate) const fn new() -> Self {
        Self { proven: AtomicUsize::new(0), full_until: Mutex::new(None) }
    }

    /// Counts a connection that works, or that did and has ended.
    pub(crate) fn count(&self, is_proven: bool) {
        if is_proven {
            self.proven.fetch_add(1, Ordering::Relaxed);
        } else {
            self.proven.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Whether there is a connection that works.
    pub(crate) fn has_proven(&self) -> bool {
        self.proven.load(Ordering::Relaxed) > 0
    }

    /// Whether another connection may be tried.
    pub(crate) fn may_grow(&self) -> bool {
        self.full_until().is_none_or(|until| until <= Instant::now())
    }

    /// A connection that has not worked yet has ended by `cause`. Says whether the server turned it away, as it wants no
    /// more than those that work; then none is tried for a while.
    pub(crate) fn is_turned_away(&self, cause: &Cause) -> bool {
        let is_refused = cause.is_unreached()
            || cause.is_closed()
            || cause.is_crowd()
            || matches!(cause, Cause::Tls(_) | Cause::Timeout);
        let is_turned_away = is_refused && self.has_proven();
        if is_turned_away {
            *self.full_until() = Some(Instant::now() + CONTENT);
        }
        is_turned_away
    }

    fn full_until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.full_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long the connections that there are must do when the server has turned another one away.
const CONTENT: Duration = Duration::from_secs(1);
