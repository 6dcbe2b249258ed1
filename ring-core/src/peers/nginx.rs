//! nginx: `memcached_pass` to an upstream with the directive `hash`.
//!
//! | scheme | directive |
//! |---|---|
//! | [`HASH`] | `hash KEY;`: 15 bits of CRC-32 modulo the weights, as Cache::Memcached |
//! | [`CONSISTENT`] | `hash KEY consistent;`: chained CRC-32 points, as Cache::Memcached::Fast with `ketama_points` 160 |
//!
//! - Weights are whole numbers above zero; a server of [`CONSISTENT`] has 160 points for each unit.
//! - A server is named by the text of its `server` directive. For [`CONSISTENT`] it is cut at the last colon if only
//!   digits follow, `unix:` in front is dropped, and two servers on one point: the first of the list has it.
//! - When a server is down, [`HASH`] adds the hash of the number of the try and the key, and [`CONSISTENT`] goes on to the
//!   next point. After twenty tries, or twenty points of servers that are down or were tried, nginx goes over to round
//!   robin, which does not depend on the key. Here the order of [`HASH`] ends there, and that of [`CONSISTENT`] goes on
//!   along the ring.
//!   (A server that is found down only by being asked does not count as a try of [`HASH`]; then nginx has the order given
//!   here and goes on with it.)
//! - An upstream with an empty key is served round robin by nginx. Here it is a key like others.
//! - `hash` and `points-per-server` are checked.
//!
//! Source: nginx 1.22.1 `ngx_http_upstream_hash_module.c`.

use super::{Peer, cache_memcached, crc_chain, informs};
use crate::{
    hash,
    mechanism::{Continuum, Label, Search, Slots, Tie},
    scheme::{Scheme, Weights, fallback},
    server::host_and_port,
};

/// `hash KEY;`.
pub const HASH: Scheme<'static> = Scheme {
    name: "nginx-hash",
    used_by: "nginx with `hash KEY` in the upstream",
    hash: hash::CRC15,
    weights: Weights::Positive,
    mechanism: &Slots::BY_HASH,
    fallback: cache_memcached::rehash,
    tries: 1 + 20,
    ..Scheme::BASE
};

/// `hash KEY consistent;`.
pub const CONSISTENT: Scheme<'static> = Scheme {
    name: "nginx-hash-consistent",
    used_by: "nginx with `hash KEY consistent` in the upstream",
    hash: hash::CRC32,
    mechanism: &CONTINUUM,
    fallback: fallback::walk,
    tries: u32::MAX,
    ..HASH
};

/// Points of a server for each unit of its weight.
const POINTS: u32 = 160;

const CONTINUUM: Continuum<u32> = Continuum {
    label: Label::verbatim,
    count: |_, _, member| POINTS.saturating_mul(member.weight),
    points: |_, _, label, count, sink| {
        let (host, port) = address(label.name);
        crc_chain::points(host, port, count, sink);
    },
    search: Search::AtOrAbove,
    tie: Tie::FirstStays,
};

/// Host and port of a server's directive, either as its text.
fn address(name: &str) -> (&str, &str) {
    match name.split_at_checked(5) {
        Some((scheme, path)) if scheme.eq_ignore_ascii_case("unix:") => (path, ""),
        _ => match host_and_port(name) {
            (host, Some(port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
            _ => (name, ""),
        },
    }
}

pub(super) const PEERS: &[Peer] = &[
    Peer { scheme: HASH, options: &["hash"], set },
    Peer { scheme: CONSISTENT, options: &["hash", "points-per-server"], set },
];

fn set<'a>(scheme: Scheme<'a>, name: &str, value: &'a str) -> Result<Scheme<'a>, &'static str> {
    match name {
        "hash" => informs(scheme, value, "crc32"),
        _ => informs(scheme, value, "160 x weight"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        placement::Placement,
        server::{Server, ServerIndex},
        storage::Fixed,
    };

    #[test]
    fn worked_examples() {
        let servers = ["10.0.1.1:11211", "10.0.1.2:11211", "10.0.1.3:11211"].map(Server::new);
        for (key, hash, consistent) in
            [("tokyo", [2, 0, 1], [1, 2, 0]), ("foo", [1, 0, 2], [2, 0, 1]), ("test", [2, 0, 1], [2, 0, 1])]
        {
            for (scheme, expected) in [(HASH, hash), (CONSISTENT, consistent)] {
                let placement = Placement::build(scheme, servers, Fixed::<480>::new()).unwrap();
                let mut out = [ServerIndex::default(); 3];
                assert_eq!(
                    placement.order(key.as_bytes(), &mut out),
                    expected.map(ServerIndex::new),
                    "{key}"
                );
            }
        }
    }

    #[test]
    fn a_server_is_cut_before_its_port() {
        for (name, expected) in [
            ("10.0.1.1:11211", ("10.0.1.1", "11211")),
            ("10.0.1.1", ("10.0.1.1", "")),
            ("[::1]:11211", ("[::1]", "11211")),
            ("[::1]", ("[::1]", "")),
            ("cache.example.com:", ("cache.example.com", "")),
            ("cache:a1", ("cache:a1", "")),
            ("unix:/a.sock", ("/a.sock", "")),
            ("UNIX:/a:1", ("/a:1", "")),
            ("unix", ("unix", "")),
            ("", ("", "")),
        ] {
            assert_eq!(address(name), expected, "{name}");
        }
    }
}
