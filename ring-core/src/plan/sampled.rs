//! Plans from a sample: any two placements can be compared by asking both.
//!
//! The keys are well mixed: of keys that only count up, weak hash functions make other than random shares.

use super::Precision;
use crate::{
    hash::Murmur64a,
    mechanism::View,
    server::ServerIndex,
    text::{Hex, assemble},
};

/// How many keys are placed.
pub(super) const KEYS: u32 = 100_000;

/// Places mixed keys with both and hands out the share of each pair of servers.
pub(super) fn compare(
    old: &View<'_>,
    new: &View<'_>,
    add: &mut dyn FnMut(ServerIndex, ServerIndex, f64),
) -> Precision {
    each_key(&mut |key, share| {
        add(old.scheme.mechanism.primary(old, key), new.scheme.mechanism.primary(new, key), share);
    })
}

/// Places mixed keys and hands out the share of each server.
pub(super) fn shares(view: &View<'_>, add: &mut dyn FnMut(ServerIndex, f64)) -> Precision {
    each_key(&mut |key, share| add(view.scheme.mechanism.primary(view, key), share))
}

/// Hands out the keys of the sample, each with its share of it.
fn each_key(sink: &mut dyn FnMut(&[u8], f64)) -> Precision {
    let share = 1.0 / f64::from(KEYS);
    for number in 0..KEYS {
        sink(&key(number), share);
    }
    Precision::Sampled { keys: KEYS }
}

/// Key `number` of the sample: 16 hexadecimal digits.
pub(super) fn key(number: u32) -> [u8; 16] {
    let mixed = Murmur64a::of_word(number.into()).to_be_bytes();
    let mut digits = [0; 16];
    let _ = assemble(&Hex(&mixed), &mut digits);
    digits
}
