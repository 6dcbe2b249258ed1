//! Spans and events of `tracing`.

use super::Ended;
use crate::{clock::Clock, failure::Event};

/// The address of one server.
#[derive(Debug)]
pub(super) struct Server {
    address: Box<str>,
    port: Option<u16>,
}

/// The span of one operation.
#[derive(Debug)]
pub(super) struct Part(tracing::Span);

impl Server {
    pub(super) fn new(address: &str, port: Option<u16>, _: Clock) -> Self {
        Self { address: address.into(), port }
    }

    #[inline]
    pub(super) fn begin(&self, operation: &'static str) -> Part {
        Part(tracing::debug_span!(
            "memcached",
            otel.kind = "client",
            db.system.name = "memcached",
            db.operation.name = operation,
            server.address = &*self.address,
            server.port = self.port,
            error.r#type = tracing::field::Empty,
        ))
    }

    #[expect(clippy::unused_self, reason = "as figures have it")]
    #[inline]
    pub(super) fn end(&self, Part(span): &Part, ended: Ended) {
        if let Some(error) = ended.error_type() {
            span.record("error.type", &*error);
        }
    }
}

pub(super) fn event(event: &Event<'_>) {
    match event {
        Event::ServerDown { server, retry_after, .. } => {
            tracing::warn!(server, ?retry_after, "memcached server is left alone");
        }
        Event::ServerUp { server, .. } => tracing::info!(server, "memcached server answers again"),
        Event::Connected { server, took, .. } => tracing::debug!(server, ?took, "connected"),
        Event::Disconnected { server, cause, .. } => tracing::debug!(server, %cause, "disconnected"),
        Event::Retried { server, .. } => tracing::debug!(server, "sent again over another connection"),
        Event::Rerouted { server, to, operation, .. } => {
            tracing::debug!(server, to, operation, "another server stands in");
        }
        Event::Failed { error, .. } => tracing::debug!(%error, "operation failed"),
        Event::Fetched { outcome, waited, loading } => {
            tracing::debug!(?outcome, ?waited, ?loading, "fetch has ended");
        }
        Event::Lease { event } => tracing::debug!(?event, "lease of a fetch"),
        Event::ServersChanged { change, share } => {
            tracing::info!(servers = change.after().len(), share, "memcached servers have changed");
        }
        Event::AddressChanged { server } => tracing::info!(server, "memcached server has another address"),
        Event::ChangeRefused { share } => tracing::warn!(share, "change of memcached servers is refused"),
        Event::SourceFailed { why } => tracing::warn!(%why, "source of memcached servers fails"),
        Event::SourceRecovered {} => tracing::info!("source of memcached servers answers again"),
    }
}
