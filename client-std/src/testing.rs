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
};

use memring_client::{
    Clock,
    testing::{Bind, Host},
};
use memring_text::server::Next;
use socket2::SockRef;

/// A server with memcached's classic and meta commands, on threads of this process.
///
/// Dropping it closes its connections and ends its threads, and what it held is gone.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

/// The options of a [`Server`].
pub type ServerBuilder = memring_client::testing::ServerBuilder<Server>;

/// The state that the threads share.
#[derive(Debug)]
struct Shared {
    listener: TcpListener,
    addr: SocketAddr,
    host: Host,
    open: Mutex<Open>,
    closing: AtomicBool,
}

/// The open connections, by a number of their own.
#[derive(Debug, Default)]
struct Open {
    streams: BTreeMap<u64, Arc<TcpStream>>,
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
        let shared = Arc::new(Shared {
            addr: listener.local_addr()?,
            listener,
            host: builder.host(Clock::SYSTEM)?,
            open: Mutex::default(),
            closing: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        let acceptor = thread::Builder::new().name("memring-server".into());
        let acceptor = acceptor.spawn(move || accepting.accept())?;
        Ok(Self { shared, acceptor: Some(acceptor) })
    }

    /// The server's address.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.shared.addr
    }

    /// The number of open connections.
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
    fn serve_or_refuse(&self, stream: TcpStream) {
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

    fn serve(&self, mut stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
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
    fn admit(&self, stream: &Arc<TcpStream>) -> Option<u64> {
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
        let _ = SockRef::from(&self.listener).shutdown(Shutdown::Both);
        let ip = match self.addr.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        let own = SocketAddr::new(ip, self.addr.port());
        let _ = TcpStream::connect_timeout(&own, Duration::from_secs(1));
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
