//! Sockets that take turns: a thread serves many, and waits only until one of them is ready.

use core::time::Duration;
use std::{io, thread};

use embedded_io::Read as _;
use memring_client::Records;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fd::{AsFd as _, BorrowedFd},
    io::Errno,
};

use super::{GATHERED, Socket, SocketError, Stream};

impl Socket {
    /// Begins taking turns: from now on, reads and writes never wait. See [`push`](Self::push) and
    /// [`pull`](Self::pull).
    pub(crate) fn begin_turns(&mut self) -> io::Result<()> {
        self.stream.set_nonblocking(true)?;
        self.in_turns = true;
        Ok(())
    }

    /// Ends taking turns: from now on, reads and writes wait until the deadline.
    pub(crate) fn end_turns(&mut self) -> io::Result<()> {
        if !self.in_turns {
            return Ok(());
        }
        if self.gathered.capacity() > 2 * GATHERED {
            self.gathered = Vec::new();
        }
        self.stream.set_nonblocking(false)?;
        self.in_turns = false;
        Ok(())
    }

    /// Whether the socket takes turns, so that reads and writes never wait.
    pub(crate) const fn is_in_turns(&self) -> bool {
        self.in_turns
    }

    /// The event to wait for: bytes to read or, if there are bytes to send, that they can be written.
    pub(crate) fn awaited(&self) -> PollFd<'_> {
        let sends = if self.backlog().is_empty() { PollFlags::empty() } else { PollFlags::OUT };
        PollFd::from_borrowed_fd(self.stream.fd(), PollFlags::IN | sends)
    }

    /// Whether so many bytes wait to be sent that there should be no more for now.
    pub(crate) fn is_full(&self) -> bool {
        self.backlog().len() >= GATHERED
    }

    /// Sends as many of the gathered bytes as the system takes, and returns whether those were all. Waits if the socket
    /// does not take turns.
    pub(crate) fn push(&mut self) -> Result<bool, SocketError> {
        if !self.in_turns {
            return self.flush().map(|()| true);
        }
        while !self.backlog().is_empty() {
            let (left, len) = (self.left, self.gathered.len());
            let until = self.stream.records().map_or(len, |records| records.writable(left, len));
            let backlog = self.gathered.get(self.left..until).unwrap_or(&[]);
            match self.stream.write(backlog) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Ok(len) => {
                    self.left = self.left.saturating_add(len);
                    self.sent = self.sent.saturating_add(len);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        if let Some(records) = self.stream.records() {
            records.all_written(self.gathered.len());
        }
        self.gathered.clear();
        self.left = 0;
        Ok(true)
    }

    /// Reads the bytes that have arrived; `None` if there are none. Waits if the socket does not take turns.
    pub(crate) fn pull(&mut self, buf: &mut [u8]) -> Option<Result<usize, SocketError>> {
        if !self.in_turns {
            return Some(self.read(buf));
        }
        loop {
            match self.stream.read(buf) {
                Ok(len) => {
                    self.count(len);
                    return Some(Ok(len));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                Err(error) => return Some(Err(error.into())),
            }
        }
    }

    /// Writes; bytes that cannot leave at once are copied, to wait for the next turn.
    pub(super) fn write_in_turns(&mut self, buf: &[u8]) -> Result<usize, SocketError> {
        if self.push()? && buf.len() >= GATHERED {
            self.stream.records().into_iter().for_each(Records::written_beside);
            match self.stream.write(buf) {
                Ok(len) => {
                    self.sent = self.sent.saturating_add(len);
                    return Ok(len);
                }
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.gathered.extend_from_slice(buf);
        Ok(buf.len())
    }

    /// The gathered bytes that have not left.
    fn backlog(&self) -> &[u8] {
        self.gathered.get(self.left..).unwrap_or(&[])
    }
}

/// Waits until one of the events `awaited` happens, at most for `time`. Sets `ready` to whether each of them has.
pub(crate) fn wait<'s>(
    awaited: impl Iterator<Item = PollFd<'s>>,
    time: Duration,
    ready: &mut Vec<bool>,
) -> io::Result<()> {
    let mut fds: Vec<_> = awaited.collect();
    ready.clear();
    if fds.is_empty() {
        // Not every system's `poll` takes an empty list.
        thread::sleep(time);
        return Ok(());
    }
    // A time that is too long for the system's type is taken as no limit.
    let time = Timespec::try_from(time).ok();
    match poll(&mut fds, time.as_ref()) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    ready.extend(fds.iter().map(|fd| !fd.revents().is_empty()));
    Ok(())
}

/// Whether there is nothing to read from `stream`, not even its end.
pub(super) fn is_silent(stream: &Stream) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(stream.fd(), PollFlags::IN)];
    poll(&mut fds, Some(&Timespec::default())) == Ok(0)
}

impl Stream {
    fn fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            #[cfg(unix)]
            Self::Unix(stream) => stream.as_fd(),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.tcp().as_fd(),
        }
    }
}
