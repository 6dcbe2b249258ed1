//! Puts points and their owners in order, in place.
//!
//! The standard sorts take one slice and can panic; here two slices move together. Points are hashes, so one pass
//! over their top bits leaves short runs, which insertion finishes.

use core::{cell::Cell, cmp::Ordering};

use super::continuum::Point;

/// Decides between the owners of equal points.
type Compare<'c> = &'c dyn Fn(u16, u16) -> Ordering;

/// Most bits that one pass looks at.
const RADIX_BITS: u32 = 8;

/// Entries that a pass leaves in a run, as a power of two, if hashes are even.
const RUN_BITS: u32 = 2;

/// Runs up to this length are left to insertion.
const SHORT: usize = 24;

/// Sorts by point, equal points by owner as `compare` has them.
pub(super) fn by_point<P: Point>(points: &mut [P], owners: &mut [u16], compare: Compare<'_>) {
    let points = Cell::from_mut(points).as_slice_of_cells();
    let owners = Cell::from_mut(owners).as_slice_of_cells();
    radix(points, owners, 32, compare);
}

/// Sorts by the top `bits` bits of the heads, then hands each run on to the next bits or to insertion.
fn radix<P: Point>(points: &[Cell<P>], owners: &[Cell<u16>], bits: u32, compare: Compare<'_>) {
    if points.len() <= SHORT {
        return insertion(points, owners, compare);
    }
    if bits == 0 {
        return heap(points, owners, compare);
    }
    let taken = points.len().ilog2().saturating_sub(RUN_BITS).min(RADIX_BITS).min(bits);
    let shift = bits - taken;
    let mask = (1 << taken) - 1;
    let digit = |point: P| ((point.head() >> shift) & mask) as usize;

    // `next` starts as where each digit's run ends and moves down to where it begins.
    let mut next = [0_u32; 1 << RADIX_BITS];
    let next = next.get_mut(..1 << taken).unwrap_or_default();
    for point in points {
        if let Some(count) = next.get_mut(digit(point.get())) {
            *count += 1;
        }
    }
    let mut end = 0;
    for count in &mut *next {
        end += *count;
        *count = end;
    }

    // Everything before `at` is sorted; so is an entry whose run has nothing free at or above `at`.
    let mut at = 0;
    while let Some(here) = points.get(at) {
        let Some(place) = next.get_mut(digit(here.get())).filter(|place| **place as usize > at) else {
            at += 1;
            continue;
        };
        *place -= 1;
        let to = *place as usize;
        swap(points, at, to);
        swap(owners, at, to);
    }

    let mut ends = next.iter().skip(1).map(|&begin| begin as usize).chain([points.len()]);
    for &begin in &*next {
        let end = ends.next().unwrap_or(points.len());
        if let (Some(points), Some(owners)) =
            (points.get(begin as usize..end), owners.get(begin as usize..end))
        {
            radix(points, owners, shift, compare);
        }
    }
}

fn insertion<P: Point>(points: &[Cell<P>], owners: &[Cell<u16>], compare: Compare<'_>) {
    for end in 1..points.len() {
        for (points, owners) in points.windows(2).zip(owners.windows(2)).take(end).rev() {
            let ([left, right], [left_owner, right_owner]) = (points, owners) else { break };
            let order =
                left.get().cmp(&right.get()).then_with(|| compare(left_owner.get(), right_owner.get()));
            if order.is_le() {
                break;
            }
            exchange(left, right);
            exchange(left_owner, right_owner);
        }
    }
}

/// For long runs of equal heads, where insertion would take the square of their length.
fn heap<P: Point>(points: &[Cell<P>], owners: &[Cell<u16>], compare: Compare<'_>) {
    let entry = |at: usize| Some((points.get(at)?.get(), owners.get(at)?.get()));
    let below = |left: usize, right: usize| match (entry(left), entry(right)) {
        (Some((left, left_owner)), Some((right, right_owner))) => {
            left.cmp(&right).then_with(|| compare(left_owner, right_owner)).is_lt()
        }
        _ => false,
    };
    // Lets the entry at `root` sink until neither entry under it, before `end`, is above it.
    let sink = |mut root: usize, end: usize| {
        loop {
            let mut under = 2 * root + 1;
            if under + 1 < end && below(under, under + 1) {
                under += 1;
            }
            if under >= end || !below(root, under) {
                return;
            }
            swap(points, root, under);
            swap(owners, root, under);
            root = under;
        }
    };
    for root in (0..points.len() / 2).rev() {
        sink(root, points.len());
    }
    for end in (1..points.len()).rev() {
        swap(points, 0, end);
        swap(owners, 0, end);
        sink(0, end);
    }
}

