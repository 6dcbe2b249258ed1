//! Two Python snippets that were published and copied: neither is what its name promises.
//!
//! | scheme | a server's points |
//! |---|---|
//! | [`CONSISTENT_HASHING_PY`] | six digits of the MD5 of `index_0`, `index_1` … |
//! | [`PYTHON_KETAMA`] | the whole MD5 of `name:0:weight`, `name:1:weight` … |
//!
//! `consistent-hashing-py`:
//! - The server's *position in the list* is hashed, not its name: a server inserted in the middle renumbers all that
//!   follow, and their keys go with the numbers.
//! - `replicas` (1) points for each unit of weight, out of a million values, so servers often share one; the first of the
//!   list has it. No fallback.
//!
//! `python-ketama`:
//! - `replicas` (3) points, whatever the weight: the loop over the weight makes the same point again. But the weight is
//!   part of the text, so changing it moves all points of the server. A weight of zero has none.
//! - So few points share the keys out badly: of three servers one may have half of them.
//! - The same name and weight given twice is one server, the first. A dead server's keys go to the owners of the next
//!   points.
//!
//! Both search for a point at or above the hash.
//!
//! Source: `consistent_hashing.py`, class `ConsistentHash`; python-ketama, class `HashRing`, the variant with weights.

use super::{Peer, count};
use crate::{
    hash::{self, md5},
    mechanism::{Continuum, Label, Search, Tie},
    scheme::{Options, RingOptions, Scheme, Weights, fallback},
    text::{Concat, Decimal},
};

/// The snippet that hashes positions.
pub const CONSISTENT_HASHING_PY: Scheme<'static> = Scheme {
    name: "consistent-hashing-py",
    used_by: "the Python snippet consistent_hashing.py",
    hash: hash::MD5_SIX_DIGITS,
    weights: Weights::Whole,
    mechanism: &NUMBERED,
    options: Options::Ring(RingOptions::new(1)),
    ..Scheme::BASE
};

/// The snippet that is called ketama.
pub const PYTHON_KETAMA: Scheme<'static> = Scheme {
    name: "python-ketama",
    used_by: "the Python snippet python-ketama, with weights",
    hash: hash::MD5,
    weights: Weights::Whole,
    mechanism: &WITH_WEIGHT,
    fallback: fallback::walk,
    options: Options::Ring(RingOptions::new(3)),
    ..Scheme::BASE
};

const NUMBERED: Continuum<u32> = Continuum {
    label: Label::verbatim,
    count: |scheme, _, member| scheme.options.ring().replicas.saturating_mul(member.weight),
    points: |scheme, member, _, count, sink| {
        let index = Decimal(member.index.get() as u64);
        for number in 0..count {
            sink(scheme.hash.of_text(&Concat([&index, &"_", &Decimal(number.into())])));
        }
    },
    search: Search::AtOrAbove,
    tie: Tie::FirstStays,
};

const WITH_WEIGHT: Continuum<u128> = Continuum {
    label: Label::verbatim,
    count: |scheme, _, member| if member.weight == 0 { 0 } else { scheme.options.ring().replicas },
    points: |_, member, label, count, sink| {
        let weight = Decimal(member.weight.into());
        for number in 0..count {
            let number = Decimal(number.into());
            sink(md5::number(md5::digest_text(&Concat([label, &":", &number, &":", &weight]))));
        }
    },
    search: Search::AtOrAbove,
    tie: Tie::FirstStays,
};

pub(super) const PEERS: &[Peer] = &[peer(CONSISTENT_HASHING_PY), peer(PYTHON_KETAMA)];

const fn peer(scheme: Scheme<'static>) -> Peer {
    Peer {
        scheme,
        options: &["replicas"],
        set: |scheme, _, value| Ok(Scheme { options: scheme.options.with_replicas(count(value)?), ..scheme }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Placement, Server, ServerIndex, storage::FixedWide};

    #[test]
    fn weight_adds_no_points_to_python_ketama_but_moves_them() {
        let servers = |weight| ["a:1", "b:1", "c:1"].map(|name| Server::new(name).weighing(weight));
        assert_eq!(PYTHON_KETAMA.needs(&servers(1)).unwrap().entries, 9);
        assert_eq!(PYTHON_KETAMA.needs(&servers(7)).unwrap().entries, 9);
        assert!(PYTHON_KETAMA.needs(&servers(0)).is_err());
        let keys = ["tokyo", "some_key", "user:123:profile", "a", "b", "c"];
        let places =
            |weight| keys.map(|key| PYTHON_KETAMA.choose(&servers(weight), key.as_bytes()).unwrap().get());
        assert_ne!(places(1), places(7));
    }

    #[test]
    fn a_server_given_twice_to_python_ketama_is_the_first() {
        let servers = ["a:1", "b:1", "a:1"].map(Server::new);
        let placement = Placement::build(PYTHON_KETAMA, servers, FixedWide::<9>::new()).unwrap();
        let mut out = [ServerIndex::default(); 3];
        let order = placement.order(b"tokyo", &mut out);
        assert_eq!((order.len(), order.contains(&ServerIndex::new(2))), (2, false));
    }

    #[test]
    fn names_mean_nothing_to_consistent_hashing_py() {
        let scheme = CONSISTENT_HASHING_PY.with_option("replicas", "100").unwrap();
        for names in [["a", "b", "c"], ["c", "", "a"]] {
            let servers = names.map(Server::new);
            let places = ["tokyo", "some_key", "user:123:profile"]
                .map(|key| scheme.choose(&servers, key.as_bytes()).unwrap().get());
            assert_eq!(places, [2, 1, 1]);
        }
    }
}
