//! pylibmc, libmemcached in Python: its schemes under pylibmc's names.
//!
//! | scheme | behaviors | see [`libmemcached`] |
//! |---|---|---|
//! | [`MODULA`] | the default | `MODULA` |
//! | [`CONSISTENT`] | `{"distribution": "consistent"}` | `CONSISTENT` |
//! | [`KETAMA`] | `{"ketama": True}` | `KETAMA`: *not* what others call ketama |
//! | [`KETAMA_WEIGHTED`] | `{"ketama": True, "ketama_weighted": True}` | `KETAMA_WEIGHTED` |
//!
//! - pylibmc sets its behaviors before it adds servers, so that one weight above 1 makes [`CONSISTENT`] and [`KETAMA`]
//!   weighted rings, whose keys are hashed as before.
//! - Names are [`libmemcached`]'s, but an IPv6 address loses its brackets: pylibmc takes `[::1]:11212` apart.
//! - Option `hash`: `default` (one_at_a_time), `md5`, `crc` and the others of libhashkit. [`KETAMA_WEIGHTED`] takes it and
//!   ignores it, as the peer does, which sets `ketama_weighted`, and md5 with it, after `hash`, in whatever order they
//!   are given. (A hash that is set later, by `client.behaviors["hash"] = …`, counts: `libmemcached-ketama-weighted`.)
//! - `distribution` is checked. `auto_eject_hosts` is the behavior `remove_failed` or `auto_eject`.
//!
//! Source: pylibmc 1.6.3 on libmemcached 1.1.4.

use super::{
    Peer, informs,
    libmemcached::{
        self,
        rings::{Rings, socket},
    },
};
use crate::{
    mechanism::{Label, ketama},
    scheme::Scheme,
};

/// pylibmc as it comes.
pub const MODULA: Scheme<'static> =
    Scheme { name: "pylibmc-modula", used_by: "pylibmc, Python, by default", ..libmemcached::MODULA };

/// pylibmc with the distribution `consistent`.
pub const CONSISTENT: Scheme<'static> = Scheme {
    name: "pylibmc-consistent",
    used_by: "pylibmc, Python, with the distribution consistent",
    mechanism: RINGS,
    ..libmemcached::CONSISTENT
};

/// pylibmc with `ketama`.
pub const KETAMA: Scheme<'static> = Scheme {
    name: "pylibmc-ketama",
    used_by: "pylibmc, Python, with ketama",
    mechanism: RINGS,
    ..libmemcached::KETAMA
};

/// pylibmc with `ketama_weighted`.
pub const KETAMA_WEIGHTED: Scheme<'static> = Scheme {
    name: "pylibmc-ketama-weighted",
    used_by: "pylibmc, Python, with ketama_weighted",
    mechanism: &const { ketama::ring(label) },
    ..libmemcached::KETAMA_WEIGHTED
};

const RINGS: &Rings = &const { Rings::of(label) };

fn label(name: &str) -> Label<'_> {
    socket(name).unwrap_or_else(|| Label::without_default_port_and_brackets(name))
}

pub(super) const PEERS: &[Peer] = &[peer(MODULA), peer(CONSISTENT), peer(KETAMA), peer(KETAMA_WEIGHTED)];

const fn peer(scheme: Scheme<'static>) -> Peer {
    Peer {
        scheme,
        options: &["distribution", "hash", "auto_eject_hosts"],
        set: |scheme, name, value| match (name, scheme.name) {
            ("distribution", "pylibmc-modula") => informs(scheme, value, "modula"),
            ("distribution", "pylibmc-consistent") => informs(scheme, value, "consistent"),
            ("distribution", "pylibmc-ketama") => informs(scheme, value, "ketama"),
            ("distribution", _) => informs(scheme, value, "ketama_weighted"),
            ("hash", "pylibmc-ketama-weighted") => libmemcached::set(scheme, name, value).map(|_| scheme),
            _ => libmemcached::set(scheme, name, value),
        },
    }
}
