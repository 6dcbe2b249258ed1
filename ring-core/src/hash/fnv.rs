//! FNV-1 and FNV-1a as C and Java peers have them: 32 bits, and the lower 32 of 64.
//!
//! The upper half of a 64-bit FNV never reaches the lower, so all four are computed in 32 bits.
//!
//! Source: libhashkit `fnv_32.cc` and `fnv_64.cc`, over signed bytes; spymemcached `DefaultHashAlgorithm`, over UTF-16;
//! EnyimMemcachedCore `FnvHash.cs`, over bytes without sign.

use super::{
    folded::{Folded, Upper15Or1},
    stepped::{OverBytes, OverUnsigned, OverUtf16, Step},
};

/// FNV-1: multiplies, then adds the unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fnv1<const OFFSET: u32, const PRIME: u32>;

impl<const OFFSET: u32, const PRIME: u32> Step for Fnv1<OFFSET, PRIME> {
    const START: u32 = OFFSET;

    fn step(hash: u32, unit: u32) -> u32 {
        hash.wrapping_mul(PRIME) ^ unit
    }
}

/// FNV-1a: adds the unit, then multiplies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fnv1a<const OFFSET: u32, const PRIME: u32>;

impl<const OFFSET: u32, const PRIME: u32> Step for Fnv1a<OFFSET, PRIME> {
    const START: u32 = OFFSET;

    fn step(hash: u32, unit: u32) -> u32 {
        (hash ^ unit).wrapping_mul(PRIME)
    }
}

/// FNV-1 of 32 bits over signed bytes.
pub(crate) type Fnv1_32 = OverBytes<Fnv1<OFFSET_32, PRIME_32>>;
/// FNV-1a of 32 bits over signed bytes.
pub(crate) type Fnv1a32 = OverBytes<Fnv1a<OFFSET_32, PRIME_32>>;
/// The lower half of FNV-1 of 64 bits over signed bytes.
pub(crate) type Fnv1_64 = OverBytes<Fnv1<OFFSET_64, PRIME_64>>;
/// The lower half of FNV-1a of 64 bits over signed bytes.
pub(crate) type Fnv1a64 = OverBytes<Fnv1a<OFFSET_64, PRIME_64>>;

/// 15 bits of [`Fnv1a32`], never 0.
///
/// Source: PECL memcache 4.0.5.2 `memcache_standard_hash.c`.
pub(crate) type Fnv1a15Or1 = Folded<Fnv1a32, Upper15Or1>;

/// [`Fnv1_32`] over UTF-16.
pub(crate) type Fnv1_32Utf16 = OverUtf16<Fnv1<OFFSET_32, PRIME_32>>;
/// [`Fnv1a32`] over UTF-16.
pub(crate) type Fnv1a32Utf16 = OverUtf16<Fnv1a<OFFSET_32, PRIME_32>>;
/// [`Fnv1_64`] over UTF-16.
pub(crate) type Fnv1_64Utf16 = OverUtf16<Fnv1<OFFSET_64, PRIME_64>>;
/// [`Fnv1a64`] over UTF-16.
pub(crate) type Fnv1a64Utf16 = OverUtf16<Fnv1a<OFFSET_64, PRIME_64>>;

/// [`Fnv1a32`] over bytes without sign.
pub(crate) type Fnv1a32Unsigned = OverUnsigned<Fnv1a<OFFSET_32, PRIME_32>>;
/// FNV-1a that begins with 0 instead of FNV's offset.
pub(crate) type Fnv1a32FromZero = OverUnsigned<Fnv1a<0, PRIME_32>>;

const OFFSET_32: u32 = 0x811c_9dc5;
const PRIME_32: u32 = 0x0100_0193;
/// The lower half of 0xcbf29ce484222325.
const OFFSET_64: u32 = 0x8422_2325;
/// The lower half of 0x100000001b3.
const PRIME_64: u32 = 0x1b3;

#[cfg(test)]
mod tests {
    use super::{super::Hasher, *};

    #[test]
    fn bytes_from_0x80_on_are_sign_extended() {
        assert_eq!([b"tokyo".as_slice(), &[0xff, 0x80]].map(Fnv1_32::of), [0x5ba1_22e1, 0x1276_9920]);
        assert_eq!([b"tokyo".as_slice(), &[0xff, 0x80]].map(Fnv1a32::of), [0x9548_4ef9, 0x5379_3e4a]);
        assert_eq!([b"tokyo".as_slice(), &[0xff, 0x80]].map(Fnv1_64::of), [0xba05_07a1, 0xb4eb_71e0]);
        assert_eq!([b"tokyo".as_slice(), &[0xff, 0x80]].map(Fnv1a64::of), [0x5079_f639, 0xb4ee_ef6a]);
    }

    #[test]
    fn the_lower_half_of_64_bits_is_32_bit_arithmetic() {
        let whole = b"user:123:profile".iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        assert_eq!(Fnv1a64::of(b"user:123:profile"), whole as u32);
    }

    #[test]
    fn over_utf16_only_what_is_not_ascii_differs() {
        assert_eq!(Fnv1a32Utf16::of(b"tokyo"), Fnv1a32::of(b"tokyo"));
        // U+00E9 is one unit, without sign.
        assert_eq!(Fnv1_64Utf16::of("é".as_bytes()), OFFSET_64.wrapping_mul(PRIME_64) ^ 0xe9);
    }
}
