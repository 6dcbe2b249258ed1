//! EnyimMemcachedCore, the .NET client (`AddEnyimMemcached`, ASP.NET Core's `IDistributedCache`).
//!
//! | option `locator` | class | a server's points | key hash |
//! |---|---|---|---|
//! | `default` | `DefaultNodeLocator` | fnv1a_32 of `0-NAME` … `99-NAME`, the number in front | fnv1a_32 |
//! | `legacy` | `LegacyNodeLocator` (`UseLegacyNodeLocator`) | fnv1a_32 of `NAME-0` … `NAME-99`, the first of them begun with 0 | fnv1a_32 begun with 0 |
//!
//! - A server is named as .NET prints its address: `10.0.1.1:11211`, `[fd00::1]:11211`. The client looks host names up
//!   first, so that the address counts and not the name.
//! - A hash above the last point belongs to the first one, as everywhere; but a hash *below the first* belongs to the last.
//! - Two servers on one point: the last of the list has it, because points are put into a dictionary.
//! - Bytes have no sign here, unlike in C: keys that are not ASCII hash otherwise than with libmemcached's `fnv1a_32`.
//! - The legacy locator forgets to begin the hash object: its first use and every key start from 0 instead of FNV's
//!   offset.
//! - A dead server is taken out and the ring rebuilt from the others. No weights.
//!
//! Other versions: since it was a package of its own, `DefaultNodeLocator` has had 1000 points of 64 bits by MurmurHash3 for
//! a time, so that an upgrade moved keys. EnyimMemcached for the .NET Framework hashes `NAME-0` … with a hash that is begun
//! (read, not run); its `KetamaNodeLocator` is a rule of its own that is not here.
//!
//! Source: EnyimMemcachedCore at e383c4c, `Locators/DefaultNodeLocator.cs`, `LegacyNodeLocator.cs`, `FnvHash.cs`.

use super::Peer;
use crate::{
    hash::{self, Hash},
    mechanism::{Continuum, Label, Search, Tie},
    scheme::{Scheme, fallback},
    text::{Concat, Decimal},
};

/// EnyimMemcachedCore.
pub const ENYIM: Scheme<'static> = Scheme {
    name: "enyim",
    used_by: "EnyimMemcachedCore, .NET (ASP.NET Core's IDistributedCache)",
    hash: hash::FNV1A_32_UNSIGNED,
    mechanism: &DEFAULT,
    fallback: fallback::rebuild,
    ..Scheme::BASE
};

/// Points of every server.
const POINTS: u32 = 100;

const DEFAULT: Continuum<u32> = Continuum {
    label: Label::verbatim,
    count: |_, _, _| POINTS,
    points: |_, _, label, count, sink| {
        for number in 0..count {
            sink(hash::FNV1A_32_UNSIGNED.of_text(&Concat([&Decimal(number.into()), &"-", label])));
        }
    },
    search: Search::AtOrAboveOrLast,
    tie: Tie::LastStays,
};

const LEGACY: Continuum<u32> = Continuum {
    points: |_, _, label, count, sink| {
        let point = |hash: Hash, number: u32| hash.of_text(&Concat([label, &"-", &Decimal(number.into())]));
        sink(point(hash::FNV1A_32_FROM_ZERO, 0));
        for number in 1..count {
            sink(point(hash::FNV1A_32_UNSIGNED, number));
        }
    },
    ..DEFAULT
};

pub(super) const PEERS: &[Peer] = &[Peer {
    scheme: ENYIM,
    options: &["locator"],
    set: |scheme, _, value| match value {
        "default" => Ok(Scheme { mechanism: &DEFAULT, hash: hash::FNV1A_32_UNSIGNED, ..scheme }),
        "legacy" => Ok(Scheme { mechanism: &LEGACY, hash: hash::FNV1A_32_FROM_ZERO, ..scheme }),
        _ => Err("default or legacy"),
    },
}];

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::{
        Placement, Server, ServerIndex,
        plan::{Plan, Precision},
        storage::Fixed,
    };

    const SERVERS: [Server<'static>; 3] =
        [Server::new("10.0.1.1:11211"), Server::new("10.0.1.2:11211"), Server::new("10.0.1.3:11211")];

    fn points(scheme: &Scheme<'_>) -> Vec<(u32, usize)> {
        let placement = Placement::build(*scheme, SERVERS, Fixed::<300>::new()).unwrap();
        let entries = placement.view().entries;
        entries.points.iter().copied().zip(entries.owners.iter().map(|&owner| owner.into())).collect()
    }

    #[test]
    fn a_hash_below_all_points_belongs_to_the_last_of_them() {
        for locator in ["default", "legacy"] {
            let scheme = ENYIM.with_option("locator", locator).unwrap();
            let placement = Placement::build(scheme, SERVERS, Fixed::<300>::new()).unwrap();
            let points = points(&scheme);
            let (first, last) = (points[0], points[points.len() - 1]);
            let at = |hash| scheme.mechanism.at(&placement.view(), hash).get();
            assert_eq!((at(0), at(first.0 - 1)), (last.1, last.1), "{locator}");
            assert_eq!((at(first.0), at(first.0 + 1)), (first.1, points[1].1), "{locator}");
            assert_eq!((at(last.0), at(last.0 + 1), at(u32::MAX)), (last.1, first.1, first.1), "{locator}");
        }
    }

    #[test]
    fn only_the_first_use_of_the_legacy_hash_begins_with_nothing() {
        let legacy = ENYIM.with_option("locator", "legacy").unwrap();
        let points: Vec<u32> = points(&legacy).into_iter().map(|(point, _)| point).collect();
        let from = |start: u32, text: &str| {
            text.bytes().fold(start, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619))
        };
        for server in SERVERS {
            for number in 0..100 {
                let start = if number == 0 { 0 } else { 2_166_136_261 };
                assert!(points.contains(&from(start, &std::format!("{}-{number}", server.name))));
            }
        }
        assert_eq!(legacy.hash_key("é".as_bytes()), from(0, "é"));
        assert_eq!(ENYIM.hash_key("é".as_bytes()), from(2_166_136_261, "é"));
        assert_ne!(ENYIM.hash_key("é".as_bytes()), hash::FNV1A_32.of("é".as_bytes()));
    }

    #[test]
    fn a_plan_knows_both_ends_of_the_circle() {
        let servers = &SERVERS[..];
        let placement = Placement::build(ENYIM, servers, Fixed::<300>::new()).unwrap();
        let (points, mut matrix) = (points(&ENYIM), [0.0; 9]);
        let plan = Plan::new(&placement, &placement, &mut matrix).unwrap();
        assert_eq!((plan.precision(), plan.moved() < 1e-12), (Precision::Exact, true));
        // By hand: each arc ends at its point, but the ends belong to the last and to the first.
        let mut shares = [0.0; 3];
        let mut begin = u64::from(points[0].0);
        shares[points[points.len() - 1].1] += begin as f64;
        for &(point, owner) in &points {
            shares[owner] += (u64::from(point) + 1 - begin) as f64;
            begin = u64::from(point) + 1;
        }
        shares[points[0].1] += ((1_u64 << 32) - begin) as f64;
        for (index, share) in shares.into_iter().enumerate() {
            let planned = plan.before(ServerIndex::new(index as u16));
            assert!((planned - share / (1_u64 << 32) as f64).abs() < 1e-12, "{index}");
        }
    }
}
