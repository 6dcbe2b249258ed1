//! The MD5 ketama core: numbered names, four points to a digest, and the peers' float arithmetic.
//!
//! A server with label B and k digests has the points le32(MD5(B-0), 0) … le32(MD5(B-0), 3), le32(MD5(B-1), 0) ….
//! Each peer computes k from the weight in its own way; the ways differ in rounding, and the rounding decides about
//! 2.5 % of the keys at 25, 47, 50, 55, 61 … equal servers.

use crate::{
    hash::{Hash, md5},
    mechanism::{Continuum, Label, Search, Tie},
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
        position: |scheme, key| scheme.hash_key(key),
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
pub fn digests_libketama(weight: u32, total: u64, servers: usize) -> u32 {
    let share = weight as f32 / total as f32;
    ((f64::from(share) * 40.0 * f64::from(servers as f32)) as f32) as u32
}

/// Hands out `count` points of the names `label-0`, `label-1` …, `per_digest` to a digest.
pub fn points(label: &dyn Text, count: u32, per_digest: u32, sink: &mut dyn FnMut(u32)) {
    let mut left = count;
    for number in 0..count.div_ceil(per_digest.max(1)) {
        let words = md5::digest_text(&Concat([label, &"-", &Decimal(number.into())]));
        for point in words.into_iter().take(per_digest.min(left) as usize) {
            sink(point);
        }
        left = left.saturating_sub(per_digest);
    }
}

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
