//! Whole numbers of any size, which Python stores.

use core::{fmt, str::FromStr};

use super::Problem;

/// A whole number of any size, as decimal digits.
///
/// ```
/// use memring_client::values::Integer;
///
/// let big: Integer = "18446744073709551616".parse()?;
/// assert_eq!(big.to_i64(), None);
/// assert_eq!(Integer::from(-7).to_i64(), Some(-7));
/// # Ok::<(), memring_client::values::Problem>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Integer(
    /// A minus sign, if there is one, and digits, none of them a leading zero.
    String,
);

impl Integer {
    /// The number, if it fits.
    #[must_use]
    pub fn to_i64(&self) -> Option<i64> {
        self.to()
    }

    /// The number as another type of numbers, if it fits.
    pub(super) fn to<T: FromStr>(&self) -> Option<T> {
        self.0.parse().ok()
    }

    /// The number in decimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads ASCII decimal digits after an optional minus sign. Blanks behind them are taken: memcached leaves some
    /// when a counter gets shorter.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Problem> {
        let digits = bytes.strip_prefix(b"-").unwrap_or(bytes).trim_ascii_end();
        // Blanks only: a tab or a line end is no memcached's.
        let is_blank = |bytes: &[u8]| bytes.iter().all(|byte| *byte == b' ');
        let behind = bytes.len() - bytes.trim_ascii_end().len();
        let is_decimal = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        if !is_decimal || !is_blank(&bytes[bytes.len() - behind..]) {
            return Err(Problem::NotDecimal);
        }
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count().min(digits.len() - 1);
        let digits = &digits[zeros..];
        let sign = if bytes.starts_with(b"-") && digits != b"0" { "-" } else { "" };
        Ok(Self(
            digits
                .iter()
                .fold(sign.to_owned(), |text, digit| text + char::from(*digit).encode_utf8(&mut [0; 4])),
        ))
    }
}

impl From<i64> for Integer {
    fn from(int: i64) -> Self {
        Self(int.to_string())
    }
}

impl FromStr for Integer {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        Self::read(text.as_bytes())
    }
}

impl fmt::Display for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad_integral(!self.0.starts_with('-'), "", self.0.trim_start_matches('-'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_and_nothing_else() {
        let rows = [
            ("0", "0"),
            ("-0", "0"),
            ("007", "7"),
            ("-42", "-42"),
            ("9 ", "9"),
            ("-900   ", "-900"),
            ("340282366920938463463374607431768211456", "340282366920938463463374607431768211456"),
        ];
        for (text, expected) in rows {
            let int: Integer = text.parse().expect(text);
            assert_eq!((int.as_str(), int.to_string()), (expected, expected.to_owned()));
        }
        for text in ["", " ", "-", "- 1", " 1", "+1", "1.0", "0x1", "1_000", "1\n", "--1", "1 2", "٣"] {
            assert_eq!(text.parse::<Integer>(), Err(Problem::NotDecimal), "{text:?}");
        }
    }
}
