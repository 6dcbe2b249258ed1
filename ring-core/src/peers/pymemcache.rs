//! pymemcache's HashClient, Django's PyMemcacheCache: rendezvous over MurmurHash3.
//!
//! - A server is named `host:port`, with 11211 where no port is given, an IPv6 address without its brackets; a Unix socket
//!   is its path, without `unix:`.
//! - The score of a server is the MurmurHash3 of `name-key`. On equal scores the greater name wins. No weights.
//! - The peer hashes *characters*, each as its lowest byte: `é` is E9, not the two bytes that go over the wire. So a key is
//!   read as UTF-8.
//! - Option `key-type=bytes`: the caller passes `bytes` keys, and the peer hashes how Python prints them, `b'key'`. The
//!   same key as `str` is on another server.
//! - `key_prefix` is not hashed.
//! - A dead server is left out, and the next best has its keys.
//!
//! Source: pymemcache 4.0.0 `pymemcache/client/hash.py`, `rendezvous.py` and `murmur3.py`.

use super::{Peer, python};
use crate::{
    hash,
    mechanism::{Label, Rendezvous},
    scheme::{Scheme, fallback},
    text::Concat,
};

/// pymemcache's HashClient.
pub const PYMEMCACHE_RENDEZVOUS: Scheme<'static> = Scheme {
    name: "pymemcache-rendezvous",
    used_by: "Python's pymemcache HashClient, Django's PyMemcacheCache",
    hash: hash::MURMUR3_CHARS,
    mechanism: &Rendezvous {
        score: |scheme, member, key| {
            scheme.hash.of_text(&Concat([&name(member.name), &"-", &scheme.key.of(key)]))
        },
        tie: |_, left, right| name(left.name).bytes().cmp(name(right.name).bytes()),
    },
    fallback: fallback::walk,
    ..Scheme::BASE
};

fn name(server: &str) -> Label<'_> {
    match server.strip_prefix("unix:") {
        Some(path) => Label::verbatim(path),
        None => Label::host_and_port(server),
    }
}

pub(super) const PEERS: &[Peer] = &[Peer {
    scheme: PYMEMCACHE_RENDEZVOUS,
    options: &["key-type"],
    set: |scheme, _, value| Ok(Scheme { key: python::key_type(value, scheme.key)?, ..scheme }),
}];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Placement, Server, ServerIndex, storage::Fixed};

    #[test]
    fn names_are_normalised() {
        for (server, expected) in [
            ("a", "a:11211"),
            ("a:11311", "a:11311"),
            ("[2001:db8::3]", "2001:db8::3:11211"),
            ("[2001:db8::3]:2", "2001:db8::3:2"),
            ("unix:/run/a.sock", "/run/a.sock"),
            ("unix:a.sock", "a.sock"),
            ("/run/a.sock", "/run/a.sock"),
        ] {
            assert!(name(server).bytes().eq(expected.bytes()), "{server}");
        }
    }

    #[test]
    fn one_name_given_twice_is_met_twice_first_one_first() {
        let placement = Placement::build(
            PYMEMCACHE_RENDEZVOUS,
            ["a", "b", "a:11211"].map(Server::new),
            Fixed::<0>::new(),
        )
        .unwrap();
        let mut out = [ServerIndex::default(); 3];
        let order = placement.order(b"tokyo", &mut out);
        let first = order.iter().position(|server| server.get() == 0).unwrap();
        assert_eq!((order.len(), order[first + 1].get()), (3, 2));
    }
}
