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

use core::{net::SocketAddr, pin::Pin, time::Duration};
use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use memring_client::{
    Clock,
    testing::{Bind, Host},
};
use memring_text::server::Next;
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

/// The options of a [`Server`].
pub type ServerBuilder = memring_client::testing::ServerBuilder<Server>;

/// The state that the tasks share.
#[derive(Debug)]
struct Shared {
    addr: SocketAddr,
    host: Host,
    /// One task for each open connection; `None` when the server has ended.
    open: Mutex<Option<JoinSet<()>>>,
}

impl Server {
    /// Starts a server on a free port of the loopback interface.
    ///
    /// # Errors
    /// The system's error when it has no free port.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Starts a server on `addr`.
    ///
    /// # Errors
    /// The system's error, for example when the address is in use.
    pub async fn bind(addr: impl ToSocketAddrs) -> io::Result<Self> {
        Self::listen(Self::builder(), TcpListener::bind(addr).await?)
    }

    /// A builder, which sets further options.
    pub const fn builder() -> ServerBuilder {
        ServerBuilder::new()
    }

    fn listen(builder: ServerBuilder, listener: TcpListener) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            addr: listener.local_addr()?,
            host: builder.host(Clock::SYSTEM)?,
            open: Mutex::new(Some(JoinSet::new())),
        });
        let acceptor = tokio::spawn(accept(listener, Arc::clone(&shared))).abort_handle();
        Ok(Self { shared, acceptor })
    }

    /// The server's address.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.shared.addr
    }

    /// The number of open connections.
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
        // Dropping the tasks ends them.
        *self.shared.open() = None;
    }
}

impl Bind for Server {
    type Bound = Pin<Box<dyn Future<Output = io::Result<Self>> + Send>>;

    fn bind_with(builder: ServerBuilder, address: SocketAddr) -> Self::Bound {
        Box::pin(async move { Self::listen(builder, TcpListener::bind(address).await?) })
    }
}

/// Takes connections until the server stops.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => shared.serve_or_refuse(stream).await,
            // An error such as "too many open files" may pass, and must not keep a processor busy.
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

impl Shared {
    /// Serves the connection. Its error, if it ends in one, has no receiver.
    async fn serve_or_refuse(self: &Arc<Self>, stream: TcpStream) {
        if let Err(mut stream) = self.admit(stream) {
            let _ = stream.write_all(Host::CROWD).await;
        }
    }

    /// Serves a connection.
    ///
    /// # Errors
    /// The connection, if there are too many or the server is being closed.
    fn admit(self: &Arc<Self>, stream: TcpStream) -> Result<(), TcpStream> {
        let mut open = self.open();
        let Some(open) = open.as_mut() else { return Err(stream) };
        if in_use(open) >= self.host.connections() {
            return Err(stream);
        }
        let shared = Arc::clone(self);
        open.spawn(async move {
            let _ = shared.serve(stream).await;
        });
        Ok(())
    }

    async fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut visit = self.host.visit();
        loop {
            let (output, next) = visit.answer();
            stream.write_all(output).await?;
            match next {
                Next::Write => {}
                Next::Close => return Ok(()),
                Next::Read => match stream.read(visit.space()).await? {
                    0 => return Ok(()),
                    len => visit.received(len),
                },
            }
        }
    }

    fn open(&self) -> MutexGuard<'_, Option<JoinSet<()>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts the tasks that have not ended, and forgets the others.
fn in_use(tasks: &mut JoinSet<()>) -> usize {
    while tasks.try_join_next().is_some() {}
    tasks.len()
}
