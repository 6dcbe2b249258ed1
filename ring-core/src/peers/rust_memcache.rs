//! The crate `memcache` for Rust: SipHash-1-3 modulo the number of servers.
//!
//! - The hash is that of Rust's `DefaultHasher` over a `str`: of the key's bytes and one byte FF. The standard library does
//!   not promise that it stays; it has not changed so far. `Client::with_hash_function` replaces it, and the placement then
//!   is another one.
//! - On machines of 32 bits the peer keeps the lower half of the hash (read, not run): there it places keys elsewhere.
//! - Only the positions of servers count, not their names. No weights, no fallback.
//! - Keys are texts in UTF-8 there. It agrees with no other client.
//!
//! Source: memcache 0.21, `src/client.rs`. The module `memcache::exp` of the same crate is another client.

use super::Peer;
use crate::{
    hash::{Hasher, siphash13::SipHash13},
    mechanism::Slots,
    scheme::Scheme,
    text::Concat,
};

/// The crate `memcache`.
pub const RUST_MEMCACHE: Scheme<'static> = Scheme {
    name: "rust-memcache",
    used_by: "Rust's crate memcache (aisk), on 64-bit machines",
    mechanism: &Slots {
        slot: Some(|scheme, key, total| {
            let hash = SipHash13::of_text(&Concat([&scheme.key.of(key), &[0xff_u8].as_slice()]));
            hash.checked_rem(total.into()).unwrap_or(0) as u32
        }),
    },
    ..Scheme::BASE
};

pub(super) const PEERS: &[Peer] =
    &[Peer { scheme: RUST_MEMCACHE, options: &[], set: |scheme, _, _| Ok(scheme) }];

#[cfg(test)]
mod tests {
    use core::hash::{Hash, Hasher as _};
    use std::{format, hash::DefaultHasher, string::String, vec::Vec};

    use super::*;
    use crate::Server;

    #[test]
    fn hashes_a_str_as_the_standard_library_does() {
        let names: Vec<String> = (0..7).map(|number| format!("s{number}:1")).collect();
        for count in 1..=names.len() {
            let servers: Vec<Server<'_>> = names[..count].iter().map(|name| Server::new(name)).collect();
            for key in (0..100).map(|number| format!("user:{number}:é")).chain([String::new()]) {
                let mut hasher = DefaultHasher::new();
                key.as_str().hash(&mut hasher);
                let expected = hasher.finish() % count as u64;
                let found = RUST_MEMCACHE.choose(&*servers, key.as_bytes()).unwrap();
                assert_eq!(found.get() as u64, expected, "{key} of {count}");
            }
        }
    }
}
