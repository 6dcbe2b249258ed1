//! Sources: those who know the servers.

use core::{error::Error, fmt, net::IpAddr, str::FromStr, time::Duration};
use std::{
    fs::File,
    io::{self, Read as _},
    net::ToSocketAddrs as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Cluster, ClusterError};
use crate::{
    Config,
    failure::System,
    roster::{Answer, Servers, Why},
    spec::{Address, ServerList, ServerSpec, ServerSpecError},
};

/// Somebody who knows the servers of a client.
///
/// As a text, a source is its kind, a `+`, and where it is:
///
/// | text | source |
/// |---|---|
/// | `file+/etc/memcached/servers` | a list in a [file](Source::file) |
/// | `dns+memcached.default.svc:11211` | the addresses of a [name](Source::name) |
/// | `cluster+cache.cfg.example:11211` | the configuration endpoint of a [managed cache](Source::cluster) |
/// | `cluster+memcacheds://cache.cfg.example:11211` | the same over TLS, as all servers then are |
#[derive(Clone, Debug)]
pub enum Source {
    /// Somebody within reach of a call: a function, a file, or the system's resolver.
    Local(Local),
    /// A managed cache: see [`Source::cluster`].
    Cluster(ClusterSource),
}

/// A source that a call asks, which may take any time.
#[derive(Clone)]
#[non_exhaustive]
pub enum Local {
    /// A function of the caller's: see [`Source::function`].
    Function(Function),
    /// A file: see [`Source::file`].
    File(PathBuf),
    /// A name and a port: see [`Source::name`].
    Name(String, u16),
}

/// A function that knows the servers: see [`Source::function`].
#[derive(Clone)]
pub struct Function(Arc<Ask>);

type Ask = dyn Fn() -> Result<Answer, Why> + Send + Sync;

impl Source {
    /// A function that returns the servers: as [`ServerSpec`]s, when names and order are known, else as
    /// [`Member`](crate::roster::Member)s or [`Address`]es, in any order.
    ///
    /// It is called each ten seconds, if [`Pace::interval`](crate::roster::Pace::interval) says nothing else, where it may
    /// block: the blocking client calls it in a thread, the tokio client among the runtime's blocking tasks, from where
    /// `tokio::runtime::Handle::current().block_on(…)` asks what is asynchronous. It is not called again before it has
    /// returned. An error keeps the servers as they are.
    pub fn function<A: Into<Answer>, E: Into<Box<dyn Error + Send + Sync>>>(
        ask: impl Fn() -> Result<A, E> + Send + Sync + 'static,
    ) -> Self {
        let ask = move || match ask() {
            Ok(answer) => Ok(answer.into()),
            Err(error) => Err(Why::Source(error.into().to_string())),
        };
        Self::Local(Local::Function(Function(Arc::new(ask))))
    }

