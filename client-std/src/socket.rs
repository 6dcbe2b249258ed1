//! A socket with a deadline, over which the codec's blocking loop runs.

use core::{error, fmt, mem, time::Duration};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
    time::Instant,
};

use memring_client::{Records, failure::Cause};

#[cfg(feature = "tls")]
pub(crate) use self::tls::TlsStream;
pub(crate) use self::turns::wait;
use crate::deadline::Deadline;

#[cfg(feature = "tls")]
mod tls;
mod turns;

/// A connected socket. Reads and writes return by the operation's deadline, however many of them it takes.
///
/// The system is given a new time limit only when its old one would be too late, so that an operation usually costs one
/// `send` and one `recv`. Small writes are gathered until they are flushed or are 16 KiB.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: Stream,
    deadline: Deadline,
    /// The time limits that the system has.
    read_limit: Duration,
    write_limit: Duration,
    /// Whether the first send of the operation cannot wait, so that it needs no look at the clock.
    at_once: bool,
    /// Whether reads and writes never wait, and leave to the next turn what cannot be done now.
    in_turns: bool,
    gathered: Vec<u8>,
    /// How many of the gathered bytes have left; in turns only.
    left: usize,
    sent: usize,
    received: usize,
    /// When bytes arrived last.
    read_at: Instant,
}

/// The connection below.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
    #[cfg(feature = "tls")]
    Tls(Box<TlsStream>),
}

impl Socket {
    /// A socket over a fresh connection that does not block, whose operations usually have `timeout`. The socket takes
    /// turns.
    pub(crate) fn new(stream: Stream, timeout: Duration) -> io::Result<Self> {
        let limit = timeout.max(SHORTEST);
        stream.set_read_timeout(limit)?;
        stream.set_write_timeout(limit)?;
        Ok(Self {
            stream,
            deadline: Deadline::after(timeout),
            read_limit: limit,
            write_limit: limit,
            at_once: false,
            in_turns: true,
            gathered: Vec::new(),
            left: 0,
            sent: 0,
            received: 0,
            read_at: Instant::now(),
        })
    }

    /// Begins an operation that ends by `deadline`. Everything that was sent before must be answered.
    pub(crate) fn begin(&mut self, deadline: Deadline) {
        self.deadline = deadline;
        self.at_once = false;
        (self.sent, self.received) = (0, 0);
    }

    /// Begins an operation at the very moment when its deadline was made.
    pub(crate) fn begin_at_once(&mut self, deadline: &Deadline) {
        self.begin(*deadline);
        self.at_once = !deadline.timeout().is_zero() && self.write_limit <= deadline.timeout();
    }

    /// Gives the current operation another deadline.
    pub(crate) fn extend(&mut self, deadline: Deadline) {
        self.deadline = deadline;
        self.at_once = false;
    }

    /// Notes that one of several requests ends here.
    pub(crate) fn request_ends(&mut self) {
        if let Some(records) = self.stream.records() {
            records.request_ends(self.gathered.len());
        }
    }

    /// How many bytes have left since the operation began.
    pub(crate) fn sent(&self) -> usize {
        self.sent.saturating_add(self.stream.underway())
    }

    /// How many bytes have come since the operation began.
    pub(crate) const fn received(&self) -> usize {
        self.received
    }

    /// When bytes arrived last.
    pub(crate) const fn read_at(&self) -> Instant {
        self.read_at
    }

    /// Whether nothing has arrived since the last operation: neither an unrequested byte nor the end of the connection.
    pub(crate) fn is_silent(&mut self) -> bool {
        #[cfg(feature = "tls")]
        if let Stream::Tls(stream) = &mut self.stream {
            return stream.is_silent();
        }
        turns::is_silent(&self.stream)
    }

