//! Decimal numbers, read and written with every overflow checked.

/// Most digits of a `u64`.
pub(crate) const MAX_DIGITS: usize = 20;

/// The number at the front of `bytes`, and what follows its digits; `None` without a digit, with more than 20 or
/// above `u64::MAX`.
#[inline(always)]
pub(crate) fn split_u64(bytes: &[u8]) -> Option<(u64, &[u8])> {
    // Where a word is half as wide, this would be more code, and slower.
    if cfg!(target_pointer_width = "64") {
        if let Some((number, count)) = bytes.first_chunk().and_then(short) {
            return Some((number, bytes.get(count..)?));
        }
    }
    long(bytes)
}

/// The number at the front of these bytes, and how many digits it has, if it ends within them: without a loop, as one
/// word with a byte for each digit.
#[inline(always)]
fn short(bytes: &[u8; 8]) -> Option<(u64, usize)> {
    // A digit's byte is its value now. All others are above 9, and get their highest bit here; should that carry, it is
    // only into bytes behind the digits.
    let word = u64::from_le_bytes(*bytes) ^ u64::from_le_bytes([b'0'; 8]);
    let others =
        (word.wrapping_add(u64::from_le_bytes([0x7f - 9; 8])) | word) & u64::from_le_bytes([0x80; 8]);
    let width = others.trailing_zeros() & !7;
    if width == 0 || width == 64 {
        return None;
    }
    // The last digit goes to the highest byte, zeros come before the first.
    let digits = word.wrapping_shl(64_u32.wrapping_sub(width));
    // Byte 0 of every two is 10 * itself + the next, then each four, then all eight.
    let twos = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = twos.wrapping_mul(100).wrapping_add(twos >> 16) & 0x0000_ffff_0000_ffff;
    let number = fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff;
    Some((number, (width / 8) as usize))
}

/// As [`split_u64`], digit by digit.
#[inline(never)]
fn long(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    let mut rest = bytes;
    while let [byte, tail @ ..] = rest {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
        rest = tail;
    }
    // Only the longest numbers can have overflowed.
    match bytes.len().wrapping_sub(rest.len()) {
        0 => None,
        1..MAX_DIGITS => Some((number, rest)),
        len => Some((checked(bytes.get(..len)?)?, rest)),
    }
}

/// The number that these digits are.
#[cold]
fn checked(digits: &[u8]) -> Option<u64> {
    if digits.len() > MAX_DIGITS {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        number.checked_mul(10)?.checked_add(u64::from(digit.wrapping_sub(b'0')))
    })
}

/// The number that is all of `bytes`.
#[inline]
pub(crate) fn parse_u64(bytes: &[u8]) -> Option<u64> {
    match split_u64(bytes)? {
        (number, []) => Some(number),
        _ => None,
    }
}

/// The 32 bits that `text`, `-1` to `-2147483648`, stands for.
#[cold]
pub(crate) fn parse_negative(text: &[u8]) -> Option<u32> {
    let number = i64::try_from(parse_u64(text.strip_prefix(b"-")?)?).ok()?;
    Some(i32::try_from(number.checked_neg()?).ok()?.cast_unsigned())
}

/// A tenth of `number`, and the digit that is left.
#[inline(always)]
const fn tenth(number: u64) -> (u64, u8) {
    if cfg!(target_pointer_width = "64") {
        (number / 10, (number % 10) as u8)
    } else {
        tenth_in_parts(number)
    }
}

/// As [`tenth`], by divisions of 32 bits: where a word is no wider, the division of 64 bits is code of its own.
const fn tenth_in_parts(number: u64) -> (u64, u8) {
    let (high, low) = ((number >> 32) as u32, number as u32);
    let middle = ((high % 10) << 16) | (low >> 16);
    let last = ((middle % 10) << 16) | (low & 0xffff);
    let tenth = ((high / 10) as u64) << 32 | ((middle / 10) as u64) << 16 | (last / 10) as u64;
    (tenth, (last % 10) as u8)
}

