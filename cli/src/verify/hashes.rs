//! The hash functions that vector files can be about.

use memring_core::hash::{self, Hash, Hasher as _, Murmur64a, Xxh3, Xxh3Seeded, Xxh64, names};

/// Hashes a key, and writes the value as the files do.
pub(super) type Written = Box<dyn Fn(&[u8]) -> String>;

/// What a file's header `hash` names, if it is known.
pub(super) fn named(header: &str) -> Option<Written> {
    // Behind a comma stand the seed and remarks.
    let name = header.split_once(',').map_or(header, |(name, _)| name);
    Some(match name {
        "murmur_hash_64A" => Box::new(|key| format!("{:016x}", Murmur64a::of(key))),
        "xxHash64" => Box::new(|key| format!("{:016x}", Xxh64::of(key))),
        "XXH3" => Box::new(|key| format!("{:016x}", Xxh3::of(key))),
        "XXH3-seeded" => Box::new(|key| format!("{:016x}", Xxh3Seeded::of(key))),
        "mcrouter-spooky32" => Box::new(|key| format!("{:08x}", hash::SPOOKY32.of(key))),
        _ => {
            let hash = of_family(name)?;
            Box::new(move |key| format!("{:08x}", hash.of(key)))
        }
    })
}

/// The function that `name` calls by its peer and the peer's own name.
fn of_family(name: &str) -> Option<Hash> {
    let (peer, name) = name.split_once('-')?;
    let name = name.replace('-', "_");
    match peer {
        "libhashkit" => names::LIBMEMCACHED.hash(&name),
        "twemproxy" => names::TWEMPROXY.hash(&name),
        "spymemcached" => names::SPYMEMCACHED.hash(&format!("{}_HASH", name.to_uppercase())),
        _ => None,
    }
}
