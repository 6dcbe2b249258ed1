//! Growth: how many connections a server takes. If it turns one away while others work, that is no failure, and the
//! others must do.

use core::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use std::sync::{Mutex, MutexGuard, PoisonError};

use memring_client::failure::Cause;
use tokio::time::Instant;

/// What the connections to one server know about each other.
#[derive(Debug)]
pub(crate) struct Growth {
    /// How many connections have had a reply, and are open.
    proven: AtomicUsize,
    /// Until this time, no further connection is tried, because the server has turned one away.
    full_until: Mutex<Option<Instant>>,
}

/// Whether a server turned a connection away while others worked, which does not count against the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TurnedAway {
    /// No: the event is the server's failure, if it is a failure at all.
    No,
    /// Yes, but it is unknown whether the server has read the request, which must not be sent twice.
    Sent,
    /// Yes, and the request may be sent over a connection that works.
    Again,
}

impl Growth {
    /// No connection yet.
    pub(crate) const fn new() -> Self {
        Self { proven: AtomicUsize::new(0), full_until: Mutex::new(None) }
    }

    /// Counts a connection that works now, or one that worked and has ended.
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

    /// Notes that a connection which has not worked yet ended by `cause`. Returns whether the server turned it away
    /// because it wants no more than those that work; then no other is tried for a while.
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

/// How long no connection is tried after the server has turned one away.
const CONTENT: Duration = Duration::from_secs(1);
