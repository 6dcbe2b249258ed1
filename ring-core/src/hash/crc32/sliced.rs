//! CRC-32 up to 16 bytes at a time, by 16 KiB of table.
//!
//! Every index is a byte into 256 entries and every block an array, so there is nothing to check, however a program is
//! optimised. crc32fast, which does the same with slices, sheds its checks at `opt-level = 3` only.

/// A CRC on its way.
#[derive(Clone, Debug)]
pub(super) struct Hasher(u32);

impl Hasher {
    pub(super) const fn new() -> Self {
        Self::new_with_initial(0)
    }

    pub(super) const fn new_with_initial(crc: u32) -> Self {
        Self(!crc)
    }

    #[inline]
    pub(super) fn update(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some((&[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p], behind)) = rest.split_first_chunk()
        {
            let known = word::<0>([m, n, o, p]) ^ word::<4>([i, j, k, l]) ^ word::<8>([e, f, g, h]);
            self.0 = known ^ word::<12>(self.before([a, b, c, d]));
            rest = behind;
        }
        if let Some((&[a, b, c, d, e, f, g, h], behind)) = rest.split_first_chunk() {
            self.0 = word::<0>([e, f, g, h]) ^ word::<4>(self.before([a, b, c, d]));
            rest = behind;
        }
        if let Some((&first, behind)) = rest.split_first_chunk() {
            self.0 = word::<0>(self.before(first));
            rest = behind;
        }
        for byte in rest {
            let [low, ..] = self.0.to_le_bytes();
            self.0 = self.0 >> 8 ^ TABLES[0][usize::from(low ^ byte)];
        }
    }

    /// The first four bytes of a block, with what the CRC is before them.
    #[inline]
    fn before(&self, first: [u8; 4]) -> [u8; 4] {
        (u32::from_le_bytes(first) ^ self.0).to_le_bytes()
    }

    pub(super) const fn finalize(self) -> u32 {
        !self.0
    }
}

/// The CRC of four bytes with `ZEROS` bytes of 0 behind them.
#[inline]
fn word<const ZEROS: usize>(bytes: [u8; 4]) -> u32 {
    // Not `bytes.map(…)`: that may stay a loop, after which nothing is known of its numbers.
    let [first, second, third, fourth] = bytes;
    let (first, second) = (TABLES[ZEROS + 3][usize::from(first)], TABLES[ZEROS + 2][usize::from(second)]);
    let (third, fourth) = (TABLES[ZEROS + 1][usize::from(third)], TABLES[ZEROS][usize::from(fourth)]);
    first ^ second ^ third ^ fourth
}

/// The CRC of each byte with 0 to 15 zeros behind it, by the reflected polynomial of zlib.
static TABLES: [[u32; 256]; 16] = {
    let mut tables = [[0; 256]; 16];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 0 { crc >> 1 } else { crc >> 1 ^ 0xedb8_8320 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut zeros = 1;
    while zeros < tables.len() {
        let mut byte = 0;
        while byte < 256 {
            let crc = tables[zeros - 1][byte];
            tables[zeros][byte] = crc >> 8 ^ tables[0][(crc & 0xff) as usize];
            byte += 1;
        }
        zeros += 1;
    }
    tables
};
