//! `config get cluster`: how the managed caches ElastiCache and Memorystore tell of their servers.
//!
//! ```text
//! CONFIG cluster 0 83                                       or  VALUE AmazonElastiCache:cluster 0 83
//! 12                                                        the version of the configuration
//! one.cache.example|10.0.0.1|11211 two.cache.example|10.0.0.2|11211
//!
//! END
//! ```
//!
//! Some servers announce a wrong length, and some end lines in another way, so the length is not looked at: an answer goes up
//! to the line `END`. The version says nothing either: servers have changed under the same one.
//!
//! Source: "Adding auto discovery to your client library" of the ElastiCache user guide; the rest is what servers were seen to do.

use core::{fmt, net::IpAddr, str::FromStr};

use crate::{roster::Member, spec::Address};

/// What a cluster tells of itself.
///
/// ```
/// use memring_client::discovery::Cluster;
///
/// let cluster = Cluster::read(b"CONFIG cluster 0 36\r\n12\none.example|10.0.0.1|11211\n\r\nEND\r\n")?.unwrap();
/// assert_eq!(cluster.version, 12);
/// assert_eq!(cluster.servers[0].to_string(), "one.example|10.0.0.1|11211");
/// # Ok::<(), memring_client::discovery::ClusterError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cluster {
    /// How often the configuration has changed. It need not change with the servers, and may go back.
    pub version: u64,
    /// The servers.
    pub servers: Vec<ClusterServer>,
}

/// A server of a [`Cluster`], as a text `host|ip|port`: either of the first two may be missing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClusterServer {
    /// The name, in lower case and without a final dot.
    pub host: Option<String>,
    /// The address.
    pub ip: Option<IpAddr>,
    /// The port.
    pub port: u16,
}

impl Cluster {
    /// Reads an answer, of which there may be more to come: then there is none yet. The lines before its `END` are looked at
    /// when that is there.
    ///
    /// # Errors
    /// [`ClusterError`]: the server refuses, or this is no such answer, or it is too long.
    pub fn read(answer: &[u8]) -> Result<Option<Self>, ClusterError> {
        let looked_at = answer.get(..MAX_ANSWER_LEN).unwrap_or(answer);
        let none = if answer.len() > MAX_ANSWER_LEN { Err(ClusterError::TooLong) } else { Ok(None) };
        let lines = looked_at.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
        let mut lines = lines.map(<[u8]>::trim_ascii);
        match lines.next() {
            Some(b"END") => return Err(ClusterError::NoConfiguration),
            Some(head) if is_head(head) => {}
            Some(b"ERROR") => return Err(ClusterError::UnknownCommand),
            Some(refusal) if is_refusal(refusal) => return Err(ClusterError::Refused(shown(refusal))),
            Some(other) => return Err(ClusterError::NoAnswer(shown(other))),
            None => return none,
        }
        let mut said = Vec::new();
        for line in lines {
            match line {
                b"END" => return Self::of_lines(&said).map(Some),
                b"" => {}
                line if said.len() < 2 => said.push(line),
                line => return Err(ClusterError::Line(shown(line))),
            }
        }
        none
    }

    fn of_lines(lines: &[&[u8]]) -> Result<Self, ClusterError> {
        let Some((version, servers)) = lines.split_first() else { return Ok(Self::default()) };
        let version =
            str::from_utf8(version).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let version = version.and_then(|text| text.parse().ok()).ok_or(ClusterError::Version)?;
        let line = servers.first().copied().unwrap_or_default();
        let words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let mut servers = Vec::new();
        for word in words {
            if servers.len() >= MAX_SERVERS {
                return Err(ClusterError::TooManyServers);
            }
            let text = str::from_utf8(word).map_err(|_| ClusterError::Server(shown(word)))?;
            servers.push(text.parse()?);
        }
        Ok(Self { version, servers })
    }

    /// The servers for a roster. If `by_name`, a server with a name is connected to by that, as its certificate wants it;
    /// else by its address, where it says one.
    pub fn members(&self, by_name: bool) -> Vec<Member> {
        self.servers.iter().filter_map(|server| server.member(by_name)).collect()
    }
}

/// The value of the item under the old key, and what stands between the lines of `CONFIG` and `END`: the text that servers keep.
impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.version)?;
        for (number, server) in self.servers.iter().enumerate() {
            write!(f, "{}{server}", if number == 0 { "" } else { " " })?;
        }
        writeln!(f)
    }
}

/// Whether a line begins an answer.
fn is_head(line: &[u8]) -> bool {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let begins = match (words.next(), words.next()) {
        (Some(b"CONFIG"), Some(name)) => name == b"cluster",
        (Some(b"VALUE"), Some(key)) => key == CLUSTER_KEY.as_bytes(),
        _ => false,
    };
    let is_number = |word: &[u8]| word.iter().all(u8::is_ascii_digit);
    begins && words.all(is_number)
}

fn is_refusal(line: &[u8]) -> bool {
    line.starts_with(b"CLIENT_ERROR") || line.starts_with(b"SERVER_ERROR")
}

impl ClusterServer {
    fn member(&self, by_name: bool) -> Option<Member> {
        let Self { host, ip, port } = self;
        let address = match (host, ip) {
            (Some(host), None) => Address::tcp(host, *port),
            (Some(host), Some(_)) if by_name => Address::tcp(host, *port),
            (_, Some(ip)) => Address::tcp(ip.to_string(), *port),
            (None, None) => return None,
        };
        let member = Member::at(address);
        Some(match host {
            Some(host) => member.called(Address::tcp(host, *port).to_string()),
            None => member,
        })
    }
}

