//! A socket among others: nothing is waited for but that one of them is ready.

use core::time::Duration;
use std::{io, thread};

use embedded_io::Read as _;
use memring_client::Records;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fd::{AsFd as _, BorrowedFd},
    io::Errno,
};

use super::{ROOM, Socket, SocketError, Stream};

impl Socket {
    /// From now on nothing waits; see [`push`](Self::push) and [`pull`](Self::pull).
    pub(crate) fn begin_turns(&mut self) -> io::Result<()> {
        self.stream.set_nonblocking(true)?;
        self.in_turns = true;
        Ok(())
    }

    /// From now on, reads and writes wait until the deadline, as they do in a connection of one caller.
    pub(crate) fn end_turns(&mut self) -> io::Result<()> {
        if !self.in_turns {
            return Ok(());
        }
        if self.gathered.capacity() > 2 * ROOM {
            self.gathered = Vec::new();
        }
        self.stream.set_nonblocking(false)?;
        self.in_turns = false;
        Ok(())
    }

    /// Whether nothing waits.
    pub(crate) const fn is_in_turns(&self) -> bool {
        self.in_turns
    }

    /// What it waits for: something to read, or that it can be written to, where it has something to send.
    pub(crate) fn awaited(&self) -> PollFd<'_> {
        let sends = if self.backlog().is_empty() { PollFlags::empty() } else { PollFlags::OUT };
        PollFd::from_borrowed_fd(self.stream.fd(), PollFlags::IN | sends)
    }

    /// Whether so much waits to be sent that there should be no more for now.
    pub(crate) fn is_full(&self) -> bool {
        self.backlog().len() >= ROOM
    }

    /// Sends what was gathered, as much of it as the system takes; says whether that was all. Where reads and writes wait,
    /// this does.
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

    /// Reads what has come; `None` where nothing has. Where reads and writes wait, this does.
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

    /// What does not leave at once is kept: only a copy can wait for its turn.
    pub(super) fn write_in_turns(&mut self, buf: &[u8]) -> Result<usize, SocketError> {
        if self.push()? && buf.len() >= ROOM {
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

    /// What was gathered and has not left.
    fn backlog(&self) -> &[u8] {
        self.gathered.get(self.left..).unwrap_or(&[])
    }
}

/// Waits until the system tells something of one of `awaited`; at most for `time`. Says of each, in `ready`, whether it has.
pub(crate) fn wait<'s>(
    awaited: impl Iterator<Item = PollFd<'s>>,
    time: Duration,
    ready: &mut Vec<bool>,
) -> io::Result<()> {
    let mut fds: Vec<_> = awaited.collect();
    ready.clear();
    if fds.is_empty() {
        // Not every system waits for nothing.
        thread::sleep(time);
        return Ok(());
    }
    // A wait that is too long for the system is as good as one without end, and ends as soon as there is a reason to.
    let time = Timespec::try_from(time).ok();
    match poll(&mut fds, time.as_ref()) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    ready.extend(fds.iter().map(|fd| !fd.revents().is_empty()));
    Ok(())
}

/// Whether there is nothing to be read from `stream`, not even an end.
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
