//! SHA-1 as placements use it: Dalli's ring points, and node-hashring with `algorithm: 'sha1'`.

use sha1::{Digest as _, Sha1};

use super::{
    Hasher,
    blocks::words32,
    folded::{Fold, Folded},
    md5::Words,
};
use crate::text::{Concat, Decimal, Text};

/// The first sixteen bytes of the digest as four little-endian words, as [`md5::digest`](super::md5::digest) has them, of
/// a text that comes in pieces.
#[must_use]
pub(crate) fn digest_text(text: &dyn Text) -> Words {
    words32(&whole_digest_text(text))
}

/// All twenty bytes of the digest of a text that comes in pieces.
#[must_use]
pub(crate) fn whole_digest_text(text: &dyn Text) -> [u8; 20] {
    let mut sha1 = Sha1::new();
    text.feed(&mut |piece| sha1.update(piece));
    sha1.finalize().into()
}

/// Hands out the [`digest_text`]s of `lead`0, `lead`1 and so on, `count` of them.
pub(crate) fn digests_numbered(lead: &dyn Text, count: u32, sink: &mut dyn FnMut(Words)) {
    for number in 0..count {
        sink(digest_text(&Concat([lead, &Decimal(number.into())])));
    }
}

/// The first four bytes of the digest, little-endian.
#[derive(Clone, Debug)]
pub(crate) struct Sha1Word(Sha1);

impl Hasher for Sha1Word {
    type Output = u32;

    fn start(_len: usize) -> Self {
        Self(Sha1::new())
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(self) -> u32 {
        let [first] = words32(self.0.finalize().as_slice());
        first
    }
}

/// The order of the bytes turned round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Swapped;

impl Fold for Swapped {
    const VALUES: u64 = 1 << 32;

    fn fold(hash: u32) -> u32 {
        hash.swap_bytes()
    }
}

/// The first four bytes of the digest, big-endian.
pub(crate) type Sha1BigEndian = Folded<Sha1Word, Swapped>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_little_endian_but_for_dalli() {
        // FIPS 180: SHA-1 ("abc") = a9993e36 4706816a ba3e2571 7850c26c 9cd0d89d
        assert_eq!(digest_text(&"abc"), [0x363e_99a9, 0x6a81_0647, 0x7125_3eba, 0x6cc2_5078]);
        assert_eq!(Sha1Word::of(b"abc"), 0x363e_99a9);
        assert_eq!(Sha1BigEndian::of(b"abc"), 0xa999_3e36);
    }
}
