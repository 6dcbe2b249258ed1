//! Jump hash over naturally sorted names: Thanos, Cortex, Loki, Mimir.

use super::Peer;

pub(super) const PEERS: &[Peer] = &[];
