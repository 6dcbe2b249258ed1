//! Floating-point numbers in ASCII, as each language writes them.

use super::Problem;

/// How a language writes floating-point numbers.
pub(super) struct FloatText {
    /// How it writes not-a-number, infinity, and minus infinity; none if it has no words for them.
    pub(super) words: Option<[&'static str; 3]>,
    /// Whether it writes a zero before a point that would be first.
    pub(super) leading_zero: bool,
    /// Numbers of at least ten to this power, but for one, have an exponent.
    pub(super) exponent_from: i32,
    /// Numbers below ten to this power have an exponent.
    pub(super) exponent_below: i32,
    /// Whether negative zero keeps its sign.
    pub(super) signed_zero: bool,
}

impl FloatText {
    /// PHP's Memcached class.
    pub(super) const PHP_MEMCACHED: Self = Self {
        words: Some(["NaN", "Infinity", "-Infinity"]),
        leading_zero: false,
        exponent_from: 17,
        exponent_below: -4,
        signed_zero: true,
    };
    /// PHP's Memcache class. It writes 14 digits; its reader takes more.
    pub(super) const PHP_MEMCACHE: Self = Self {
        words: Some(["NAN", "INF", "-INF"]),
        leading_zero: true,
        exponent_from: 17,
        exponent_below: -4,
        signed_zero: true,
    };
    /// JavaScript: ECMA-262, `Number::toString`.
    pub(super) const JAVASCRIPT: Self = Self {
        words: Some(["NaN", "Infinity", "-Infinity"]),
        leading_zero: true,
        exponent_from: 21,
        exponent_below: -6,
        signed_zero: false,
    };
    /// Perl, but for its limit of 15 digits.
    pub(super) const PERL: Self = Self {
        words: Some(["NaN", "Inf", "-Inf"]),
        leading_zero: true,
        exponent_from: 15,
        exponent_below: -4,
        signed_zero: false,
    };
    /// Where a number is only text.
    pub(super) const PLAIN: Self = Self { words: None, ..Self::PHP_MEMCACHE };

    /// Reads a number: decimal digits with or without a point and an exponent, or a word of this language.
    pub(super) fn read(&self, bytes: &[u8]) -> Result<f64, Problem> {
        let text = str::from_utf8(bytes).map_err(|_| Problem::NotFloat)?;
        if let Some(word) = self.words.and_then(|words| words.iter().position(|word| *word == text)) {
            return Ok([f64::NAN, f64::INFINITY, f64::NEG_INFINITY][word]);
        }
        let is_of_numbers = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
        if !text.bytes().all(is_of_numbers) {
            return Err(Problem::NotFloat);
        }
        // With these characters only, Rust's grammar is C's.
        let float: f64 = text.parse().map_err(|_| Problem::NotFloat)?;
        if float.is_finite() { Ok(float) } else { Err(Problem::OutOfRange) }
    }

    /// The shortest text that is read as this very number; none if there is no word for it.
    pub(super) fn write(&self, float: f64) -> Option<String> {
        if !float.is_finite() {
            let [nan, infinity, minus_infinity] = self.words?;
            let word = if float.is_nan() {
                nan
            } else if float > 0.0 {
                infinity
            } else {
                minus_infinity
            };
            return Some(word.to_owned());
        }
        let sign = if float.is_sign_negative() && (float != 0.0 || self.signed_zero) { "-" } else { "" };
        // The shortest digits that are read as this number: `d.ddde±x`.
        let shortest = format!("{:e}", float.abs());
        let (digits, exponent) = shortest.split_once('e')?;
        let digits = digits.replace('.', "");
        let exponent: i32 = exponent.parse().ok()?;
        Some(format!("{sign}{}", self.placed(&digits, exponent)?))
    }

    /// `digits`, of which the first stands for ten to the power of `exponent`.
    fn placed(&self, digits: &str, exponent: i32) -> Option<String> {
        if exponent >= self.exponent_from || exponent < self.exponent_below {
            let (first, rest) = digits.split_at_checked(1)?;
            let point = if rest.is_empty() { "" } else { "." };
            return Some(format!("{first}{point}{rest}e{exponent:+}"));
        }
        let zeros = |count: usize| "0".repeat(count);
        let Ok(exponent) = usize::try_from(exponent) else {
            let before = if self.leading_zero { "0" } else { "" };
            return Some(format!("{before}.{}{digits}", zeros(exponent.unsigned_abs() as usize - 1)));
        };
        Some(match digits.split_at_checked(exponent + 1) {
            Some((whole, "")) => whole.to_owned(),
            Some((whole, fraction)) => format!("{whole}.{fraction}"),
            None => format!("{digits}{}", zeros(exponent + 1 - digits.len())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_has_its_text() {
        let rows: [(f64, &str, &str); 13] = [
            (0.0, "0", "0"),
            (-0.0, "-0", "0"),
            (0.5, ".5", "0.5"),
            (-0.25, "-.25", "-0.25"),
            (3.0, "3", "3"),
            (1234.5, "1234.5", "1234.5"),
            (1e15, "1000000000000000", "1000000000000000"),
            (9_223_372_036_854_775_808.0, "9.223372036854776e+18", "9223372036854776000"),
            (1e21, "1e+21", "1e+21"),
            (1e-6, "1e-6", "0.000001"),
            (1.5e-7, "1.5e-7", "1.5e-7"),
            (f64::MAX, "1.7976931348623157e+308", "1.7976931348623157e+308"),
            (5e-324, "5e-324", "5e-324"),
        ];
        for (float, php, javascript) in rows {
            assert_eq!(FloatText::PHP_MEMCACHED.write(float).unwrap(), php);
            assert_eq!(FloatText::JAVASCRIPT.write(float).unwrap(), javascript);
        }
        assert_eq!(FloatText::PERL.write(f64::NEG_INFINITY).unwrap(), "-Inf");
        assert_eq!(FloatText::PLAIN.write(f64::NAN), None);
    }

    #[test]
    fn what_is_no_number_is_an_error() {
        for text in
            ["", ".", "-", "e5", "1e", "1 ", " 1", "0x1p3", "inf", "nan", "NAN", "infinity", "1,5", "1.2.3"]
        {
            assert_eq!(FloatText::PHP_MEMCACHED.read(text.as_bytes()), Err(Problem::NotFloat), "{text:?}");
        }
        assert_eq!(FloatText::PHP_MEMCACHED.read(b"1e999"), Err(Problem::OutOfRange));
        for (text, float) in
            [(".5", 0.5), ("-.25", -0.25), ("3.", 3.0), ("+1E2", 100.0), ("Infinity", f64::INFINITY)]
        {
            assert_eq!(FloatText::PHP_MEMCACHED.read(text.as_bytes()), Ok(float));
        }
    }
}
