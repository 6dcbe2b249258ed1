//! What is easily got wrong with a scheme's options, in a sentence each; the schemes' own files say more.

/// A trap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trap {
    /// The name of the scheme; with a `*` at the end, of all whose names begin so.
    pub schemes: &'static str,
    /// What to mind.
    pub says: &'static str,
}

impl Trap {
    /// The traps of the scheme `name`.
    pub fn of(name: &str) -> impl Iterator<Item = &'static Self> {
        TRAPS.iter().filter(move |trap| is_about(trap.schemes, name))
    }
}

/// Whether `schemes` names the scheme `name`; with a `*` at the end, all that begin so.
pub(super) fn is_about(schemes: &str, name: &str) -> bool {
    match schemes.strip_suffix('*') {
        Some(begin) => name.starts_with(begin),
        None => name == schemes,
    }
}

/// Every trap.
pub const TRAPS: &[Trap] = &[
    Trap {
        schemes: "memcached-proxy",
        says: "omode makes points alone: without hash=ring_hash keys are hashed with XXH3, and omode=ketama agrees with no \
               client of ketama",
    },
    Trap {
        schemes: "libmemcached-ketama",
        says: "this is not what others call ketama: that is libmemcached-ketama-weighted",
    },
    Trap {
        schemes: "pylibmc-ketama",
        says: "this is not what others call ketama: that is pylibmc-ketama-weighted",
    },
    Trap {
        schemes: "twemproxy-ketama",
        says: "keys are hashed with fnv1a_64 unless hash says md5, though points are MD5",
    },
    Trap {
        schemes: "spymemcached-ketama",
        says: "the resolved address is part of a server's name: cache1/10.0.1.1:11211",
    },
    Trap {
        schemes: "xmemcached-*",
        says: "a server is named as Java prints its address, with the slash: /10.0.1.1:11211",
    },
    Trap { schemes: "xmemcached-phpmemcache", says: "hash=CRC32_HASH puts all keys on the first server" },
    Trap { schemes: "enyim", says: "host names are looked up first: a server is named by its address" },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers;

    #[test]
    fn every_trap_is_some_scheme_s() {
        for trap in TRAPS {
            assert!(
                peers::all().any(|peer| Trap::of(peer.scheme.name).any(|other| other == trap)),
                "{trap:?}"
            );
        }
        assert_eq!(Trap::of("xmemcached-phpmemcache").count(), 2);
        assert_eq!(Trap::of("libketama").count(), 0);
    }
}
