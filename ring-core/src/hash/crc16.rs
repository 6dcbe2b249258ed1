//! twemproxy's crc16, which is 32 bits wide.
//!
//! The table is that of CRC-16/XMODEM, but the accumulator is a `uint32_t` that is never masked: bits that are
//! shifted out of the lower half stay in the upper.
//!
//! Source: twemproxy `src/hashkit/nc_crc16.c`.

use super::Hasher;

/// twemproxy's crc16.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crc16(u32);

impl Hasher for Crc16 {
    type Output = u32;

    // The upper half has what was shifted out of the lower: with short keys it is small.
    const VALUES: u64 = 0;

    fn start(_len: usize) -> Self {
        Self(0)
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let [_, _, upper, _] = self.0.to_be_bytes();
            self.0 = (self.0 << 8) ^ u32::from(TABLE[usize::from(upper ^ byte)]);
        }
    }

    fn finish(self) -> u32 {
        self.0
    }
}

/// The CRC of each byte: polynomial x¹⁶ + x¹² + x⁵ + 1, most significant bit first.
static TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < table.len() {
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lower_half_is_the_crc_and_the_upper_its_history() {
        // The check value of CRC-16/XMODEM is 31C3.
        assert_eq!(Crc16::of(b"123456789") & 0xffff, 0x31c3);
        assert_eq!(Crc16::of(b"tokyo"), 0xc207_5dae);
        assert_eq!(Crc16::of(&[0xff, 0x80]), 0x001e_9277);
    }
}
