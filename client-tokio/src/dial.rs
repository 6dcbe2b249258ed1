//! From an address to a connected socket.

use core::net::SocketAddr;
#[cfg(any(unix, test))]
use core::time::Duration;
use std::{io, path::Path};

#[cfg(feature = "tls")]
use memring_client::tls::{TlsTarget, cause_of};
use memring_client::{
    Config,
    dial::{TcpOptions, Terms},
    failure::Cause,
    spec::{Address, ServerSpec},
};
use socket2::SockRef;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
#[cfg(feature = "tls")]
use tokio_rustls::TlsConnector;

use self::auth::authenticate;
use crate::{deadline::check_runtime, resolve::Resolver, socket::Stream};

mod auth;

pub(crate) use self::auth::try_out;

/// Opens connections to one server.
#[derive(Debug)]
pub(crate) struct Dialer {
    place: Place,
    terms: Terms,
}

#[derive(Debug)]
enum Place {
    Tcp(Resolver),
    Unix(Box<Path>),
    /// No server has the slot: another one may have the address by now.
    Vacant,
    #[cfg(test)]
    Memory(Connect),
}

/// Opens connections in memory.
#[cfg(test)]
#[derive(Clone)]
pub(crate) struct Connect(pub(crate) std::sync::Arc<dyn Fn() -> io::Result<Stream> + Send + Sync>);

#[cfg(test)]
impl core::fmt::Debug for Connect {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Connect")
    }
}

impl Dialer {
    /// A dialer for the server of `spec`. If its slot `is_vacant`, no connection is opened.
    ///
    /// # Errors
    /// As of [`Terms::new`].
    pub(crate) fn new(spec: &ServerSpec, is_vacant: bool, options: &Config) -> Result<Self, Cause> {
        let place = match spec.address() {
            _ if is_vacant => Place::Vacant,
            Address::Tcp { host, port } => Place::Tcp(Resolver::new(host, *port)),
            Address::Unix(path) => Place::Unix(Path::new(path).into()),
        };
        Ok(Self { place, terms: Terms::new(spec, options)? })
    }

    /// A dialer that opens its connections in memory.
    #[cfg(test)]
    pub(crate) fn in_memory(connect: Connect) -> Self {
        Self {
            place: Place::Memory(connect),
            terms: Terms {
                auth: None,
                tcp: TcpOptions::new(None, Duration::ZERO),
                #[cfg(feature = "tls")]
                tls: None,
            },
        }
    }

    /// Opens a connection by `deadline`.
    pub(crate) async fn dial(&self, deadline: Instant) -> Result<Stream, Cause> {
        let stream = match &self.place {
            Place::Tcp(resolver) => {
                let addresses = in_time(deadline, resolver.resolve()).await;
                let addresses = addresses.map_err(Cause::resolve)?;
                tcp_of_any(&addresses, deadline, self.terms.tcp).await
            }
            Place::Unix(path) => in_time(deadline, unix(path)).await,
            Place::Vacant => return Err(Cause::Vacant),
            #[cfg(test)]
            Place::Memory(Connect(connect)) => connect(),
        };
        let stream = stream.map_err(Cause::connect)?;
        let admitted = timeout_at(deadline, self.admitted(stream)).await;
        admitted.unwrap_or_else(|_| Err(Cause::connect(io::ErrorKind::TimedOut.into())))
    }

    /// Checks that the current runtime has what connections need.
    ///
    /// # Errors
    /// The runtime lacks its clock or its network.
    pub(crate) fn check_runtime(&self) -> Result<(), Cause> {
        match &self.place {
            Place::Tcp(_) | Place::Unix(_) | Place::Vacant => check_runtime(),
            #[cfg(test)]
            Place::Memory(_) => Ok(()),
        }
    }

    /// Encrypts a connection and logs in, as far as the terms demand.
    async fn admitted(&self, stream: Stream) -> Result<Stream, Cause> {
        let mut stream = self.encrypted(stream).await?;
        if let Some(auth) = &self.terms.auth {
            authenticate(&mut stream, auth.credentials()).await?;
        }
        Ok(stream)
    }

    #[cfg(feature = "tls")]
    async fn encrypted(&self, stream: Stream) -> Result<Stream, Cause> {
        Ok(match (&self.terms.tls, stream) {
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

/// Tries one address after the other. Each has its part of the time that is left, so that an address that never answers
/// does not use up the time of the others.
async fn tcp_of_any(addresses: &[SocketAddr], deadline: Instant, options: TcpOptions) -> io::Result<Stream> {
    let mut error = io::ErrorKind::NotFound.into();
    for (to_go, address) in (1..=u32::try_from(addresses.len()).unwrap_or(u32::MAX)).rev().zip(addresses) {
        let now = Instant::now();
        let part = now + deadline.saturating_duration_since(now) / to_go;
        match in_time(part, tcp(*address, options)).await {
            Ok(stream) => return Ok(Stream::Tcp(stream)),
            Err(failure) => error = failure,
        }
    }
    Err(error)
}

async fn tcp(address: SocketAddr, options: TcpOptions) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    // A port that the system gives to clients and where no server listens can be connected to itself.
    if stream.local_addr()? == address {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    options.set(&SockRef::from(&stream))?;
    Ok(stream)
}

#[cfg(unix)]
async fn unix(path: &Path) -> io::Result<Stream> {
    loop {
        match tokio::net::UnixStream::connect(path).await {
            // The socket's queue is full, and the system does not report when it has space again.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => tokio::time::sleep(LOOK_AGAIN).await,
            connected => return connected.map(Stream::Unix),
        }
    }
}

#[cfg(not(unix))]
async fn unix(_: &Path) -> io::Result<Stream> {
    Err(io::ErrorKind::Unsupported.into())
}

async fn in_time<T>(deadline: Instant, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout_at(deadline, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// The time between two trials at a socket whose queue is full.
#[cfg(unix)]
const LOOK_AGAIN: Duration = Duration::from_millis(1);