    /// The list of servers in a file, as the module [`spec`](crate::spec) reads it: servers with lines, commas or blanks
    /// between them, names, weights and remarks.
    ///
    /// The file is read each second. (Its time of change is not relied upon: two writes within its resolution, and the
    /// links by which configurations are swapped, would be missed.) Servers that join or leave are taken when they have been read
    /// twice; a new address of a known server is taken at once, so write another file and rename it.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::Local(Local::File(path.into()))
    }

    /// All addresses of a name, each a server of its own that listens on `port`: a headless service of Kubernetes, for example.
    /// (A name in a list of servers is one server, however many addresses it has.) The system's resolver is asked each ten
    /// seconds; it does not say for how long its answer is good.
    ///
    /// Only addresses of IPv4 are taken, unless there are none: nothing says which addresses of both kinds are one server's.
    /// A server that comes back with another address is another one to this source, and takes the slot that became free; but
    /// programs that begin at different moments may number the same servers differently. Where servers have names that
    /// survive their restarts, as in a StatefulSet, list the names in place of this.
    ///
    /// A name that does not resolve is a failure, which keeps the servers: during a rollout no pod may be ready.
    pub fn name(host: impl Into<String>, port: u16) -> Self {
        Self::Local(Local::Name(host.into(), port))
    }

    /// The managed cache behind `endpoint`: the configuration endpoint of ElastiCache, or the discovery endpoint of
    /// Memorystore. It is asked by `config get cluster`, once a minute, over a connection of its own each time, so that its
    /// name is resolved anew.
    ///
    /// What a server is called survives its address, so a replaced one keeps its slot. Slots are called as
    /// [`Pace::naming`](crate::roster::Pace::naming) says: programs that place keys by the servers' names agree with
    /// [`Naming::FirstServer`](crate::roster::Naming::FirstServer). Servers are reached over the address that the cluster tells;
    /// with TLS by name, because that is what certificates are for. An endpoint `memcacheds://`, or one with a login, says how
    /// all servers are reached.
    #[must_use]
    pub const fn cluster(endpoint: ServerSpec) -> Self {
        Self::Cluster(ClusterSource { endpoint, or_single: false })
    }

    /// How often the source is asked, if neither its answer nor the caller says so.
    #[must_use]
    pub const fn interval(&self) -> Duration {
        Duration::from_secs(match self {
            Self::Local(Local::File(_)) => 1,
            Self::Local(Local::Function(_) | Local::Name(..)) => 10,
            Self::Cluster(_) => 60,
        })
    }

    /// Seeks a file of a relative path in `folder`.
    #[cfg(feature = "file")]
    pub(crate) fn seek_beside(&mut self, folder: &Path) {
        if let Self::Local(Local::File(path)) = self {
            *path = folder.join(&*path);
        }
    }

    /// A server of the source, with what the source says of how all of them are reached.
    pub(crate) fn reached(&self, server: &ServerSpec) -> ServerSpec {
        let server = server.clone();
        let Self::Cluster(ClusterSource { endpoint, .. }) = self else { return server };
        let server = if endpoint.is_encrypted() { server.encrypted() } else { server };
        match endpoint.credentials() {
            Some(login) => server.with_credentials(login.clone()),
            None => server,
        }
    }
}

impl Local {
    /// Asks the source, which may take any time.
    ///
    /// # Errors
    /// [`Why::Source`]: it cannot be asked, or what it says is no list of servers.
    pub fn ask(&self) -> Result<Answer, Why> {
        match self {
            Self::Function(Function(ask)) => ask(),
            Self::File(path) => read(path).map_err(|says| Why::Source(format!("{}: {says}", path.display()))),
            Self::Name(host, port) => {
                let found = (host.as_str(), *port).to_socket_addrs();
                let found = found.map_err(|_| Why::Source(format!("{host}: name not resolved")))?;
                Ok(servers_at(found.map(|address| address.ip()), *port).into())
            }
        }
    }
}

/// The configuration endpoint of a managed cache.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClusterSource {
    /// Where to ask.
    pub endpoint: ServerSpec,
    /// Whether an endpoint that tells of no cluster, a plain memcached for example, is the one server. Default: no, it is
    /// an error.
    pub or_single: bool,
}

impl ClusterSource {
    /// The endpoint, which is the one server if it tells of no cluster.
    #[must_use]
    pub fn or_single(self) -> Self {
        Self { or_single: true, ..self }
    }

    /// Whom to ask, one after the other, until one answers: the endpoint, then some servers that are `known`, because the
    /// endpoint's name can lead to one that has left.
    #[must_use]
    pub fn candidates(&self, known: &[ServerSpec]) -> Vec<ServerSpec> {
        let others =
            known.iter().filter(|server| server.address() != self.endpoint.address()).take(2).cloned();
        [self.endpoint.clone()].into_iter().chain(others).collect()
    }

    /// The servers, as a cluster tells of them to a client of `config`.
    #[must_use]
    pub fn answer(&self, cluster: &Cluster, config: &Config) -> Answer {
        #[cfg(feature = "tls")]
        let is_encrypted = config.tls.is_some() || self.endpoint.is_encrypted();
        #[cfg(not(feature = "tls"))]
        let (is_encrypted, _) = (self.endpoint.is_encrypted(), config);
        cluster.members(is_encrypted).into()
    }