    /// Sends the gathered bytes.
    #[inline]
    pub(crate) fn flush(&mut self) -> Result<(), SocketError> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        // The system's send buffer has space for them, because everything sent before is answered.
        if mem::take(&mut self.at_once) && self.gathered.len() <= FREE {
            match self.stream.write(&self.gathered) {
                Ok(len) => {
                    self.sent = len;
                    if len == self.gathered.len() {
                        self.gathered.clear();
                        return Ok(());
                    }
                    self.gathered.drain(..len);
                }
                Err(error) if is_passing(&error) => {}
                Err(error) => {
                    self.gathered.clear();
                    return Err(error.into());
                }
            }
        }
        self.flush_in_time()
    }

    #[inline(never)]
    fn flush_in_time(&mut self) -> Result<(), SocketError> {
        let mut gathered = mem::take(&mut self.gathered);
        let (mut written, mut result) = (0_usize, Ok(()));
        while written < gathered.len() {
            let len = gathered.len();
            let until = self.stream.records().map_or(len, |records| records.writable(written, len));
            match self.send(gathered.get(written..until).unwrap_or(&[])) {
                Ok(len) => written = written.saturating_add(len),
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        // After an error the connection is closed, so no byte is sent twice.
        if let Some(records) = self.stream.records() {
            records.all_written(gathered.len());
        }
        gathered.clear();
        self.gathered = gathered;
        result
    }

    fn send(&mut self, bytes: &[u8]) -> Result<usize, SocketError> {
        self.at_once = false;
        let mut left = self.deadline.left();
        loop {
            if left.is_zero() {
                return Err(SocketError::TimedOut);
            }
            if exceeds(self.write_limit, left) {
                self.stream.set_write_timeout(left)?;
                self.write_limit = left;
            }
            match self.stream.write(bytes) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Ok(len) => {
                    self.sent = self.sent.saturating_add(len);
                    return Ok(len);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => left = self.deadline.left(),
                Err(error) if has_timed_out(&error) => {
                    left = self.deadline.left();
                    // The system's limit was a shorter one of an earlier operation.
                    self.write_limit = Duration::MAX;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Socket {
    /// Writes what does not fit into the gathered bytes. The end of a large request is kept, so that it leaves with
    /// what follows it.
    #[inline(never)]
    fn write_much(&mut self, buf: &[u8]) -> Result<usize, SocketError> {
        if self.in_turns {
            return self.write_in_turns(buf);
        }
        if self.gathered.is_empty() && buf.len() > GATHERED {
            let (most, _) = buf.split_at(buf.len() - LAST);
            self.stream.records().into_iter().for_each(Records::written_beside);
            return self.send(most);
        }
        let (taken, _) = buf.split_at(buf.len().min(GATHERED.saturating_sub(self.gathered.len())));
        self.gathered.extend_from_slice(taken);
        if self.gathered.len() >= GATHERED {
            self.flush()?;
        }
        Ok(taken.len())
    }

    #[inline]
    fn count(&mut self, len: usize) {
        self.received = self.received.saturating_add(len);
        self.read_at = Instant::now();
    }

    #[inline(never)]
    fn read_in_time(&mut self, buf: &mut [u8]) -> Result<usize, SocketError> {
        loop {
            let left = self.deadline.patience().ok_or(SocketError::TimedOut)?.max(SHORTEST);
            if exceeds(self.read_limit, left) {
                self.stream.set_read_timeout(left)?;
                self.read_limit = left;
            }
            match self.stream.read(buf) {
                Ok(len) => {
                    self.count(len);
                    return Ok(len);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if has_timed_out(&error) => {
                    if self.deadline.left().is_zero() {
                        return Err(SocketError::TimedOut);
                    }
                    self.read_limit = Duration::MAX;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl embedded_io::ErrorType for Socket {
    type Error = SocketError;
}

impl embedded_io::Read for Socket {
    #[inline]
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, SocketError> {
        if self.read_limit <= self.deadline.timeout() && self.deadline.has_just_begun() {
            match self.stream.read(buf) {
                Ok(len) => {
                    self.count(len);
                    return Ok(len);
                }
                Err(error) if is_passing(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.read_in_time(buf)
    }
}

impl embedded_io::Write for Socket {
    /// Gathers small writes, sends large ones.
    #[inline]
    fn write(&mut self, buf: &[u8]) -> Result<usize, SocketError> {
        if buf.len() < GATHERED.saturating_sub(self.gathered.len()) {
            self.gathered.extend_from_slice(buf);
            return Ok(buf.len());
        }
        self.write_much(buf)
    }

    fn flush(&mut self) -> Result<(), SocketError> {
        Self::flush(self)
    }
}

impl Stream {
    /// The ends of requests, on an encrypted connection.
    const fn records(&mut self) -> Option<&mut Records> {
        match self {
            #[cfg(feature = "tls")]
            Self::Tls(stream) => Some(&mut stream.records),
            _ => None,
        }
    }

    fn set_read_timeout(&self, limit: Duration) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_read_timeout(Some(limit)),
            #[cfg(unix)]
            Self::Unix(stream) => stream.set_read_timeout(Some(limit)),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.tcp().set_read_timeout(Some(limit)),
        }
    }

    fn set_write_timeout(&self, limit: Duration) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_write_timeout(Some(limit)),
            #[cfg(unix)]
            Self::Unix(stream) => stream.set_write_timeout(Some(limit)),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.tcp().set_write_timeout(Some(limit)),
        }
    }

    /// How many bytes may have left that no write has reported yet.
    const fn underway(&self) -> usize {
        match self {
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.underway(),
            _ => 0,
        }
    }

    fn set_nonblocking(&self, on: bool) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_nonblocking(on),
            #[cfg(unix)]
            Self::Unix(stream) => stream.set_nonblocking(on),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.tcp().set_nonblocking(on),
        }
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buf),
            #[cfg(unix)]
            Self::Unix(stream) => stream.read(buf),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.read(buf),
        }
    }

    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(buf),
            #[cfg(unix)]
            Self::Unix(stream) => stream.write(buf),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.write(buf),
        }
    }
}

/// Whether a wait of `limit` would end noticeably later than one of `left`. A sixteenth is not worth a system call.
fn exceeds(limit: Duration, left: Duration) -> bool {
    limit.saturating_sub(left) > left / 16
}

/// Whether the same call may be repeated.
#[cold]
fn is_passing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Interrupted || has_timed_out(error)
}

/// Whether the system's time limit has passed. `TimedOut` means this on Windows only; elsewhere it means that the peer
/// no longer acknowledges anything, which ends the connection.
fn has_timed_out(error: &io::Error) -> bool {
    match error.kind() {
        io::ErrorKind::WouldBlock => true,
        io::ErrorKind::TimedOut => cfg!(windows),
        _ => false,
    }
}

/// The shortest time limit that systems surely do not take for "none".
const SHORTEST: Duration = Duration::from_millis(1);

/// How many bytes always fit into the system's send buffer when it is empty.
const FREE: usize = 2048;

/// How many bytes are gathered before they are sent without a flush.
const GATHERED: usize = 16 * 1024;

/// How many bytes of a large write are kept back.
const LAST: usize = 1024;

/// Why reading or writing failed.
#[derive(Debug)]
pub(crate) enum SocketError {
    /// The deadline has passed.
    TimedOut,
    /// The system's error.
    Io(io::Error),
}

impl From<io::Error> for SocketError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for SocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("timed out"),
            Self::Io(error) => error.kind().fmt(f),
        }
    }
}

impl error::Error for SocketError {}

impl From<SocketError> for Cause {
    fn from(error: SocketError) -> Self {
        match error {
            SocketError::TimedOut => Self::Timeout,
            #[cfg(feature = "tls")]
            SocketError::Io(error) => memring_client::tls::cause_of(error, Self::from),
            #[cfg(not(feature = "tls"))]
            SocketError::Io(error) => error.into(),
        }
    }
}

impl embedded_io::Error for SocketError {
    fn kind(&self) -> embedded_io::ErrorKind {
        match self {
            Self::TimedOut => embedded_io::ErrorKind::TimedOut,
            Self::Io(_) => embedded_io::ErrorKind::Other,
        }
    }
}
