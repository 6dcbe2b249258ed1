//! Standard output, written at once when everything is known to be right.

use std::{
    fs,
    io::{self, Write as _},
};

use crate::failure::Failure;

/// Writes `text`; a reader that has gone away is no error.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    print_bytes(text.as_bytes())
}

/// Writes `bytes` as they are.
pub(crate) fn print_bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => Ok(done?),
    }
}

/// Writes `text` into the file `path`.
pub(crate) fn write_file(path: &str, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| Failure::failed(format_args!("{path}: {error}")))
}
