//! PECL memcache, php's older extension.

use super::Peer;

pub(super) const PEERS: &[Peer] = &[];
