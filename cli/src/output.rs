//! Standard output. What is text is shown there, and never obeyed by a terminal.

use core::{fmt::Display, mem, ops::ControlFlow};
use std::{
    fs,
    io::{self, BufWriter, IsTerminal as _, Stdout, Write as _},
    path::Path,
};

use serde_json::Value;
use tempfile::Builder;

use crate::{
    failure::{self, Failure},
    visible::Visible,
};

/// Writes `text`; a reader that has gone away is no error.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    print_bytes(Visible::lines(text).to_string().as_bytes())
}

/// Writes `value` over several lines.
pub(crate) fn print_json(value: &Value) -> Result<(), Failure> {
    print_bytes(format!("{}\n", json(&format!("{value:#}"))).as_bytes())
}

/// JSON without the control characters that it allows within strings: others than these are escaped already.
pub(crate) fn json(written: &str) -> String {
    let mut text = String::with_capacity(written.len());
    for char in written.chars() {
        match char {
            '\u{7f}'..='\u{9f}' => text += &format!("\\u{:04x}", u32::from(char)),
            char => text.push(char),
        }
    }
    text
}

/// Writes `bytes` as they are.
pub(crate) fn print_bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut printer = Printer::new();
    printer.bytes(bytes)?;
    printer.finish()
}

/// Writes a value: on a terminal as text, unless it is to be `raw`, elsewhere as it is.
pub(crate) fn print_value(value: &[u8], raw: bool) -> Result<(), Failure> {
    if raw || !io::stdout().is_terminal() {
        return print_bytes(value);
    }
    print_bytes(Visible::lines(value).to_string().as_bytes())
}

/// Standard output for what is too much to be gathered first. A reader that has gone away is no error.
pub(crate) struct Printer {
    out: BufWriter<Stdout>,
    has_reader: bool,
}

impl Printer {
    pub(crate) fn new() -> Self {
        Self { out: BufWriter::new(io::stdout()), has_reader: true }
    }

    /// Writes what `text` shows, which is text that no terminal obeys.
    pub(crate) fn show(&mut self, text: impl Display) -> Result<(), Failure> {
        let written = write!(self.out, "{text}");
        self.note(written)
    }

    /// Writes `bytes` as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.out.write_all(bytes);
        self.note(written)
    }

    /// Writes what is still held, for a reader that wants it now.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        let flushed = self.out.flush();
        self.note(flushed)
    }

    /// Writes what is still held.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.flush()
    }

    /// Whether somebody still reads.
    pub(crate) const fn has_reader(&self) -> bool {
        self.has_reader
    }

    fn note(&mut self, written: io::Result<()>) -> Result<(), Failure> {
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.has_reader = false;
                Ok(())
            }
            Err(error) => Err(Failure::failed(format_args!("standard output: {}", failure::system(&error)))),
            Ok(()) => Ok(()),
        }
    }
}

/// A JSON array on standard output, an item a line: of a million items, a tree of values would take more than a gigabyte.
pub(crate) struct Array {
    printer: Printer,
    is_empty: bool,
}

impl Array {
    pub(crate) fn new() -> Self {
        Self { printer: Printer::new(), is_empty: true }
    }

    /// Writes an item.
    pub(crate) fn item(&mut self, item: &Value) -> Result<(), Failure> {
        let begin = if mem::take(&mut self.is_empty) { "[" } else { "," };
        self.printer.show(format_args!("{begin}\n  {}", json(&item.to_string())))
    }

    /// Whether somebody still reads.
    pub(crate) const fn has_reader(&self) -> bool {
        self.printer.has_reader()
    }

    /// Writes the end.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.printer.show(if self.is_empty { "[]\n" } else { "\n]\n" })?;
        self.printer.finish()
    }
}

/// What a command prints of many items: lines, or a JSON array.
pub(crate) enum Lines {
    Text(Printer),
    Json(Array),
}

impl Lines {
    pub(crate) fn new(json: bool) -> Self {
        if json { Self::Json(Array::new()) } else { Self::Text(Printer::new()) }
    }

    /// Breaks off where nobody reads any more.
    pub(crate) const fn goes_on(&self) -> ControlFlow<()> {
        let has_reader = match self {
            Self::Text(printer) => printer.has_reader(),
            Self::Json(array) => array.has_reader(),
        };
        if has_reader { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Text(printer) => printer.finish(),
            Self::Json(array) => array.finish(),
        }
    }
}

/// Writes `text` into the file `path`, whole or not at all; `-` is standard output.
pub(crate) fn write_file(path: &str, text: &str) -> Result<(), Failure> {
    if path == "-" {
        return print(text);
    }
    let path = Path::new(path);
    // A terminal or a pipe cannot be replaced.
    if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return fs::write(path, text)
            .map_err(|error| Failure::failed(format_args!("{}: {error}", path.display())));
    }
    write_whole(path, text, true)
}

/// Writes the file `path`, whole or not at all; `force` replaces one that is there.
pub(crate) fn write_whole(path: &Path, text: &str, force: bool) -> Result<(), Failure> {
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let wrong = |error: &io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Failure::usage(format_args!("{} is there already; --force replaces it", path.display()))
        }
        io::ErrorKind::NotFound => {
            Failure::failed(format_args!("{}: there is no folder {}", path.display(), folder.display()))
        }
        // The name of a file that nobody has named is nobody's business: what went wrong is.
        kind => Failure::failed(format_args!("{}: {kind}", path.display())),
    };
    let mut builder = Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any other file: what it refers to is secret, and not it.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let file = builder.prefix(".memring-").tempfile_in(folder).map_err(|error| wrong(&error))?;
    fs::write(file.path(), text).map_err(|error| wrong(&error))?;
    let done = if force { file.persist(path) } else { file.persist_noclobber(path) };
    done.map(drop).map_err(|error| wrong(&error.error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_stays_what_it_says_and_moves_no_cursor() {
        let value = Value::from("\u{1b}[2J\u{7f}\u{9b}2Jé");
        let written = json(&value.to_string());
        assert_eq!(written, r#""\u001b[2J\u007f\u009b2Jé""#);
        assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), value);
    }
}
