//! Texts to hash, in pieces instead of one buffer.
//!
//! Peers hash texts that they compose first: `10.0.1.1-37`, `app1:` + key, retry number + key. Here such a text is handed
//! to the hash function in pieces, so nothing is copied, nothing has a longest length and nothing is allocated.

/// Bytes that come in pieces.
pub trait Text {
    /// Hands every piece to `sink`, in order. Calling it again hands out the same bytes again.
    fn feed(&self, sink: &mut dyn FnMut(&[u8]));

    /// The length of all pieces together, in bytes.
    fn len(&self) -> usize {
        let mut len = 0;
        self.feed(&mut |piece| len += piece.len());
        len
    }

    /// Whether there are no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Text for [u8] {
    fn feed(&self, sink: &mut dyn FnMut(&[u8])) {
        sink(self);
    }
}

impl Text for str {
    fn feed(&self, sink: &mut dyn FnMut(&[u8])) {
        sink(self.as_bytes());
    }
}

impl<T: Text + ?Sized> Text for &T {
    fn feed(&self, sink: &mut dyn FnMut(&[u8])) {
        (**self).feed(sink);
    }
}

/// Several texts, one after the other.
///
/// ```
/// use memring_core::hash::{Concat, Decimal, Text};
///
/// let name = Concat([&"10.0.1.1-" as &dyn Text, &Decimal(37)]);
/// assert_eq!(name.len(), "10.0.1.1-37".len());
/// ```
#[derive(Clone, Copy)]
pub struct Concat<'t, const N: usize>(pub [&'t dyn Text; N]);

impl<const N: usize> Text for Concat<'_, N> {
    fn feed(&self, sink: &mut dyn FnMut(&[u8])) {
        for text in self.0 {
            text.feed(sink);
        }
    }
}

/// A number in decimal digits, without sign or padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal(pub u64);

impl Text for Decimal {
    fn feed(&self, sink: &mut dyn FnMut(&[u8])) {
        let mut digits = [b'0'; 20];
        let mut rest = self.0;
        let mut used = 0;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
            used += 1;
            if rest == 0 {
                break;
            }
        }
        if let Some(tail) = digits.len().checked_sub(used).and_then(|from| digits.get(from..)) {
            sink(tail);
        }
    }
}

/// Bytes as lower-case hexadecimal digits, two to a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hex<'b>(pub &'b [u8]);

impl Text for Hex<'_> {
    fn feed(&self, sink: &mut dyn FnMut(&[u8])) {
        for byte in self.0 {
            sink(&[byte >> 4, byte & 0xf].map(|digit| digit + if digit < 10 { b'0' } else { b'a' - 10 }));
        }
    }
}

/// Copies `text` into `buffer` and returns the filled part, or `None` when it does not fit.
pub(crate) fn assemble<'b>(text: &dyn Text, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
    let mut len = 0;
    let mut fits = true;
    text.feed(&mut |piece| match buffer.get_mut(len..).and_then(|rest| rest.get_mut(..piece.len())) {
        Some(into) => {
            into.copy_from_slice(piece);
            len += piece.len();
        }
        None => fits = false,
    });
    if fits { buffer.get(..len) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &dyn Text) -> std::vec::Vec<u8> {
        let mut all = std::vec::Vec::new();
        text.feed(&mut |piece| all.extend_from_slice(piece));
        all
    }

    #[test]
    fn decimal_is_what_display_prints() {
        for number in [0, 1, 9, 10, 99, 100, 11211, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            assert_eq!(bytes(&Decimal(number)), std::format!("{number}").into_bytes());
        }
    }

    #[test]
    fn hex_is_what_format_prints() {
        let all: std::vec::Vec<u8> = (0..=255).collect();
        let printed: std::string::String = all.iter().map(|byte| std::format!("{byte:02x}")).collect();
        assert_eq!(bytes(&Hex(&all)), printed.into_bytes());
    }

    #[test]
    fn assemble_fills_to_the_brim_and_refuses_one_byte_more() {
        let text = Concat([&"ab" as &dyn Text, &Decimal(345), &"6"]);
        assert_eq!(assemble(&text, &mut [0; 6]), Some(&b"ab3456"[..]));
        assert_eq!(assemble(&text, &mut [0; 5]), None);
        assert_eq!(assemble(&"", &mut []), Some(&b""[..]));
    }
}
