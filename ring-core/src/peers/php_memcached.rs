//! php-memcached: libmemcached under php's option names.

use super::Peer;

pub(super) const PEERS: &[Peer] = &[];