    /// What is made of a server that tells of no cluster.
    ///
    /// # Errors
    /// [`Why::Source`], unless the endpoint is then the one server.
    pub fn failed(&self, error: &ClusterError) -> Result<Answer, Why> {
        match self.or_single && error.is_no_cluster() {
            true => Ok(vec![self.endpoint.clone()].into()),
            false => Err(Why::Source(format!("{}: {error}", self.endpoint.address()))),
        }
    }
}

/// The servers at these addresses: of one kind, because nothing says which two of both kinds are one server's.
fn servers_at(found: impl Iterator<Item = IpAddr>, port: u16) -> Vec<Address> {
    let (mut addresses, others): (Vec<_>, Vec<_>) = found.partition(IpAddr::is_ipv4);
    if addresses.is_empty() {
        addresses = others;
    }
    addresses.into_iter().map(|ip| Address::tcp(ip.to_string(), port)).collect()
}

/// The servers in a file.
fn read(path: &Path) -> Result<Answer, String> {
    let failed = |error: io::Error| System(&error).to_string();
    let mut text = String::new();
    let len = File::open(path).and_then(|file| file.take(MAX_LEN + 1).read_to_string(&mut text));
    if len.map_err(failed)? as u64 > MAX_LEN {
        return Err(format!("longer than {MAX_LEN} bytes"));
    }
    if text.trim().is_empty() {
        return Ok(Servers::List(Vec::new()).into());
    }
    let list: ServerList = text.parse().map_err(|error: ServerSpecError| error.to_string())?;
    Ok(Servers::List(list.into_iter().collect()).into())
}

/// Longest file that is read, in bytes: 65,535 servers with long names.
const MAX_LEN: u64 = 8 << 20;

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(Local::Function(_)) => f.write_str("function"),
            Self::Local(Local::File(path)) => write!(f, "file+{}", path.display()),
            Self::Local(Local::Name(host, port)) => write!(f, "dns+{}", Address::tcp(host, *port)),
            // Without the login.
            Self::Cluster(ClusterSource { endpoint, .. }) => {
                let scheme = if endpoint.is_encrypted() { "memcacheds://" } else { "" };
                write!(f, "cluster+{scheme}{}", endpoint.address())
            }
        }
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function(_) => f.write_str("Function"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Name(host, port) => f.debug_tuple("Name").field(host).field(port).finish(),
        }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Function")
    }
}

/// Reads a source as [`Source`] describes it.
impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        match text.split_once('+') {
            Some(("file", "")) => Err(SourceError::NoPath),
            Some(("file", path)) => Ok(Self::file(path)),
            Some(("dns", name)) => match name.parse().map_err(SourceError::Server)? {
                Address::Tcp { host, port } => Ok(Self::name(host, port)),
                Address::Unix(_) => Err(SourceError::NoName),
            },
            Some(("cluster", endpoint)) => Ok(Self::cluster(endpoint.parse().map_err(SourceError::Server)?)),
            _ => Err(SourceError::Unknown),
        }
    }
}

/// A text is no source.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceError {
    /// It begins as none does.
    Unknown,
    /// It has no path.
    NoPath,
    /// It has a path in the place of a name.
    NoName,
    /// What it has in the place of a server is none.
    Server(ServerSpecError),
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The text may have a password in it.
            Self::Unknown => f.write_str(
                "unknown source of servers; write \"file+PATH\", \"dns+HOST:PORT\" or \"cluster+HOST:PORT\"",
            ),
            Self::NoName => f.write_str("source without a name; write \"dns+HOST:PORT\""),
            Self::NoPath => f.write_str("source without a path; write \"file+PATH\""),
            Self::Server(error) => error.fmt(f),
        }
    }
}