/// Reads `host|ip|port`. What is an address in the place of a name is one.
impl FromStr for ClusterServer {
    type Err = ClusterError;

    fn from_str(text: &str) -> Result<Self, ClusterError> {
        Self::parse(text).ok_or_else(|| ClusterError::Server(shown(text.as_bytes())))
    }
}

impl ClusterServer {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('|');
        let (Some(host), Some(ip), Some(port), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let port = port.bytes().all(|byte| byte.is_ascii_digit()).then(|| port.parse().ok()).flatten();
        let port = port.filter(|port| *port > 0)?;
        let ip = match ip {
            "" => None,
            ip => Some(ip.parse::<IpAddr>().ok()?.to_canonical()),
        };
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let (host, ip) = match host.parse::<IpAddr>() {
            Ok(same) => (None, Some(ip.unwrap_or_else(|| same.to_canonical()))),
            Err(_) if host.is_empty() => (None, ip),
            // The grammar of addresses knows which names there can be.
            Err(_) => match format!("{host}:{port}").parse() {
                Ok(Address::Tcp { host: read, .. }) if read == host => (Some(host), ip),
                _ => return None,
            },
        };
        (host.is_some() || ip.is_some()).then_some(Self { host, ip, port })
    }
}

impl fmt::Display for ClusterServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, ip, port } = self;
        write!(f, "{}|", host.as_deref().unwrap_or_default())?;
        if let Some(ip) = ip {
            write!(f, "{ip}")?;
        }
        write!(f, "|{port}")
    }
}

/// The beginning of what a server said, fit to be shown.
fn shown(line: &[u8]) -> String {
    line.iter().take(80).copied().collect::<Vec<_>>().escape_ascii().to_string()
}

/// A server that tells of no cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClusterError {
    /// It does not know the command: it is a plain memcached, or a proxy.
    UnknownCommand,
    /// It knows the command, and nothing of a cluster.
    NoConfiguration,
    /// It refuses, in these words.
    Refused(String),
    /// It answers something else.
    NoAnswer(String),
    /// What stands in the place of the version is none.
    Version,
    /// This is no server.
    Server(String),
    /// There is a line too many.
    Line(String),
    /// It is longer than any.
    TooLong,
    /// It has more servers than any.
    TooManyServers,
}

impl ClusterError {
    /// Whether the server says that there is no cluster, rather than fail.
    #[must_use]
    pub const fn is_no_cluster(&self) -> bool {
        matches!(self, Self::UnknownCommand | Self::NoConfiguration)
    }
}

impl fmt::Display for ClusterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownCommand => {
                f.write_str("no discovery: the server does not know `config get cluster`")
            }
            Self::NoConfiguration => {
                f.write_str("no discovery: the server has no configuration of a cluster")
            }
            Self::Refused(says) => write!(f, "the server refuses: {says}"),
            Self::NoAnswer(says) => write!(f, "no answer to `config get cluster`: \"{says}\""),
            Self::Version => f.write_str("the cluster's version is no number"),
            Self::Server(says) => write!(f, "no server of a cluster: \"{says}\" is not HOST|IP|PORT"),
            Self::Line(says) => write!(f, "a line too many in the cluster's configuration: \"{says}\""),
            Self::TooLong => write!(f, "the cluster's configuration is longer than {MAX_ANSWER_LEN} bytes"),
            Self::TooManyServers => write!(f, "the cluster has more than {MAX_SERVERS} servers"),
        }
    }
}

impl core::error::Error for ClusterError {}

/// One question to a server, up to its answer: the command, and where that is not known, the key that older servers have.
///
/// Send what [`request`](Self::request) says, and hand in what comes.
#[derive(Debug, Default)]
pub struct Inquiry {
    is_old: bool,
    answer: Vec<u8>,
}

impl Inquiry {
    /// The question to send, whenever there is none under way.
    #[must_use]
    pub const fn request(&self) -> &'static [u8] {
        if self.is_old { b"get AmazonElastiCache:cluster\r\n" } else { b"config get cluster\r\n" }
    }

    /// Takes bytes that came.
    ///
    /// # Errors
    /// As of [`Cluster::read`].
    pub fn received(&mut self, bytes: &[u8]) -> Result<Heard, ClusterError> {
        self.answer.extend_from_slice(bytes);
        match Cluster::read(&self.answer) {
            Ok(Some(cluster)) => Ok(Heard::All(cluster)),
            Ok(None) => Ok(Heard::Part),
            Err(ClusterError::UnknownCommand) if !self.is_old => {
                *self = Self { is_old: true, answer: Vec::new() };
                Ok(Heard::AskAgain)
            }
            // An item that is not there: what the first answer has said.
            Err(ClusterError::NoConfiguration) if self.is_old => Err(ClusterError::UnknownCommand),
            Err(error) => Err(error),
        }
    }
}

/// What has come of an [`Inquiry`] so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// There is more to come.
    Part,
    /// Another [request](Inquiry::request) is to be sent.
    AskAgain,
    /// The answer is complete.
    All(Cluster),
}

/// The key under which older servers have their configuration.
pub const CLUSTER_KEY: &str = "AmazonElastiCache:cluster";

/// Longest answer, in bytes: 1,000 servers with names of 40 letters.
pub const MAX_ANSWER_LEN: usize = 64 << 10;

/// The most servers of a cluster.
pub const MAX_SERVERS: usize = 1_000;

#[cfg(test)]
mod tests;
