//! Error lines: a server's refusals, and whether the connection can be used after them.

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
    /// The text behind the word, without the space or colon between.
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
                _ if self.is_of_memory() => ServerErrorKind::OutOfMemory,
                ErrorWord::Error => ServerErrorKind::UnknownCommand,
                ErrorWord::ClientError => ServerErrorKind::Client,
                ErrorWord::ServerError => ServerErrorKind::Server,
            },
            |row| row.kind,
        )
    }

    /// Whether the server goes on with the next request, whichever request the line answers.
    ///
    /// After a request without a value, a server always does so, unless it closes the connection. After a request with
    /// a value, an unknown line leaves open what the server takes for the next request: it may be the value. An
    /// [`Exchange`](crate::Exchange) checks the line against the request, and against the replies behind it.
    #[must_use]
    pub fn keeps_in_step(&self) -> bool {
        self.step() == AfterLine::InStep
    }

    pub(crate) fn step(&self) -> AfterLine {
        self.row().map_or(AfterLine::Unknown, |row| row.step)
    }

    /// Whether the line says that memory is short; the rest of its text may differ.
    fn is_of_memory(&self) -> bool {
        const WORDS: &[u8] = b"out of memory";
        let begins = self.text.get(..WORDS.len()).is_some_and(|text| text.eq_ignore_ascii_case(WORDS));
        begins && self.word == ErrorWord::ServerError
    }

    fn row(&self) -> Option<&'static Row> {
        let text = self.text.trim_ascii_end();
        ROWS.iter().find(|row| row.word == self.word && row.text.as_bytes() == text)
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
    /// The server has its highest number of connections, and closes this one.
    TooManyConnections,
    /// The server's options forbid this command.
    NotAllowed,
    /// `ERROR`: the server does not know the command, or not in this form.
    UnknownCommand,
    /// Any other `CLIENT_ERROR`.
    Client,
    /// Any other `SERVER_ERROR`.
    Server,
}

/// What a server reads after it has sent an error line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AfterLine {
    /// The next request: the server has read all of the request that the line answers.
    InStep,
    /// The next request, if the request that the line answers has no value; else perhaps the value.
    Unknown,
    /// As [`Unknown`](Self::Unknown), but behind the refusal of a get an empty line follows in memcached 1.6.45.
    NotOfGets,
    /// Nothing: the server closes the connection, or does not serve it.
    Closed,
}

struct Row {
    word: ErrorWord,
    text: &'static str,
    kind: ServerErrorKind,
    step: AfterLine,
}

const fn row(word: ErrorWord, text: &'static str, kind: ServerErrorKind, step: AfterLine) -> Row {
    Row { word, text, kind, step }
}

/// A refusal behind which the server has read the whole request, value and all.
const fn server(text: &'static str, kind: ServerErrorKind) -> Row {
    row(ErrorWord::ServerError, text, kind, AfterLine::InStep)
}

const fn client(text: &'static str, kind: ServerErrorKind, step: AfterLine) -> Row {
    row(ErrorWord::ClientError, text, kind, step)
}

