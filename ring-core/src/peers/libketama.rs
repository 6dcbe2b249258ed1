//! libketama, last.fm's library: the reference that gave ketama its name.
//!
//! Used directly and through its PHP, Python, Perl, Lua and Erlang bindings.
//!
//! - A server is named `host:port`, the port always there. (libmemcached drops `:11211`: the two place two thirds of
//!   the keys of such a fleet differently.)
//! - Weights are whole numbers above zero; the share of a server is computed in f32 and f64.
//! - Two servers on one point: the first of the list has it.
//! - No fallback.
//!
//! Traps of the peer that are not placement: addresses of more than 21 characters overflow a buffer, and a servers file
//! without a final newline loses the last digit of its last weight.
//!
//! Source: libketama `ketama.c`, `ketama_create_continuum` and `ketama_get_server`.

use super::{Peer, count, informs};
use crate::{
    hash,
    mechanism::{Continuum, Label, ketama},
    scheme::{Options, Scheme, Weights},
};

/// Ketama as libketama does it.
pub const LIBKETAMA: Scheme<'static> = Scheme {
    name: "libketama",
    used_by: "last.fm's libketama and its PHP, Python, Perl, Lua and Erlang bindings",
    hash: hash::MD5,
    weights: Weights::Positive,
    mechanism: &CONTINUUM,
    ..Scheme::BASE
};

const CONTINUUM: Continuum<u32> = Continuum {
    count: |_, live, member| {
        ketama::POINTS_PER_DIGEST * ketama::digests_libketama(member.weight, live.total(), live.count())
    },
    ..ketama::ring(Label::verbatim)
};

pub(super) const PEERS: &[Peer] = &[Peer {
    scheme: LIBKETAMA,
    options: &["hash", "points-in-ring"],
    set: |scheme, name, value| match name {
        "hash" => informs(scheme, value, "md5"),
        _ => Ok(Scheme { options: Options::PointsInRing(count(value)? as usize), ..scheme }),
    },
}];
