//! php-memcached, the PHP extension over libmemcached, with PHP's own names for the options.
//!
//! One scheme, whose option `distribution` says which of libmemcached's it is:
//!
//! | `distribution` | in PHP | see [`libmemcached`] |
//! |---|---|---|
//! | `modula` | the default | `MODULA` |
//! | `consistent` | `OPT_DISTRIBUTION => DISTRIBUTION_CONSISTENT`, ini `memcached.default_consistent_hash=1` | `CONSISTENT` |
//! | `consistent-weighted` | `OPT_LIBKETAMA_COMPATIBLE => true` | `KETAMA_WEIGHTED`, key hash md5 unless `hash` says otherwise |
//! | `virtual-bucket` | `setBucket`, `OPT_DISTRIBUTION => DISTRIBUTION_VIRTUAL_BUCKET` | `VBUCKET` |
//!
//! - A server is named as in [`libmemcached`], but a socket depends on the call: `addServer('/run/a.sock', 0)` names it by its
//!   path alone, `addServers([['/run/a.sock', 0]])` and the session handler name it `path:0`, here written with the `:0`.
//! - The session handler uses `consistent` unless `memcached.sess_consistent_hash_type` says `ketama_weighted`, and places
//!   a session by its id: `memcached.sess_prefix` is sent with it and not hashed.
//! - `HASH_DEFAULT` is one_at_a_time, which PHP's manual calls Jenkins; it is not libhashkit's `jenkins`.
//! - Option `options-set`: trap of `consistent`. `before-addServers`, the default: a server added later with a weight
//!   above 1 makes the ring a weighted one, but keys are hashed as before. `after-addServers`: weights are ignored.
//! - Option `php-options`: the same in PHP's words, in the order of the `setOption` calls, or `none`:
//!   `OPT_LIBKETAMA_COMPATIBLE=True OPT_HASH=HASH_CRC`.
//! - Option `points-hash`: with `after-addServers`, the hash that was set when the ring was made; `OPT_HASH` makes no new
//!   points. (`php-options` knows by itself.) With `before-addServers` points are made as keys are hashed.
//! - `OPT_SORT_HOSTS` sorts the list of servers and, set to false again, leaves it sorted: the order before is nowhere kept.
//!   So after `addServers` only the first `true` counts, while before it the last call does. `php-options` knows that;
//!   `sort_hosts` says how the list is in the end.
//! - The others are libmemcached's: `hash`, `buckets`, `prefix` (`OPT_PREFIX_KEY`, not hashed),
//!   `sort_hosts` (`OPT_SORT_HOSTS`), `auto_eject_hosts` (`OPT_REMOVE_FAILED_SERVERS`; without effect on `modula` and
//!   `virtual-bucket`).
//!
//! Source: php-memcached 3.2.0 `php_memcached.c`, `php_memc_set_option`, and libmemcached 1.1.4.

use core::cmp::Ordering;

use super::{
    Peer,
    libmemcached::{
        self, MODULA, VBUCKET,
        rings::{self, Rings},
    },
    options::{Points, Settings, Sorting},
    split_at_byte, switch,
};
use crate::{
    hash::{self, Hash, names},
    mechanism::{Continuum, Label, ketama},
    scheme::{Options, Scheme},
};

/// php-memcached as it comes: modulo on one_at_a_time.
pub const PHP_MEMCACHED: Scheme<'static> = Scheme {
    name: "php-memcached",
    used_by: "PHP's Memcached class",
    options: Options::Php(Settings::NONE),
    ..MODULA
};

/// `addServer` takes a path for a host, so its port is the default one, not a socket's.
const CONSISTENT: Scheme<'static> = Scheme { mechanism: &RINGS, ..libmemcached::CONSISTENT };

