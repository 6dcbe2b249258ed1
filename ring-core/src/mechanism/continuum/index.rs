//! Where to begin looking: the top bits of a hash say nearly where its point is, because hashes are uniform.
//!
//! Of n points that are perfectly even, the first at or above h stands at h·n/2³². The index divides the circle into parts
//! and holds how far before that guess one has to begin so as not to be too late for any h of a part: 16 bits each, so it
//! serves any number of points. A ring whose points are too uneven for 16 bits gets no index and is searched by halving.

use super::Point;

/// Marks an index that is not in use; no correction of a used one is this large.
const UNUSED: i16 = i16::MIN;

/// Points that are compared all at once, without a branch between them.
const NEAR: usize = 4;

/// How often that is done before halving takes over.
const LOOKS: usize = 2;

/// Where `head` would be on a line of `len` if that were as long as all values are many.
fn scaled(head: u32, len: usize) -> usize {
    ((u64::from(head) * len as u64) >> 32) as usize
}

/// Fills `index` for sorted `points`.
pub(super) fn fill<P: Point>(points: &[P], index: &mut [i16]) {
    let parts = index.len();
    let (Some(whole), Some(over)) = (points.len().checked_div(parts), points.len().checked_rem(parts)) else {
        return;
    };
    let mut at = 0;
    // The guess at the end of a part: `points.len() * (part + 1) / parts`, kept as a sum.
    let (mut end, mut rest) = (0, 0);
    for (part, correction) in index.iter_mut().enumerate() {
        (end, rest) = (end + whole, rest + over);
        if rest >= parts {
            (end, rest) = (end + 1, rest - parts);
        }
        // Between two points the answer stays and the guess rises, so only points and the end of the part count.
        let mut least = i64::MAX;
        while let Some(head) =
            points.get(at).map(|point| point.head()).filter(|&head| scaled(head, parts) == part)
        {
            least = least.min(at as i64 - scaled(head, points.len()) as i64);
            at += 1;
        }
        least = least.min(at as i64 - end as i64);
        match i16::try_from(least) {
            Ok(least) if least != UNUSED => *correction = least,
            _ => return index.fill(UNUSED),
        }
    }
}

/// The first of the sorted `points` that is at or above `position`, or their number when none is.
#[cfg_attr(not(feature = "small"), inline(always))]
pub(super) fn first_at_or_above<P: Point>(points: &[P], index: &[i16], position: P) -> usize {
    let begin = begin(points.len(), index, position);
    // A correction made for a later hash of the part can lead to before the first point.
    let (mut at, mut rest) = points.get(begin..).map_or((0, points), |rest| (begin, rest));
    for _ in 0..LOOKS {
        let Some((near, after)) = rest.split_first_chunk::<NEAR>() else { break };
        let below: usize = near.iter().map(|&point| usize::from(point < position)).sum();
        if below < NEAR {
            return at + below;
        }
        (at, rest) = (at + NEAR, after);
    }
    at + rest.partition_point(|&point| point < position)
}

#[inline(always)]
fn begin<P: Point>(points: usize, index: &[i16], position: P) -> usize {
    match index.get(scaled(position.head(), index.len())) {
        Some(&correction) if correction != UNUSED => {
            scaled(position.head(), points).wrapping_add_signed(correction.into())
        }
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
