//! Addresses where nobody answers.

#[cfg(target_os = "linux")]
use core::sync::atomic::{AtomicUsize, Ordering};
use core::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use std::{
    io,
    net::{TcpListener, TcpStream},
};

/// A listener that completes no connection: its queue is full. The system drops what comes, without a word.
pub struct BlackHole {
    _listener: socket2::Socket,
    _queue: Vec<TcpStream>,
    addr: SocketAddr,
}

impl BlackHole {
    /// A listener whose queue is full.
    pub fn new() -> Self {
        let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        listener.listen(0).unwrap();
        let addr = listener.local_addr().unwrap().as_socket().unwrap();
        let mut queue = Vec::new();
        loop {
            match TcpStream::connect_timeout(&addr, Duration::from_millis(100)) {
                Ok(stream) => queue.push(stream),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => break,
                Err(error) => panic!("{error}"),
            }
        }
        Self { _listener: listener, _queue: queue, addr }
    }

    /// Where it listens, as clients are told.
    pub fn name(&self) -> String {
        self.addr.to_string()
    }
}

/// The same at a path. The system says so, and nothing else.
#[cfg(target_os = "linux")]
pub struct UnixHole {
    _listener: socket2::Socket,
    _queue: Vec<socket2::Socket>,
    path: std::path::PathBuf,
}

#[cfg(target_os = "linux")]
impl UnixHole {
    /// A socket whose queue is full.
    pub fn new() -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("memring-hole-{}-{number}.sock", std::process::id()));
        let address = socket2::SockAddr::unix(&path).unwrap();
        let socket = || socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
        let listener = socket();
        listener.bind(&address).unwrap();
        listener.listen(0).unwrap();
        let mut queue = Vec::new();
        loop {
            let peer = socket();
            peer.set_nonblocking(true).unwrap();
            match peer.connect(&address) {
                Ok(()) => queue.push(peer),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        Self { _listener: listener, _queue: queue, path }
    }

    /// Where it is, as clients are told.
    pub fn name(&self) -> String {
        self.path.display().to_string()
    }
}

#[cfg(target_os = "linux")]
impl Drop for UnixHole {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The name of a server that is not there.
pub fn refusing() -> String {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().to_string()
}
