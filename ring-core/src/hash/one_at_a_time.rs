//! Bob Jenkins' one-at-a-time, over signed bytes.
//!
//! Source: libhashkit `one_at_a_time.cc`; it hashes `char`, hence the sign extension.

use super::Hasher;

/// Jenkins' one-at-a-time hash.
#[derive(Clone, Copy, Debug)]
pub struct OneAtATime(u32);

impl Hasher for OneAtATime {
    type Output = u32;

    fn start(_len: usize) -> Self {
        Self(0)
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.wrapping_add(super::signed(byte));
            self.0 = self.0.wrapping_add(self.0 << 10);
            self.0 ^= self.0 >> 6;
        }
    }

    fn finish(mut self) -> u32 {
        self.0 = self.0.wrapping_add(self.0 << 3);
        self.0 ^= self.0 >> 11;
        self.0.wrapping_add(self.0 << 15)
    }
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
