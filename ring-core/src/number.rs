//! Numbers out of text.
//!
//! The standard library's parser of fractions can panic as far as a linker sees; this cannot.

/// The number that `text` writes in digits and nothing else.
pub(crate) fn whole(text: &[u8]) -> Option<u64> {
    text.first()?;
    text.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|&digit| digit < 10)?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

/// The number nearest to what `text` writes in digits and perhaps a point.
///
/// Nearest for up to nineteen digits, of which up to [`PLACES`] stand behind the point; further ones behind the point
/// change the last bit at most.
pub(crate) fn decimal(text: &[u8]) -> Option<f64> {
    let mut parts = text.splitn(2, |&byte| byte == b'.');
    let (before, behind) = (parts.next()?, parts.next().unwrap_or_default());
    if before.is_empty() && behind.is_empty() {
        return None;
    }
    let mut digits = if before.is_empty() { 0 } else { whole(before)? };
    let (mut divisor, mut lost) = (1_u128, false);
    for (place, byte) in behind.iter().enumerate() {
        let digit = byte.checked_sub(b'0').filter(|&digit| digit < 10)?;
        let more = digits.checked_mul(10).and_then(|digits| digits.checked_add(digit.into()));
        match more {
            Some(more) if place < PLACES && !lost => (digits, divisor) = (more, divisor.wrapping_mul(10)),
            _ => lost = true,
        }
    }
    // More bits than an f64 has; what did not come out even stands in the last of them, for the rounding.
    let shift = u128::from(digits).leading_zeros().min(127);
    let dividend = u128::from(digits) << shift;
    let quotient = dividend.checked_div(divisor)?;
    let even = quotient.wrapping_mul(divisor) == dividend && !lost;
    let power = f64::from_bits(u64::from(1023 - shift) << 52);
    Some((quotient | u128::from(!even)) as f64 * power)
}

/// Places behind the point that count: with one more, a quotient might have fewer bits than rounding takes.
const PLACES: usize = 21;

#[cfg(test)]
mod tests {
    use std::format;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn fractions_are_what_the_standard_library_reads(text in "[0-9]{0,9}\\.[0-9]{1,10}|0{0,3}\\.0{0,10}[0-9]{1,9}|[0-9]{1,19}") {
            prop_assert_eq!(decimal(text.as_bytes()), text.parse().ok(), "{}", text);
        }

        #[test]
        fn shares_of_any_length_are_as_near_as_makes_no_difference(text in "0\\.[0-9]{1,60}") {
            let (read, exact) = (decimal(text.as_bytes()).unwrap(), text.parse::<f64>().unwrap());
            prop_assert!((read - exact).abs() <= f64::EPSILON * exact, "{}", text);
        }

        #[test]
        fn whole_numbers_are_what_the_standard_library_reads(number: u64) {
            prop_assert_eq!(whole(format!("{number}").as_bytes()), Some(number));
        }
    }

    #[test]
    fn invalid_numbers_are_refused() {
        for text in
            ["", "+1", "-1", "1e3", "inf", "NaN", " 1", "1 ", "1.2.3", ".", "x", "18446744073709551616"]
        {
            assert_eq!((whole(text.as_bytes()), decimal(text.as_bytes())), (None, None), "{text:?}");
        }
        assert_eq!(whole(b"1.0"), None);
        assert_eq!(decimal(b"1."), Some(1.0));
        assert_eq!(decimal(b".5"), Some(0.5));
        assert_eq!(decimal(b"0"), Some(0.0));
        assert_eq!(decimal(b"0."), Some(0.0));
    }
}
