//! Plain CRC-32 modulo the number of servers: what one writes by hand.
//!
//! | scheme | who |
//! |---|---|
//! | [`CRC32_MODULO`] | the loop of the classic introductions to memcached |
//! | [`GOMEMCACHE`] | gomemcache's `ServerList` |
//! | [`META_MEMCACHE_CRC32`] | meta-memcache-py's `NonConsistentHashPoolProvider` |
//!
//! - No weights (name a server twice instead), no fallback, no options.
//! - The introductions mean to explain Cache::Memcached, but that keeps 15 bits of the CRC: it is
//!   [`CACHE_MEMCACHED`](super::cache_memcached::CACHE_MEMCACHED).
//! - gomemcache hashes the first 256 bytes of a key only, six more than memcached allows.
//! - meta-memcache-py hashes the routing key where a key has one.
//!
//! Source: gomemcache `memcache/selector.go`, `PickServer`; meta-memcache-py 4.3 `connection/providers.py`.

use super::Peer;
use crate::{hash, key::KeyText, scheme::Scheme};

/// All 32 bits of the CRC of the key, modulo the number of servers.
pub const CRC32_MODULO: Scheme<'static> = Scheme {
    name: "crc32-modulo",
    used_by: "hand-written clients: CRC-32 of the key modulo the number of servers",
    hash: hash::CRC32,
    ..Scheme::BASE
};

/// gomemcache.
pub const GOMEMCACHE: Scheme<'static> = Scheme {
    name: "gomemcache",
    used_by: "Go's gomemcache (bradfitz)",
    key: KeyText { form: Some(|_, key, sink| sink(key.get(..LONGEST).unwrap_or(key))), ..KeyText::WHOLE },
    ..CRC32_MODULO
};

/// meta-memcache-py without its ring.
pub const META_MEMCACHE_CRC32: Scheme<'static> = Scheme {
    name: "meta-memcache-crc32",
    used_by: "meta-memcache-py with NonConsistentHashPoolProvider",
    ..CRC32_MODULO
};

/// The size of the buffer that gomemcache copies a key into.
const LONGEST: usize = 256;

pub(super) const PEERS: &[Peer] = &[peer(CRC32_MODULO), peer(GOMEMCACHE), peer(META_MEMCACHE_CRC32)];

const fn peer(scheme: Scheme<'static>) -> Peer {
    Peer { scheme, options: &[], set: |scheme, _, _| Ok(scheme) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gomemcache_does_not_see_byte_257() {
        let key = [b'x'; 257];
        assert_eq!(GOMEMCACHE.hash_key(&key), GOMEMCACHE.hash_key(&key[..256]));
        assert_ne!(GOMEMCACHE.hash_key(&key), GOMEMCACHE.hash_key(&key[..255]));
        assert_ne!(CRC32_MODULO.hash_key(&key), CRC32_MODULO.hash_key(&key[..256]));
    }

    #[test]
    fn the_article_and_the_module_that_it_explains_differ() {
        let servers = ["node1", "node2", "node3"].map(crate::Server::new);
        let places = |scheme: Scheme<'_>| {
            ["tokyo", "kanagawa", "chiba", "saitama", "gunma"]
                .map(|key| scheme.choose(&servers, key.as_bytes()).unwrap().get() + 1)
        };
        assert_eq!(places(CRC32_MODULO), [2, 3, 2, 1, 1]);
        assert_eq!(places(super::super::cache_memcached::CACHE_MEMCACHED), [3, 1, 2, 2, 2]);
    }
}
