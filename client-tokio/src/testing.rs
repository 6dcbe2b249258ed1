//! A memcached inside the process: for tests, examples and demonstrations.
//!
//! ```
//! use memring_tokio::{Client, Ttl, testing::Server};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let servers = [Server::start().await?, Server::start().await?];
//! let client = Client::connect(servers.iter().map(Server::addr))?;
//! client.set("k", "v", Ttl::NEVER).await?;
//! # Ok(())
//! # }
//! ```

use core::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Instant, SystemTime},
};

use memring_client::OwnedCredentials;
use memring_text::{
    request::CredentialsError,
    server::{Engine, EngineConfig, Guard, MemoryStore, Next, Session},
    ttl::UnixTime,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, ToSocketAddrs},
    task::{AbortHandle, JoinSet},
    time::sleep,
};

/// A server with memcached's classic and meta commands, on tasks of the runtime that it is started in.
///
/// Dropping it closes its connections and ends its tasks, and what it held is gone.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    acceptor: AbortHandle,
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

/// What the tasks share.
struct Shared {
    addr: SocketAddr,
    engine: Mutex<Engine<MemoryStore>>,
    /// One task for each open connection; none are begun when the server has ended.
    open: Mutex<Option<JoinSet<()>>>,
    limit: usize,
    users: Vec<OwnedCredentials>,
    started: (SystemTime, Instant),
}

impl Server {
    /// A server on a free port of the loopback interface.
    ///
    /// # Errors
    /// What the system says when it has no port to give.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// A server on `addr`.
    ///
    /// # Errors
    /// What the system says, when the address is in use for instance.
    pub async fn bind(addr: impl ToSocketAddrs) -> io::Result<Self> {
        Self::builder().bind(addr).await
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
        self.shared.open().as_mut().map_or(0, in_use)
    }

    /// Closes all connections, ends all tasks and frees the port, as soon as the runtime gets to it.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.acceptor.abort();
        // Ends their tasks.
        *self.shared.open() = None;
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
    /// What the system says when it has no port to give.
    pub async fn start(self) -> io::Result<Server> {
        self.bind((Ipv4Addr::LOCALHOST, 0)).await
    }

    /// Starts on `addr`.
    ///
    /// # Errors
    /// What the system says, when the address is in use for instance; and that a name or password can be none.
    pub async fn bind(self, addr: impl ToSocketAddrs) -> io::Result<Server> {
        if let Some(error) = self.wrong {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, error));
        }
        let listener = TcpListener::bind(addr).await?;
        let config = EngineConfig { item_size_max: self.item_size_max, ..EngineConfig::default() };
        let shared = Arc::new(Shared {
            addr: listener.local_addr()?,
            engine: Mutex::new(Engine::with_config(MemoryStore::new(self.memory), config)),
            open: Mutex::new(Some(JoinSet::new())),
            limit: self.connections,
            users: self.users,
            started: (SystemTime::now(), Instant::now()),
        });
        let acceptor = tokio::spawn(accept(listener, Arc::clone(&shared))).abort_handle();
        Ok(Server { shared, acceptor })
    }
}

/// Takes connections until the server stops.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => shared.serve_or_refuse(stream).await,
            // Out of descriptors, say: that may pass, and must not keep a processor busy.
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

impl Shared {
    /// Whatever ends the connection, there is nobody to tell.
    async fn serve_or_refuse(self: &Arc<Self>, stream: TcpStream) {
        if let Some(mut stream) = self.admit(stream) {
            let _ = stream.write_all(b"ERROR Too many open connections\r\n").await;
        }
    }

    /// Serves a connection, if there is room for it; else gives it back.
    fn admit(self: &Arc<Self>, stream: TcpStream) -> Option<TcpStream> {
        let mut open = self.open();
        let Some(open) = open.as_mut() else { return Some(stream) };
        if in_use(open) >= self.limit {
            return Some(stream);
        }
        let shared = Arc::clone(self);
        open.spawn(async move {
            let _ = shared.serve(stream).await;
        });
        None
    }

    async fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
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
            stream.write_all(&output).await?;
            output.clear();
            output.shrink_to(BUFFER);
            input.copy_within(fed.consumed.min(filled)..filled, 0);
            filled = filled.saturating_sub(fed.consumed);
            match fed.next {
                Next::Write => {}
                Next::Close => return Ok(()),
                Next::Read => match stream.read(input.get_mut(filled..).unwrap_or(&mut [])).await? {
                    0 => return Ok(()),
                    len => filled += len,
                },
            }
        }
    }

    /// The wall clock as it was at the start, moved on by the one that never runs backwards.
    fn now(&self) -> UnixTime {
        let (wall, since) = self.started;
        UnixTime::from(wall + since.elapsed())
    }

    fn engine(&self) -> MutexGuard<'_, Engine<MemoryStore>> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> MutexGuard<'_, Option<JoinSet<()>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("addr", &self.addr).finish_non_exhaustive()
    }
}

/// How many tasks have not ended; forgets the others.
fn in_use(tasks: &mut JoinSet<()>) -> usize {
    while tasks.try_join_next().is_some() {}
    tasks.len()
}

/// How much is read at once, in bytes: more than the longest line that must be there whole.
const BUFFER: usize = 16 * 1024;
