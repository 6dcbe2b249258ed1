//! folsom, Spotify's Java client: a ring of chained MurmurHash3 points, compared as signed numbers.
//!
//! **Read, not run**: the rule is the peer's source, and there are no vectors that the peer made.
//!
//! - A server is named `host:port`, as its `HostAndPort` prints it: an IPv6 address with brackets.
//! - It has 100 points: the first is the MurmurHash3 (32 bits, seed 0) of its name, each further one that of the four bytes
//!   of the one before, least significant first.
//! - Points and hashes are compared as signed numbers, so the ring begins at -2147483648. A key belongs to the first point
//!   at or above its hash. Two servers on one point: the last of the list has it.
//! - A dead server's keys go to the owners of the next points. No weights.
//!
//! Source: folsom `ketama/Continuum.java`.

use super::Peer;
use crate::{
    hash,
    mechanism::{Continuum, Label, Search, Tie},
    scheme::{Scheme, fallback},
};

/// folsom.
pub const FOLSOM: Scheme<'static> = Scheme {
    name: "folsom",
    used_by: "Spotify's folsom, Java (by its source; no vectors of the peer)",
    hash: hash::MURMUR3_SIGNED,
    mechanism: &RING,
    fallback: fallback::walk,
    ..Scheme::BASE
};

/// Points of every server.
const POINTS: u32 = 100;

/// The bit that, when flipped, makes an unsigned number of a signed one in the same order, and back.
const SIGN: u32 = 1 << 31;

const RING: Continuum<u32> = Continuum {
    label: Label::verbatim,
    count: |_, _, _| POINTS,
    points: |scheme, _, label, count, sink| {
        let mut point = scheme.hash.of_text(label);
        for _ in 0..count {
            sink(point);
            point = scheme.hash.of(&(point ^ SIGN).to_le_bytes());
        }
    },
    search: Search::AtOrAbove,
    tie: Tie::LastStays,
};

pub(super) const PEERS: &[Peer] = &[Peer { scheme: FOLSOM, options: &[], set: |scheme, _, _| Ok(scheme) }];

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::{
        Placement, Server, ServerIndex,
        hash::{Hasher as _, murmur3::Murmur3},
        storage::Fixed,
    };

    #[test]
    fn points_are_chained_and_compared_as_signed_numbers() {
        let servers = ["10.0.1.1:11211", "10.0.1.2:11211", "[fd00::1]:11211"].map(Server::new);
        let mut ring = Vec::new();
        for (index, server) in servers.iter().enumerate() {
            let mut point = Murmur3::of(server.name.as_bytes());
            for _ in 0..100 {
                ring.push((point as i32, index));
                point = Murmur3::of(&point.to_le_bytes());
            }
        }
        ring.sort_unstable();
        let placement = Placement::build(FOLSOM, servers, Fixed::<300>::new()).unwrap();
        for number in 0..3000 {
            let key = std::format!("key:{number}");
            let hash = Murmur3::of(key.as_bytes()) as i32;
            let start = ring.iter().position(|&(point, _)| point >= hash).unwrap_or(0);
            let mut expected: Vec<usize> = Vec::new();
            for &(_, owner) in ring[start..].iter().chain(&ring[..start]) {
                if !expected.contains(&owner) {
                    expected.push(owner);
                }
            }
            let mut out = [ServerIndex::default(); 3];
            let order = placement.order(key.as_bytes(), &mut out).iter().map(|server| server.get());
            assert!(order.eq(expected), "{key}");
        }
    }
}
