//! Keys that carry their own hash, written `NUMBER:key`: the `(hash, key)` pairs that python-memcached and
//! Cache::Memcached take in place of a key.

use crate::{mechanism::Slots, text::Text};

/// The number modulo the number of slots; a key without a number is hashed as usual.
pub(super) const SLOTS: Slots = Slots {
    slot: Some(|scheme, key, total| match split(key) {
        Some((number, _)) => number.modulo(total),
        None => Slots::by_hash(scheme, key, total),
    }),
};

/// A whole number of any length and sign.
#[derive(Clone, Copy)]
pub(super) struct Number<'n> {
    negative: bool,
    digits: &'n [u8],
}

/// The number before the first colon of `key` and the key behind it.
pub(super) fn split(key: &[u8]) -> Option<(Number<'_>, &[u8])> {
    let (number, rest) = key.split_at_checked(key.iter().position(|&byte| byte == b':')?)?;
    Some((Number::parse(number)?, rest.strip_prefix(b":")?))
}

impl<'n> Number<'n> {
    fn parse(text: &'n [u8]) -> Option<Self> {
        let (negative, mut digits) = match text {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        while let [b'0', _, ..] = digits {
            digits = digits.get(1..).unwrap_or_default();
        }
        Some(Self { negative: negative && digits != b"0", digits })
    }

    /// The number modulo `total`, from zero up.
    pub(super) fn modulo(self, total: u32) -> u32 {
        let total = u64::from(total);
        let step =
            |rest: u64, &digit: &u8| (rest * 10 + u64::from(digit - b'0')).checked_rem(total).unwrap_or(0);
        match (self.negative, self.digits.iter().fold(0, step)) {
            (true, rest @ 1..) => (total - rest) as u32,
            (_, rest) => rest as u32,
        }
    }
}

/// As Python and Perl print it.
impl Text for Number<'_> {
    fn feed(&self, sink: &mut dyn FnMut(&[u8])) {
        if self.negative {
            sink(b"-");
        }
        sink(self.digits);
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    fn printed(key: &[u8]) -> Option<Vec<u8>> {
        split(key).map(|(number, _)| {
            let mut text = Vec::new();
            number.feed(&mut |piece| text.extend_from_slice(piece));
            text
        })
    }

    #[test]
    fn a_number_is_what_stands_before_the_first_colon() {
        assert_eq!(split(b"7:a:b").map(|(_, rest)| rest), Some(&b"a:b"[..]));
        assert_eq!(split(b"7:").map(|(_, rest)| rest), Some(&b""[..]));
        for key in ["7", "", ":", ":a", "-:a", "x:a", "1x:a", "+1:a", "--1:a", " 1:a"] {
            assert!(split(key.as_bytes()).is_none(), "{key}");
        }
    }

    #[test]
    fn a_number_prints_without_needless_zeros() {
        assert_eq!(printed(b"007:a").unwrap(), b"7");
        assert_eq!(printed(b"-070:a").unwrap(), b"-70");
        assert_eq!(printed(b"-00:a").unwrap(), b"0");
    }

    #[test]
    fn modulo_is_never_negative_and_takes_numbers_of_any_length() {
        let modulo = |key: &[u8], total| split(key).unwrap().0.modulo(total);
        assert_eq!(
            [-7, -3, -1, 0, 1, 3, 7].map(|n| modulo(std::format!("{n}:").as_bytes(), 3)),
            [2, 0, 2, 0, 1, 0, 1]
        );
        // 2^128 is 1 modulo 3 and modulo 2^32 - 1.
        let large = std::format!("{}:", u128::MAX).into_bytes();
        assert_eq!((modulo(&large, 3), modulo(&large, u32::MAX)), (0, 0));
        assert_eq!(modulo(b"-1:", u32::MAX), u32::MAX - 1);
        assert_eq!(modulo(b"5:", 0), 0);
    }
}
