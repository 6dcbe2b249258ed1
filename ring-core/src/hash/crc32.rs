//! CRC-32 of zlib (IEEE 802.3, reflected), whole and cut to the bits that peers keep.

#[cfg(feature = "small")]
use nibbles::Hasher as Running;
#[cfg(not(feature = "small"))]
use sliced::Hasher as Running;

use super::{
    Hasher,
    folded::{Folded, Lower31, Upper15, Upper15Or1},
};

#[cfg(feature = "small")]
mod nibbles;
#[cfg(not(feature = "small"))]
mod sliced;

/// All 32 bits of the CRC.
#[derive(Clone, Debug)]
pub(crate) struct Crc32(Running);

impl Crc32 {
    /// Goes on from `crc`, the CRC of bytes hashed before: `CRC(a ‖ b)` from `CRC(a)` and `b`.
    #[must_use]
    pub(crate) fn continued(crc: u32) -> Self {
        Self(Running::new_with_initial(crc))
    }
}

impl Hasher for Crc32 {
    type Output = u32;

    fn start(_len: usize) -> Self {
        Self(Running::new())
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(self) -> u32 {
        self.0.finalize()
    }
}

/// `crc & 0x7fffffff`.
///
/// Source: mcrouter `mcrouter/lib/Crc32HashFunc.h`.
pub(crate) type Crc31 = Folded<Crc32, Lower31>;

/// `(crc >> 16) & 0x7fff`.
///
/// Source: Cache::Memcached `_hashfunc`; libhashkit `crc32.cc`.
pub(crate) type Crc15 = Folded<Crc32, Upper15>;

/// [`Crc15`], but 1 where that is 0.
///
/// Source: python-memcached before 1.60, `cmemcache_hash`: `((crc32(key) & 0xffffffff) >> 16) & 0x7fff or 1`; PECL
/// memcache 4.0.5.2 `memcache_standard_hash.c`.
pub(crate) type Crc15Or1 = Folded<Crc32, Upper15Or1>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_bits_of_the_whole() {
        assert_eq!(Crc32::of(b"tokyo"), 0xce47_ccf0);
        assert_eq!(Crc31::of(b"tokyo"), 0x4e47_ccf0);
        assert_eq!(Crc15::of(b"tokyo"), 20_039);
        assert_eq!(Crc15Or1::of(b"tokyo"), 20_039);
    }

    #[test]
    fn zero_becomes_one() {
        assert_eq!(Crc15::of(b""), 0);
        assert_eq!(Crc15Or1::of(b""), 1);
    }

    #[test]
    fn every_length_is_hashed_as_bit_by_bit() {
        let bytes: [u8; 300] = core::array::from_fn(|at| (at * 167 + 13) as u8);
        for len in 0..bytes.len() {
            let bytes = &bytes[..len];
            assert_eq!(Crc32::of(bytes), bit_by_bit(bytes), "{len} bytes");
        }
    }

    fn bit_by_bit(bytes: &[u8]) -> u32 {
        let mut crc = u32::MAX;
        for byte in bytes {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = if crc & 1 == 0 { crc >> 1 } else { crc >> 1 ^ 0xedb8_8320 };
            }
        }
        !crc
    }

    #[test]
    fn continued_is_the_crc_of_both_parts() {
        let mut rest = Crc32::continued(Crc32::of(b"to"));
        rest.write(b"kyo");
        assert_eq!(rest.finish(), Crc32::of(b"tokyo"));
    }
}
