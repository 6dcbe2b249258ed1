//! Vector files: what a peer did with a list of servers and some keys.
//!
//! ```text
//! # scheme: libmemcached-ketama-weighted
//! # server: 10.0.1.1:11211 600
//! # option: hash=md5
//! # order: full
//! tokyo<TAB>0,2,1
//! with\x20space<TAB>1,0,2
//! ```
//!
//! A server is a name without blanks, exactly as the peer has it, and perhaps a weight; a name need not be an address.
//! Lines that begin with `# ` are headers; every other line is an escaped key and the indexes of its servers, the
//! primary first. With `order: full` the other servers follow in the order in which the peer tries them.

use core::{error, fmt};

use crate::server::{Server, Weight};

/// One line of a vector file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Line<'l> {
    /// A header.
    Header(Header<'l>),
    /// A key and its servers.
    Key {
        /// The key, escaped.
        escaped: &'l str,
        /// Indexes, separated by commas.
        servers: &'l str,
    },
}

/// The content of a header line.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Header<'l> {
    /// The scheme's name.
    Scheme(&'l str),
    /// A server: its name and its weight.
    Server(Server<'l>),
    /// An option of the scheme and its value.
    Option(&'l str, &'l str),
    /// Whether the rows hold the whole order rather than the primary alone.
    FullOrder(bool),
    /// Free text: who made the file and how.
    Remark(&'l str),
}

impl<'l> Line<'l> {
    /// Reads a line, given without its newline.
    ///
    /// ```
    /// use memring_core::vector::{Header, Line};
    ///
    /// assert_eq!(Line::parse("# option: hash=md5"), Ok(Line::Header(Header::Option("hash", "md5"))));
    /// assert_eq!(Line::parse("tokyo\t0,2,1"), Ok(Line::Key { escaped: "tokyo", servers: "0,2,1" }));
    /// ```
    ///
    /// # Errors
    /// [`VectorError`] when it is neither a header nor a key with servers.
    pub fn parse(line: &'l str) -> Result<Self, VectorError> {
        if let Some(header) = line.strip_prefix("# ") {
            let header = header.split_once(':').ok_or(VectorError::Header)?;
            return Header::read(header).map(Self::Header);
        }
        let (escaped, servers) = line.split_once('\t').ok_or(VectorError::NoServers)?;
        Ok(Self::Key { escaped, servers })
    }
}

impl<'l> Header<'l> {
    fn read((name, value): (&'l str, &'l str)) -> Result<Self, VectorError> {
        let value = value.strip_prefix(' ').ok_or(VectorError::Header)?;
        Ok(match name {
            "scheme" => Self::Scheme(value),
            "server" => Self::Server(server(value)?),
            "option" => {
                let (name, value) = value.split_once('=').ok_or(VectorError::Header)?;
                Self::Option(name, value)
            }
            "order" if value == "full" => Self::FullOrder(true),
            "order" if value == "primary" => Self::FullOrder(false),
            "peer" | "note" => Self::Remark(value),
            _ => return Err(VectorError::Header),
        })
    }
}

fn server(text: &str) -> Result<Server<'_>, VectorError> {
    let mut words = text.split_ascii_whitespace();
    let name = words.next().ok_or(VectorError::NoName)?;
    let weight = match words.next() {
        Some(word) => Weight::parse(word).ok_or(VectorError::Weight)?,
        None => Weight::default(),
    };
    match words.next() {
        Some(_) => Err(VectorError::Trailing),
        None => Ok(Server { name, weight }),
    }
}

/// The bytes of an escaped key, one by one: `\xNN` is a byte, everything else stands for itself.
///
/// ```
/// use memring_core::vector::unescape;
///
/// let key: Result<Vec<u8>, _> = unescape(br"caf\xc3\xa9").collect();
/// assert_eq!(key.unwrap(), "café".as_bytes());
/// ```
///
/// # Errors
/// [`VectorError::Escape`] for a backslash that begins no `\xNN`, [`VectorError::Control`] for a control byte that is not
/// escaped, such as the carriage return of a foreign line end.
pub fn unescape(escaped: &[u8]) -> impl Iterator<Item = Result<u8, VectorError>> {
    let mut rest = escaped;
    core::iter::from_fn(move || {
        let at = escaped.len() - rest.len();
        let (byte, after) = match *rest {
            [] => return None,
            [b'\\', b'x', high, low, ref after @ ..] => match (digit(high), digit(low)) {
                (Some(high), Some(low)) => (Ok(high << 4 | low), after),
                _ => (Err(VectorError::Escape { at }), &[][..]),
            },
            [b'\\', ..] => (Err(VectorError::Escape { at }), &[][..]),
            [byte, ..] if byte.is_ascii_control() => (Err(VectorError::Control { at, byte }), &[][..]),
            [byte, ref after @ ..] => (Ok(byte), after),
        };
        rest = after;
        Some(byte)
    })
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// Shows a key as vector files write it: printable ASCII but blank and backslash as it is, every other byte as `\xNN`.
///
/// ```
/// use memring_core::vector::Escaped;
///
/// assert_eq!(Escaped("é\\".as_bytes()).to_string(), r"\xc3\xa9\x5c");
/// ```
#[derive(Clone, Copy)]
pub struct Escaped<'k>(pub &'k [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &byte in self.0 {
            match byte {
                b'\\' => f.write_str("\\x5c")?,
                byte if byte.is_ascii_graphic() => write!(f, "{}", char::from(byte))?,
                byte => write!(f, "\\x{byte:02x}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VectorError {
    /// A line begins with `# ` and is no header that this format has.
    Header,
    /// A server has no name.
    NoName,
    /// The weight of a server is not a number from zero up (whole numbers up to 4294967295).
    Weight,
    /// Something follows the weight of a server.
    Trailing,
    /// There is no tab behind the key.
    NoServers,
    /// A backslash begins no `\xNN`.
    Escape {
        /// Where, in bytes from 0.
        at: usize,
    },
    /// A control byte stands there unescaped.
    Control {
        /// Where, in bytes from 0.
        at: usize,
        /// Which.
        byte: u8,
    },
}

impl fmt::Display for VectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str("unknown header"),
            Self::NoName => f.write_str("no server name"),
            Self::Weight => f.write_str("bad weight: not a number from 0 to 4294967295"),
            Self::Trailing => f.write_str("more than a name and a weight"),
            Self::NoServers => f.write_str("no tab between key and servers"),
            Self::Escape { at } => write!(f, "bad escape at byte {at}: a backslash begins \\xNN"),
            Self::Control { at, byte } => write!(f, "byte {at} must be escaped as \\x{byte:02x}"),
        }
    }
}

impl error::Error for VectorError {}

#[cfg(test)]
mod tests {
    use std::{string::ToString, vec::Vec};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_escaped_comes_back(key in prop::collection::vec(any::<u8>(), 0..60)) {
            let escaped = Escaped(&key).to_string();
            prop_assert!(escaped.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert_eq!(unescape(escaped.as_bytes()).collect::<Result<Vec<_>, _>>(), Ok(key));
        }
    }

    #[test]
    fn an_escape_that_is_none_says_where() {
        for (escaped, at) in [(r"a\", 1), (r"\x4", 0), (r"ab\xg0", 2), (r"\n", 0), (r"\\", 0)] {
            let last = unescape(escaped.as_bytes()).last();
            assert_eq!(last, Some(Err(VectorError::Escape { at })), "{escaped}");
        }
        assert_eq!(unescape(b"key\r").last(), Some(Err(VectorError::Control { at: 3, byte: b'\r' })));
    }

    #[test]
    fn a_server_is_a_name_and_perhaps_a_weight() {
        let rows = [
            ("a:1", Ok(Server::new("a:1"))),
            (" a:1\t0 ", Ok(Server::new("a:1").weighing(0))),
            ("host/10.0.0.1:11211 5", Ok(Server::new("host/10.0.0.1:11211").weighing(5))),
            ("  ", Err(VectorError::NoName)),
            ("a -1", Err(VectorError::Weight)),
            ("a 1 2", Err(VectorError::Trailing)),
        ];
        for (text, server) in rows {
            let line = std::format!("# server: {text}");
            assert_eq!(
                Line::parse(&line),
                server.map(|server| Line::Header(Header::Server(server))),
                "{text}"
            );
        }
    }

    #[test]
    fn a_key_may_begin_with_a_hash_sign() {
        assert_eq!(Line::parse("#\t0"), Ok(Line::Key { escaped: "#", servers: "0" }));
        assert_eq!(Line::parse("# nonsense"), Err(VectorError::Header));
        assert_eq!(Line::parse("key 0"), Err(VectorError::NoServers));
    }
}
