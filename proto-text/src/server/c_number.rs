//! Numbers as memcached 1.6.18 reads them: with C's `strtol` and what its callers make of it.
//!
//! Source: memcached 1.6.18 `util.c`, `safe_strtoul`, `safe_strtoull`, `safe_strtol`.

use crate::number::split_u64;

/// As `safe_strtol` into 32 bits: what lies above is cut off.
pub(super) fn c_i32(token: &[u8]) -> Option<i32> {
    let (negative, magnitude) = signed(token)?;
    let number =
        if negative { 0_i64.checked_sub_unsigned(magnitude)? } else { i64::try_from(magnitude).ok()? };
    Some(number as i32)
}

/// As `safe_strtoul` into 32 bits: what lies above is cut off.
pub(super) fn c_u32(token: &[u8]) -> Option<u32> {
    c_u64(token).map(|number| number as u32)
}

/// As `safe_strtoull`. A minus sign is refused where the wrapped number would be negative as signed.
pub(super) fn c_u64(token: &[u8]) -> Option<u64> {
    let (negative, magnitude) = signed(token)?;
    let number = if negative { 0_u64.wrapping_sub(magnitude) } else { magnitude };
    if negative && number > i64::MAX as u64 { None } else { Some(number) }
}

/// The sign and the digits; what follows must be nothing or white space.
fn signed(token: &[u8]) -> Option<(bool, u64)> {
    let token = skip(token, is_space);
    let (negative, digits) = match token {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    // Leading zeros are skipped, because any number of them is taken.
    let significant = skip(digits, |byte| byte == b'0');
    let (magnitude, rest) = match significant {
        [b'0'..=b'9', ..] => split_u64(significant)?,
        rest if rest.len() < digits.len() => (0, rest),
        _ => return None,
    };
    match rest {
        [] => Some((negative, magnitude)),
        [byte, ..] if is_space(*byte) => Some((negative, magnitude)),
        _ => None,
    }
}

fn skip(bytes: &[u8], what: impl Fn(u8) -> bool) -> &[u8] {
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        if !what(*first) {
            break;
        }
        rest = tail;
    }
    rest
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_and_refuses_as_measured() {
        assert_eq!(c_u32(b"4294967297"), Some(1));
        assert_eq!(c_u32(b"-1"), None);
        assert_eq!(c_u32(b"+007"), Some(7));
        assert_eq!(c_i32(b"4294967296"), Some(0));
        assert_eq!(c_i32(b"2147483648"), Some(i32::MIN));
        assert_eq!(c_i32(b"-1"), Some(-1));
        assert_eq!(c_u64(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(c_u64(b"18446744073709551616"), None);
        assert_eq!(c_u64(b"  5 "), Some(5));
        assert_eq!(c_u64(b"1  7"), Some(1));
        assert_eq!(c_u64(b"000000000000000000000000000010"), Some(10));
        for bad in [&b""[..], b"a", b"1a", b"-", b"+", b" ", b"-18446744073709551615a"] {
            assert_eq!(c_u64(bad), None, "{}", bad.escape_ascii());
        }
    }
}
