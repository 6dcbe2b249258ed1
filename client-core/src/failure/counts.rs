//! How often what has happened, server by server.

use core::sync::atomic::{AtomicU64, Ordering};

use super::Event;

/// What has happened between a client and one of its servers, for as long as the client has had it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerCounts {
    /// Operations that went to it; of a batch, its share is one.
    pub operations: u64,
    /// Errors of it that callers were told, those without a try ([`ErrorKind::Down`](super::ErrorKind::Down)) among them;
    /// a batch's share that fails as a whole is one.
    pub errors: u64,
    /// The errors among these for which time ran out ([`Error::is_timeout`](super::Error::is_timeout)).
    pub timeouts: u64,
    /// Connections that were opened.
    pub connected: u64,
    /// Connections that ended by a failure, or could not be opened.
    pub disconnected: u64,
    /// How often it was left alone, from one trial to the next.
    pub downs: u64,
    /// How often what had been sent over a dead connection was sent again.
    pub retried: u64,
    /// Operations on its keys that went to another server instead; of a batch, one for each such server.
    pub rerouted: u64,
}

/// The [`ServerCounts`] as they are counted, by many threads.
#[derive(Debug, Default)]
pub struct Counters {
    operations: AtomicU64,
    errors: AtomicU64,
    timeouts: AtomicU64,
    connected: AtomicU64,
    disconnected: AtomicU64,
    downs: AtomicU64,
    retried: AtomicU64,
    rerouted: AtomicU64,
}

impl Counters {
    /// An operation goes to the server.
    #[inline]
    pub fn operation(&self) {
        self.operations.fetch_add(1, Ordering::Relaxed);
    }

    /// Something else has happened.
    pub fn event(&self, event: &Event<'_>) {
        let counter = match event {
            Event::Connected { .. } => &self.connected,
            Event::Disconnected { .. } => &self.disconnected,
            Event::ServerDown { .. } => &self.downs,
            Event::ServerUp { .. } => return,
            Event::Retried { .. } => &self.retried,
            Event::Rerouted { .. } => &self.rerouted,
            Event::Failed { error } => {
                self.timeouts.fetch_add(u64::from(error.is_timeout()), Ordering::Relaxed);
                &self.errors
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// How often each has happened so far. While others count, they need not be of the same moment.
    pub fn counts(&self) -> ServerCounts {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ServerCounts {
            operations: count(&self.operations),
            errors: count(&self.errors),
            timeouts: count(&self.timeouts),
            connected: count(&self.connected),
            disconnected: count(&self.disconnected),
            downs: count(&self.downs),
            retried: count(&self.retried),
            rerouted: count(&self.rerouted),
        }
    }
}
