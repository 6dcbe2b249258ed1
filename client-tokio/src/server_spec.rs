//! How servers are written: a name that decides placement, a weight, an address to dial.

use core::{convert::Infallible, error, fmt, net::Ipv6Addr, str::FromStr};
use std::path::{Path, PathBuf};

use memring_core::{Server, Weight};

/// The port that memcached listens on unless told otherwise.
pub const DEFAULT_PORT: u16 = 11211;

/// A server: the name that decides which keys it holds, its weight, and where to find it.
///
/// | written | name | address |
/// |---|---|---|
/// | `cache1` | `cache1` | `cache1`, port 11211 |
/// | `10.0.0.1:11311` | `10.0.0.1:11311` | the same |
/// | `[fd00::1]:11211` | `[fd00::1]:11211` | the same |
/// | `/run/memcached.sock` | `/run/memcached.sock` | a Unix socket |
/// | `eu1=10.0.0.1:11311` | `eu1` | `10.0.0.1:11311` |
///
/// A weight follows behind a space: `10.0.0.1:11211 600`.
///
/// The name is taken letter by letter: to most schemes, `cache1` and `cache1:11211` are different servers. Write it as
/// the other clients' configuration has it.
///
/// ```
/// use memring_tokio::{Address, ServerSpec};
///
/// let spec: ServerSpec = "eu1=10.0.0.1:11311 600".parse()?;
/// assert_eq!(spec.name(), "eu1");
/// assert_eq!(spec, ServerSpec::new("eu1", Address::tcp("10.0.0.1", 11311)).weighing(600));
/// # Ok::<(), memring_tokio::ServerSpecError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ServerSpec {
    name: String,
    weight: Weight,
    address: Address,
}

impl ServerSpec {
    /// The server `name` at `address`, with weight 1.
    pub fn new(name: impl Into<String>, address: Address) -> Self {
        Self { name: name.into(), weight: Weight::default(), address }
    }

    /// The same server with `weight`.
    #[must_use]
    pub fn weighing(self, weight: impl Into<Weight>) -> Self {
        Self { weight: weight.into(), ..self }
    }

    /// The name, which decides placement.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The weight.
    #[must_use]
    pub const fn weight(&self) -> Weight {
        self.weight
    }

    /// Where to find it.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// The server as placements see it.
    pub(crate) fn server(&self) -> Server<'_> {
        Server { name: &self.name, weight: self.weight }
    }
}

impl FromStr for ServerSpec {
    type Err = ServerSpecError;

    fn from_str(text: &str) -> Result<Self, ServerSpecError> {
        Self::read(text).map_err(|problem| ServerSpecError { text: text.to_owned(), problem })
    }
}

impl ServerSpec {
    fn read(text: &str) -> Result<Self, Problem> {
        let mut words = text.split_ascii_whitespace();
        let word = words.next().ok_or(Problem::Empty)?;
        let (name, place) = match word.split_once('=') {
            // A path may hold the sign itself.
            Some((name, place)) if !word.starts_with('/') => (name, place),
            _ => (word, word),
        };
        if name.is_empty() {
            return Err(Problem::Empty);
        }
        let weight = match words.next() {
            Some(word) => Weight::parse(word).ok_or(Problem::Weight)?,
            None => Weight::default(),
        };
        if words.next().is_some() {
            return Err(Problem::Trailing);
        }
        Ok(Self { name: name.to_owned(), weight, address: Address::read(place)? })
    }
}

macro_rules! read_from {
    ($($text:ty),*) => {$(
        impl TryFrom<$text> for ServerSpec {
            type Error = ServerSpecError;

            fn try_from(text: $text) -> Result<Self, ServerSpecError> {
                text.parse()
            }
        }
    )*};
}

read_from!(&str, &&str, String, &String);

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address(Kind);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Tcp { host: String, port: u16 },
    Unix(PathBuf),
}

impl Address {
    /// A host, by name or number, and a port. Names are resolved whenever a connection is opened.
    pub fn tcp(host: impl Into<String>, port: u16) -> Self {
        Self(Kind::Tcp { host: host.into(), port })
    }

    /// A Unix socket.
    pub fn unix(path: impl AsRef<Path>) -> Self {
        Self(Kind::Unix(path.as_ref().to_owned()))
    }

