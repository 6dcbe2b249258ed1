//! A memcached inside the process, without its sockets: the shared part of the servers in both clients' `testing`
//! modules.

use core::{
    fmt,
    marker::PhantomData,
    net::{Ipv4Addr, SocketAddr},
};
use std::{
    io,
    sync::{Mutex, PoisonError},
    time::{Instant, SystemTime},
};

use memring_text::{
    StoreOutcome,
    request::{CredentialsError, StoreVerb},
    server::{Engine, EngineConfig, Guard, MemoryStore, Next, Session, StoreHead},
    ttl::UnixTime,
};

use crate::{
    clock::Clock,
    credentials::OwnedCredentials,
    discovery::{self, Cluster},
};

/// A type of server that a [`ServerBuilder`] can start.
pub trait Bind: Sized {
    /// What starting returns: a result, or the future of one.
    type Bound;

    /// Starts the server that `builder` describes on `address`.
    fn bind_with(builder: ServerBuilder<Self>, address: SocketAddr) -> Self::Bound;
}

/// The options of a server inside the process.
#[must_use]
pub struct ServerBuilder<S> {
    memory: usize,
    item_size_max: usize,
    connections: usize,
    users: Vec<OwnedCredentials>,
    cluster: Option<Cluster>,
    /// The first error; starting the server returns it.
    wrong: Option<CredentialsError>,
    server: PhantomData<fn() -> S>,
}

impl<S> ServerBuilder<S> {
    /// A builder of a server with 64 MiB that asks for no password.
    pub const fn new() -> Self {
        Self {
            memory: 64 << 20,
            item_size_max: 1 << 20,
            connections: 1024,
            users: Vec::new(),
            cluster: None,
            wrong: None,
            server: PhantomData,
        }
    }

    /// How many bytes of items the server holds (default: 64 MiB). When it is full, it drops the least recently used
    /// items.
    pub const fn memory(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self
    }

    /// The largest item that the server takes, in bytes, with the key and some overhead (default: 1 MiB).
    pub const fn item_size_max(mut self, bytes: usize) -> Self {
        self.item_size_max = bytes;
        self
    }

    /// How many connections the server takes (default: 1024). Further ones get an error line and are closed.
    pub const fn connections(mut self, count: usize) -> Self {
        self.connections = count;
        self
    }

    /// Lets in only clients with this name and password; further calls add further users. An invalid name or password
    /// is an error when the server is started.
    pub fn auth(mut self, user: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> Self {
        match OwnedCredentials::new(user.as_ref(), password.as_ref()) {
            Ok(user) => self.users.push(user),
            Err(error) => self.wrong = self.wrong.or(Some(error)),
        }
        self
    }

    /// Tells those who ask by `config get cluster` of `cluster`, as the endpoints of managed caches do. It is an item under
    /// the key `AmazonElastiCache:cluster`, as older ones have it, which may be stored again: a changed cluster is
    /// `client.set("AmazonElastiCache:cluster", cluster.to_string(), Ttl::NEVER)`.
    pub fn cluster(mut self, cluster: Cluster) -> Self {
        self.cluster = Some(cluster);
        self
    }

    /// The server without its sockets.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`]: a name or password is invalid.
    pub fn host(self, clock: Clock) -> io::Result<Host> {
        if let Some(error) = self.wrong {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, error));
        }
        let config = EngineConfig { item_size_max: self.item_size_max, ..EngineConfig::default() };
        let mut engine = Engine::with_config(MemoryStore::new(self.memory), config);
        if let Some(value) = self.cluster.map(|cluster| cluster.to_string()) {
            let (verb, key, len) = (StoreVerb::Set, discovery::CLUSTER_KEY.as_bytes(), value.len());
            let head = StoreHead { verb, key, flags: 0, exptime: 0, len, noreply: false };
            let stored = engine.store_value(&head, value.as_bytes(), clock.unix_time());
            if stored != Ok(StoreOutcome::Stored) {
                return Err(io::ErrorKind::OutOfMemory.into());
            }
        }
        Ok(Host {
            engine: Mutex::new(engine),
            users: self.users,
            connections: self.connections,
            clock,
            started: ((clock.wall)(), clock.now()),
        })
    }
}

impl<S: Bind> ServerBuilder<S> {
    /// Starts the server on a free port of the loopback interface.
    ///
    /// # Errors
    /// The system has no free port or cannot start the server; or a name or password is invalid.
    pub fn start(self) -> S::Bound {
        self.bind((Ipv4Addr::LOCALHOST, 0))
    }

    /// Starts the server on `address`.
    ///
    /// # Errors
    /// The address is in use, or another error of the system; or a name or password is invalid.
    pub fn bind(self, address: impl Into<SocketAddr>) -> S::Bound {
        S::bind_with(self, address.into())
    }
}

impl<S> Default for ServerBuilder<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Clone for ServerBuilder<S> {
    fn clone(&self) -> Self {
        Self { users: self.users.clone(), cluster: self.cluster.clone(), ..*self }
    }
}

impl<S> fmt::Debug for ServerBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { memory, item_size_max, connections, .. } = self;
        f.debug_struct("ServerBuilder")
            .field("memory", memory)
            .field("item_size_max", item_size_max)
            .field("connections", connections)
            .finish_non_exhaustive()
    }
}

/// A server without its sockets: its items and its users.
pub struct Host {
    engine: Mutex<Engine<MemoryStore>>,
    users: Vec<OwnedCredentials>,
    connections: usize,
    clock: Clock,
    started: (SystemTime, Instant),
}