/// The known lines. [`AfterLine::InStep`] is said only of lines after which the server has read exactly the request they
/// answer, in every way the line can come about.
const ROWS: &[Row] = &[
    // Measured on memcached 1.4.5 to 1.6.45: the value is read and thrown away.
    server("object too large for cache", ServerErrorKind::TooLarge),
    server("out of memory storing object", ServerErrorKind::OutOfMemory),
    // Measured on memcached 1.6.18, with large values: the same. It is said in the midst of reading, and the rest is read.
    server("Out of memory during read", ServerErrorKind::OutOfMemory),
    // memcached, said when the whole request has been read.
    server("Out of memory allocating item", ServerErrorKind::OutOfMemory),
    server("out of memory allocating item", ServerErrorKind::OutOfMemory),
    server("Out of memory allocating new item", ServerErrorKind::OutOfMemory),
    server("out of memory allocating new item", ServerErrorKind::OutOfMemory),
    server("Out of memory incrementing value", ServerErrorKind::OutOfMemory),
    server("out of memory incrementing value", ServerErrorKind::OutOfMemory),
    // memcached's proxy, which passes on what it has read whole.
    server("backend failure", ServerErrorKind::Server),
    server("bad response", ServerErrorKind::Server),
    server("lua failure", ServerErrorKind::Server),
    server("lua start failure", ServerErrorKind::Server),
    // mcrouter `AsciiSerialized.cpp`: likewise.
    server("unknown result", ServerErrorKind::Server),
    server("out of order", ServerErrorKind::Server),
    server("timeout", ServerErrorKind::Server),
    server("connection timeout", ServerErrorKind::Server),
    server("connection error", ServerErrorKind::Server),
    server("307 busy", ServerErrorKind::Server),
    server("302 try again", ServerErrorKind::Server),
    server("301 shutdown", ServerErrorKind::Server),
    server("unavailable", ServerErrorKind::Server),
    server("request deadline exceeded", ServerErrorKind::Server),
    server("bad value", ServerErrorKind::Server),
    server("aborted", ServerErrorKind::Server),
    server("local error", ServerErrorKind::Server),
    server("remote error", ServerErrorKind::Server),
    server("waiting", ServerErrorKind::Server),
    // twemproxy `nc_message.c`, likewise: what the system says of its connection to the server.
    server("unknown", ServerErrorKind::Server),
    server("Broken pipe", ServerErrorKind::Server),
    server("Connection refused", ServerErrorKind::Server),
    server("Connection reset by peer", ServerErrorKind::Server),
    server("Connection timed out", ServerErrorKind::Server),
    server("Host is down", ServerErrorKind::Server),
    server("Invalid argument", ServerErrorKind::Server),
    server("Network is unreachable", ServerErrorKind::Server),
    server("No route to host", ServerErrorKind::Server),
    server("Operation timed out", ServerErrorKind::Server),
    // Of requests without a value.
    client("cannot increment or decrement non-numeric value", ServerErrorKind::NonNumeric, AfterLine::InStep),
    client("invalid numeric delta argument", ServerErrorKind::Client, AfterLine::InStep),
    client("invalid exptime argument", ServerErrorKind::Client, AfterLine::InStep),
    client("flush_all not allowed", ServerErrorKind::NotAllowed, AfterLine::Unknown),
    client("bad command line format", ServerErrorKind::Client, AfterLine::NotOfGets),
    // The end of the connection, or of its use.
    row(
        ErrorWord::ServerError,
        "out of memory reading request",
        ServerErrorKind::OutOfMemory,
        AfterLine::Closed,
    ),
    // Said of a value alone: as an answer to anything else, the stream is not what it seems.
    client("bad data chunk", ServerErrorKind::Client, AfterLine::Closed),
    client("unauthenticated", ServerErrorKind::Unauthenticated, AfterLine::Closed),
    client("authentication failure", ServerErrorKind::AuthFailed, AfterLine::Closed),
    client("bad authentication token format", ServerErrorKind::AuthFailed, AfterLine::Closed),
    row(
        ErrorWord::Error,
        "Too many open connections",
        ServerErrorKind::TooManyConnections,
        AfterLine::Closed,
    ),
];

/// Longest part of an error line's text that [`ServerError`] keeps, in bytes.
const MAX_TEXT: usize = 96;

/// A server's refusal, to be kept and shown.
///
/// The server wrote the text; memcached puts no keys and no values into it. Bytes that are not printable ASCII are
/// shown escaped, and the text is cut after 96 bytes.
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

    /// The error without its text, unless memcached uses that text: an unknown text may repeat the request.
    pub(crate) fn without_unknown_text(self) -> Self {
        let line = ErrorLine { word: self.word, text: self.text.as_slice() };
        if line.row().is_some() { self } else { Self { text: ArrayBuffer::new(), ..self } }
    }

    /// The text behind the word, at most 96 bytes.
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
    fn every_way_to_say_that_memory_is_short_has_the_kind() {
        let kind = |line| ErrorLine::parse(line).map(|line| line.kind());
        for line in [
            &b"SERVER_ERROR Out of memory during read"[..],
            b"SERVER_ERROR out of memory storing object",
            b"SERVER_ERROR out of memory",
            b"SERVER_ERROR Out of Memory ",
            b"SERVER_ERROR out of memory writing get response",
            b"SERVER_ERROR out of memory preparing response",
        ] {
            assert_eq!(kind(line), Some(ServerErrorKind::OutOfMemory), "{}", line.escape_ascii());
        }
        assert_eq!(kind(b"CLIENT_ERROR out of memory"), Some(ServerErrorKind::Client));
        assert_eq!(kind(b"SERVER_ERROR out of order"), Some(ServerErrorKind::Server));
    }

    #[test]
    fn no_line_is_known_twice() {
        for (at, one) in ROWS.iter().enumerate() {
            assert!(
                !ROWS[..at].iter().any(|row| (row.word, row.text) == (one.word, one.text)),
                "{}",
                one.text
            );
        }
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
