//! Spans and events of `tracing`.

use super::{Ended, Peer};
use crate::failure::Event;

/// The span of one operation.
#[derive(Debug)]
pub(super) struct Part(tracing::Span);

impl Part {
    #[inline]
    pub(super) fn new(peer: &Peer, operation: &'static str) -> Self {
        Self(tracing::debug_span!(
            "memcached",
            otel.kind = "client",
            db.system.name = "memcached",
            db.operation.name = operation,
            server.address = &*peer.address,
            server.port = peer.port,
            error.r#type = tracing::field::Empty,
        ))
    }

    #[inline]
    pub(super) fn ended(&self, ended: Ended) {
        if let Some(error) = ended.error_type() {
            self.0.record("error.type", &*error);
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
    }
}
