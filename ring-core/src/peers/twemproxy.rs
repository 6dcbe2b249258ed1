//! twemproxy (nutcracker), the proxy.

use super::Peer;

pub(super) const PEERS: &[Peer] = &[];
