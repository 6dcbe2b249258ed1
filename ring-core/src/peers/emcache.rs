//! emcache for Python: rendezvous with a narrow hash.

use super::Peer;

pub(super) const PEERS: &[Peer] = &[];
