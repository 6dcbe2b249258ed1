//! nginx' upstream hash in front of memcached.

use super::Peer;

pub(super) const PEERS: &[Peer] = &[];
