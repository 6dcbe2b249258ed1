//! Lengths of time as people write them: a number and its unit.

use core::{error, fmt, time::Duration};

/// Reads `250ms`, `1.5s`, `15m`, `6h` or `30d`.
///
/// # Errors
/// [`TimeError`]: there is no unit, or another one, or no number, or it is too long.
pub fn duration(text: &str) -> Result<Duration, TimeError> {
    let end = text.find(|character: char| character != '.' && !character.is_ascii_digit());
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let Ok(number) = number.parse::<f64>() else { return Err(TimeError::NotOne) };
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 60.0 * 60.0,
        "d" => 24.0 * 60.0 * 60.0,
        "" => return Err(TimeError::NoUnit(text.to_owned())),
        unit if unit.trim() != unit => return Err(TimeError::NotOne),
        unit => return Err(TimeError::Unit(unit.to_owned())),
    };
    Duration::try_from_secs_f64(number * seconds).map_err(|_| TimeError::TooLong)
}

/// Why a text is no length of time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeError {
    /// It is not a number with a unit behind it.
    NotOne,
    /// The number has no unit.
    NoUnit(String),
    /// There is no such unit.
    Unit(String),
    /// It is longer than can be counted.
    TooLong,
    /// It is zero where that makes no sense.
    Zero,
}

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOne => {
                f.write_str("not a length of time such as \"250ms\", \"1.5s\", \"15m\", \"6h\" or \"30d\"")
            }
            Self::NoUnit(number) => {
                write!(f, "{number} has no unit; write \"{number}s\" for seconds or \"{number}ms\"")
            }
            Self::Unit(unit) => write!(f, "unknown unit {unit:?}; write ms, s, m, h or d"),
            Self::TooLong => f.write_str("longer than can be counted"),
            Self::Zero => f.write_str("zero; write a longer time"),
        }
    }
}

impl error::Error for TimeError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        for (text, seconds) in [
            ("250ms", 0.25),
            ("1.5s", 1.5),
            ("15m", 900.0),
            ("6h", 21_600.0),
            ("30d", 2_592_000.0),
            ("0s", 0.0),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_says_why() {
        for (text, error) in [
            ("", TimeError::NotOne),
            ("s", TimeError::NotOne),
            ("-1s", TimeError::NotOne),
            ("1.2.3", TimeError::NotOne),
            ("1 s", TimeError::NotOne),
            ("inf", TimeError::NotOne),
            ("90", TimeError::NoUnit("90".into())),
            ("1w", TimeError::Unit("w".into())),
            ("1e3", TimeError::Unit("e3".into())),
            ("5sec", TimeError::Unit("sec".into())),
            ("99999999999999999999999d", TimeError::TooLong),
        ] {
            assert_eq!(duration(text), Err(error), "{text}");
        }
    }
}
