//! Plans from a sample: any two placements can be compared by asking both.

use super::Precision;
use crate::{
    mechanism::View,
    server::ServerIndex,
    text::{Concat, Decimal, assemble},
};

/// How many keys are placed.
const KEYS: u32 = 100_000;

/// Places numbered keys with both and hands out the share of each pair of servers.
pub(super) fn compare(
    old: &View<'_>,
    new: &View<'_>,
    add: &mut dyn FnMut(ServerIndex, ServerIndex, f64),
) -> Precision {
    let share = 1.0 / f64::from(KEYS);
    for number in 0..KEYS {
        let mut room = [0; 32];
        let key = assemble(&Concat([&"memring:", &Decimal(number.into())]), &mut room).unwrap_or_default();
        add(old.scheme.mechanism.primary(old, key), new.scheme.mechanism.primary(new, key), share);
    }
    Precision::Sampled { keys: KEYS }
}
