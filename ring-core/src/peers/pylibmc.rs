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
//! - Option `hash`: `default` (one_at_a_time), `md5`, `crc` and the others of libhashkit. `distribution` is checked.
//!   `auto_eject_hosts` is the behavior `remove_failed` or `auto_eject`.
//!
//! Source: pylibmc 1.6.3 on libmemcached 1.1.4.

use super::{Peer, informs, libmemcached};
use crate::scheme::Scheme;

/// pylibmc as it comes.
pub const MODULA: Scheme<'static> =
    Scheme { name: "pylibmc-modula", used_by: "pylibmc, Python, by default", ..libmemcached::MODULA };

/// pylibmc with the distribution `consistent`.
pub const CONSISTENT: Scheme<'static> = Scheme {
    name: "pylibmc-consistent",
    used_by: "pylibmc, Python, with the distribution consistent",
    ..libmemcached::CONSISTENT
};

/// pylibmc with `ketama`.
pub const KETAMA: Scheme<'static> =
    Scheme { name: "pylibmc-ketama", used_by: "pylibmc, Python, with ketama", ..libmemcached::KETAMA };

/// pylibmc with `ketama_weighted`.
pub const KETAMA_WEIGHTED: Scheme<'static> = Scheme {
    name: "pylibmc-ketama-weighted",
    used_by: "pylibmc, Python, with ketama_weighted",
    ..libmemcached::KETAMA_WEIGHTED
};

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
            _ => libmemcached::set(scheme, name, value),
        },
    }
}
