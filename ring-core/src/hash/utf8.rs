//! Characters out of UTF-8 that comes in pieces, for peers that hash characters instead of bytes.

/// A decoder that remembers a character cut in two.
///
/// Such a peer's key is a text, so bytes that are no UTF-8 cannot be its key. They decode as
/// `String::from_utf8_lossy` does: one U+FFFD for each longest run that could have begun a character.
#[derive(Clone, Debug)]
pub(crate) struct Utf8 {
    /// The bits of the character so far.
    code: u32,
    /// How many bytes it still needs.
    missing: u8,
    /// The smallest and the largest next byte that continue it.
    next: (u8, u8),
}

/// The bounds of a byte inside a character; some second bytes have narrower ones.
const CONTINUATION: (u8, u8) = (0x80, 0xbf);

impl Utf8 {
    pub(crate) const fn new() -> Self {
        Self { code: 0, missing: 0, next: CONTINUATION }
    }

    /// Hands every character that `bytes` completes to `each`.
    pub(crate) fn write(&mut self, bytes: &[u8], mut each: impl FnMut(char)) {
        for &byte in bytes {
            if self.missing > 0 {
                if self.next.0 <= byte && byte <= self.next.1 {
                    self.code = self.code << 6 | u32::from(byte & 0x3f);
                    self.missing -= 1;
                    self.next = CONTINUATION;
                    if self.missing == 0 {
                        each(char::from_u32(self.code).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    continue;
                }
                each(char::REPLACEMENT_CHARACTER);
            }
            // Unicode 16, table 3-7: the first byte sets bounds for the second.
            (self.missing, self.next) = match byte {
                0xc2..=0xdf => (1, CONTINUATION),
                0xe0 => (2, (0xa0, 0xbf)),
                0xe1..=0xec | 0xee | 0xef => (2, CONTINUATION),
                0xed => (2, (0x80, 0x9f)),
                0xf0 => (3, (0x90, 0xbf)),
                0xf1..=0xf3 => (3, CONTINUATION),
                0xf4 => (3, (0x80, 0x8f)),
                _ => (0, CONTINUATION),
            };
            self.code = u32::from(byte) & (0x3f >> self.missing);
            if self.missing == 0 {
                each(if byte.is_ascii() { char::from(byte) } else { char::REPLACEMENT_CHARACTER });
            }
        }
    }

    /// The end of the input: a character cut off there is one more U+FFFD.
    pub(crate) fn finish(self) -> Option<char> {
        (self.missing > 0).then_some(char::REPLACEMENT_CHARACTER)
    }
}

#[cfg(test)]
mod tests {
    use std::string::String;

    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;

    fn decoded<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
        let mut utf8 = Utf8::new();
        let mut text = String::new();
        for piece in pieces {
            utf8.write(piece, |character| text.push(character));
        }
        text.extend(utf8.finish());
        text
    }

    proptest! {
        #[test]
        fn every_input_decodes_as_the_standard_library_decodes_it(
            bytes in vec(select(b"a\x7f\x80\x8f\x90\x9f\xa0\xbf\xc1\xc2\xdf\xe0\xe4\xed\xef\xf0\xf1\xf4\xf5\xff".as_slice()), 0..12),
            step in 1_usize..4,
        ) {
            prop_assert_eq!(decoded(bytes.chunks(step)), String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn every_character_survives() {
        for character in '\0'..=char::MAX {
            let mut buffer = [0; 4];
            let bytes = character.encode_utf8(&mut buffer).as_bytes();
            assert!(decoded(bytes.chunks(1)).chars().eq([character]), "{character:?}");
        }
    }
}