impl Host {
    /// The line for a connection beyond the [limit](Self::connections).
    pub const CROWD: &'static [u8] = b"ERROR Too many open connections\r\n";

    /// How many connections the server takes.
    #[must_use]
    pub const fn connections(&self) -> usize {
        self.connections
    }

    /// Begins a connection.
    #[must_use]
    pub fn visit(&self) -> Visit<'_> {
        let guard = if self.users.is_empty() { None } else { Some(Guard::new()) };
        let (input, filled, output) = (vec![0; BUFFER], 0, Vec::new());
        Visit { host: self, guard, session: Session::new(Vec::new()), input, filled, output }
    }

    /// The wall clock of the start, moved on by the monotonic clock.
    fn now(&self) -> UnixTime {
        let (wall, since) = self.started;
        UnixTime::from(wall + self.clock.now().saturating_duration_since(since))
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("connections", &self.connections).finish_non_exhaustive()
    }
}

/// One connection to a [`Host`]: takes received bytes, and gives the bytes to send.
pub struct Visit<'h> {
    host: &'h Host,
    guard: Option<Guard>,
    session: Session<Vec<u8>>,
    input: Vec<u8>,
    filled: usize,
    output: Vec<u8>,
}

impl Visit<'_> {
    /// Answers the received bytes: returns the bytes to write, and what to do when they are written. On [`Next::Read`],
    /// read into the [`space`](Self::space) and call [`received`](Self::received) with the count.
    pub fn answer(&mut self) -> (&[u8], Next) {
        self.output.clear();
        self.output.shrink_to(BUFFER);
        let Self { host, guard, session, input, filled, output } = self;
        let unread = input.get(..*filled).unwrap_or(&[]);
        let fed = match guard.as_mut().filter(|guard| !guard.is_open()) {
            Some(guard) => {
                let users: Vec<_> = host.users.iter().map(OwnedCredentials::credentials).collect();
                guard.feed(unread, &users, output)
            }
            None => {
                let mut engine = host.engine.lock().unwrap_or_else(PoisonError::into_inner);
                session.feed(unread, &mut engine, output, host.now())
            }
        };
        input.copy_within(fed.consumed.min(*filled)..*filled, 0);
        *filled = filled.saturating_sub(fed.consumed);
        (output, fed.next)
    }

    /// The buffer for the next bytes.
    pub fn space(&mut self) -> &mut [u8] {
        self.input.get_mut(self.filled..).unwrap_or(&mut [])
    }

    /// Notes that the first `len` bytes of the [`space`](Self::space) have been received.
    pub const fn received(&mut self, len: usize) {
        self.filled = self.filled.saturating_add(len);
    }
}

impl fmt::Debug for Visit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visit").field("host", self.host).finish_non_exhaustive()
    }
}

/// The size of the buffer for received bytes: more than the longest line, which must be there whole.
const BUFFER: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> ServerBuilder<()> {
        ServerBuilder::new()
    }

    /// What a connection is told when it says `said`, and what follows.
    fn told(host: &Host, said: &[u8]) -> (Vec<u8>, Next) {
        let mut visit = host.visit();
        visit.space()[..said.len()].copy_from_slice(said);
        visit.received(said.len());
        let mut all = Vec::new();
        loop {
            let (output, next) = visit.answer();
            all.extend_from_slice(output);
            if next != Next::Write {
                return (all, next);
            }
        }
    }

    #[test]
    fn connections_share_what_the_host_holds() {
        let host = builder().host(Clock::SYSTEM).unwrap();
        assert_eq!(told(&host, b"set k 0 0 1\r\nv\r\n"), (b"STORED\r\n".to_vec(), Next::Read));
        assert_eq!(told(&host, b"get k\r\nquit\r\n"), (b"VALUE k 0 1\r\nv\r\nEND\r\n".to_vec(), Next::Close));
    }

    #[test]
    fn a_server_tells_of_a_cluster_if_it_has_one() {
        let plain = builder().host(Clock::SYSTEM).unwrap();
        assert_eq!(told(&plain, b"config get cluster\r\n").0, b"ERROR\r\n");
        let cluster = Cluster { version: 12, servers: vec!["a.example|10.0.0.1|11211".parse().unwrap()] };
        let host = builder().cluster(cluster.clone()).host(Clock::SYSTEM).unwrap();
        let (answer, _) = told(&host, b"config get cluster\r\n");
        assert_eq!(answer, b"CONFIG cluster 0 28\r\n12\na.example|10.0.0.1|11211\n\r\nEND\r\n");
        assert_eq!(Cluster::read(&answer), Ok(Some(cluster.clone())));
        // Among other requests, and as older ones are asked.
        let (answer, _) = told(&host, b"get k\r\nconfig get cluster\r\nconfig get other\r\nget k\r\n");
        assert!(answer.starts_with(b"END\r\nCONFIG ") && answer.ends_with(b"\r\nEND\r\nERROR\r\nEND\r\n"));
        let (answer, _) = told(&host, b"get AmazonElastiCache:cluster\r\n");
        assert_eq!(Cluster::read(&answer), Ok(Some(cluster)));
    }

    #[test]
    fn who_says_no_password_is_told_so() {
        let host = builder().auth("ada", "secret").host(Clock::SYSTEM).unwrap();
        assert_eq!(told(&host, b"get k\r\n").0, b"CLIENT_ERROR unauthenticated\r\n");
        let said = b"set x 0 0 10\r\nada secret\r\nget k\r\n";
        assert_eq!(told(&host, said).0, b"STORED\r\nEND\r\n");
        let error = builder().auth("", "").host(Clock::SYSTEM).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
