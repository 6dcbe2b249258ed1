//! hash_ring, Python's ring of the first consistent-hashing articles.
//!
//! - Names are hashed as they are written. A server of average weight has 40 digests, each of which gives three
//!   points; the number of digests is computed in whole numbers, rounded down.
//! - The search is for a point *above* the hash, so a key that hits a point exactly goes past it.
//! - Two servers on one point: the last of the list has it, and has it alone.
//! - A dead server's keys go to the owners of the next points. No options.
//!
//! [`node_hashring`](super::node_hashring)'s `hash_ring` mode is not this: it searches at or above, the first server owns a
//! shared point, and its counts are rounded as floats are.
//!
//! Source: hash_ring 1.3.1 `hash_ring/ring.py`, `HashRing`.

use super::Peer;
use crate::{
    hash,
    mechanism::{Continuum, Label, Search, Tie, ketama},
    scheme::{Options, RingOptions, Scheme, Weights, fallback},
};

/// hash_ring.
pub const HASH_RING: Scheme<'static> = Scheme {
    name: "hash-ring",
    used_by: "Python's hash_ring and django-memcached-hashring",
    hash: hash::MD5,
    weights: Weights::Whole,
    mechanism: &RING,
    fallback: fallback::walk,
    options: Options::Ring(RingOptions { replicas: 40, points_per_digest: 3 }),
    ..Scheme::BASE
};

/// Digests in whole numbers, a search above the hash, the last server on a shared point: also uhashring's `ketama`.
pub(super) const RING: Continuum<u32> = Continuum {
    label: Label::verbatim,
    count: |scheme, live, member| {
        let RingOptions { replicas, points_per_digest } = scheme.options.ring();
        ketama::whole_share(replicas, member.weight, live.total(), live.count())
            .saturating_mul(points_per_digest)
    },
    points: |scheme, _, label, count, sink| {
        ketama::points(label, count, scheme.options.ring().points_per_digest, sink);
    },
    search: Search::Above,
    tie: Tie::LastStays,
};

pub(super) const PEERS: &[Peer] = &[Peer { scheme: HASH_RING, options: &[], set: |scheme, _, _| Ok(scheme) }];
