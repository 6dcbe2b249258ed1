//! The two rings of libmemcached, and how the library gets from one to the other.

use crate::{
    live::Live,
    mechanism::{Continuum, Division, Label, View, Way, ketama},
    order::Order,
    scheme::{BuildError, Scheme},
    server::{ServerIndex, host_and_port},
    storage::{EntriesMut, Needs},
};

/// Points that every server has on the unweighted ring.
///
/// Source: libmemcached 1.1.4 `MEMCACHED_POINTS_PER_SERVER`.
const POINTS: u32 = 100;

/// MD5 ketama, a server's points by its weight.
pub(super) const WEIGHTED: Continuum<u32> = ketama::ring(label);

/// [`WEIGHTED`] or unweighted: as many points for every server, each the hash of a name.
pub(super) const RINGS: Rings = Rings::of(label);

/// [`RINGS`] under the names that spymemcached once had: `/host:port`.
pub(super) const SPY: Rings = Rings::of(slash);

/// What the library calls a server: no default port, and a Unix socket is on port 0.
fn label(name: &str) -> Label<'_> {
    socket(name).unwrap_or_else(|| Label::without_default_port(name))
}

fn slash(name: &str) -> Label<'_> {
    Label { lead: "/", ..socket(name).unwrap_or_else(|| Label::with_port(name)) }
}

/// A Unix socket's path with the port that the library gives it, unless it is written there.
pub(in crate::peers) fn socket(name: &str) -> Option<Label<'_>> {
    let is_path = name.starts_with('/') && host_and_port(name).1.is_none();
    is_path.then(|| Label { tail: ":0", ..Label::verbatim(name) })
}

pub(in crate::peers) const fn unweighted(label: fn(&str) -> Label<'_>) -> Continuum<u32> {
    Continuum {
        count: |_, _, _| POINTS,
        points: |scheme, _, label, count, sink| {
            ketama::hashed_points(label, &scheme.options.points().hash.unwrap_or(scheme.hash), count, sink);
        },
        ..ketama::ring(label)
    }
}

/// Two rings that differ in their points alone, of which the weights choose one.
///
/// The unweighted one, unless [`weighted_if_heavy`](crate::scheme::Points::weighted_if_heavy) is set and some server weighs more than 1.
///
/// Source: libmemcached 1.1.4 `hosts.cc`, `server_add`: a weight above 1 calls `memcached_set_weighted_ketama`.
pub(in crate::peers) struct Rings {
    pub(in crate::peers) unweighted: Continuum<u32>,
    pub(in crate::peers) weighted: Continuum<u32>,
}

impl Rings {
    pub(in crate::peers) const fn of(label: fn(&str) -> Label<'_>) -> Self {
        Self { unweighted: unweighted(label), weighted: ketama::ring(label) }
    }

    fn chosen(&self, scheme: &Scheme<'_>, live: &Live<'_>) -> &Continuum<u32> {
        if scheme.options.points().weighted_if_heavy && live.heaviest() > 1 {
            &self.weighted
        } else {
            &self.unweighted
        }
    }
}

impl Way for Rings {
    fn needs(&self, scheme: &Scheme<'_>, live: &Live<'_>) -> Result<Needs, BuildError> {
        self.chosen(scheme, live).needs(scheme, live)
    }

    fn build(&self, scheme: &Scheme<'_>, live: &Live<'_>, entries: EntriesMut<'_>) -> usize {
        self.chosen(scheme, live).build(scheme, live, entries)
    }

    fn choose(&self, scheme: &Scheme<'_>, live: &Live<'_>, key: &[u8]) -> Option<ServerIndex> {
        self.chosen(scheme, live).choose(scheme, live, key)
    }

    // Once built, the two are searched alike.

    #[inline(always)]
    fn primary(&self, view: &View<'_>, key: &[u8]) -> ServerIndex {
        self.unweighted.primary(view, key)
    }

    fn place_many(&self, view: &View<'_>, keys: &[&[u8]], out: &mut [ServerIndex]) {
        self.unweighted.place_many(view, keys, out);
    }

    fn at(&self, view: &View<'_>, hash: u32) -> ServerIndex {
        self.unweighted.at(view, hash)
    }

    fn division(&self, view: &View<'_>) -> Division {
        self.unweighted.division(view)
    }

    fn walk(&self, view: &View<'_>, key: &[u8], order: &mut Order<'_>) {
        self.unweighted.walk(view, key, order);
    }
}
