//! Counts of operations, errors and events, for each server.

use core::sync::atomic::{AtomicU64, Ordering};

use super::Event;

/// Counts of what has happened between a client and one of its servers, since the client was given the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerCounts {
    /// Operations that went to the server; a batch's share of it counts as one.
    pub operations: u64,
    /// Errors of this server that callers got, with those that were not sent at all
    /// ([`ErrorKind::Down`](super::ErrorKind::Down)). A batch's share that fails as a whole counts as one.
    pub errors: u64,
    /// Those of the [`errors`](Self::errors) that are timeouts ([`Error::is_timeout`](super::Error::is_timeout)).
    pub timeouts: u64,
    /// Items that were read; a batch's share counts each of its own. What `fetch` finds on the server counts, too.
    pub hits: u64,
    /// Items that were asked for and not there.
    pub misses: u64,
    /// Connections that were opened.
    pub connected: u64,
    /// Connections that ended by a failure, or could not be opened.
    pub disconnected: u64,
    /// How often the server was left alone; each failed trial counts again.
    pub downs: u64,
    /// Requests that were sent again because their connection was dead.
    pub retried: u64,
    /// Operations on the server's keys that went to another server instead; a batch counts once for each such server.
    pub rerouted: u64,
}

/// The counters behind [`ServerCounts`], which many threads share.
#[derive(Debug, Default)]
pub struct Counters {
    operations: AtomicU64,
    errors: AtomicU64,
    timeouts: AtomicU64,
    hits: AtomicU64,
    misses: AtomicU64,
    connected: AtomicU64,
    disconnected: AtomicU64,
    downs: AtomicU64,
    retried: AtomicU64,
    rerouted: AtomicU64,
}

impl Counters {
    /// Counts an operation that goes to the server.
    #[inline]
    pub fn operation(&self) {
        self.operations.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts items that were read, and those that were not there.
    #[inline]
    pub fn found(&self, hits: u64, misses: u64) {
        for (counter, count) in [(&self.hits, hits), (&self.misses, misses)] {
            if count > 0 {
                counter.fetch_add(count, Ordering::Relaxed);
            }
        }
    }

    /// Counts an event.
    pub fn event(&self, event: &Event<'_>) {
        let counter = match event {
            Event::Connected { .. } => &self.connected,
            Event::Disconnected { .. } => &self.disconnected,
            Event::ServerDown { .. } => &self.downs,
            // What is not of one server is counted elsewhere.
            Event::ServerUp { .. }
            | Event::Fetched { .. }
            | Event::Lease { .. }
            | Event::ServersChanged { .. }
            | Event::AddressChanged { .. }
            | Event::ChangeRefused { .. }
            | Event::SourceFailed { .. }
            | Event::SourceRecovered {} => return,
            Event::Retried { .. } => &self.retried,
            Event::Rerouted { .. } => &self.rerouted,
            Event::Failed { error } => {
                self.timeouts.fetch_add(u64::from(error.is_timeout()), Ordering::Relaxed);
                &self.errors
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// The counts so far. They need not be of the same moment while other threads count.
    pub fn counts(&self) -> ServerCounts {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ServerCounts {
            operations: count(&self.operations),
            errors: count(&self.errors),
            timeouts: count(&self.timeouts),
            hits: count(&self.hits),
            misses: count(&self.misses),
            connected: count(&self.connected),
            disconnected: count(&self.disconnected),
            downs: count(&self.downs),
            retried: count(&self.retried),
            rerouted: count(&self.rerouted),
        }
    }
}
