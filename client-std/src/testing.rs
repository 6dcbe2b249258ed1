//! A memcached inside the process: for tests, examples and demonstrations.
//!
//! ```
//! use memring_std::{Client, Ttl, testing::Server};
//!
//! let servers = [Server::start()?, Server::start()?];
//! let client = Client::connect(servers.iter().map(Server::addr))?;
//! client.set("k", "v", Ttl::NEVER)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use core::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::{
    collections::BTreeMap,
    io::{self, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream, ToSocketAddrs},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Instant, SystemTime},
};

use memring_client::OwnedCredentials;
use memring_text::{
    request::CredentialsError,
    server::{Engine, EngineConfig, Guard, MemoryStore, Next, Session},
    ttl::UnixTime,
};
use socket2::SockRef;

/// A server with memcached's classic and meta commands, on threads of this process.
///
/// Dropping it closes its connections and ends its threads, and what it held is gone.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

/// What a [`Server`] is started with.
#[derive(Clone, Debug)]
#[must_use]
pub struct ServerBuilder {
    memory: usize,
    item_size_max: usize,
    connections: usize,
    users: Vec<OwnedCredentials>,
    /// The first thing that was wrong; `bind` tells.
    wrong: Option<CredentialsError>,
}

/// What the threads share.
struct Shared {
    listener: TcpListener,
    addr: SocketAddr,
    engine: Mutex<Engine<MemoryStore>>,
    open: Mutex<Open>,
    limit: usize,
    users: Vec<OwnedCredentials>,
    closing: AtomicBool,
    started: (SystemTime, Instant),
}

/// The open connections, by a number that each has for itself.
#[derive(Default)]
struct Open {
    streams: BTreeMap<u64, Arc<TcpStream>>,
    last: u64,
}

impl Server {
    /// A server on a free port of the loopback interface.
    ///
    /// # Errors
    /// What the system says when it has no port or no thread to give.
    pub fn start() -> io::Result<Self> {
        Self::builder().start()
    }

    /// A server on `addr`.
    ///
    /// # Errors
    /// What the system says, when the address is in use for instance.
    pub fn bind(addr: impl ToSocketAddrs) -> io::Result<Self> {
        Self::builder().bind(addr)
    }

    /// A builder, to say more.
    pub const fn builder() -> ServerBuilder {
        ServerBuilder {
            memory: 64 << 20,
            item_size_max: 1 << 20,
            connections: 1024,
            users: Vec::new(),
            wrong: None,
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.shared.addr
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.open().streams.len()
    }

    /// Closes all connections, ends all threads and frees the port.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.close();
        if let Some(acceptor) = self.acceptor.take() {
            // A thread that panicked has ended, too.
            let _ = acceptor.join();
        }
    }
}

impl ServerBuilder {
    /// How much it may hold, in bytes: 64 MiB. When that is full, what was not used for longest is dropped.
    pub const fn memory(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self
    }

    /// The largest item it takes, in bytes, with the key and some overhead: 1 MiB.
    pub const fn item_size_max(mut self, bytes: usize) -> Self {
        self.item_size_max = bytes;
        self
    }

    /// How many connections it takes: 1024. Those that are more are told so and closed.
    pub const fn connections(mut self, count: usize) -> Self {
        self.connections = count;
        self
    }

    /// Lets in only those who say this name and password, or those of another call.
    pub fn auth(mut self, user: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> Self {
        match OwnedCredentials::new(user.as_ref(), password.as_ref()) {
            Ok(user) => self.users.push(user),
            Err(error) => self.wrong = self.wrong.or(Some(error)),
        }
        self
    }

    /// Starts on a free port of the loopback interface.
    ///
    /// # Errors
    /// What the system says when it has no port or no thread to give.
    pub fn start(self) -> io::Result<Server> {
        self.bind((Ipv4Addr::LOCALHOST, 0))
    }

    /// Starts on `addr`.
    ///
    /// # Errors
    /// What the system says, when the address is in use for instance; and that a name or password can be none.
    pub fn bind(self, addr: impl ToSocketAddrs) -> io::Result<Server> {
        if let Some(error) = self.wrong {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, error));
        }
        let listener = TcpListener::bind(addr)?;
        let config = EngineConfig { item_size_max: self.item_size_max, ..EngineConfig::default() };
        let shared = Arc::new(Shared {
            addr: listener.local_addr()?,
            listener,
            engine: Mutex::new(Engine::with_config(MemoryStore::new(self.memory), config)),
            open: Mutex::default(),
            limit: self.connections,
            users: self.users,
            closing: AtomicBool::new(false),
            started: (SystemTime::now(), Instant::now()),
        });
        let accepting = Arc::clone(&shared);
        let acceptor = thread::Builder::new().name("memring-server".into());
        let acceptor = acceptor.spawn(move || accepting.accept())?;
        Ok(Server { shared, acceptor: Some(acceptor) })
    }
}

