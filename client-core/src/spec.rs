//! How servers are written: a name that decides placement, a weight, an address to dial.

use core::{
    convert::Infallible,
    error, fmt,
    net::{Ipv6Addr, SocketAddr},
    str::FromStr,
};

use memring_core::{AsServer, Server, Weight};

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
/// A weight follows behind a space, or, where there is a port, behind another colon: `10.0.0.1:11211 600`,
/// `10.0.0.1:11211:600`.
///
/// A host name that has several addresses is one server, which is reached over the first of them that takes the
/// connection.
///
/// The name is taken letter by letter: to most schemes, `cache1` and `cache1:11211` are different servers. Write it as
/// the other clients' configuration has it.
///
/// ```
/// use memring_client::spec::{Address, ServerSpec};
///
/// let spec: ServerSpec = "eu1=10.0.0.1:11311 600".parse()?;
/// assert_eq!(spec.name(), "eu1");
/// assert_eq!(spec.address().to_string(), "10.0.0.1:11311");
/// assert_eq!(spec, ServerSpec::new("eu1", Address::tcp("10.0.0.1", 11311)).weighing(600));
/// # Ok::<(), memring_client::spec::ServerSpecError>(())
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
}

impl ServerSpec {
    /// The servers of a list that has them as texts, or as what they are.
    ///
    /// # Errors
    /// The first text that is no server.
    pub fn read_all<S: TryInto<Self>>(
        servers: impl IntoIterator<Item = S>,
    ) -> Result<Vec<Self>, ServerSpecError>
    where
        ServerSpecError: From<S::Error>,
    {
        servers.into_iter().map(|server| Ok(server.try_into()?)).collect()
    }
}

impl AsServer for ServerSpec {
    fn as_server(&self) -> Server<'_> {
        Server { name: &self.name, weight: self.weight }
    }
}

impl FromStr for ServerSpec {
    type Err = ServerSpecError;

    fn from_str(text: &str) -> Result<Self, ServerSpecError> {
        Self::read(text).map_err(|problem| ServerSpecError::new(text, problem))
    }
}

/// As it is read, where it can be: a name with a blank cannot.
impl fmt::Display for ServerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, weight, address } = self;
        match Self::read(name) {
            Ok(plain) if (&plain.name, &plain.address) == (name, address) => f.write_str(name)?,
            _ => write!(f, "{name}={address}")?,
        }
        match *weight {
            Weight::Whole(1) => Ok(()),
            Weight::Whole(weight) => write!(f, " {weight}"),
            Weight::Real(weight) => write!(f, " {weight}"),
        }
    }
}

