//! Dalli, Ruby on Rails' client: a SHA-1 ring searched downwards.

use super::Peer;

pub(super) const PEERS: &[Peer] = &[];
