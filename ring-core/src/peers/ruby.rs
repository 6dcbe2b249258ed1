//! How Ruby counts the characters of a text: a byte that is part of none counts as one.

/// The first `count` characters of `text`.
pub(super) fn first(text: &[u8], count: usize) -> &[u8] {
    let len = characters(text).take(count).sum();
    text.get(..len).unwrap_or(text)
}

/// How many characters `text` has.
pub(super) fn count(text: &[u8]) -> usize {
    characters(text).count()
}

/// How many bytes each character has.
fn characters(text: &[u8]) -> impl Iterator<Item = usize> {
    text.utf8_chunks().flat_map(|chunk| {
        let stray = chunk.invalid().iter().map(|_| 1);
        chunk.valid().chars().map(char::len_utf8).chain(stray)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_not_bytes_are_counted() {
        let text = "aö東😀b".as_bytes();
        assert_eq!((count(text), text.len()), (5, 11));
        assert_eq!(first(text, 3), "aö東".as_bytes());
        assert_eq!(first(text, 0), b"");
        assert_eq!(first(text, 6), text);
    }

    #[test]
    fn every_stray_byte_counts() {
        // Ruby: "\xE6\x9Da\xED\xA0\x80".length == 6
        assert_eq!(count(b"\xe6\x9da\xed\xa0\x80"), 6);
        assert_eq!(first(b"\xe6\x9da\xed\xa0\x80", 3), b"\xe6\x9da");
        assert_eq!(count(b"a\xf0\x9f\x98"), 4);
    }
}
