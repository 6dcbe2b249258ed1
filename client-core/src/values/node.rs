//! The escapes of npm's memcached: a backslash before each CR and LF.

use std::borrow::Cow;

use super::Problem;

/// Whether a byte gets a backslash before it.
const fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

/// Puts a backslash before each CR and LF.
pub(super) fn escape(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !bytes.iter().any(|byte| is_line_end(*byte)) {
        return Cow::Borrowed(bytes);
    }
    let mut escaped = Vec::with_capacity(bytes.len() + bytes.len() / 16 + 1);
    for &byte in bytes {
        if is_line_end(byte) {
            escaped.push(b'\\');
        }
        escaped.push(byte);
    }
    Cow::Owned(escaped)
}

/// Takes the backslash away that is before a CR or an LF.
pub(super) fn unescape(bytes: &[u8]) -> Cow<'_, [u8]> {
    let is_escape = |pair: &[u8]| matches!(pair, [b'\\', next] if is_line_end(*next));
    if !bytes.windows(2).any(is_escape) {
        return Cow::Borrowed(bytes);
    }
    let next = |at: usize| bytes.get(at + 1).copied().is_some_and(is_line_end);
    let kept = bytes.iter().enumerate().filter(|(at, byte)| !(**byte == b'\\' && next(*at)));
    Cow::Owned(kept.map(|(_, byte)| *byte).collect())
}

/// A Buffer as text: each byte is a character.
pub(super) fn latin1_to_text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// The Buffer of which `text` was made.
pub(super) fn text_to_latin1(text: &str) -> Result<Vec<u8>, Problem> {
    text.chars().map(|letter| u8::try_from(letter).map_err(|_| Problem::NotLatin1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_are_escaped_and_other_backslashes_are_not() {
        for (plain, escaped) in
            [(&b"a\r\nb"[..], &b"a\\\r\\\nb"[..]), (b"\\\r", b"\\\\\r"), (b"\\n \\", b"\\n \\"), (b"", b"")]
        {
            assert_eq!(*escape(plain), *escaped);
            assert_eq!(*unescape(escaped), *plain);
        }
        assert_eq!(*unescape(b"a\r\n"), *b"a\r\n", "those without a backslash stay");
    }
}
