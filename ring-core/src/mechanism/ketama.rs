//! The MD5 ketama core: numbered names, four points to a digest, and the peers' float arithmetic.
//!
//! A server with label B and k digests has the points le32(MD5(B-0), 0) … le32(MD5(B-0), 3), le32(MD5(B-1), 0) ….
//! Each peer computes k from the weight in its own way; the ways differ in rounding, and the rounding decides about
//! 2.5 % of the keys at 25, 47, 50, 55, 61 … equal servers.

use super::{Continuum, Label, Search, Tie};
use crate::{
    hash::{
        Hash,
        md5::{self, Words},
    },
    text::{Concat, Decimal, Text},
};

/// Points of one digest.
pub const POINTS_PER_DIGEST: u32 = 4;

/// The ring of libmemcached and twemproxy, names by `label`; others differ from it in a field or two.
#[must_use]
pub const fn ring(label: fn(&str) -> Label<'_>) -> Continuum<u32> {
    Continuum {
        label,
        count: |_, live, member| POINTS_PER_DIGEST * digests_f32(member.weight, live.total(), live.count()),
        points: |_, _, label, count, sink| points(label, count, POINTS_PER_DIGEST, sink),
        search: Search::AtOrAbove,
        tie: Tie::Stay,
    }
}

/// Digests of a server, every step rounded to f32.
///
/// Source: libmemcached `update_continuum`, twemproxy `ketama_update`, spymemcached `KetamaNodeLocator` (weighted).
#[must_use]
pub fn digests_f32(weight: u32, total: u64, servers: usize) -> u32 {
    let share = weight as f32 / total as f32;
    (share * 160.0 / 4.0 * servers as f32) as u32
}

/// Digests of a server, the share an f32, the product an f64 that is rounded to f32 once.
///
/// Source: libketama `ketama_create_continuum`.
#[must_use]
pub(crate) fn digests_libketama(weight: u32, total: u64, servers: usize) -> u32 {
    let share = weight as f32 / total as f32;
    ((f64::from(share) * 40.0 * f64::from(servers as f32)) as f32) as u32
}

/// Digests or points of a server that has `each` on average, in whole numbers: `each` × servers × weight / total.
///
/// Source: hash_ring `HashRing._generate_circle`, uhashring `KetamaRing._create_ring`; Dalli `Ring.entry_count_for`, which
/// divides floats, with the same result.
#[must_use]
pub fn whole_share(each: u32, weight: u32, total: u64, servers: usize) -> u32 {
    let product = u64::from(each).saturating_mul(servers as u64).saturating_mul(weight.into());
    product.checked_div(total).unwrap_or(0).try_into().unwrap_or(u32::MAX)
}

/// Hands out `count` points of the MD5 of the names `label-0`, `label-1` …, `per_digest` (1 to 4) to a digest.
pub fn points(label: &dyn Text, count: u32, per_digest: u32, sink: &mut dyn FnMut(u32)) {
    digest_points(md5::digests_numbered, label, count, per_digest, sink);
}

/// Hands out `count` points of the digests of the names `label-0`, `label-1` …, `per_digest` (1 to 4) to a digest.
pub(crate) fn digest_points(
    digests: DigestsNumbered,
    label: &dyn Text,
    count: u32,
    per_digest: u32,
    sink: &mut dyn FnMut(u32),
) {
    let per_digest = per_digest.clamp(1, POINTS_PER_DIGEST);
    let mut left = count;
    digests(&Concat([label, &"-"]), count.div_ceil(per_digest), &mut move |words| {
        for point in words.into_iter().take(per_digest.min(left) as usize) {
            sink(point);
        }
        left = left.saturating_sub(per_digest);
    });
}

/// Hands out the digests of a text with the numbers 0, 1 … behind it, as many as it is told.
pub(crate) type DigestsNumbered = fn(&dyn Text, u32, &mut dyn FnMut(Words));

/// Hands out `count` points, one to each of the names `label-0`, `label-1` ….
pub fn hashed_points(label: &dyn Text, hash: &Hash, count: u32, sink: &mut dyn FnMut(u32)) {
    for number in 0..count {
        sink(hash.of_text(&Concat([label, &"-", &Decimal(number.into())])));
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn points_of_the_first_name() {
        let mut first = Vec::new();
        points(&"10.0.1.1", 4, POINTS_PER_DIGEST, &mut |point| first.push(point));
        assert_eq!(first, [0x8e15_f0ab, 0x1d1b_d3e1, 0x8240_cb89, 0x16e2_3e09]);
    }

    #[test]
    fn as_many_points_as_asked_for_whatever_a_digest_is_said_to_give() {
        for per_digest in 0..7 {
            for count in 0..9 {
                let mut handed_out = 0;
                points(&"a", count, per_digest, &mut |_| handed_out += 1);
                assert_eq!(handed_out, count, "{per_digest} to a digest");
            }
        }
    }

    #[test]
    fn a_whole_share_is_rounded_down_and_cannot_overflow() {
        assert_eq!(whole_share(40, 1, 3, 9), 120);
        assert_eq!(whole_share(160, 1, 3, 1), 53);
        assert_eq!(whole_share(160, 0, 0, 2), 0);
        assert_eq!(whole_share(160, u32::MAX, u32::MAX.into(), 65_535), 160 * 65_535);
        assert_eq!(whole_share(u32::MAX, u32::MAX, 1, 65_535), u32::MAX);
    }

    #[test]
    fn some_numbers_of_equal_servers_lose_a_digest_to_rounding() {
        let short = |digests: fn(u32, u64, usize) -> u32| -> Vec<usize> {
            (1..=200).filter(|&servers| digests(1, servers as u64, servers) == 39).collect()
        };
        assert_eq!(
            short(digests_f32),
            [25, 47, 50, 55, 61, 71, 94, 100, 107, 109, 110, 115, 122, 142, 159, 163, 188, 193, 200]
        );
        assert_eq!(short(digests_libketama), [61, 122]);
    }
}
