//! Exact plans: both placements divide the same hashes, and the two divisions are laid over each other.

use crate::{
    mechanism::{Division, Search, View},
    server::ServerIndex,
};

/// Hash values that are looked up one by one, where a hash has no more.
const FEW_VALUES: u64 = 1 << 20;

/// Hashes until both placements repeat that are followed.
const LONG_ROUND: u64 = 1 << 24;

/// Hands the share of each pair of servers to `add`; `false`, and nothing handed out, if it cannot be known exactly.
pub(super) fn compare(
    old: &View<'_>,
    new: &View<'_>,
    add: &mut dyn FnMut(ServerIndex, ServerIndex, f64),
) -> bool {
    if !old.scheme.hashes_as(new.scheme) {
        return false;
    }
    let divisions = (old.scheme.mechanism.division(old), new.scheme.mechanism.division(new));
    let values = old.scheme.hash.values();
    match divisions {
        (Division::Unknown, _) | (_, Division::Unknown) => false,
        _ if values <= FEW_VALUES && values > 0 => {
            one_by_one(old, new, values as u32, add);
            true
        }
        _ if values != 1 << 32 => false,
        (Division::Repeats(old_period), Division::Repeats(new_period)) => {
            repeats((old, old_period), (new, new_period), add)
        }
        (Division::Arcs(old_search), Division::Arcs(new_search)) => {
            arcs((old, old_search), (new, new_search), add);
            true
        }
        (Division::Arcs(_), Division::Repeats(_)) | (Division::Repeats(_), Division::Arcs(_)) => false,
    }
}

/// Looks up every value that the hash takes.
fn one_by_one(
    old: &View<'_>,
    new: &View<'_>,
    values: u32,
    add: &mut dyn FnMut(ServerIndex, ServerIndex, f64),
) {
    let share = 1.0 / f64::from(values);
    for hash in 0..values {
        add(old.scheme.mechanism.at(old, hash), new.scheme.mechanism.at(new, hash), share);
    }
}

/// Follows both until they repeat together; the hashes above the last whole round are counted, too.
fn repeats(
    (old, old_period): (&View<'_>, u64),
    (new, new_period): (&View<'_>, u64),
    add: &mut dyn FnMut(ServerIndex, ServerIndex, f64),
) -> bool {
    let Some(round) = least_common_multiple(old_period, new_period).filter(|&round| round <= LONG_ROUND)
    else {
        return false;
    };
    let values = 1_u64 << 32;
    let (rounds, rest) = (values / round, values % round);
    for hash in 0..round {
        let hashes = rounds + u64::from(hash < rest);
        let hash = hash as u32;
        let share = hashes as f64 / values as f64;
        add(old.scheme.mechanism.at(old, hash), new.scheme.mechanism.at(new, hash), share);
    }
    true
}

/// The least number that both divide; `None` when one is zero.
fn least_common_multiple(left: u64, right: u64) -> Option<u64> {
    let (mut divisor, mut rest) = (left, right);
    while let Some(next) = divisor.checked_rem(rest) {
        (divisor, rest) = (rest, next);
    }
    left.checked_div(divisor)?.checked_mul(right).filter(|&multiple| multiple > 0)
}

/// Goes round both rings at once, from boundary to boundary.
fn arcs(
    (old, old_search): (&View<'_>, Search),
    (new, new_search): (&View<'_>, Search),
    add: &mut dyn FnMut(ServerIndex, ServerIndex, f64),
) {
    let mut old_begins = begins(old, old_search).peekable();
    let mut new_begins = begins(new, new_search).peekable();
    let mut begin = 0_u64;
    while begin < 1 << 32 {
        while old_begins.next_if(|&next| next <= begin).is_some() {}
        while new_begins.next_if(|&next| next <= begin).is_some() {}
        let end = [old_begins.peek(), new_begins.peek()]
            .into_iter()
            .flatten()
            .fold(1 << 32, |end, &next| next.min(end));
        let hash = begin as u32;
        let share = (end - begin) as f64 / (1_u64 << 32) as f64;
        add(old.scheme.mechanism.at(old, hash), new.scheme.mechanism.at(new, hash), share);
        begin = end;
    }
}

/// The first hash of each arc, ascending.
fn begins<'v>(view: &View<'v>, search: Search) -> impl Iterator<Item = u64> + use<'v> {
    let points = view.entries.points;
    let after = match search {
        Search::AtOrAbove | Search::AtOrAboveOrLast => 1,
        Search::Above | Search::AtOrBelow => 0,
    };
    // What lies below the first point is an arc of its own there.
    let below = match search {
        Search::AtOrAboveOrLast => points.first(),
        _ => None,
    };
    below
        .map(|&point| point.into())
        .into_iter()
        .chain(points.iter().map(move |&point| u64::from(point) + after))
}