impl Error for SourceError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::Member;

    fn asked(source: &Source) -> Result<Answer, Why> {
        let Source::Local(local) = source else { panic!("it needs a connection") };
        local.ask()
    }

    #[test]
    fn a_function_says_slots_members_or_addresses() {
        let address = Address::tcp("10.0.0.7", 11211);
        let (slot, member) = (ServerSpec::new("a", address.clone()), Member::at(address.clone()));
        let slots = Source::function(move || Ok::<_, String>(vec![slot.clone()]));
        assert!(matches!(asked(&slots).unwrap().servers, Servers::List(list) if list[0].name() == "a"));
        let members = Source::function(move || Ok::<_, String>(vec![member.clone()]));
        let addresses = Source::function(move || Ok::<_, String>(vec![address.clone()]));
        assert_eq!(asked(&members), asked(&addresses));
        let failed = Source::function(|| Err::<Vec<Address>, _>("nobody knows"));
        assert_eq!(asked(&failed), Err(Why::Source("nobody knows".into())));
    }

    #[test]
    fn a_source_is_read_as_it_is_shown() {
        for text in [
            "file+/etc/memcached/servers",
            "dns+memcached.default.svc:11211",
            "dns+[::1]:7",
            "cluster+cache.example:11211",
            "cluster+memcacheds://cache.example:11211",
        ] {
            assert_eq!(text.parse::<Source>().unwrap().to_string(), text);
        }
        let source: Source = "cluster+memcacheds://ada:secret@cache.example".parse().unwrap();
        assert!(!format!("{source} {source:?}").contains("secret"));
        for wrong in ["", "file+", "/etc/memcached", "ftp+host"] {
            let error = wrong.parse::<Source>().unwrap_err().to_string();
            assert!(error.contains("write \"file+PATH\""), "{error}");
        }
        assert!(matches!("cluster+host:no".parse::<Source>(), Err(SourceError::Server(_))));
    }

    #[test]
    fn servers_are_reached_as_the_endpoint_is() {
        let source: Source = "cluster+memcacheds://ada:secret@cache.example".parse().unwrap();
        let server = source.reached(&ServerSpec::new("s0", Address::tcp("10.0.0.1", 11211)));
        assert!(server.is_encrypted() && server.credentials().is_some());
        let Source::Cluster(cluster) = source else { panic!("no cluster") };
        let members = cluster.answer(
            &Cluster { version: 1, servers: vec!["a.example|10.0.0.1|11211".parse().unwrap()] },
            &Config::default(),
        );
        let Servers::Members(members) = members.servers else { panic!("no members") };
        assert_eq!(members[0].addresses.first(), Some(&Address::tcp("a.example", 11211)));
    }

    #[test]
    fn a_server_that_is_none_of_a_cluster_may_be_the_only_one() {
        let Source::Cluster(cluster) = Source::cluster(ServerSpec::new("a", Address::tcp("a", 1))) else {
            panic!("no cluster")
        };
        let why = cluster.failed(&ClusterError::UnknownCommand).unwrap_err().to_string();
        assert_eq!(why, "a:1: no discovery: the server does not know `config get cluster`");
        let known = ["a", "b", "c", "d"].map(|name| ServerSpec::new(name, Address::tcp(name, 1)));
        let names: Vec<_> =
            cluster.candidates(&known).iter().map(|server| server.name().to_owned()).collect();
        assert_eq!(names, ["a", "b", "c"]);
        let cluster = cluster.or_single();
        assert!(cluster.failed(&ClusterError::UnknownCommand).is_ok());
        assert!(cluster.failed(&ClusterError::TooLong).is_err());
    }

    #[test]
    fn a_name_has_the_servers_of_its_addresses_of_one_kind() {
        let at = |texts: &[&str]| servers_at(texts.iter().map(|text| text.parse().unwrap()), 7);
        assert_eq!(at(&["fd00::1", "10.0.0.2", "10.0.0.1"]), at(&["10.0.0.2", "10.0.0.1"]));
        assert_eq!(at(&["fd00::1"]), [Address::tcp("fd00::1", 7)]);
        let local = asked(&Source::name("localhost", 7)).unwrap();
        assert!(matches!(local.servers, Servers::Members(members) if !members.is_empty()));
        let none = asked(&Source::name("no-such-name.invalid", 7)).unwrap_err();
        assert_eq!(none.to_string(), "no-such-name.invalid: name not resolved");
        assert_eq!("dns+/path".parse::<Source>().unwrap_err(), SourceError::NoName);
    }

    #[test]
    fn what_a_file_lacks_is_said_with_its_name() {
        let said = asked(&Source::file("/nowhere/servers")).unwrap_err().to_string();
        assert_eq!(said, "/nowhere/servers: no such file");
    }
}