impl Shared {
    /// Takes connections until the server stops; returns when the last one has ended.
    fn accept(&self) {
        thread::scope(|scope| {
            while !self.closing.load(Ordering::Acquire) {
                match self.listener.accept() {
                    Ok((stream, _)) => {
                        let thread = thread::Builder::new().name("memring-server".into());
                        // Without a thread to be had, the connection is closed again.
                        let _ = thread.spawn_scoped(scope, move || self.serve_or_refuse(stream));
                    }
                    Err(_) if self.closing.load(Ordering::Acquire) => {}
                    // Out of descriptors, say: that may pass, and must not keep a processor busy.
                    Err(_) => thread::sleep(Duration::from_millis(10)),
                }
            }
        });
    }

    /// Whatever ends the connection, there is nobody to tell.
    fn serve_or_refuse(&self, stream: TcpStream) {
        let stream = Arc::new(stream);
        match self.admit(&stream) {
            Some(number) => {
                let _ = self.serve(&stream);
                self.open().streams.remove(&number);
            }
            None => {
                let _ = (&*stream).write_all(b"ERROR Too many open connections\r\n");
            }
        }
    }

    fn serve(&self, mut stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let users: Vec<_> = self.users.iter().map(OwnedCredentials::credentials).collect();
        let mut guard = if users.is_empty() { None } else { Some(Guard::new()) };
        let mut session = Session::new(Vec::new());
        let (mut input, mut filled) = (vec![0; BUFFER], 0);
        let mut output = Vec::new();
        loop {
            let unread = input.get(..filled).unwrap_or(&[]);
            let fed = match guard.as_mut().filter(|guard| !guard.is_open()) {
                Some(guard) => guard.feed(unread, &users, &mut output),
                None => session.feed(unread, &mut self.engine(), &mut output, self.now()),
            };
            stream.write_all(&output)?;
            output.clear();
            output.shrink_to(BUFFER);
            input.copy_within(fed.consumed.min(filled)..filled, 0);
            filled = filled.saturating_sub(fed.consumed);
            match fed.next {
                Next::Write => {}
                Next::Close => return Ok(()),
                Next::Read => match stream.read(input.get_mut(filled..).unwrap_or(&mut []))? {
                    0 => return Ok(()),
                    len => filled += len,
                },
            }
        }
    }

    /// Notes a connection, if there is room for it.
    fn admit(&self, stream: &Arc<TcpStream>) -> Option<u64> {
        let mut open = self.open();
        if self.closing.load(Ordering::Acquire) || open.streams.len() >= self.limit {
            return None;
        }
        open.last += 1;
        let number = open.last;
        open.streams.insert(number, Arc::clone(stream));
        Some(number)
    }

    /// Closes the connections and wakes the thread that waits for more.
    fn close(&self) {
        let open = self.open();
        self.closing.store(true, Ordering::Release);
        for stream in open.streams.values() {
            // One that has ended already is no matter.
            let _ = stream.shutdown(Shutdown::Both);
        }
        drop(open);
        // On some systems, this is enough to wake it; on the others, it takes a connection.
        let _ = SockRef::from(&self.listener).shutdown(Shutdown::Both);
        let ip = match self.addr.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        let own = SocketAddr::new(ip, self.addr.port());
        let _ = TcpStream::connect_timeout(&own, Duration::from_secs(1));
    }

    /// The wall clock as it was at the start, moved on by the one that never runs backwards.
    fn now(&self) -> UnixTime {
        let (wall, since) = self.started;
        UnixTime::from(wall + since.elapsed())
    }

    fn engine(&self) -> MutexGuard<'_, Engine<MemoryStore>> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("addr", &self.addr).finish_non_exhaustive()
    }
}

/// How much is read at once, in bytes: more than the longest line that must be there whole.
const BUFFER: usize = 16 * 1024;
