//! From an address to a connected socket.

use core::{net::SocketAddr, time::Duration};
use std::{io, net::TcpStream, path::Path, sync::Arc};

#[cfg(feature = "tls")]
use memring_client::tls::{Tls, TlsTarget};
use memring_client::{
    Config, OwnedCredentials,
    failure::Cause,
    spec::{Address, ServerSpec},
};
use socket2::{SockRef, TcpKeepalive};

#[cfg(feature = "tls")]
use crate::socket::TlsStream;
use crate::{
    deadline::Deadline,
    resolve::Resolver,
    socket::{Socket, Stream},
};

/// Opens connections to one server.
#[derive(Debug)]
pub(crate) struct Dialer {
    place: Place,
    auth: Option<OwnedCredentials>,
    keepalive: Option<Duration>,
    #[cfg(feature = "tls")]
    tls: Option<TlsTarget>,
}

#[derive(Debug)]
enum Place {
    Tcp(Arc<Resolver>),
    Unix(Box<Path>),
}

impl Dialer {
    /// A dialer for the server of `spec`. What it says of itself counts before the options.
    ///
    /// # Errors
    /// The server is none for what the options want, or for what this build can.
    pub(crate) fn new(spec: &ServerSpec, options: &Config) -> Result<Self, Cause> {
        #[cfg(not(feature = "tls"))]
        memring_client::spec::TlsUnavailable::check(spec).map_err(Cause::config)?;
        let place = match spec.address() {
            Address::Tcp { host, port } => Place::Tcp(Arc::new(Resolver::new(host, *port))),
            Address::Unix(path) => Place::Unix(Path::new(path).into()),
        };
        Ok(Self {
            place,
            auth: spec.credentials().or(options.auth.as_ref()).cloned(),
            keepalive: options.keepalive,
            #[cfg(feature = "tls")]
            tls: Tls::for_spec(options.tls.as_ref(), spec)?,
        })
    }

    /// What is to be said on a connection before anything else.
    pub(crate) const fn auth(&self) -> Option<&OwnedCredentials> {
        self.auth.as_ref()
    }

    /// Opens a connection whose operations will usually have `timeout`.
    pub(crate) fn dial(&self, deadline: Deadline, timeout: Duration) -> Result<Socket, Cause> {
        let stream = match &self.place {
            Place::Tcp(resolver) => {
                let addresses = resolver.resolve(deadline).map_err(Cause::resolve)?;
                tcp_of_any(&addresses, deadline, TcpOptions::new(self.keepalive, timeout))
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
fn tcp_of_any(addresses: &[SocketAddr], deadline: Deadline, options: TcpOptions) -> io::Result<Stream> {
    let mut error = io::ErrorKind::NotFound.into();
    for (to_go, address) in (1..=u32::try_from(addresses.len()).unwrap_or(u32::MAX)).rev().zip(addresses) {
        match tcp(*address, deadline.left() / to_go, options) {
            Ok(stream) => return Ok(Stream::Tcp(stream)),
            Err(failure) => error = failure,
        }
    }
    Err(error)
}

fn tcp(address: SocketAddr, wait: Duration, options: TcpOptions) -> io::Result<TcpStream> {
    if wait.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    let stream = TcpStream::connect_timeout(&address, wait)?;
    // Where nobody listens on a port that the system gives to clients, a connection can meet itself.
    if stream.local_addr()? == address {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    options.set(&SockRef::from(&stream))?;
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

/// What the system is told of a TCP connection.
#[derive(Clone, Copy, Debug)]
struct TcpOptions {
    keepalive: Option<Duration>,
    #[cfg(any(target_os = "android", target_os = "linux"))]
    user_timeout: Duration,
}

impl TcpOptions {
    /// For operations that usually have `timeout`.
    #[cfg_attr(not(any(target_os = "android", target_os = "linux")), expect(unused_variables))]
    fn new(keepalive: Option<Duration>, timeout: Duration) -> Self {
        Self {
            keepalive,
            #[cfg(any(target_os = "android", target_os = "linux"))]
            user_timeout: timeout.max(USER_TIMEOUT),
        }
    }

    fn set(&self, socket: &SockRef<'_>) -> io::Result<()> {
        socket.set_tcp_nodelay(true)?;
        if let Some(idle) = self.keepalive {
            let keepalive = TcpKeepalive::new().with_time(idle.max(SHORTEST_IDLE));
            // Asked this often, who does not answer is found out within the time below.
            #[cfg(any(target_os = "android", target_os = "linux"))]
            let keepalive = keepalive.with_interval(USER_TIMEOUT / 2);
            socket.set_tcp_keepalive(&keepalive)?;
        }
        // A peer that has vanished is noticed when what was sent to it is not acknowledged.
        #[cfg(any(target_os = "android", target_os = "linux"))]
        socket.set_tcp_user_timeout(Some(self.user_timeout))?;
        Ok(())
    }
}

/// How long what was sent may go without an acknowledgement before the system gives the connection up. An operation that
/// waits for an answer gives up by its own deadline; this is for what nobody waits for.
#[cfg(any(target_os = "android", target_os = "linux"))]
const USER_TIMEOUT: Duration = Duration::from_secs(10);

/// Systems count in seconds.
const SHORTEST_IDLE: Duration = Duration::from_secs(1);

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
        let dial = |addresses: &[SocketAddr]| {
            tcp_of_any(addresses, Deadline::after(timeout), TcpOptions::new(None, timeout))
        };
        assert!(dial(&[gone, gone, there]).is_ok());
        assert_eq!(dial(&[gone]).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        assert!(dial(&[]).is_err());
    }

    #[test]
    fn the_system_is_told() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        for (keepalive, timeout) in [(Some(60), 1), (Some(0), 100), (None, 1)] {
            let seconds = Duration::from_secs;
            let options = TcpOptions::new(keepalive.map(seconds), seconds(timeout));
            let stream = tcp(address, Duration::from_secs(9), options).unwrap();
            let socket = SockRef::from(&stream);
            assert!(socket.tcp_nodelay().unwrap());
            assert_eq!(socket.keepalive().unwrap(), keepalive.is_some());
            #[cfg(target_os = "linux")]
            assert_eq!(socket.tcp_user_timeout().unwrap(), Some(seconds(timeout.max(10))));
            #[cfg(target_os = "linux")]
            if let Some(keepalive) = keepalive {
                assert_eq!(socket.tcp_keepalive_time().unwrap(), seconds(keepalive.max(1)));
                assert_eq!(socket.tcp_keepalive_interval().unwrap(), seconds(5));
            }
        }
    }
}
