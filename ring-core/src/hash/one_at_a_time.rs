//! Bob Jenkins' one-at-a-time, over signed bytes and over bytes as they are.
//!
//! Source: libhashkit `one_at_a_time.cc`, which hashes `char`, hence the sign extension; xmemcached 2.4
//! `HashAlgorithm.ONE_AT_A_TIME`, which takes the sign off again.

use super::Hasher;

/// Jenkins' one-at-a-time hash, over signed bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OneAtATime(u32);

/// Jenkins' one-at-a-time hash, over bytes as they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OneAtATimeUnsigned(u32);

impl Hasher for OneAtATime {
    type Output = u32;

    fn start(_len: usize) -> Self {
        Self(0)
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, &byte| step(hash, super::signed(byte)));
    }

    fn finish(self) -> u32 {
        finished(self.0)
    }
}

impl Hasher for OneAtATimeUnsigned {
    type Output = u32;

    fn start(_len: usize) -> Self {
        Self(0)
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, &byte| step(hash, byte.into()));
    }

    fn finish(self) -> u32 {
        finished(self.0)
    }
}

const fn step(hash: u32, unit: u32) -> u32 {
    let hash = hash.wrapping_add(unit);
    let hash = hash.wrapping_add(hash << 10);
    hash ^ hash >> 6
}

const fn finished(hash: u32) -> u32 {
    let hash = hash.wrapping_add(hash << 3);
    let hash = hash ^ hash >> 11;
    hash.wrapping_add(hash << 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_from_0x80_on_are_sign_extended() {
        assert_eq!(OneAtATime::of(b"tokyo"), 0x68f7_dff0);
        assert_eq!(OneAtATime::of(&[0xff, 0x80]), 0xd8d1_31c7);
    }
}