impl ServerSpec {
    fn read(text: &str) -> Result<Self, ServerSpecProblem> {
        let mut words = text.split_ascii_whitespace();
        let word = words.next().ok_or(ServerSpecProblem::Empty)?;
        let (name, address) = match word.split_once('=') {
            // A path may hold the sign itself.
            Some(_) if word.starts_with('/') => (None, word),
            Some(("", _)) => return Err(ServerSpecProblem::Empty),
            Some((name, address)) => (Some(name), address),
            None => (None, word),
        };
        let (place, behind) = split_weight(address)?;
        let weight = match (behind, words.next()) {
            (None, None) => Weight::default(),
            (Some(word), None) | (None, Some(word)) => {
                Weight::parse(word).ok_or(ServerSpecProblem::Weight)?
            }
            (Some(_), Some(_)) => return Err(ServerSpecProblem::Trailing),
        };
        if words.next().is_some() {
            return Err(ServerSpecProblem::Trailing);
        }
        let address = Address::read(place)?;
        Ok(Self { name: name.unwrap_or(place).to_owned(), weight, address })
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

impl TryFrom<SocketAddr> for ServerSpec {
    type Error = ServerSpecError;

    fn try_from(addr: SocketAddr) -> Result<Self, ServerSpecError> {
        addr.to_string().parse()
    }
}

/// Splits `host:port:weight` before the weight, where there is one.
fn split_weight(text: &str) -> Result<(&str, Option<&str>), ServerSpecProblem> {
    if text.starts_with('/') {
        return Ok((text, None));
    }
    let end_of_host = match text.strip_prefix('[') {
        Some(_) => text.find(']').ok_or(ServerSpecProblem::Brackets)?,
        None => 0,
    };
    let mut colons = text.bytes().enumerate().skip(end_of_host).filter(|(_, byte)| *byte == b':');
    match (colons.nth(1), colons.next()) {
        (Some((at, _)), None) => {
            let (place, weight) = text.split_at(at);
            // What begins or ends with two colons, or has them in its middle, is IPv6.
            if place.ends_with(':') || place.starts_with(':') {
                return Err(ServerSpecProblem::Brackets);
            }
            Ok((place, weight.strip_prefix(':')))
        }
        (None, _) => Ok((text, None)),
        (Some(_), Some(_)) => Err(ServerSpecProblem::Brackets),
    }
}

/// Where a server listens. What it takes to get there is the client's business.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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

impl FromStr for Address {
    type Err = ServerSpecError;

    fn from_str(text: &str) -> Result<Self, ServerSpecError> {
        Self::read(text).map_err(|problem| ServerSpecError::new(text, problem))
    }
}

impl Address {
    fn read(text: &str) -> Result<Self, ServerSpecProblem> {
        if text.starts_with('/') {
            return Ok(Self::unix(text));
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(inner) => {
                let (host, rest) = inner.split_once(']').ok_or(ServerSpecProblem::Brackets)?;
                // A zone, as in `fe80::1%eth0`, is for the system to understand.
                let number = host.split_once('%').map_or(host, |(number, _)| number);
                number.parse::<Ipv6Addr>().map_err(|_| ServerSpecProblem::Host)?;
                match rest {
                    "" => (host, None),
                    _ => (host, Some(rest.strip_prefix(':').ok_or(ServerSpecProblem::Port)?)),
                }
            }
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        if host.is_empty() || host.bytes().any(|byte| byte <= b' ' || b"/,;\x7f".contains(&byte)) {
            return Err(ServerSpecProblem::Host);
        }
        let port = match port {
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                port.parse().ok().filter(|port| *port > 0).ok_or(ServerSpecProblem::Port)?
            }
            Some(_) => return Err(ServerSpecProblem::Port),
            None => DEFAULT_PORT,
        };
        Ok(Self::tcp(host, port))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => f.write_str(path),
        }
    }
}

/// A text that is not a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSpecError {
    text: String,
    problem: ServerSpecProblem,
}

impl ServerSpecError {
    fn new(text: &str, problem: ServerSpecProblem) -> Self {
        Self { text: text.to_owned(), problem: ServerSpecProblem::of_habit(text).unwrap_or(problem) }
    }

    /// What is wrong with it.
    #[must_use]
    pub const fn problem(&self) -> ServerSpecProblem {
        self.problem
    }
}

/// What is wrong with a text that should be a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerSpecProblem {
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
    /// It is a URL.
    Url,
    /// There are several servers in it.
    Several,
}

impl ServerSpecProblem {
    /// What is wrong with a text that would be right elsewhere.
    fn of_habit(text: &str) -> Option<Self> {
        if text.contains("://") || text.starts_with("unix:") {
            return Some(Self::Url);
        }
        text.contains([',', ';']).then_some(Self::Several)
    }
}

impl fmt::Display for ServerSpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = match self.problem {
            ServerSpecProblem::Empty => "no server name",
            ServerSpecProblem::Host => "bad host",
            ServerSpecProblem::Port => "bad port, not a number from 1 to 65535",
            ServerSpecProblem::Weight => "bad weight, not a number from 0 to 4294967295",
            ServerSpecProblem::Brackets => "an IPv6 address must stand in brackets",
            ServerSpecProblem::Trailing => "more than an address and a weight",
            ServerSpecProblem::Url => "a URL; write host:port or /path",
            ServerSpecProblem::Several => "several servers in one text; give each by itself",
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

    fn parsed(text: &str) -> Result<(String, String, f64), ServerSpecError> {
        let spec: ServerSpec = text.parse()?;
        Ok((spec.name().to_owned(), spec.address().to_string(), spec.weight().real()))
    }