const RINGS: Rings = Rings {
    unweighted: Continuum {
        points: |scheme, _, label, count, sink| {
            // Every server that is added makes new points, with the hash that then is set.
            let Points { hash, weighted_if_heavy } = scheme.options.points();
            let last = if weighted_if_heavy { None } else { hash };
            ketama::hashed_points(label, &last.unwrap_or(scheme.hash), count, sink);
        },
        ..UNWEIGHTED
    },
    weighted: ketama::ring(Label::without_default_port),
};

const UNWEIGHTED: Continuum<u32> = rings::unweighted(Label::without_default_port);

const KETAMA_WEIGHTED: Scheme<'static> = Scheme {
    mechanism: &const { ketama::ring(Label::without_default_port) },
    ..libmemcached::KETAMA_WEIGHTED
};

pub(super) const PEERS: &[Peer] = &[Peer {
    scheme: PHP_MEMCACHED,
    options: &[
        "distribution",
        "hash",
        "points-hash",
        "options-set",
        "php-options",
        "buckets",
        "prefix",
        "sort_hosts",
        "auto_eject_hosts",
    ],
    set,
}];

fn set<'a>(scheme: Scheme<'a>, name: &str, value: &'a str) -> Result<Scheme<'a>, &'static str> {
    match name {
        "distribution" => match value {
            "modula" => Ok(placing_as(MODULA, scheme)),
            "consistent" => Ok(placing_as(CONSISTENT, scheme)),
            "consistent-weighted" => Ok(libmemcached::with_md5(placing_as(KETAMA_WEIGHTED, scheme))),
            "virtual-bucket" => Ok(placing_as(VBUCKET, scheme)),
            _ => Err("modula, consistent, consistent-weighted or virtual-bucket"),
        },
        "hash" => Ok(Scheme { hash: libmemcached::chosen_hash(value)?, ..scheme }),
        "options-set" => {
            let weighted_if_heavy = match value {
                "before-addServers" => true,
                "after-addServers" => false,
                _ => return Err("before-addServers or after-addServers"),
            };
            let settings = Settings::of(&scheme);
            let points = Points { weighted_if_heavy, ..settings.points };
            Ok(Settings { points, ..settings }.set(scheme))
        }
        "sort_hosts" => {
            let on = switch(value)?;
            Ok(Settings { sorting: Sorting { on, once: on }, ..Settings::of(&scheme) }.set(scheme))
        }
        "php-options" if value == "none" => Ok(scheme),
        "php-options" if !value.is_empty() => value.split_ascii_whitespace().try_fold(scheme, set_in_php),
        "php-options" => Err(EXPECTED),
        // setBucket sets the distribution, too.
        "buckets" => {
            let buckets = libmemcached::bucket_map(value)?;
            Ok(Settings { buckets, ..Settings::of(&scheme) }.set(placing_as(VBUCKET, scheme)))
        }
        _ => libmemcached::set(scheme, name, value),
    }
}

impl<'a> Settings<'a> {
    const NONE: Self =
        Self { points: Points::BEHAVIOR_FIRST, buckets: None, sorting: Sorting { on: false, once: false } };

    const fn of(scheme: &Scheme<'a>) -> Self {
        match scheme.options {
            Options::Php(settings) => settings,
            _ => Self::NONE,
        }
    }

