//! Connecting a stream, from one address of a server to the next, without waiting.

use core::{mem, net::SocketAddr};
#[cfg(unix)]
use std::os::{fd::OwnedFd, unix::net::UnixStream};
use std::{io, net::TcpStream, path::Path, sync::Arc};

use memring_client::dial::TcpOptions;
use rustix::{
    event::{PollFd, PollFlags},
    io::Errno,
};
#[cfg(unix)]
use socket2::SockAddr;
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::{deadline::Deadline, socket::Stream};

/// A stream that is being connected.
#[derive(Debug)]
pub(super) enum Connecting<'d> {
    Tcp(Addresses),
    /// Connecting never waits: a socket with a full queue refuses at once.
    Unix(&'d Path),
}

/// The addresses of a server, and how far they have been tried.
#[derive(Debug)]
pub(super) struct Addresses {
    options: TcpOptions,
    addresses: Arc<[SocketAddr]>,
    /// How many addresses have been tried before this one.
    tried: usize,
    attempt: Option<Attempt>,
    /// The error of the last address.
    error: io::Error,
}

/// The trial of one address. It has its own part of the time, so that an address that never answers does not use up the
/// time of the others.
#[derive(Debug)]
struct Attempt {
    socket: Socket,
    address: SocketAddr,
    deadline: Deadline,
}

impl<'d> Connecting<'d> {
    /// Begins to connect to the first of `addresses` that takes the connection.
    pub(super) fn to_any(addresses: Arc<[SocketAddr]>, options: TcpOptions) -> Self {
        let error = io::ErrorKind::NotFound.into();
        Self::Tcp(Addresses { options, addresses, tried: 0, attempt: None, error })
    }

    /// Goes on as far as that is possible without waiting; `deadline` is for all addresses together. Returns the
    /// connected stream, which does not block, once there is one.
    pub(super) fn turn(&mut self, deadline: Deadline) -> io::Result<Option<Stream>> {
        match self {
            Self::Tcp(addresses) => Ok(addresses.turn(deadline)?.map(Stream::Tcp)),
            Self::Unix(path) => unix(path),
        }
    }

    /// The event to wait for, if the system can report one, and until when.
    pub(super) fn awaited(&self) -> Option<(PollFd<'_>, Deadline)> {
        match self {
            Self::Tcp(Addresses { attempt: Some(attempt), .. }) => {
                Some((PollFd::new(&attempt.socket, PollFlags::OUT), attempt.deadline))
            }
            Self::Tcp(_) | Self::Unix(_) => None,
        }
    }
}

impl Addresses {
    fn turn(&mut self, deadline: Deadline) -> io::Result<Option<TcpStream>> {
        loop {
            let tried = match &self.attempt {
                Some(attempt) => attempt.is_connected(),
                None => match self.begin(deadline) {
                    Some(begun) => begun,
                    None => return Err(mem::replace(&mut self.error, io::ErrorKind::NotFound.into())),
                },
            };
            let tried = match tried {
                Ok(false) => return Ok(None),
                Ok(true) => self.attempt.take().map(|attempt| attempt.into_stream(self.options)),
                Err(error) => Some(Err(error)),
            };
            match tried {
                Some(Ok(stream)) => return Ok(Some(stream)),
                Some(Err(error)) => self.error = error,
                None => {}
            }
            self.attempt = None;
        }
    }

    /// Tries the next address; `None` when no address is left. Returns whether the stream is connected already.
    fn begin(&mut self, deadline: Deadline) -> Option<io::Result<bool>> {
        let rest = self.addresses.get(self.tried..)?;
        let address = *rest.first()?;
        self.tried += 1;
        let part = deadline.left() / u32::try_from(rest.len()).unwrap_or(u32::MAX);
        Some(Attempt::begin(address, deadline.within(part)).map(|(attempt, is_connected)| {
            self.attempt = Some(attempt);
            is_connected
        }))
    }
}

impl Attempt {
    fn begin(address: SocketAddr, deadline: Deadline) -> io::Result<(Self, bool)> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        let is_connected = match socket.connect(&address.into()) {
            Ok(()) => true,
            Err(error) if is_under_way(&error) => false,
            Err(error) => return Err(error),
        };
        Ok((Self { socket, address, deadline }, is_connected))
    }

    /// # Errors
    /// The stream cannot be connected, or not in time.
    fn is_connected(&self) -> io::Result<bool> {
        if let Some(error) = self.socket.take_error()? {
            return Err(error);
        }
        match self.socket.peer_addr() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotConnected || is_under_way(&error) => {
                if self.deadline.left().is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(false) }
            }
            Err(error) => Err(error),
        }
    }

    fn into_stream(self, options: TcpOptions) -> io::Result<TcpStream> {
        let stream = TcpStream::from(self.socket);
        // A port that the system gives to clients and where no server listens can be connected to itself.
        if stream.local_addr()? == self.address {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        options.set(&SockRef::from(&stream))?;
        Ok(stream)
    }
}

/// Whether `error` means that a connection is still being opened.
fn is_under_way(error: &io::Error) -> bool {
    match error.kind() {
        io::ErrorKind::Interrupted => true,
        io::ErrorKind::WouldBlock => cfg!(windows),
        _ => Errno::from_io_error(error) == Some(Errno::INPROGRESS),
    }
}

#[cfg(unix)]
fn unix(path: &Path) -> io::Result<Option<Stream>> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    match socket.connect(&SockAddr::unix(path)?) {
        Ok(()) => Ok(Some(Stream::Unix(UnixStream::from(OwnedFd::from(socket))))),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn unix(_: &Path) -> io::Result<Option<Stream>> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use core::{net::Ipv4Addr, time::Duration};
    use std::net::TcpListener;

    use super::*;

    fn listen() -> TcpListener {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()
    }

    fn connect(addresses: &[SocketAddr], time: Duration) -> io::Result<Stream> {
        let deadline = Deadline::after(time);
        let mut connecting = Connecting::to_any(addresses.into(), TcpOptions::new(None, time));
        loop {
            if let Some(stream) = connecting.turn(deadline)? {
                return Ok(stream);
            }
            let (awaited, part) = connecting.awaited().unwrap();
            crate::socket::wait([awaited].into_iter(), part.left(), &mut Vec::new())?;
        }
    }

    #[test]
    fn every_address_is_tried() {
        let listener = listen();
        let there = listener.local_addr().unwrap();
        let gone = listen().local_addr().unwrap();
        let time = Duration::from_secs(9);
        assert!(connect(&[gone, gone, there], time).is_ok());
        assert_eq!(connect(&[gone], time).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(connect(&[], time).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
