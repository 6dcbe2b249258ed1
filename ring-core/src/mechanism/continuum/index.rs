//! Where to begin looking: the top bits of a hash say nearly where its point is, because hashes are uniform.
//!
//! Of n sorted points, the first one of the b-th of 2^k equal parts stands near b·n/2^k. The index holds by how much that
//! guess is off, 16 bits a part, so it serves any number of points. A ring whose points are too uneven for 16 bits gets
//! no index and is searched by halving.

use super::Point;

/// Marks an index that is not in use; no correction of a used one is this large.
const UNUSED: i16 = i16::MIN;

/// Points that are compared all at once, without a branch between them.
const NEAR: usize = 4;

/// How often that is done before halving takes over.
const LOOKS: usize = 2;

/// How many parts an index of `len` corrections has, as a power of two.
fn bits(len: usize) -> u32 {
    (len | 1).ilog2().min(16)
}

/// Which part a point or position lies in.
fn part_of<P: Point>(point: P, bits: u32) -> usize {
    ((u64::from(point.head()) << bits) >> 32) as usize
}

/// Fills `index` for sorted `points`.
pub(super) fn fill<P: Point>(points: &[P], index: &mut [i16]) {
    let bits = bits(index.len());
    let mut at = 0;
    for (part, correction) in index.iter_mut().enumerate() {
        while points.get(at).is_some_and(|&point| part_of(point, bits) < part) {
            at += 1;
        }
        let off = at as i64 - guess(part, points.len(), bits) as i64;
        match i16::try_from(off) {
            Ok(off) if off != UNUSED => *correction = off,
            _ => return index.fill(UNUSED),
        }
    }
}

/// Where the first point of a part would be if points were perfectly even.
fn guess(part: usize, points: usize, bits: u32) -> usize {
    ((part as u64 * points as u64) >> bits) as usize
}

/// The first of the sorted `points` that is at or above `position`, or their number when none is.
#[inline]
pub(super) fn first_at_or_above<P: Point>(points: &[P], index: &[i16], position: P) -> usize {
    let mut rest = points.get(begin(points.len(), index, position)..).unwrap_or_default();
    for _ in 0..LOOKS {
        let Some((near, after)) = rest.split_first_chunk::<NEAR>() else { break };
        let below: usize = near.iter().map(|&point| usize::from(point < position)).sum();
        if below < NEAR {
            return points.len() - rest.len() + below;
        }
        rest = after;
    }
    points.len() - rest.len() + rest.partition_point(|&point| point < position)
}

fn begin<P: Point>(points: usize, index: &[i16], position: P) -> usize {
    let bits = bits(index.len());
    let part = part_of(position, bits);
    match index.get(part) {
        Some(&off) if off != UNUSED => guess(part, points, bits).wrapping_add_signed(off.into()),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::{vec, vec::Vec};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_what_halving_finds(
            mut points in prop::collection::vec(any::<u32>(), 1..600),
            parts in 0..700_usize,
            crowd in prop::sample::select(vec![0, 17, 25]),
            hashes in prop::collection::vec(any::<u32>(), 20),
        ) {
            for point in &mut points {
                *point >>= crowd;
            }
            points.sort_unstable();
            let mut index = vec![0; parts];
            fill(&points, &mut index);
            let edges = points.iter().flat_map(|&point| [point.wrapping_sub(1), point, point.wrapping_add(1)]);
            for hash in hashes.iter().copied().chain(edges).chain([0, u32::MAX]) {
                prop_assert_eq!(first_at_or_above(&points, &index, hash), points.partition_point(|&point| point < hash));
            }
        }
    }

    #[test]
    fn points_too_uneven_for_the_index_are_found_all_the_same() {
        let points: Vec<u32> = (0..40_000).collect();
        let mut index = vec![0; 1024];
        fill(&points, &mut index);
        assert_eq!(index[0], UNUSED);
        assert_eq!(first_at_or_above(&points, &index, 31_234), 31_234);
    }
}