    pub(crate) const fn kind(&self) -> &Kind {
        &self.0
    }

    fn read(text: &str) -> Result<Self, Problem> {
        if text.starts_with('/') {
            return Ok(Self::unix(text));
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(inner) => {
                let (host, port) = inner.split_once(']').ok_or(Problem::Brackets)?;
                // A zone, as in `fe80::1%eth0`, is for the system to understand.
                let number = host.split_once('%').map_or(host, |(number, _)| number);
                number.parse::<Ipv6Addr>().map_err(|_| Problem::Host)?;
                (host, port)
            }
            None => text.split_at(text.find(':').unwrap_or(text.len())),
        };
        if host.is_empty() || host.bytes().any(|byte| byte <= b' ' || byte == 0x7f || byte == b'/') {
            return Err(Problem::Host);
        }
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => DEFAULT_PORT,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok().filter(|port| *port > 0).ok_or(Problem::Port)?
            }
            _ => return Err(Problem::Port),
        };
        Ok(Self::tcp(host, port))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Kind::Tcp { host, port } => write!(f, "{host}:{port}"),
            Kind::Unix(path) => path.display().fmt(f),
        }
    }
}

/// A text that is not a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSpecError {
    text: String,
    problem: Problem,
}

impl ServerSpecError {
    /// What is wrong with it.
    #[must_use]
    pub const fn problem(&self) -> Problem {
        self.problem
    }
}

/// What is wrong with a text that should be a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// There is no name, or nothing at all.
    Empty,
    /// The host is empty or has characters that no host has.
    Host,
    /// The port is not a number from 1 to 65535.
    Port,
    /// The weight is not a number from zero up.
    Weight,
    /// An IPv6 address does not stand in brackets.
    Brackets,
    /// Something follows the weight.
    Trailing,
}

impl fmt::Display for ServerSpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = match self.problem {
            Problem::Empty => "no server name",
            Problem::Host => "bad host",
            Problem::Port => "bad port, not a number from 1 to 65535",
            Problem::Weight => "bad weight, not a number from 0 to 4294967295",
            Problem::Brackets => "an IPv6 address must stand in brackets",
            Problem::Trailing => "more than an address and a weight",
        };
        write!(f, "bad server {:?}: {problem}", self.text)
    }
}

impl error::Error for ServerSpecError {}

impl From<Infallible> for ServerSpecError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<(String, String, f64), Problem> {
        let spec = ServerSpec::read(text)?;
        Ok((spec.name().to_owned(), spec.address().to_string(), spec.weight().real()))
    }

    #[test]
    fn every_documented_form_is_read() {
        let rows = [
            ("cache1", "cache1", "cache1:11211", 1.0),
            ("10.0.0.1:11311", "10.0.0.1:11311", "10.0.0.1:11311", 1.0),
            ("10.0.0.1:11311 600", "10.0.0.1:11311", "10.0.0.1:11311", 600.0),
            ("[fd00::1]:11311", "[fd00::1]:11311", "[fd00::1]:11311", 1.0),
            ("[::1] 2.5", "[::1]", "[::1]:11211", 2.5),
            ("/run/a=b:1 7", "/run/a=b:1", "/run/a=b:1", 7.0),
            ("eu1=/run/m.sock 2", "eu1", "/run/m.sock", 2.0),
        ];
        for (text, name, address, weight) in rows {
            assert_eq!(parsed(text), Ok((name.to_owned(), address.to_owned(), weight)), "{text}");
        }
    }

    #[test]
    fn what_is_no_server_is_refused() {
        let rows = [
            ("  ", Problem::Empty),
            ("=a:1", Problem::Empty),
            ("a=", Problem::Host),
            (":11211", Problem::Host),
            ("[nonsense]:1", Problem::Host),
            ("a:0", Problem::Port),
            ("a:+1", Problem::Port),
            ("[::1]1", Problem::Port),
            ("a:1 -1", Problem::Weight),
            ("[::1", Problem::Brackets),
            ("a 1 2", Problem::Trailing),
        ];
        for (text, problem) in rows {
            assert_eq!(parsed(text), Err(problem), "{text:?}");
        }
    }
}
