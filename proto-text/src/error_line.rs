//! The lines with which a server refuses, and whether the connection can be used after them.

use core::fmt;

use crate::buffer::{ArrayBuffer, Buffer};

/// Which of the three error words the line began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorWord {
    /// `ERROR`: the server does not know the command.
    Error,
    /// `CLIENT_ERROR`: the request is wrong.
    ClientError,
    /// `SERVER_ERROR`: the server cannot do it.
    ServerError,
}

impl ErrorWord {
    /// The word on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::ClientError => "CLIENT_ERROR",
            Self::ServerError => "SERVER_ERROR",
        }
    }
}

/// An error line as it came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ErrorLine<'b> {
    /// Its first word.
    pub word: ErrorWord,
    /// What follows, without the space or colon between.
    pub text: &'b [u8],
}

impl<'b> ErrorLine<'b> {
    /// Reads a line without its end; `None` when it does not begin with one of the three words, followed by a
    /// space, a colon or nothing.
    pub(crate) fn parse(line: &'b [u8]) -> Option<Self> {
        [ErrorWord::Error, ErrorWord::ClientError, ErrorWord::ServerError].into_iter().find_map(|word| {
            let text = match line.strip_prefix(word.word().as_bytes())? {
                [] => &[],
                [b':', b' ', text @ ..] | [b' ' | b':', text @ ..] => text,
                _ => return None,
            };
            Some(ErrorLine { word, text })
        })
    }

    /// What the line means.
    #[must_use]
    pub fn kind(&self) -> ServerErrorKind {
        self.row().map_or_else(
            || match self.word {
                ErrorWord::Error => ServerErrorKind::UnknownCommand,
                ErrorWord::ClientError => ServerErrorKind::Client,
                ErrorWord::ServerError => ServerErrorKind::Server,
            },
            |row| row.kind,
        )
    }

    /// Does the server read on at the next request? Where this is not proven, the answer is no, and the connection
    /// must be closed: what the server takes for a request next may be the caller's value.
    #[must_use]
    pub fn keeps_in_step(&self) -> bool {
        self.row().is_some_and(|row| row.in_step)
    }

    fn row(&self) -> Option<&'static Row> {
        ROWS.iter().find(|row| row.word == self.word && row.text.as_bytes() == self.text)
    }
}

impl fmt::Debug for ErrorLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ErrorLine({} {})", self.word.word(), self.text.escape_ascii())
    }
}

/// What a server's refusal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServerErrorKind {
    /// The value is larger than the server takes (`-I`). A `set` has deleted the old value.
    TooLarge,
    /// The server has no memory left and may not evict (`-M`).
    OutOfMemory,
    /// `incr` or `decr` of a value that is not a number.
    NonNumeric,
    /// The server demands authentication.
    Unauthenticated,
    /// User name or password are wrong.
    AuthFailed,
    /// The server has as many connections as it may have, and closes this one.
    TooManyConnections,
    /// The server was started so that it refuses this command.
    NotAllowed,
    /// `ERROR`: the server does not know the command, or not in this form.
    UnknownCommand,
    /// Any other `CLIENT_ERROR`.
    Client,
    /// Any other `SERVER_ERROR`.
    Server,
}

struct Row {
    word: ErrorWord,
    text: &'static str,
    kind: ServerErrorKind,
    in_step: bool,
}

const fn row(word: ErrorWord, text: &'static str, kind: ServerErrorKind, in_step: bool) -> Row {
    Row { word, text, kind, in_step }
}

/// The known lines. Measured on memcached 1.6.18 and 1.6.45: `in_step` is said only of lines after which the server
/// has read exactly the request they answer, in every way the line can come about.
const ROWS: &[Row] = &[
    row(ErrorWord::ServerError, "object too large for cache", ServerErrorKind::TooLarge, true),
    row(ErrorWord::ServerError, "out of memory storing object", ServerErrorKind::OutOfMemory, true),
    row(
        ErrorWord::ClientError,
        "cannot increment or decrement non-numeric value",
        ServerErrorKind::NonNumeric,
        true,
    ),
    row(ErrorWord::ClientError, "invalid numeric delta argument", ServerErrorKind::Client, true),
    row(ErrorWord::ClientError, "invalid exptime argument", ServerErrorKind::Client, true),
    row(ErrorWord::ServerError, "out of memory", ServerErrorKind::OutOfMemory, false),
    row(ErrorWord::ServerError, "out of memory writing get response", ServerErrorKind::OutOfMemory, false),
    row(ErrorWord::ClientError, "unauthenticated", ServerErrorKind::Unauthenticated, false),
    row(ErrorWord::ClientError, "authentication failure", ServerErrorKind::AuthFailed, false),
    row(ErrorWord::ClientError, "bad authentication token format", ServerErrorKind::AuthFailed, false),
    row(ErrorWord::Error, "Too many open connections", ServerErrorKind::TooManyConnections, false),
    row(ErrorWord::ClientError, "flush_all not allowed", ServerErrorKind::NotAllowed, false),
];

