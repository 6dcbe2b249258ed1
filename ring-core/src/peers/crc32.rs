//! Plain CRC-32 modulo the number of servers: what one writes by hand.
//!
//! `crc32-modulo` is the loop of the classic introductions to memcached. It is *not* what Cache::Memcached does, which
//! those introductions mean to explain: that keeps 15 bits of the CRC.
//!
//! No weights (name a server twice instead), no fallback.

use super::Peer;
use crate::{hash, scheme::Scheme};

/// All 32 bits of the CRC of the key, modulo the number of servers.
pub const CRC32_MODULO: Scheme<'static> = Scheme {
    name: "crc32-modulo",
    used_by: "hand-written clients: CRC-32 of the key modulo the number of servers",
    hash: hash::CRC32,
    ..Scheme::BASE
};

pub(super) const PEERS: &[Peer] =
    &[Peer { scheme: CRC32_MODULO, options: &[], set: |scheme, _, _| Ok(scheme) }];