    /// The scheme after these settings: what was sorted once stays sorted, what comes later need not be.
    const fn set(self, scheme: Scheme<'a>) -> Scheme<'a> {
        let servers_come_later = self.points.weighted_if_heavy;
        let is_sorted = if servers_come_later { self.sorting.on } else { self.sorting.once };
        let roster: Option<fn(&str, &str) -> Ordering> =
            if is_sorted { Some(libmemcached::by_host_then_port) } else { None };
        Scheme { options: Options::Php(self), roster, ..scheme }
    }

    /// The same with points of this hash.
    const fn pointed(self, hash: Option<Hash>) -> Self {
        Self { points: Points { hash, ..self.points }, ..self }
    }
}

/// The scheme with the distribution of `other`.
fn placing_as<'a>(other: Scheme<'static>, scheme: Scheme<'a>) -> Scheme<'a> {
    Scheme { mechanism: other.mechanism, weights: other.weights, ..scheme }
}

/// Applies one `setOption`, written `OPTION=VALUE`. Unlike the options above, these take effect in the order written.
fn set_in_php<'a>(scheme: Scheme<'a>, call: &'a str) -> Result<Scheme<'a>, &'static str> {
    let (option, value) = split_at_byte(call, b'=').ok_or(EXPECTED)?;
    let settings = Settings::of(&scheme);
    let ringless = settings.pointed(None).set(scheme);
    match option {
        "OPT_LIBKETAMA_COMPATIBLE" => Ok(if switch(value)? {
            Scheme { hash: hash::MD5, ..placing_as(KETAMA_WEIGHTED, ringless) }
        } else {
            Scheme { hash: hash::ONE_AT_A_TIME, ..placing_as(MODULA, ringless) }
        }),
        "OPT_DISTRIBUTION" => match value {
            "DISTRIBUTION_MODULA" => Ok(placing_as(MODULA, ringless)),
            // The ring is made now unless there is one, and a hash set later is for keys alone.
            "DISTRIBUTION_CONSISTENT" => {
                let made = settings.pointed(settings.points.hash.or(Some(scheme.hash)));
                Ok(made.set(placing_as(CONSISTENT, scheme)))
            }
            "DISTRIBUTION_VIRTUAL_BUCKET" => Ok(placing_as(VBUCKET, ringless)),
            _ => Err("DISTRIBUTION_MODULA, DISTRIBUTION_CONSISTENT or DISTRIBUTION_VIRTUAL_BUCKET"),
        },
        "OPT_HASH" => {
            let name = value.strip_prefix("HASH_").ok_or(EXPECTED)?;
            let known = names::LIBMEMCACHED.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            let (known, _) = known.ok_or("a hash of php-memcached: HASH_DEFAULT, HASH_MD5, HASH_CRC …")?;
            set(scheme, "hash", known)
        }
        "OPT_PREFIX_KEY" => set(scheme, "prefix", value),
        "OPT_SORT_HOSTS" => {
            let (on, before) = (switch(value)?, settings.sorting);
            // A change makes the ring anew; what is set already does nothing.
            let made = settings.points.hash;
            let made = if on == before.on { made } else { made.map(|_| scheme.hash) };
            let sorting = Sorting { on, once: before.once || on };
            Ok(Settings { sorting, ..settings.pointed(made) }.set(scheme))
        }
        "OPT_REMOVE_FAILED_SERVERS" | "OPT_AUTO_EJECT_HOSTS" => set(scheme, "auto_eject_hosts", value),
        _ => Err(EXPECTED),
    }
}