    fn is(text: &str, name: &str, address: &str, weight: f64) {
        assert_eq!(parsed(text), Ok((name.to_owned(), address.to_owned(), weight)), "{text}");
    }

    #[test]
    fn every_documented_form_is_read() {
        is("cache1", "cache1", "cache1:11211", 1.0);
        is("10.0.0.1:11311", "10.0.0.1:11311", "10.0.0.1:11311", 1.0);
        is("10.0.0.1:11311 600", "10.0.0.1:11311", "10.0.0.1:11311", 600.0);
        is("10.0.0.1:11311:600", "10.0.0.1:11311", "10.0.0.1:11311", 600.0);
        is("cache1 2.5", "cache1", "cache1:11211", 2.5);
        is("[fd00::1]:11311", "[fd00::1]:11311", "[fd00::1]:11311", 1.0);
        is("[fd00::1]:11311:3", "[fd00::1]:11311", "[fd00::1]:11311", 3.0);
        is("[::1]", "[::1]", "[::1]:11211", 1.0);
        is("[fe80::1%eth0]:1", "[fe80::1%eth0]:1", "[fe80::1%eth0]:1", 1.0);
        is("/run/m.sock", "/run/m.sock", "/run/m.sock", 1.0);
        is("/run/a=b:1 7", "/run/a=b:1", "/run/a=b:1", 7.0);
        is("eu1=10.0.0.1", "eu1", "10.0.0.1:11211", 1.0);
        is("eu1=/run/m.sock 2", "eu1", "/run/m.sock", 2.0);
        is("eu1=[::1]:5:2", "eu1", "[::1]:5", 2.0);
        is("::1:5=[::1]:5", "::1:5", "[::1]:5", 1.0);
    }

    #[test]
    fn what_is_shown_is_read_as_the_same() {
        let rows =
            ["cache1", "a:1", "a:1 600", "a 2.5", "[::1]:2", "/a=b:1 7", "eu1=a:1", "eu1=/run/m.sock 0"];
        for text in rows {
            assert_eq!(text.parse::<ServerSpec>().unwrap().to_string(), text);
        }
        assert_eq!("eu1=[::1]:5:2".parse::<ServerSpec>().unwrap().to_string(), "eu1=[::1]:5 2");
        let colons = ServerSpec::new("a:1:2", Address::tcp("a", 1));
        assert_eq!(colons.to_string().parse(), Ok(colons));
    }

    #[test]
    fn a_socket_address_is_a_server() {
        let addr: SocketAddr = "[::1]:11311".parse().unwrap();
        assert_eq!(ServerSpec::try_from(addr), "[::1]:11311".parse());
    }

    #[test]
    fn what_is_no_server_is_refused() {
        use ServerSpecProblem as E;
        let rows = [
            ("", E::Empty),
            ("  ", E::Empty),
            ("=a:1", E::Empty),
            ("a=", E::Host),
            (":11211", E::Host),
            ("a/b", E::Host),
            ("[nonsense]:1", E::Host),
            ("a:", E::Port),
            ("a:0", E::Port),
            ("a:+1", E::Port),
            ("a:65536", E::Port),
            ("[::1]1", E::Port),
            ("a:1:x", E::Weight),
            ("a:1 -1", E::Weight),
            ("a:1:", E::Weight),
            ("::1", E::Brackets),
            ("fd00::1", E::Brackets),
            ("fd00::1:2:3", E::Brackets),
            ("[::1", E::Brackets),
            ("a:1:2 3", E::Trailing),
            ("a 1 2", E::Trailing),
            ("memcached://a:1", E::Url),
            ("unix:///run/m.sock", E::Url),
            ("unix:/run/m.sock", E::Url),
            ("a:1,b:1", E::Several),
            ("a:1, b:1", E::Several),
            ("a;b", E::Several),
        ];
        for (text, error) in rows {
            assert_eq!(parsed(text).map_err(|error| error.problem()).err(), Some(error), "{text:?}");
        }
    }
}
