//! mcrouter: furc_hash, weighted and not, and CRC-32.

use super::Peer;

pub(super) const PEERS: &[Peer] = &[];