const EXPECTED: &str = "OPTION=VALUE for OPT_LIBKETAMA_COMPATIBLE, OPT_DISTRIBUTION, OPT_HASH, OPT_PREFIX_KEY, OPT_SORT_HOSTS or \
     OPT_REMOVE_FAILED_SERVERS, separated by blanks, or none";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{Server, ServerIndex};

    fn with<'a>(options: impl IntoIterator<Item = (&'a str, &'a str)>) -> Scheme<'a> {
        options
            .into_iter()
            .try_fold(PHP_MEMCACHED, |scheme, (name, value)| scheme.with_option(name, value))
            .unwrap()
    }

    fn placed(scheme: &Scheme<'_>) -> [ServerIndex; 40] {
        let servers = [("a:11211", 1), ("b:11212", 3), ("c:11211", 2)]
            .map(|(name, weight)| Server::new(name).weighing(weight));
        core::array::from_fn(|number| scheme.choose(&servers, &[number as u8 + b'0']).unwrap())
    }

    #[test]
    fn php_and_vector_spellings_mean_the_same() {
        for (php, options) in [
            ("OPT_LIBKETAMA_COMPATIBLE=True", &[("distribution", "consistent-weighted")][..]),
            ("OPT_LIBKETAMA_COMPATIBLE=1 OPT_LIBKETAMA_COMPATIBLE=0", &[]),
            (
                "OPT_DISTRIBUTION=DISTRIBUTION_CONSISTENT OPT_HASH=HASH_FNV1A_32",
                &[("hash", "fnv1a_32"), ("distribution", "consistent")],
            ),
            (
                "OPT_HASH=HASH_DEFAULT OPT_LIBKETAMA_COMPATIBLE=true OPT_HASH=HASH_DEFAULT",
                &[("hash", "default"), ("distribution", "consistent-weighted")],
            ),
            ("OPT_HASH=HASH_MD5", &[("buckets", "none"), ("hash", "md5"), ("distribution", "modula")]),
        ] {
            let php = with([("php-options", php)]);
            assert_eq!(placed(&php), placed(&with(options.iter().copied())), "{options:?}");
        }
        for bad in
            ["OPT_HASH", "OPT_HASH=MD5", "OPT_HASH=HASH_SHA1", "OPT_DISTRIBUTION=1", "none none", "X=1"]
        {
            assert!(PHP_MEMCACHED.with_option("php-options", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_list_that_was_sorted_stays_so_and_one_that_comes_later_does_not() {
        let sorted = with([("sort_hosts", "1")]);
        let servers = ["b:11211", "a:11211"].map(Server::new);
        let places = |scheme: &Scheme<'_>| {
            ["k", "l", "m", "n"]
                .map(|key| servers[scheme.choose(&servers, key.as_bytes()).unwrap().get()].name)
        };
        let (as_listed, as_sorted) = (places(&PHP_MEMCACHED), places(&sorted));
        // By the peer.
        assert_eq!(as_sorted, ["a:11211", "a:11211", "b:11211", "b:11211"]);
        assert_eq!(as_listed, ["b:11211", "b:11211", "a:11211", "a:11211"]);
        for (calls, before, after) in [
            ("OPT_SORT_HOSTS=True", as_sorted, as_sorted),
            ("OPT_SORT_HOSTS=True OPT_SORT_HOSTS=False", as_listed, as_sorted),
            ("OPT_SORT_HOSTS=False", as_listed, as_listed),
            ("OPT_SORT_HOSTS=True OPT_SORT_HOSTS=False OPT_SORT_HOSTS=True", as_sorted, as_sorted),
            ("OPT_SORT_HOSTS=True OPT_LIBKETAMA_COMPATIBLE=0 OPT_SORT_HOSTS=False", as_listed, as_sorted),
        ] {
            for (set, expected) in [("before-addServers", before), ("after-addServers", after)] {
                for options in [
                    [("php-options", calls), ("options-set", set)],
                    [("options-set", set), ("php-options", calls)],
                ] {
                    assert_eq!(places(&with(options)), expected, "{calls} {set}");
                }
            }
        }
        assert_eq!(places(&with([("sort_hosts", "1"), ("sort_hosts", "0")])), as_listed);
    }

    #[test]
    fn modula_ignores_ejection_and_rings_do_not() {
        for (distribution, expected) in [("modula", 1), ("consistent", 3), ("consistent-weighted", 3)] {
            for options in [
                [("auto_eject_hosts", "1"), ("distribution", distribution)],
                [("distribution", distribution), ("auto_eject_hosts", "1")],
            ] {
                let servers = ["a:1", "b:1", "c:1"].map(Server::new);
                let placement =
                    crate::Placement::build(with(options), servers, crate::storage::Fixed::<480>::new());
                let mut out = [ServerIndex::default(); 3];
                assert_eq!(placement.unwrap().order(b"key", &mut out).len(), expected, "{options:?}");
            }
        }
    }
}
