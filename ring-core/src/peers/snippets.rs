//! Published Python snippets that programs have copied.

use super::Peer;

pub(super) const PEERS: &[Peer] = &[];
