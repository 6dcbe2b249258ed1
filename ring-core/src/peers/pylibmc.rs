//! pylibmc: libmemcached under Python's behaviour names.

use super::Peer;

pub(super) const PEERS: &[Peer] = &[];
