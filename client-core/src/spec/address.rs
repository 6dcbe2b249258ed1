//! Where a server listens.

use core::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use super::{ServerSpecError, ServerSpecProblem as Problem, url};

/// The port that memcached listens on by default.
pub const DEFAULT_PORT: u16 = 11211;

/// Where a server listens.
///
/// A host name with several addresses is one server: a client tries them one after the other until one answers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// A host, by name or number, and a port. Names are resolved whenever a connection is opened.
    Tcp {
        /// The name or number; a number of IPv6 has no brackets here.
        host: String,
        /// The port.
        port: u16,
    },
    /// The path of a Unix socket.
    Unix(String),
}

impl Address {
    /// A host and a port.
    pub fn tcp(host: impl Into<String>, port: u16) -> Self {
        Self::Tcp { host: host.into(), port }
    }

    /// A Unix socket.
    pub fn unix(path: impl Into<String>) -> Self {
        Self::Unix(path.into())
    }
}

/// Reads `host`, `host:port`, `[v6]:port`, `/path` or `unix:///path`.
impl FromStr for Address {
    type Err = ServerSpecError;

    fn from_str(text: &str) -> Result<Self, ServerSpecError> {
        let read = match url::scheme_of(text) {
            Some((scheme, rest)) => url::address(scheme, rest),
            None => Self::read(text),
        };
        read.map_err(|problem| ServerSpecError::of(problem, text))
    }
}

/// The form that [`FromStr`] reads.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) if Self::read(path).is_ok_and(|read| read == *self) => f.write_str(path),
            Self::Unix(path) => f.write_str(&url::of_path(path)),
        }
    }
}

impl Address {
    /// Reads an address that is no URL.
    pub(super) fn read(text: &str) -> Result<Self, Problem> {
        if text.starts_with('/') {
            return Self::of_path(text);
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(inner) => {
                let (host, rest) = inner.split_once(']').ok_or(Problem::Brackets)?;
                if !is_ipv6(host) {
                    return Err(Problem::Host);
                }
                match rest {
                    "" => (host, None),
                    _ => (host, Some(rest.strip_prefix(':').ok_or(Problem::Port)?)),
                }
            }
            None => {
                let (host, port) = match text.split_once(':') {
                    Some((host, port)) => (host, Some(port)),
                    None => (text, None),
                };
                if !is_host(host) {
                    return Err(Problem::Host);
                }
                (host, port)
            }
        };
        let port = match port {
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                port.parse().ok().filter(|port| *port > 0).ok_or(Problem::Port)?
            }
            Some(_) => return Err(Problem::Port),
            None => DEFAULT_PORT,
        };
        Ok(Self::tcp(host, port))
    }

    /// Reads a path as it stands in a list of servers, where some letters mean something else.
    fn of_path(text: &str) -> Result<Self, Problem> {
        let has_other_meaning = |letter: char| letter.is_whitespace() || ",;=?\"'`".contains(letter);
        match text.contains(has_other_meaning) {
            true => Err(Problem::Path),
            false => Self::socket(split_zero(text)?),
        }
    }

    /// The socket at `path`, if one can be there.
    pub(super) fn socket(path: &str) -> Result<Self, Problem> {
        let is_one = path.starts_with('/') && !path.ends_with('/') && path.len() <= MAX_PATH_LEN;
        // There may be a password behind it.
        let is_one = is_one && !path.contains("://");
        if is_one && !path.contains(char::is_control) { Ok(Self::unix(path)) } else { Err(Problem::Path) }
    }
}

/// Takes the `:0` from a path: PHP's configurations have it in place of a port. Other numbers there are a port or a
/// weight, depending on who is asked.
pub(super) fn split_zero(path: &str) -> Result<&str, Problem> {
    match path.rsplit_once(':') {
        Some((path, "0")) => Ok(path),
        Some((_, tail)) if tail.bytes().all(|byte| byte.is_ascii_digit()) => Err(Problem::Path),
        _ => Ok(path),
    }
}

/// Whether a text is an IPv6 address. A zone, as in `fe80::1%eth0`, is for the system to understand.
pub(super) fn is_ipv6(text: &str) -> bool {
    let (number, zone) = text.split_once('%').unwrap_or((text, "0"));
    let is_zone =
        !zone.is_empty() && zone.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
    is_zone && number.parse::<Ipv6Addr>().is_ok()
}

/// Whether a text can be the name of a host, or its IPv4 address.
fn is_host(text: &str) -> bool {
    // More than DNS allows: some have underscores, and what is not ASCII is for the system to understand.
    let is_letter = |letter: char| letter.is_alphanumeric() || "-_.".contains(letter);
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_number {
        return text.parse::<Ipv4Addr>().is_ok();
    }
    let labels = text.strip_suffix('.').unwrap_or(text);
    text.len() <= MAX_HOST_LEN
        && text.chars().all(is_letter)
        && labels.split('.').all(|label| !label.is_empty() && !label.starts_with('-'))
}

/// Longest name of a host, in bytes.
///
/// Source: RFC 1035, section 2.3.4.
const MAX_HOST_LEN: usize = 255;

/// Longest path of a socket, in bytes: `sun_path` of Linux, less its end.
const MAX_PATH_LEN: usize = 107;
