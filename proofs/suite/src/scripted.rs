//! A server that does as it is told.

use core::{
    net::{Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use socket2::SockRef;

/// A server that does as it is told, connection by connection.
pub struct Scripted {
    addr: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    bytes: Mutex<Vec<u8>>,
}

impl Scripted {
    /// Runs `script` for every connection, each in a thread of its own; when it returns, the connection is closed.
    pub fn new(script: impl Fn(Peer) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let addr = listener.local_addr().unwrap();
        let (seen, script) = (Arc::new(Seen::default()), Arc::new(script));
        let server = Self { addr, seen: Arc::clone(&seen) };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let number = seen.connections.fetch_add(1, Ordering::SeqCst);
                let peer = Peer { stream: stream.unwrap(), number, seen: Arc::clone(&seen) };
                let script = Arc::clone(&script);
                thread::spawn(move || script(peer));
            }
        });
        server
    }

    /// Answers every line with `reply`.
    pub fn answering(reply: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        Self::new(move |mut peer| {
            while peer.line().is_some() {
                peer.write(reply.as_ref());
            }
        })
    }

    /// Accepts, and never says anything.
    pub fn silent() -> Self {
        Self::new(|mut peer| while peer.line().is_some() {})
    }

    /// Misses and stores; but on the first connection, it answers one line, reads one more, and hangs up.
    pub fn hanging_up() -> Self {
        Self::new(|mut peer| {
            let mut lines = 0;
            while let Some(line) = peer.line() {
                lines += 1;
                if peer.number == 0 && lines == 2 {
                    return;
                }
                if line.starts_with("set") {
                    peer.line();
                    peer.write("STORED\r\n");
                } else {
                    peer.write(if line.starts_with("delete") { "NOT_FOUND\r\n" } else { "END\r\n" });
                }
            }
        })
    }

    /// Where it listens, as clients are told.
    pub fn name(&self) -> String {
        self.addr.to_string()
    }

    /// How many connections have been accepted.
    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// All that has been read from all connections.
    pub fn received(&self) -> String {
        String::from_utf8_lossy(&self.seen.bytes.lock().unwrap()).into_owned()
    }
}

/// The client, as a scripted server sees it.
pub struct Peer {
    /// The connection.
    pub stream: TcpStream,
    /// Which connection this is, from 0.
    pub number: usize,
    seen: Arc<Seen>,
}

impl Peer {
    /// The next line, or `None` when the client has closed the connection.
    pub fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            self.read_to_line_feed(&mut line)?;
        }
        line.truncate(line.len() - 2);
        Some(String::from_utf8_lossy(&line).into_owned())
    }

    /// Reads what is there, but nothing behind the next line feed.
    fn read_to_line_feed(&mut self, line: &mut Vec<u8>) -> Option<()> {
        let mut room = [0; 4096];
        let there = self.stream.peek(&mut room).ok().filter(|len| *len > 0)?;
        let bytes = room[..there].split_inclusive(|byte| *byte == b'\n').next()?;
        self.stream.read_exact(&mut vec![0; bytes.len()]).ok()?;
        self.seen.bytes.lock().unwrap().extend_from_slice(bytes);
        line.extend_from_slice(bytes);
        Some(())
    }

    /// Writes, whether the client is still there or not.
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref());
    }

    /// Ends the connection at once, and not in the orderly way.
    pub fn reset(self) {
        let lingers = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        lingers.unwrap();
    }
}
