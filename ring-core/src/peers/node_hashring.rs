//! npm hashring and memcached: ketama with float shares.

use super::Peer;

pub(super) const PEERS: &[Peer] = &[];
