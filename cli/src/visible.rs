//! Texts of servers and of files, made fit to be shown: a terminal obeys some characters instead of showing them.

use core::fmt::{self, Write as _};

/// Shows bytes as text, and what is no text, or a control character, as `\xNN`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visible<'t> {
    bytes: &'t [u8],
    kept: &'static [char],
    most: usize,
}

impl<'t> Visible<'t> {
    /// A text of one line.
    pub(crate) fn line(text: &'t (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { bytes: text.as_ref(), kept: &[], most: usize::MAX }
    }

    /// A text of several lines, in which tabs may be.
    pub(crate) fn lines(text: &'t (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { kept: &['\n', '\t'], ..Self::line(text) }
    }

    /// The same, and no more than its first `most` bytes; how many there are is said then.
    pub(crate) const fn up_to(self, most: usize) -> Self {
        Self { most, ..self }
    }
}

impl fmt::Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.bytes.get(..self.most).unwrap_or(self.bytes);
        for chunk in shown.utf8_chunks() {
            for char in chunk.valid().chars() {
                if char.is_control() && !self.kept.contains(&char) {
                    escape(f, char.encode_utf8(&mut [0; 4]).as_bytes())?;
                } else {
                    f.write_char(char)?;
                }
            }
            escape(f, chunk.invalid())?;
        }
        if shown.len() < self.bytes.len() { write!(f, "… ({} bytes)", self.bytes.len()) } else { Ok(()) }
    }
}

fn escape(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_told_nothing() {
        for (text, shown) in [
            (&b"1.6.18"[..], "1.6.18"),
            (b"\x1b]52;c;cm0=\x07", r"\x1b]52;c;cm0=\x07"),
            (b"\x1b[2J\r\n\t\x7f", r"\x1b[2J\x0d\x0a\x09\x7f"),
            ("\u{9b}2Jgrößer".as_bytes(), r"\xc2\x9b2Jgrößer"),
            (b"\xff\xc3", r"\xff\xc3"),
        ] {
            assert_eq!(Visible::line(text).to_string(), shown);
        }
        assert_eq!(Visible::lines("a\tb\n\r").to_string(), "a\tb\n\\x0d");
    }

    #[test]
    fn what_is_too_long_is_cut_and_says_so() {
        assert_eq!(Visible::line("abc").up_to(3).to_string(), "abc");
        assert_eq!(Visible::line("abcd").up_to(3).to_string(), "abc… (4 bytes)");
        assert_eq!(Visible::line("aé").up_to(2).to_string(), r"a\xc3… (3 bytes)");
    }
}
