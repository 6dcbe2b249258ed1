//! An encrypted stream, which makes one system call at a time, so that its caller can check the deadline between them.

use core::fmt;
use std::{
    io::{self, BufReader, Read as _, Write as _},
    net::TcpStream,
};

use memring_client::tls::{self, TlsTarget, cause_of};
use memring_client::{Records, failure::Cause};
use rustix::event::{PollFd, PollFlags};
use rustls::ClientConnection;

use super::has_timed_out;

/// An encrypted stream over a TCP connection.
pub(crate) struct TlsStream {
    session: ClientConnection,
    tcp: BufReader<TcpStream>,
    /// How many of the caller's bytes are encrypted but have not all left, and whether some of them have.
    taken: usize,
    has_begun: bool,
    /// The records of the bytes that the caller gathers.
    pub(super) records: Records,
}

impl TlsStream {
    /// A stream over `tcp`, which does not block, before the handshake.
    pub(crate) fn new(tcp: TcpStream, target: &TlsTarget) -> Result<Self, Cause> {
        let TlsTarget { config, name } = target.clone();
        let session = ClientConnection::new(config, name).map_err(tls::cause)?;
        Ok(Self {
            session,
            tcp: BufReader::with_capacity(RECORD, tcp),
            taken: 0,
            has_begun: false,
            records: Records::new(),
        })
    }

    /// Goes on with the handshake, as far as that is possible without waiting. Returns whether it is complete.
    pub(crate) fn shake_hands(&mut self) -> Result<bool, Cause> {
        while self.session.is_handshaking() || self.session.wants_write() {
            let moved = match self.session.wants_write() {
                true => self.write_some(),
                false => self.read_some().and_then(|len| match len {
                    0 => Err(io::ErrorKind::UnexpectedEof.into()),
                    _ => Ok(()),
                }),
            };
            match moved {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                moved => moved.map_err(|error| cause_of(error, Cause::connect))?,
            }
        }
        Ok(true)
    }

    /// The event that the handshake waits for.
    pub(crate) fn awaited(&self) -> PollFd<'_> {
        let flags = if self.session.wants_write() { PollFlags::OUT } else { PollFlags::IN };
        PollFd::new(self.tcp(), flags)
    }

    /// The connection below.
    pub(crate) fn tcp(&self) -> &TcpStream {
        self.tcp.get_ref()
    }

    /// How many of the caller's bytes may have left beyond those that [`write`](Self::write) has reported.
    pub(crate) const fn underway(&self) -> usize {
        if self.has_begun { self.taken } else { 0 }
    }

    /// Reads. `Interrupted`: the bytes that came were TLS's own; repeat the call.
    pub(crate) fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.session.reader().read(buf) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            read => return or_end(read),
        }
        self.read_some()?;
        match self.session.reader().read(buf) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(io::ErrorKind::Interrupted.into()),
            read => or_end(read),
        }
    }

    /// Writes. `Interrupted`: the encrypted bytes have not all left; repeat the call with the same bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.taken == 0 {
            self.taken = self.session.writer().write(bytes)?;
            self.has_begun = false;
        }
        self.write_some()?;
        self.has_begun = true;
        if self.session.wants_write() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        Ok(core::mem::take(&mut self.taken))
    }

    /// Whether nothing has arrived for the caller, not even the end. Messages of TLS itself (tickets to resume the
    /// session, new keys) are processed.
    pub(crate) fn is_silent(&mut self) -> bool {
        if self.tcp().set_nonblocking(true).is_err() {
            return false;
        }
        let peeked = self.peek();
        let restored = self.tcp().set_nonblocking(false);
        restored.is_ok() && matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// The number of bytes that [`read`](Self::read) would give, on a stream that does not block.
    fn peek(&mut self) -> io::Result<usize> {
        loop {
            let waiting = self.session.process_new_packets().map_err(invalid)?.plaintext_bytes_to_read();
            if waiting > 0 || self.read_some()? == 0 {
                return Ok(waiting);
            }
        }
    }

    fn read_some(&mut self) -> io::Result<usize> {
        let len = self.session.read_tls(&mut self.tcp)?;
        if let Err(error) = self.session.process_new_packets() {
            // Tries to tell the peer why this connection ends.
            self.tcp().set_nonblocking(true)?;
            let _ = self.session.write_tls(self.tcp.get_mut());
            return Err(invalid(error));
        }
        Ok(len)
    }

    fn write_some(&mut self) -> io::Result<()> {
        match self.session.write_tls(self.tcp.get_mut()) {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted || has_timed_out(&error) => Err(error),
            Err(error) => Err(self.last_word().unwrap_or(error)),
        }
    }

    /// The peer's TLS alert, if it sent one before it hung up.
    fn last_word(&mut self) -> Option<io::Error> {
        self.tcp().set_nonblocking(true).ok()?;
        loop {
            match self.read_some() {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => return Some(error).filter(|error| error.kind() == io::ErrorKind::InvalidData),
            }
        }
    }
}

impl fmt::Debug for TlsStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsStream").field("tcp", self.tcp()).finish_non_exhaustive()
    }
}

/// An end without TLS's farewell is an end, too: the codec notices if something is missing.
fn or_end(read: io::Result<usize>) -> io::Result<usize> {
    match read {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
        read => read,
    }
}

fn invalid(error: rustls::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// The size of the longest record, in bytes.
const RECORD: usize = 16 * 1024 + 256 + 5;
