//! Addresses where nobody answers.

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

/// The name of a server that is not there.
pub fn refusing() -> String {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().to_string()
}
