//! CRC-32 of zlib (IEEE 802.3, reflected), whole and cut to the 15 bits that many peers keep.

use super::Hasher;

/// All 32 bits of the CRC.
#[derive(Clone, Debug)]
pub struct Crc32(crc32fast::Hasher);

impl Crc32 {
    /// Goes on from `crc`, the CRC of bytes hashed before: `CRC(a ‖ b)` from `CRC(a)` and `b`.
    #[must_use]
    pub fn continued(crc: u32) -> Self {
        Self(crc32fast::Hasher::new_with_initial(crc))
    }
}

impl Hasher for Crc32 {
    fn start(_len: usize) -> Self {
        Self(crc32fast::Hasher::new())
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(self) -> u32 {
        self.0.finalize()
    }
}

/// `(crc >> 16) & 0x7fff`.
///
/// Source: Cache::Memcached `_hashfunc`; libhashkit `crc32.cc`.
#[derive(Clone, Debug)]
pub struct Crc15(Crc32);

impl Hasher for Crc15 {
    fn start(len: usize) -> Self {
        Self(Crc32::start(len))
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    fn finish(self) -> u32 {
        (self.0.finish() >> 16) & 0x7fff
    }
}

/// [`Crc15`], but 1 where that is 0.
///
/// Source: python-memcached before 1.60, `cmemcache_hash`: `((crc32(key) & 0xffffffff) >> 16) & 0x7fff or 1`.
#[derive(Clone, Debug)]
pub struct Crc15Or1(Crc15);

impl Hasher for Crc15Or1 {
    fn start(len: usize) -> Self {
        Self(Crc15::start(len))
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    fn finish(self) -> u32 {
        self.0.finish().max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_bits_of_the_whole() {
        assert_eq!(Crc32::of(b"tokyo"), 0xce47_ccf0);
        assert_eq!(Crc15::of(b"tokyo"), 20_039);
        assert_eq!(Crc15Or1::of(b"tokyo"), 20_039);
    }

    #[test]
    fn zero_becomes_one() {
        assert_eq!(Crc15::of(b""), 0);
        assert_eq!(Crc15Or1::of(b""), 1);
    }

    #[test]
    fn continued_is_the_crc_of_both_parts() {
        let mut rest = Crc32::continued(Crc32::of(b"to"));
        rest.write(b"kyo");
        assert_eq!(rest.finish(), Crc32::of(b"tokyo"));
    }
}
