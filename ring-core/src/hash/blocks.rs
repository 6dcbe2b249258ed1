//! Cuts input that comes in pieces into blocks, for the algorithms that take several bytes at a time.

/// Collects bytes into blocks of `N` and counts them.
#[derive(Clone, Debug)]
pub(crate) struct Blocks<const N: usize> {
    held: [u8; N],
    len: usize,
}

impl<const N: usize> Blocks<N> {
    pub(crate) const fn new() -> Self {
        Self { held: [0; N], len: 0 }
    }

    /// How many bytes were written in all.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Hands every block that `bytes` completes to `each`, and holds the rest.
    pub(crate) fn write(&mut self, mut bytes: &[u8], mut each: impl FnMut(&[u8; N])) {
        let held = self.len % N;
        self.len = self.len.wrapping_add(bytes.len());
        if held > 0 {
            let free = self.held.get_mut(held..).unwrap_or_default();
            let (first, rest) = bytes.split_at_checked(free.len()).unwrap_or((bytes, &[]));
            copy(first, free);
            if held + first.len() < N {
                return;
            }
            each(&self.held);
            bytes = rest;
        }
        while let Some((block, rest)) = bytes.split_first_chunk() {
            each(block);
            bytes = rest;
        }
        copy(bytes, &mut self.held);
    }

    /// The bytes behind the last whole block.
    pub(crate) fn rest(&self) -> &[u8] {
        self.held.get(..self.len % N).unwrap_or_default()
    }

    /// [`rest`](Self::rest), filled up to a block with zero bytes.
    pub(crate) fn padded(&self) -> [u8; N] {
        let mut block = [0; N];
        copy(self.rest(), &mut block);
        block
    }
}

/// The whole little-endian words of `bytes`, as many as the array holds.
pub(crate) fn words32<const N: usize>(bytes: &[u8]) -> [u32; N] {
    let mut words = [0; N];
    for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(4)) {
        *word = le32(bytes);
    }
    words
}

/// The whole little-endian words of `bytes`, as many as the array holds.
pub(crate) fn words64<const N: usize>(bytes: &[u8]) -> [u64; N] {
    let mut words = [0; N];
    for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(8)) {
        *word = le64(bytes);
    }
    words
}

/// Up to four bytes as a little-endian number.
pub(crate) fn le32(bytes: &[u8]) -> u32 {
    match bytes.first_chunk() {
        Some(word) => u32::from_le_bytes(*word),
        None => bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte)),
    }
}

/// Up to eight bytes as a little-endian number.
pub(crate) fn le64(bytes: &[u8]) -> u64 {
    match bytes.first_chunk() {
        Some(word) => u64::from_le_bytes(*word),
        None => bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    }
}

/// Copies `from` into `to`, up to the end of the shorter one.
fn copy(from: &[u8], to: &mut [u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn blocks_are_the_same_however_the_bytes_are_cut() {
        let bytes: Vec<u8> = (0..40).collect();
        for step in 1..bytes.len() {
            let mut blocks = Blocks::<12>::new();
            let mut seen = Vec::new();
            for piece in bytes.chunks(step) {
                blocks.write(piece, |block| seen.extend_from_slice(block));
            }
            assert_eq!(seen, bytes[..36], "pieces of {step}");
            assert_eq!(blocks.rest(), &bytes[36..], "pieces of {step}");
            assert_eq!(blocks.padded(), [36, 37, 38, 39, 0, 0, 0, 0, 0, 0, 0, 0]);
            assert_eq!(blocks.len(), 40);
        }
    }

    #[test]
    fn words_are_little_endian_and_short_ones_count_what_is_there() {
        assert_eq!(words32::<2>(&[1, 2, 3, 4, 5, 6, 7, 8]), [0x0403_0201, 0x0807_0605]);
        assert_eq!(words64::<1>(&[1, 2, 3, 4, 5, 6, 7, 8]), [0x0807_0605_0403_0201]);
        assert_eq!((le32(&[]), le32(&[1, 2, 3])), (0, 0x03_0201));
        assert_eq!(le64(&[1, 2, 3, 4, 5]), 0x05_0403_0201);
    }
}
