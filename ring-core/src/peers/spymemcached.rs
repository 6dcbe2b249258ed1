//! spymemcached, the Java client.

use super::Peer;

pub(super) const PEERS: &[Peer] = &[];
