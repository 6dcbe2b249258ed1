//! From an address to a connected socket.

use core::{net::SocketAddr, time::Duration};
use std::{io, path::Path};

use memring_core::spec::Address;
use memring_text::{OwnedCredentials, failure::Cause};
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
#[cfg(feature = "tls")]
use tokio_rustls::TlsConnector;

use self::auth::authenticate;
#[cfg(feature = "tls")]
use crate::tls::{Tls, TlsTarget, cause_of};
use crate::{resolve::Resolver, socket::Stream};

mod auth;

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
    auth: Option<OwnedCredentials>,
    #[cfg(feature = "tls")]
    tls: Option<TlsTarget>,
}

#[derive(Debug)]
enum Place {
    Tcp(Resolver),
    Unix(Box<Path>),
}

impl Dialer {
    /// A dialer for `address`.
    ///
    /// # Errors
    /// The address is none for what the options want.
    pub(crate) fn new(address: &Address, options: &DialOptions) -> Result<Self, Cause> {
        let place = match address {
            Address::Tcp { host, port } => Place::Tcp(Resolver::new(host, *port)),
            Address::Unix(path) => Place::Unix(Path::new(path).into()),
        };
        Ok(Self {
            place,
            auth: options.auth.clone(),
            #[cfg(feature = "tls")]
            tls: options.tls.as_ref().map(|tls| tls.for_server(address)).transpose()?,
        })
    }

    /// Opens a connection by `deadline`; its operations will usually have `timeout`.
    pub(crate) async fn dial(&self, deadline: Instant, timeout: Duration) -> Result<Stream, Cause> {
        let stream = match &self.place {
            Place::Tcp(resolver) => {
                let addresses = in_time(deadline, resolver.resolve()).await;
                let addresses = addresses.map_err(Cause::resolve)?;
                tcp_of_any(&addresses, deadline, timeout).await
            }
            Place::Unix(path) => in_time(deadline, unix(path)).await,
        };
        let stream = stream.map_err(Cause::connect)?;
        let admitted = timeout_at(deadline, self.admitted(stream)).await;
        admitted.unwrap_or_else(|_| Err(Cause::connect(io::ErrorKind::TimedOut.into())))
    }

    /// What there is to do on a connection before it is of use.
    async fn admitted(&self, stream: Stream) -> Result<Stream, Cause> {
        let mut stream = self.encrypted(stream).await?;
        if let Some(auth) = &self.auth {
            authenticate(&mut stream, auth.credentials()).await?;
        }
        Ok(stream)
    }

    #[cfg(feature = "tls")]
    async fn encrypted(&self, stream: Stream) -> Result<Stream, Cause> {
        Ok(match (&self.tls, stream) {
            (Some(target), Stream::Tcp(tcp)) => {
                let TlsTarget { config, name } = target.clone();
                let encrypted = TlsConnector::from(config).connect(name, tcp).await;
                Stream::Tls(Box::new(encrypted.map_err(|error| cause_of(error, Cause::connect))?))
            }
            (_, stream) => stream,
        })
    }

    #[cfg(not(feature = "tls"))]
    async fn encrypted(&self, stream: Stream) -> Result<Stream, Cause> {
        Ok(stream)
    }
}

/// Tries one address after the other; each gets its part of the time that is left, so that one that swallows
/// everything does not use up the time of the others.
async fn tcp_of_any(addresses: &[SocketAddr], deadline: Instant, timeout: Duration) -> io::Result<Stream> {
    let mut error = io::ErrorKind::NotFound.into();
    for (to_go, address) in (1..=u32::try_from(addresses.len()).unwrap_or(u32::MAX)).rev().zip(addresses) {
        let now = Instant::now();
        let part = now + deadline.saturating_duration_since(now) / to_go;
        match in_time(part, tcp(*address, timeout)).await {
            Ok(stream) => return Ok(Stream::Tcp(stream)),
            Err(failure) => error = failure,
        }
    }
    Err(error)
}

async fn tcp(address: SocketAddr, timeout: Duration) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    // Where nobody listens on a port that the system gives to clients, a connection can meet itself.
    if stream.local_addr()? == address {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    stream.set_nodelay(true)?;
    let socket = SockRef::from(&stream);
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE))?;
    // A peer that has vanished is noticed when what was sent to it is not acknowledged.
    #[cfg(any(target_os = "android", target_os = "linux"))]
    socket.set_tcp_user_timeout(Some(timeout.max(Duration::from_secs(1))))?;
    #[cfg(not(any(target_os = "android", target_os = "linux")))]
    let _ = timeout;
    Ok(stream)
}

#[cfg(unix)]
async fn unix(path: &Path) -> io::Result<Stream> {
    Ok(Stream::Unix(tokio::net::UnixStream::connect(path).await?))
}

#[cfg(not(unix))]
async fn unix(_: &Path) -> io::Result<Stream> {
    Err(io::ErrorKind::Unsupported.into())
}

async fn in_time<T>(deadline: Instant, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout_at(deadline, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// How long a connection may be idle before the system asks whether the peer is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);
