//! What tests of several kinds ask of a reading.

use super::{Reading, read};

/// The only reading of a text whose kind shows.
pub(super) fn one(text: &str) -> Reading {
    let mut readings = read(text, None).unwrap();
    assert_eq!(readings.len(), 1, "{readings:?}");
    readings.remove(0)
}

/// The names of the servers, in order.
pub(super) fn names(reading: &Reading) -> Vec<&str> {
    reading.servers.iter().map(|server| &*server.name).collect()
}

/// What each reading says, in a line: pool, options, servers with the weights that are not 1, and the traps behind a `!`.
pub(super) fn told(readings: Vec<Reading>) -> String {
    let told = readings.into_iter().map(|reading| {
        let options = reading.options.iter().map(|(name, value)| format!("{name}={value}"));
        let servers = reading.servers.iter().map(|server| match server.weight.real() {
            1.0 => server.name.clone(),
            weight => format!("{}*{weight}", server.name),
        });
        let warnings = reading.warnings.iter().map(|warning| format!("!{}", warning.trap));
        let words = reading.pool.iter().cloned().chain(options).chain(servers).chain(warnings);
        words.collect::<Vec<_>>().join(" ")
    });
    told.collect::<Vec<_>>().join("\n")
}
