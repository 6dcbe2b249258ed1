//! Paul Hsieh's SuperFastHash as twemproxy has it: it begins with 0 instead of the length.
//!
//! Source: twemproxy `src/hashkit/nc_hsieh.c`; in libhashkit it is usually compiled out.

use super::{Hasher, blocks::Blocks, signed};

/// twemproxy's hsieh.
#[derive(Clone, Debug)]
pub(crate) struct Hsieh {
    hash: u32,
    blocks: Blocks<4>,
}

impl Hasher for Hsieh {
    type Output = u32;

    fn start(_len: usize) -> Self {
        Self { hash: 0, blocks: Blocks::new() }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.blocks.write(bytes, |&[a, b, c, d]| {
            let hash = self.hash.wrapping_add(le16(a, b));
            let hash = hash << 16 ^ le16(c, d) << 11 ^ hash;
            self.hash = hash.wrapping_add(hash >> 11);
        });
    }

    fn finish(self) -> u32 {
        let mut hash = self.hash;
        match *self.blocks.rest() {
            // The peer reads the third byte as a signed `char`, but a single one without a sign.
            [a, b, c] => {
                hash = hash.wrapping_add(le16(a, b));
                hash ^= hash << 16 ^ signed(c) << 18;
                hash = hash.wrapping_add(hash >> 11);
            }
            [a, b] => {
                hash = hash.wrapping_add(le16(a, b));
                hash ^= hash << 11;
                hash = hash.wrapping_add(hash >> 17);
            }
            [a] => {
                hash = hash.wrapping_add(u32::from(a));
                hash ^= hash << 10;
                hash = hash.wrapping_add(hash >> 1);
            }
            _ => {}
        }
        hash ^= hash << 3;
        hash = hash.wrapping_add(hash >> 5);
        hash ^= hash << 4;
        hash = hash.wrapping_add(hash >> 17);
        hash ^= hash << 25;
        hash.wrapping_add(hash >> 6)
    }
}

fn le16(low: u8, high: u8) -> u32 {
    u32::from(u16::from_le_bytes([low, high]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_twemproxy_does() {
        assert_eq!(Hsieh::of(b"tokyo"), 0xd7c9_60e1);
        assert_eq!(Hsieh::of(b"foo"), 0x76d4_d427);
        assert_eq!(Hsieh::of(b"test"), 0x3830_34b7);
        assert_eq!(Hsieh::of(&[0xff, 0x80]), 0xbda1_1bf0);
        assert_eq!(Hsieh::of(b""), 0);
    }
}