fn swap<T: Copy>(cells: &[Cell<T>], left: usize, right: usize) {
    if let (Some(left), Some(right)) = (cells.get(left), cells.get(right)) {
        exchange(left, right);
    }
}

/// `Cell::swap` panics if its cells overlap, which not every compilation sees that they cannot.
fn exchange<T: Copy>(left: &Cell<T>, right: &Cell<T>) {
    let old = left.replace(right.get());
    right.set(old);
}

/// Which of several equal points stays.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    First,
    Last,
}

/// Moves one of each run of equal points to the front and returns how many there are.
pub(super) fn keep_one<P: Point>(points: &mut [P], owners: &mut [u16], keep: Keep) -> usize {
    let points = Cell::from_mut(points).as_slice_of_cells();
    let owners = Cell::from_mut(owners).as_slice_of_cells();
    let mut kept = 0;
    let mut last: Option<P> = None;
    for (point, owner) in points.iter().zip(owners) {
        let again = last == Some(point.get());
        if again && keep == Keep::First {
            continue;
        }
        if again {
            kept -= 1;
        }
        if let (Some(point_place), Some(owner_place)) = (points.get(kept), owners.get(kept)) {
            point_place.set(point.get());
            owner_place.set(owner.get());
        }
        last = Some(point.get());
        kept += 1;
    }
    kept
}

/// Of n equal points, keeps the one at index `point % n` of their run.
pub(super) fn keep_by_value<P: Point>(points: &mut [P], owners: &mut [u16]) -> usize {
    let points = Cell::from_mut(points).as_slice_of_cells();
    let owners = Cell::from_mut(owners).as_slice_of_cells();
    let (mut kept, mut begin) = (0, 0);
    while let Some(point) = points.get(begin).map(Cell::get) {
        let run = points.iter().skip(begin).take_while(|other| other.get() == point).count();
        if let (Some(point_place), Some(owner_place), Some(owner)) =
            (points.get(kept), owners.get(kept), owners.get(begin + point.modulo(run)))
        {
            point_place.set(point);
            owner_place.set(owner.get());
        }
        kept += 1;
        begin += run;
    }
    kept
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn sorted<P: Point>(entries: &[(P, u16)]) -> Vec<(P, u16)> {
        let (mut points, mut owners): (Vec<P>, Vec<u16>) = entries.iter().copied().unzip();
        by_point(&mut points, &mut owners, &|left, right| right.cmp(&left));
        points.into_iter().zip(owners).collect()
    }

    proptest! {
        #[test]
        fn sorts_as_the_standard_sort_does(
            entries in prop::collection::vec((any::<u32>(), any::<u16>()), 0..2000),
            mask in prop::sample::select(std::vec![u32::MAX, 0xff, 0x8000_0001, 0x00ff_0000, 0]),
        ) {
            let narrow: Vec<_> = entries.iter().map(|&(point, owner)| (point & mask, owner)).collect();
            let mut expected = narrow.clone();
            expected.sort_by(|left, right| left.0.cmp(&right.0).then(right.1.cmp(&left.1)));
            prop_assert_eq!(sorted(&narrow), expected);

            let wide: Vec<_> = entries.iter().map(|&(point, owner)| (u128::from(point & mask) * 0x1_0000_0001, owner)).collect();
            let mut expected = wide.clone();
            expected.sort_by(|left, right| left.0.cmp(&right.0).then(right.1.cmp(&left.1)));
            prop_assert_eq!(sorted(&wide), expected);
        }
    }

    #[test]
    fn one_of_each_run_stays() {
        let entries = ([1, 1, 2, 3, 3, 3], [10, 11, 12, 13, 14, 15]);
        let (mut points, mut owners) = entries;
        assert_eq!(keep_one(&mut points, &mut owners, Keep::First), 3);
        assert_eq!((&points[..3], &owners[..3]), (&[1_u32, 2, 3][..], &[10, 12, 13][..]));
        let (mut points, mut owners) = entries;
        assert_eq!(keep_one(&mut points, &mut owners, Keep::Last), 3);
        assert_eq!((&points[..3], &owners[..3]), (&[1_u32, 2, 3][..], &[11, 12, 15][..]));
        let (mut points, mut owners) = entries;
        assert_eq!(keep_by_value(&mut points, &mut owners), 3);
        assert_eq!((&points[..3], &owners[..3]), (&[1_u32, 2, 3][..], &[11, 12, 13][..]));
    }
}