/// The digits of a number below 10⁸, and how many there are; what is behind them is of no meaning. Without a loop, as
/// one word with a byte for each digit.
#[inline(always)]
pub(crate) const fn short_digits(number: u32) -> ([u8; 8], usize) {
    let number = number as u64;
    // The upper four digits and the lower four, then each two, then each one; the first digit in the lowest byte.
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    let upper = (fours.wrapping_mul(10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = upper | (fours.wrapping_sub(upper.wrapping_mul(100)) << 16);
    let tens = (twos.wrapping_mul(103) >> 10) & 0x000f_000f_000f_000f;
    let digits = tens | (twos.wrapping_sub(tens.wrapping_mul(10)) << 8);
    // At least the last digit is there.
    let zeros = (digits | 1 << 56).trailing_zeros() & !7;
    let text = digits.wrapping_add(u64::from_le_bytes([b'0'; 8])) >> zeros;
    (text.to_le_bytes(), (64_u32.wrapping_sub(zeros) / 8) as usize)
}

/// A number written out.
#[derive(Clone, Copy)]
pub(crate) struct Digits {
    /// One more than the digits, for a space.
    bytes: [u8; MAX_DIGITS + 1],
    start: usize,
}

impl Digits {
    /// Writes `number` out, without leading zeros.
    #[inline]
    pub(crate) fn of(number: u64) -> Self {
        let mut digits = Self { bytes: [b' '; MAX_DIGITS + 1], start: MAX_DIGITS };
        let mut rest = number;
        for slot in digits.bytes.iter_mut().rev() {
            let (tenth, digit) = tenth(rest);
            *slot = b'0'.wrapping_add(digit);
            rest = tenth;
            if rest == 0 {
                break;
            }
            digits.start = digits.start.wrapping_sub(1);
        }
        digits
    }

    /// The digits with a space before them.
    #[inline]
    pub(crate) fn behind_space(number: u64) -> Self {
        let digits = Self::of(number);
        // All places before the digits have a space, and there is at least one.
        Self { start: digits.start.saturating_sub(1), ..digits }
    }

    /// The digits as ASCII.
    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_of_every_width() {
        assert_eq!(parse_u64(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(parse_u64(b"18446744073709551616"), None);
        assert_eq!(parse_u64(b"000000000000000000001"), None, "21 digits");
        assert_eq!(parse_u64(b""), None);
        assert_eq!(parse_u64(b"+1"), None);
        assert_eq!(parse_u64(b"1 "), None);
    }

    #[test]
    fn a_negative_number_is_the_bits_that_it_has() {
        for (text, bits) in [(&b"-1"[..], u32::MAX), (b"-2147483648", 1 << 31), (b"-0", 0)] {
            assert_eq!(parse_negative(text), Some(bits));
        }
        for wrong in [&b"-"[..], b"", b"1", b"--1", b"-2147483649", b"-18446744073709551615", b"-1 ", b"- 1"]
        {
            assert_eq!(parse_negative(wrong), None, "{}", wrong.escape_ascii());
        }
    }

    #[test]
    fn in_one_word_or_digit_by_digit_a_number_is_the_same() {
        for digits in [b"00000000", b"12345678", b"99999999", b"10203040"] {
            for width in 0..=8 {
                for behind in 0..=u8::MAX {
                    let mut bytes = [behind; 16];
                    bytes[..width].copy_from_slice(&digits[..width]);
                    assert_eq!(split_u64(&bytes), long(&bytes), "{}", bytes.escape_ascii());
                    bytes[(width + 1)..].fill(b'7');
                    assert_eq!(split_u64(&bytes), long(&bytes), "{}", bytes.escape_ascii());
                }
            }
        }
    }

    #[test]
    fn a_tenth_in_parts_is_a_tenth() {
        let mut number = 0x9e37_79b9_7f4a_7c15_u64;
        for shift in 0..64 {
            for number in [number >> shift, 1 << shift, (1 << shift) - 1, u64::MAX >> shift, 10 << shift] {
                assert_eq!(tenth_in_parts(number), (number / 10, (number % 10) as u8), "{number}");
            }
            number = number.rotate_left(7).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }

    #[test]
    fn in_one_word_or_digit_by_digit_a_number_is_written_the_same() {
        let edges =
            (0..8).flat_map(|power| [10_u32.pow(power) - 1, 10_u32.pow(power), 7 * 10_u32.pow(power)]);
        for number in (0..100_000).chain(edges).chain((0..100_000_000).step_by(9973)).chain([99_999_999]) {
            let (digits, len) = short_digits(number);
            assert_eq!(&digits[..len], Digits::of(u64::from(number)).as_bytes(), "{number}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for number in [0, 1, 9, 10, 99, 100, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            assert_eq!(parse_u64(Digits::of(number).as_bytes()), Some(number));
        }
    }
}
