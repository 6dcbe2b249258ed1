//! How the servers of a client are doing.

use memring_core::health::HealthStatus;

use crate::{failure::ServerCounts, spec::ServerSpec, watch::Watch};

/// A server of a client, and how it is doing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerStatus {
    /// The server.
    pub spec: ServerSpec,
    /// Whether it belongs to the gutter.
    pub is_spare: bool,
    /// Whether no server has the slot now: its server has left, and no other has taken its place. Only servers that are
    /// found out leave slots.
    pub is_vacant: bool,
    /// Whether it may be asked.
    pub health: HealthStatus,
    /// Counts of what has happened so far between the client and the server, and to the server's keys.
    pub counts: ServerCounts,
    /// How many connections to the server are open or being opened.
    pub connections: usize,
    /// How many of these have nothing under way.
    pub idle: usize,
    /// How many requests wait for an answer. The blocking client has at most one on a connection; a batch's share on a
    /// connection counts as one.
    pub waiting: usize,
}

/// The connections to one server, as a client counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// How many are open or being opened.
    pub count: usize,
    /// How many of these have nothing under way.
    pub idle: usize,
    /// How many requests wait for an answer.
    pub waiting: usize,
}

impl ServerStatus {
    /// The status of the server of `spec`, whose health `watch` knows.
    #[must_use]
    pub fn new(spec: &ServerSpec, is_spare: bool, watch: &Watch, connections: Connections) -> Self {
        let is_vacant = watch.is_vacant();
        let (spec, health, counts) = (spec.clone(), watch.status(), watch.counters().counts());
        let Connections { count: connections, idle, waiting } = connections;
        Self { spec, is_spare, is_vacant, health, counts, connections, idle, waiting }
    }
}
