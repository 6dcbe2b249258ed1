//! emcache, an asyncio client for Python in Cython: rendezvous over a hash of 640 values.
//!
//! - A server's name is host and port with *nothing between them*, an IPv6 address without its brackets; a Unix socket is
//!   its path. So `10.0.1.1:11211` and `10.0.1.11:1211` are one name.
//! - The score of a server is the hash of the key and its name. The hash has [only 640 values](crate::hash::EMCACHE),
//!   so servers often tie; then the greater hash of the name decides, then the order of the list.
//! - With `purge_unhealthy_nodes` a dead server is left out, and the next best has the key; without it, which is the
//!   peer's default, there is no fallback.
//! - No weights, no options.
//! - Where C's `char` is unsigned, as on ARM, the peer places keys elsewhere. This is the placement of x86-64.
//!
//! Source: emcache 1.3.3 `emcache/_cython/cyemcache.pyx` and its rendezvous hashing, `node_selection`.

use super::Peer;
use crate::{
    hash,
    mechanism::{Label, Rendezvous},
    scheme::{Scheme, fallback},
    text::Concat,
};

/// emcache.
pub const EMCACHE: Scheme<'static> = Scheme {
    name: "emcache",
    used_by: "Python's emcache, for asyncio, on x86-64",
    hash: hash::EMCACHE,
    mechanism: &Rendezvous {
        score: |scheme, member, key| scheme.hash.of_text(&Concat([&scheme.key.of(key), &name(member.name)])),
        tie: |scheme, left, right| {
            let hash = |server| scheme.hash.of_text(&name(server));
            hash(left.name).cmp(&hash(right.name))
        },
    },
    fallback: fallback::walk,
    ..Scheme::BASE
};

fn name(server: &str) -> Label<'_> {
    let label = Label::host_and_port(server);
    Label { tail: label.tail.strip_prefix(':').unwrap_or(label.tail), ..label }
}

pub(super) const PEERS: &[Peer] = &[Peer { scheme: EMCACHE, options: &[], set: |scheme, _, _| Ok(scheme) }];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Server, ServerIndex};

    #[test]
    fn names_have_nothing_between_host_and_port() {
        for (server, expected) in [
            ("10.0.1.1:11211", "10.0.1.111211"),
            ("10.0.1.11:1211", "10.0.1.111211"),
            ("[2001:db8::3]:2", "2001:db8::32"),
            ("/run/a.sock", "/run/a.sock"),
        ] {
            assert!(name(server).bytes().eq(expected.bytes()), "{server}");
        }
    }

    #[test]
    fn of_servers_with_one_name_the_first_has_the_key_and_the_second_is_next() {
        let servers = ["10.0.1.1:11211", "10.0.1.11:1211"].map(Server::new);
        let placement = crate::Placement::build(EMCACHE, servers, crate::storage::Fixed::<0>::new()).unwrap();
        let mut out = [ServerIndex::default(); 3];
        let order = placement.order(b"tokyo", &mut out);
        assert_eq!(order, [ServerIndex::new(0), ServerIndex::new(1)]);
    }
}
