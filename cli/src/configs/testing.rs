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