/// Longest part of an error line's text that [`ServerError`] keeps, in bytes.
const MAX_TEXT: usize = 96;

/// A server's refusal, to be kept and shown.
///
/// The server wrote the text; memcached puts no keys and no values into it. What is not printable ASCII is shown
/// escaped, what is longer than 96 bytes is cut.
#[derive(Clone)]
pub struct ServerError {
    kind: ServerErrorKind,
    word: ErrorWord,
    text: ArrayBuffer<MAX_TEXT>,
}

impl ServerError {
    /// What the refusal means.
    #[must_use]
    pub const fn kind(&self) -> ServerErrorKind {
        self.kind
    }

    /// The word that the line began with.
    #[must_use]
    pub const fn word(&self) -> ErrorWord {
        self.word
    }

    /// The same, but without a text that memcached does not use: that may repeat what was asked.
    pub(crate) fn without_unknown_text(self) -> Self {
        let line = ErrorLine { word: self.word, text: self.text.as_slice() };
        if line.row().is_some() { self } else { ErrorLine { word: self.word, text: b"" }.into() }
    }

    /// What the server said behind it, at most 96 bytes.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        self.text.as_slice()
    }
}

impl From<ErrorLine<'_>> for ServerError {
    fn from(line: ErrorLine<'_>) -> Self {
        let mut text = ArrayBuffer::new();
        let kept = line.text.get(..MAX_TEXT).unwrap_or(line.text);
        let fits = text.put(kept);
        debug_assert!(fits.is_ok(), "cut to MAX_TEXT");
        Self { kind: line.kind(), word: line.word, text }
    }
}

impl PartialEq for ServerError {
    fn eq(&self, other: &Self) -> bool {
        (self.word, self.text()) == (other.word, other.text())
    }
}

impl Eq for ServerError {}

impl fmt::Debug for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerError({:?}: {self})", self.kind)
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("server answered ")?;
        f.write_str(self.word.word())?;
        if !self.text().is_empty() {
            write!(f, " {}", self.text().escape_ascii())?;
        }
        Ok(())
    }
}

impl core::error::Error for ServerError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_ends_at_a_space_a_colon_or_the_line() {
        let text = |line| ErrorLine::parse(line).map(|line: ErrorLine<'_>| (line.word, line.text));
        assert_eq!(text(b"ERROR"), Some((ErrorWord::Error, &b""[..])));
        assert_eq!(text(b"ERROR: off"), Some((ErrorWord::Error, &b"off"[..])));
        assert_eq!(text(b"SERVER_ERROR  x"), Some((ErrorWord::ServerError, &b" x"[..])));
        assert_eq!(text(b"ERRORS"), None);
        assert_eq!(text(b"CLIENT_ERRO"), None);
    }

    #[test]
    fn an_unknown_line_never_keeps_the_connection() {
        let line = ErrorLine::parse(b"SERVER_ERROR object too large for cache!").unwrap();
        assert_eq!((line.kind(), line.keeps_in_step()), (ServerErrorKind::Server, false));
        let line = ErrorLine::parse(b"CLIENT_ERROR object too large for cache").unwrap();
        assert_eq!((line.kind(), line.keeps_in_step()), (ServerErrorKind::Client, false));
    }

    #[test]
    fn a_long_text_is_cut_and_escaped() {
        extern crate std;
        let mut line = std::vec::Vec::from(*b"SERVER_ERROR \x07");
        line.resize(500, b'e');
        let error = ServerError::from(ErrorLine::parse(&line).unwrap());
        assert_eq!(error.text().len(), 96);
        assert!(std::format!("{error}").starts_with("server answered SERVER_ERROR \\x07eee"));
    }
}
