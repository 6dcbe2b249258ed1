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

#[cfg(unix)]
mod unix;

use core::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::{
    collections::BTreeMap,
    io::{self, Read as _, Write as _},
    net::{Shutdown, TcpListener, ToSocketAddrs},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

use memring_client::{
    Clock,
    testing::{Bind, Host},
};
use memring_text::server::Next;
use socket2::{SockAddr, Socket, Type};

#[cfg(unix)]
pub use unix::UnixServer;

/// A server with memcached's classic and meta commands, on threads of this process.
///
/// Dropping it closes its connections and ends its threads, and what it held is gone.
#[derive(Debug)]
pub struct Server {
    running: Running,
    addr: SocketAddr,
}

/// The options of a [`Server`].
pub type ServerBuilder = memring_client::testing::ServerBuilder<Server>;

/// The threads of a server, which end with it.
#[derive(Debug)]
struct Running {
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

/// The state that the threads share.
#[derive(Debug)]
struct Shared {
    listener: Socket,
    /// Where the listener can be connected to, by the server itself.
    own: SockAddr,
    host: Host,
    open: Mutex<Open>,
    closing: AtomicBool,
}

/// The open connections, by a number of their own.
#[derive(Debug, Default)]
struct Open {
    streams: BTreeMap<u64, Arc<Socket>>,
    last: u64,
}

impl Server {
    /// Starts a server on a free port of the loopback interface.
    ///
    /// # Errors
    /// The system's error when it has no free port or no thread.
    pub fn start() -> io::Result<Self> {
        Self::builder().start()
    }

    /// Starts a server on `addr`.
    ///
    /// # Errors
    /// The system's error, for example when the address is in use.
    pub fn bind(addr: impl ToSocketAddrs) -> io::Result<Self> {
        Self::listen(Self::builder(), TcpListener::bind(addr)?)
    }

    /// A builder, which sets further options.
    pub const fn builder() -> ServerBuilder {
        ServerBuilder::new()
    }

    fn listen(builder: ServerBuilder, listener: TcpListener) -> io::Result<Self> {
        let addr = listener.local_addr()?;
        let ip = match addr.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        let own = SocketAddr::new(ip, addr.port()).into();
        Ok(Self { running: Running::new(builder.host(Clock::SYSTEM)?, listener.into(), own)?, addr })
    }

    /// The server's address.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The number of open connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.running.connections()
    }

    /// Closes all connections, ends all threads and frees the port.
    pub fn stop(self) {
        drop(self);
    }
}

impl Running {
    fn new(host: Host, listener: Socket, own: SockAddr) -> io::Result<Self> {
        let shared =
            Arc::new(Shared { listener, own, host, open: Mutex::default(), closing: AtomicBool::new(false) });
        let accepting = Arc::clone(&shared);
        let acceptor = thread::Builder::new().name("memring-server".into());
        let acceptor = acceptor.spawn(move || accepting.accept())?;
        Ok(Self { shared, acceptor: Some(acceptor) })
    }

    /// The number of open connections.
    fn connections(&self) -> usize {
        self.shared.open().streams.len()
    }

    /// Closes the connections and ends the threads, if they have not ended.
    fn end(&mut self) {
        if let Some(acceptor) = self.acceptor.take() {
            self.shared.close();
            // A thread that panicked has ended, too.
            let _ = acceptor.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

impl Bind for Server {
    type Bound = io::Result<Self>;

    fn bind_with(builder: ServerBuilder, address: SocketAddr) -> io::Result<Self> {
        Self::listen(builder, TcpListener::bind(address)?)
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
                        // If no thread can be started, the connection is closed again.
                        let _ = thread.spawn_scoped(scope, move || self.serve_or_refuse(stream));
                    }
                    Err(_) if self.closing.load(Ordering::Acquire) => {}
                    // An error such as "too many open files" may pass, and must not keep a processor busy.
                    Err(_) => thread::sleep(Duration::from_millis(10)),
                }
            }
        });
    }

    /// Serves the connection. Its error, if it ends in one, has no receiver.
    fn serve_or_refuse(&self, stream: Socket) {
        let stream = Arc::new(stream);
        match self.admit(&stream) {
            Some(number) => {
                let _ = self.serve(&stream);
                self.open().streams.remove(&number);
            }
            None => {
                let _ = (&*stream).write_all(Host::CROWD);
            }
        }
    }

    fn serve(&self, mut stream: &Socket) -> io::Result<()> {
        if !self.own.is_unix() {
            stream.set_tcp_nodelay(true)?;
        }
        let mut visit = self.host.visit();
        loop {
            let (output, next) = visit.answer();
            stream.write_all(output)?;
            match next {
                Next::Write => {}
                Next::Close => return Ok(()),
                Next::Read => match stream.read(visit.space())? {
                    0 => return Ok(()),
                    len => visit.received(len),
                },
            }
        }
    }

    /// Registers a connection, unless there are too many.
    fn admit(&self, stream: &Arc<Socket>) -> Option<u64> {
        let mut open = self.open();
        if self.closing.load(Ordering::Acquire) || open.streams.len() >= self.host.connections() {
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
            // A connection that has ended already gives an error, which does not matter.
            let _ = stream.shutdown(Shutdown::Both);
        }
        drop(open);
        // On some systems, this wakes the thread; on others, only a connection does.
        let _ = self.listener.shutdown(Shutdown::Both);
        if let Ok(socket) = Socket::new(self.own.domain(), Type::STREAM, None) {
            let _ = socket.connect_timeout(&self.own, Duration::from_secs(1));
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
