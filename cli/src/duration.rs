//! Lengths of time as people write them.

use core::time::Duration;

/// Reads `250ms`, `1.5s`, `15m`, `6h`, `30d`, or `90`, which is seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, &'static str> {
    let end = text.find(|character: char| character != '.' && !character.is_ascii_digit());
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let seconds = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 60.0 * 60.0,
        "d" => 24.0 * 60.0 * 60.0,
        _ => return Err(FORMAT),
    };
    let number: f64 = number.parse().map_err(|_| FORMAT)?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| FORMAT)
}

const FORMAT: &str = "not a length of time such as 250ms, 1.5s, 15m, 6h or 30d";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        for (text, seconds) in [
            ("250ms", 0.25),
            ("1.5s", 1.5),
            ("90", 90.0),
            ("15m", 900.0),
            ("6h", 21_600.0),
            ("30d", 2_592_000.0),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in
            ["", "s", "-1s", "+1s", "1e3", "1 s", "1w", ".", "1.2.3", "inf", "99999999999999999999999d"]
        {
            assert_eq!(duration(text), Err(FORMAT), "{text}");
        }
    }
}
