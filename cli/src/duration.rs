//! Lengths of time as people write them on a command line.
//!
//! The grammar is that of configuration files, so that both read `1.5s` and `30d` alike. humantime has no fractions and jiff
//! no days without a date, and a library that reads files would get another dependency for twelve lines. A number alone is
//! seconds here, as memcached's own times are. In a file it is an error, because nobody would see at once that
//! `timeout = 500` was meant as milliseconds.

use core::time::Duration;

use memring_client::file::{self, TimeError};

/// Reads `250ms`, `1.5s`, `15m`, `6h`, `30d`, as configuration files have them, or `90`, which is seconds here.
pub(crate) fn duration(text: &str) -> Result<Duration, TimeError> {
    match file::duration(text) {
        Err(TimeError::NoUnit(number)) => file::duration(&format!("{number}s")),
        read => read,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_alone_is_seconds() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("1w"), Err(TimeError::Unit("w".into())));
        assert_eq!(duration("soon"), Err(TimeError::NotOne));
    }
}
