//! Events: what happens inside a client, for its observer.

use core::{fmt, time::Duration};
use std::sync::Arc;

use super::{Error, ErrorKind};
use crate::{
    change::Change,
    fetch::{FetchOutcome, LeaseEvent},
    roster::Why,
};

/// Something that happened to a connection, a server or an operation.
///
/// An event names servers and operations, and never holds a byte of a key or a value.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'e> {
    /// A connection was opened.
    #[non_exhaustive]
    Connected {
        /// The server's name.
        server: &'e str,
        /// How long opening took, with the look-up of the name.
        took: Duration,
    },
    /// A connection ended by a failure, or could not be opened. (Closing an unused connection is no event.)
    #[non_exhaustive]
    Disconnected {
        /// The server's name.
        server: &'e str,
        /// Why.
        cause: ErrorKind,
    },
    /// A server failed too often, or failed its trial, and is left alone.
    #[non_exhaustive]
    ServerDown {
        /// The server's name.
        server: &'e str,
        /// For how long it is left alone.
        retry_after: Duration,
    },
    /// A server that was left alone answers again.
    #[non_exhaustive]
    ServerUp {
        /// The server's name.
        server: &'e str,
    },
    /// A request is sent again over another connection, because the first one was dead: the server had closed it.
    #[non_exhaustive]
    Retried {
        /// The server's name.
        server: &'e str,
    },
    /// An operation goes to another server, because the one that holds the key is down or could not be reached. A batch
    /// has one such event for each pair of servers.
    #[non_exhaustive]
    Rerouted {
        /// The name of the server that was passed over.
        server: &'e str,
        /// The name of the one that is asked instead.
        to: &'e str,
        /// The operation, by the name of its method.
        operation: &'static str,
    },
    /// An operation failed. Where errors are taken for misses, only this event tells of it.
    #[non_exhaustive]
    Failed {
        /// The error that the caller gets, or would get.
        error: &'e Error,
    },
    /// A call of `fetch` has ended.
    #[non_exhaustive]
    Fetched {
        /// How.
        outcome: FetchOutcome,
        /// How long the call took, without its loader.
        waited: Duration,
        /// How long its loader took, if that has run.
        loading: Option<Duration>,
    },
    /// Something happened to the lease of a call of `fetch`.
    #[non_exhaustive]
    Lease {
        /// What.
        event: LeaseEvent,
    },
    /// The servers that are found out have changed: the client takes the new list when the observer returns.
    #[non_exhaustive]
    ServersChanged {
        /// The lists before and after.
        change: &'e Change,
        /// The share of all keys that moves to another server or has none now, from 0 to 1.
        share: f64,
    },
    /// A server that is found out has another address. No key moves.
    #[non_exhaustive]
    AddressChanged {
        /// The server's name.
        server: &'e str,
    },
    /// A change of the servers that are found out is too large, and is not taken.
    #[non_exhaustive]
    ChangeRefused {
        /// The share of all keys that it would move or leave without a server, from 0 to 1.
        share: f64,
    },
    /// The source of the servers begins to fail. The servers stay as they are.
    #[non_exhaustive]
    SourceFailed {
        /// Why.
        why: &'e Why,
    },
    /// The source of the servers answers again.
    #[non_exhaustive]
    SourceRecovered {},
}

impl<'e> Event<'e> {
    /// A connection was opened.
    pub(crate) const fn connected(server: &'e str, took: Duration) -> Self {
        Self::Connected { server, took }
    }

    /// A connection ended.
    pub(crate) const fn disconnected(server: &'e str, cause: ErrorKind) -> Self {
        Self::Disconnected { server, cause }
    }

    /// A server is left alone.
    pub(crate) const fn server_down(server: &'e str, retry_after: Duration) -> Self {
        Self::ServerDown { server, retry_after }
    }

    /// A server answers again.
    pub(crate) const fn server_up(server: &'e str) -> Self {
        Self::ServerUp { server }
    }

    /// A request is sent again.
    pub(crate) const fn retried(server: &'e str) -> Self {
        Self::Retried { server }
    }

    /// An operation goes to another server.
    pub(crate) const fn rerouted(server: &'e str, to: &'e str, operation: &'static str) -> Self {
        Self::Rerouted { server, to, operation }
    }

    /// An operation failed.
    pub(crate) const fn failed(error: &'e Error) -> Self {
        Self::Failed { error }
    }

    /// A call of `fetch` has ended.
    pub(crate) const fn fetched(outcome: FetchOutcome, waited: Duration, loading: Option<Duration>) -> Self {
        Self::Fetched { outcome, waited, loading }
    }

    /// Something happened to a lease.
    pub(crate) const fn lease(event: LeaseEvent) -> Self {
        Self::Lease { event }
    }

    /// The servers have changed.
    pub(crate) const fn servers_changed(change: &'e Change, share: f64) -> Self {
        Self::ServersChanged { change, share }
    }

    /// A server has another address.
    pub(crate) const fn address_changed(server: &'e str) -> Self {
        Self::AddressChanged { server }
    }

    /// A change is too large.
    pub(crate) const fn change_refused(share: f64) -> Self {
        Self::ChangeRefused { share }
    }

    /// The source begins to fail.
    pub(crate) const fn source_failed(why: &'e Why) -> Self {
        Self::SourceFailed { why }
    }

    /// The source answers again.
    pub(crate) const fn source_recovered() -> Self {
        Self::SourceRecovered {}
    }

    /// The name of the server, where one was involved.
    #[must_use]
    pub fn server(&self) -> Option<&'e str> {
        match *self {
            Self::Connected { server, .. }
            | Self::Disconnected { server, .. }
            | Self::ServerDown { server, .. }
            | Self::ServerUp { server }
            | Self::Retried { server }
            | Self::AddressChanged { server }
            | Self::Rerouted { server, .. } => Some(server),
            Self::Failed { error } => error.server(),
            Self::Fetched { .. }
            | Self::Lease { .. }
            | Self::ServersChanged { .. }
            | Self::ChangeRefused { .. }
            | Self::SourceFailed { .. }
            | Self::SourceRecovered {} => None,
        }
    }
}

/// The function that is called for every event, if there is one.
#[derive(Clone, Default)]
pub struct Observer(Option<Arc<Observe>>);

type Observe = dyn Fn(&Event<'_>) + Send + Sync;

impl Observer {
    /// No function.
    pub const NONE: Self = Self(None);

    /// Calls `observe` for every event. It runs where the event happens, so it must be quick, and must not wait.
    pub fn new(observe: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(observe)))
    }

    /// Whether there is a function to call.
    #[must_use]
    pub const fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// Calls the function for an event. `event` makes it, and is not called without an observer.
    pub fn tell<'e>(&self, event: impl FnOnce() -> Event<'e>) {
        if let Some(observe) = &self.0 {
            observe(&event());
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_some() { "Observer(Some)" } else { "Observer(None)" })
    }
}
