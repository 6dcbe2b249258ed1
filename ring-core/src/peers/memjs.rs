//! memjs, Node's client for MemCachier: Java's string hash modulo the number of servers.
//!
//! - The hash runs over UTF-16 code units, so a key is read as UTF-8; for ASCII it is the same as over bytes.
//! - No weights, no options. A dead server's keys go to the next server of the list, and so on round.
//!
//! Source: memjs 1.3.2 `lib/memjs/memjs.js` and `utils.js`, `hashCode`.

use super::Peer;
use crate::{
    hash,
    scheme::{Scheme, fallback},
};

/// memjs.
pub const MEMJS: Scheme<'static> = Scheme {
    name: "memjs",
    used_by: "Node's memjs, MemCachier's client",
    hash: hash::MEMJS,
    fallback: fallback::next_index,
    ..Scheme::BASE
};

pub(super) const PEERS: &[Peer] = &[Peer { scheme: MEMJS, options: &[], set: |scheme, _, _| Ok(scheme) }];
