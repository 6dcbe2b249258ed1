//! The least there can be: a request written to a socket, and of its reply what tells where the values are.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
};

use super::contest::{Client, VALUE};

/// One connection, two buffers that are used again, and no check of anything.
pub(crate) struct Raw {
    stream: TcpStream,
    request: Vec<u8>,
    reply: Vec<u8>,
}

impl Raw {
    pub(crate) fn new(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).expect("memcached listens");
        stream.set_nodelay(true).expect("an open socket");
        Self { stream, request: Vec::new(), reply: vec![0; 64 * 1024] }
    }

    /// Writes the request, and reads until the reply ends with `end`. Gives the reply.
    fn exchange(&mut self, end: &[u8]) -> &[u8] {
        self.stream.write_all(&self.request).expect("memcached reads");
        let mut len = 0;
        while !self.reply[..len].ends_with(end) {
            let read = self.stream.read(&mut self.reply[len..]).expect("memcached answers");
            assert!(read > 0, "memcached hung up");
            len += read;
        }
        &self.reply[..len]
    }
}

impl Client for Raw {
    fn get(&mut self, key: &str) -> usize {
        self.request.clear();
        for part in ["get ", key, "\r\n"] {
            self.request.extend_from_slice(part.as_bytes());
        }
        values(self.exchange(b"END\r\n"))
    }

    fn set(&mut self, key: &str) {
        self.request.clear();
        for part in [b"set ", key.as_bytes(), b" 0 0 100\r\n", VALUE, b"\r\n"] {
            self.request.extend_from_slice(part);
        }
        assert_eq!(self.exchange(b"\r\n"), b"STORED\r\n");
    }

    fn get_many(&mut self, keys: &[String]) -> usize {
        self.request.clear();
        self.request.extend_from_slice(b"get");
        for key in keys {
            self.request.push(b' ');
            self.request.extend_from_slice(key.as_bytes());
        }
        self.request.extend_from_slice(b"\r\n");
        values(self.exchange(b"END\r\n"))
    }
}

/// How many bytes the values have together.
fn values(reply: &[u8]) -> usize {
    let mut sum = 0;
    let mut rest = reply;
    while let Some(item) = rest.strip_prefix(b"VALUE ") {
        let line = item.iter().position(|byte| *byte == b'\r').expect("a line");
        let len = item[..line].iter().rev().take_while(|byte| **byte != b' ');
        let (len, _) =
            len.fold((0, 1), |(len, unit), digit| (len + usize::from(digit - b'0') * unit, unit * 10));
        sum += len;
        rest = &item[line + 2 + len + 2..];
    }
    sum
}
