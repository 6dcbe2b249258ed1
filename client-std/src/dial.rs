//! From an address to a connected socket.

use core::{net::SocketAddr, time::Duration};
use std::{io, net::TcpStream, path::Path, sync::Arc};

use memring_core::spec::Address;
use memring_text::{OwnedCredentials, failure::Cause};
use socket2::{SockRef, TcpKeepalive};

use crate::{
    deadline::Deadline,
    resolve::Resolver,
    socket::{Socket, Stream},
};
#[cfg(feature = "tls")]
use crate::{
    socket::TlsStream,
    tls::{Tls, TlsTarget},
};

/// How connections are opened.
#[derive(Clone, Debug)]
pub(crate) struct DialOptions {
    /// What is said before anything else.
    pub(crate) auth: Option<OwnedCredentials>,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<Tls>,
}

impl DialOptions {
    pub(crate) const DEFAULT: Self = Self {
        auth: None,
        #[cfg(feature = "tls")]
        tls: None,
    };
}

/// Opens connections to one server.
#[derive(Debug)]
pub(crate) struct Dialer {
    place: Place,
    #[cfg(feature = "tls")]
    tls: Option<TlsTarget>,
}

#[derive(Debug)]
enum Place {
    Tcp(Arc<Resolver>),
    Unix(Box<Path>),
}

impl Dialer {
    /// A dialer for `address`.
    ///
    /// # Errors
    /// The address is none for what the options want.
    #[cfg_attr(not(feature = "tls"), expect(unused_variables))]
    pub(crate) fn new(address: &Address, options: &DialOptions) -> Result<Self, Cause> {
        let place = match address {
            Address::Tcp { host, port } => Place::Tcp(Arc::new(Resolver::new(host, *port))),
            Address::Unix(path) => Place::Unix(Path::new(path).into()),
        };
        Ok(Self {
            place,
            #[cfg(feature = "tls")]
            tls: options.tls.as_ref().map(|tls| tls.for_server(address)).transpose()?,
        })
    }

    /// Opens a connection whose operations will usually have `timeout`.
    pub(crate) fn dial(&self, deadline: Deadline, timeout: Duration) -> Result<Socket, Cause> {
        let stream = match &self.place {
            Place::Tcp(resolver) => {
                let addresses = resolver.resolve(deadline).map_err(Cause::resolve)?;
                tcp_of_any(&addresses, deadline, timeout)
            }
            Place::Unix(path) => unix(path, deadline),
        };
        let stream = self.encrypted(stream.map_err(Cause::connect)?, deadline)?;
        Socket::new(stream, timeout).map_err(Cause::connect)
    }

    #[cfg(feature = "tls")]
    fn encrypted(&self, stream: Stream, deadline: Deadline) -> Result<Stream, Cause> {
        Ok(match (&self.tls, stream) {
            (Some(target), Stream::Tcp(tcp)) => {
                Stream::Tls(Box::new(TlsStream::connect(tcp, target, deadline)?))
            }
            (_, stream) => stream,
        })
    }

    #[cfg(not(feature = "tls"))]
    fn encrypted(&self, stream: Stream, _: Deadline) -> Result<Stream, Cause> {
        Ok(stream)
    }
}

/// Tries one address after the other; each gets its part of the time that is left, so that one that swallows
/// everything does not use up the time of the others.
fn tcp_of_any(addresses: &[SocketAddr], deadline: Deadline, timeout: Duration) -> io::Result<Stream> {
    let mut error = io::ErrorKind::NotFound.into();
    for (to_go, address) in (1..=u32::try_from(addresses.len()).unwrap_or(u32::MAX)).rev().zip(addresses) {
        match tcp(*address, deadline.left() / to_go, timeout) {
            Ok(stream) => return Ok(Stream::Tcp(stream)),
            Err(failure) => error = failure,
        }
    }
    Err(error)
}

fn tcp(address: SocketAddr, wait: Duration, timeout: Duration) -> io::Result<TcpStream> {
    if wait.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    let stream = TcpStream::connect_timeout(&address, wait)?;
    // Where nobody listens on a port that the system gives to clients, a connection can meet itself.
    if stream.local_addr()? == address {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    stream.set_nodelay(true)?;
    let socket = SockRef::from(&stream);
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE))?;
    // A peer that has vanished is noticed when what was sent to it is not acknowledged.
    #[cfg(any(target_os = "android", target_os = "linux"))]
    socket.set_tcp_user_timeout(Some(timeout.max(USER_TIMEOUT)))?;
    #[cfg(not(any(target_os = "android", target_os = "linux")))]
    let _ = timeout;
    Ok(stream)
}

#[cfg(unix)]
fn unix(path: &Path, deadline: Deadline) -> io::Result<Stream> {
    use std::os::{fd::OwnedFd, unix::net::UnixStream};

    use socket2::{Domain, SockAddr, Socket, Type};

    let wait = deadline.left();
    if wait.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.connect_timeout(&SockAddr::unix(path)?, wait)?;
    Ok(Stream::Unix(UnixStream::from(OwnedFd::from(socket))))
}

#[cfg(not(unix))]
fn unix(_: &Path, _: Deadline) -> io::Result<Stream> {
    Err(io::ErrorKind::Unsupported.into())
}

/// How long what was sent may go without an acknowledgement before the system gives the connection up. An operation that
/// waits for an answer gives up by its own deadline; this is for what nobody waits for.
#[cfg(any(target_os = "android", target_os = "linux"))]
const USER_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection may be idle before the system asks whether the peer is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use core::net::Ipv4Addr;
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn every_address_is_tried() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let there = listener.local_addr().unwrap();
        let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let timeout = Duration::from_secs(9);
        let dial = |addresses: &[SocketAddr]| tcp_of_any(addresses, Deadline::after(timeout), timeout);
        assert!(dial(&[gone, gone, there]).is_ok());
        assert_eq!(dial(&[gone]).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        assert!(dial(&[]).is_err());
    }
}
