//! Java's `String.hashCode`, and what memjs makes of it.

use super::{
    folded::{Fold, Folded},
    stepped::{OverUtf16, Step},
};

/// `31 × h + c` over UTF-16 code units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times31;

impl Step for Times31 {
    const START: u32 = 0;

    fn step(hash: u32, unit: u32) -> u32 {
        hash.wrapping_mul(31).wrapping_add(unit)
    }
}

/// `String.hashCode` as an unsigned number: spymemcached's `NATIVE_HASH`.
pub(crate) type Java = OverUtf16<Times31>;

/// The distance from zero of the hash as a signed number: 0x80000000 stays what it is.
///
/// Source: memjs 1.3.2 `lib/memjs/utils.js`, `hashCode` and its `Math.abs`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Absolute;

impl Fold for Absolute {
    const VALUES: u64 = 0;

    fn fold(hash: u32) -> u32 {
        (hash as i32).unsigned_abs()
    }
}

/// memjs' key hash.
pub(crate) type Memjs = Folded<Java, Absolute>;

#[cfg(test)]
mod tests {
    use super::{super::Hasher, *};

    #[test]
    fn hashes_code_units_not_bytes() {
        assert_eq!(Java::of(b"tokyo"), 0x0696_bc66);
        assert_eq!(Java::of("ö".as_bytes()), 0xf6);
        // U+1F600 is D83D DE00 in UTF-16.
        assert_eq!(Java::of("😀".as_bytes()), 0xd83d * 31 + 0xde00);
    }

    #[test]
    fn the_lowest_number_has_no_positive_twin() {
        // A known text of hash code -2^31.
        assert_eq!(Java::of(b"polygenelubricants"), 0x8000_0000);
        assert_eq!(Memjs::of(b"polygenelubricants"), 0x8000_0000);
        assert_eq!(Memjs::of(b"another_key"), 0xee3f_9b23_u32.wrapping_neg());
    }
}
