//! Bytes that come in pieces, and how all laws cut them.

use arbitrary::Arbitrary;
use memring_text::Key;

/// What one side sends, and where it is cut. The bytes come last, so that a seed is a transcript behind a short head.
#[derive(Arbitrary, Debug)]
pub struct Stream<'a> {
    pub(super) cuts: [u16; 3],
    /// Which requests the bytes answer, or how a server reads them.
    pub(crate) asked: [u8; 2],
    pub(crate) bytes: &'a [u8],
}

impl Stream<'_> {
    /// Where a piece ends: in one go, byte by byte, and at the cuts.
    pub(crate) fn ways(&self) -> [Vec<usize>; 3] {
        let len = self.bytes.len();
        let mut cuts: Vec<_> = self.cuts.iter().map(|cut| usize::from(*cut) % (len + 1)).collect();
        cuts.sort_unstable();
        cuts.push(len);
        [vec![len], (1..=len).collect(), cuts]
    }
}

/// Gives `decode` more and more of `bytes`, up to each of `ends`, until it fails.
pub(crate) fn feed<E>(
    bytes: &[u8],
    ends: &[usize],
    mut decode: impl FnMut(&[u8]) -> Result<Option<usize>, E>,
) -> (usize, Option<E>) {
    let mut from = 0;
    for &to in ends {
        loop {
            match decode(&bytes[from..to]) {
                Ok(Some(consumed)) => {
                    assert!(consumed <= to - from, "consumed more than there is");
                    from += consumed;
                }
                Ok(None) => break,
                Err(error) => return (from, Some(error)),
            }
        }
    }
    (from, None)
}

/// The words that stand where the keys of items do, if they are keys.
pub(crate) fn item_keys(bytes: &[u8]) -> Vec<&[u8]> {
    const WORD: &[u8] = b"VALUE ";
    let starts = bytes.windows(WORD.len()).enumerate().filter(|(_, window)| *window == WORD);
    let words = starts.map(|(at, _)| {
        let rest = &bytes[at + WORD.len()..];
        rest.split(|byte| *byte == b' ').next().unwrap_or(rest)
    });
    words.filter(|word| Key::new(word).is_ok()).take(64).collect()
}
