//! What opening a connection needs to know: credentials, socket options, encryption, and the addresses of a name.

use core::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use std::{io, sync::Arc};

use socket2::{SockRef, TcpKeepalive};

#[cfg(feature = "tls")]
use crate::tls::{Tls, TlsTarget};
use crate::{config::Config, credentials::OwnedCredentials, failure::Cause, spec::ServerSpec};

/// What all connections to one server have in common.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The name and password to send first on a connection.
    pub auth: Option<OwnedCredentials>,
    /// Options of a TCP connection for the system.
    pub tcp: TcpOptions,
    /// How a connection is encrypted; `None`: it is not.
    #[cfg(feature = "tls")]
    pub tls: Option<TlsTarget>,
}

impl Terms {
    /// The terms of the server of `spec`. Its own credentials and encryption take precedence over those of `config`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::failure::ErrorKind::Config): the server cannot be reached as the configuration wants,
    /// or not by this build.
    pub fn new(spec: &ServerSpec, config: &Config) -> Result<Self, Cause> {
        #[cfg(not(feature = "tls"))]
        if spec.is_encrypted() {
            return Err(Cause::config(TlsUnavailable { server: spec.name().to_owned() }));
        }
        Ok(Self {
            auth: spec.credentials().or(config.auth.as_ref()).cloned(),
            tcp: TcpOptions::new(config.keepalive, config.timeout),
            #[cfg(feature = "tls")]
            tls: Tls::for_spec(config.tls.as_ref(), spec)?,
        })
    }
}

/// A server wants TLS, and the client is built without it.
#[cfg(not(feature = "tls"))]
#[derive(Debug)]
struct TlsUnavailable {
    server: String,
}

#[cfg(not(feature = "tls"))]
impl core::fmt::Display for TlsUnavailable {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "server {:?} wants TLS (memcacheds://); build with the feature `tls`", self.server)
    }
}

#[cfg(not(feature = "tls"))]
impl core::error::Error for TlsUnavailable {}

/// Options of a TCP connection for the system.
#[derive(Clone, Copy, Debug)]
pub struct TcpOptions {
    keepalive: Option<Duration>,
    #[cfg(any(target_os = "android", target_os = "linux"))]
    user_timeout: Duration,
}

impl TcpOptions {
    /// The options for operations that usually have `timeout`, over a connection that is probed after `keepalive`
    /// without use.
    #[cfg_attr(not(any(target_os = "android", target_os = "linux")), expect(unused_variables))]
    #[must_use]
    pub fn new(keepalive: Option<Duration>, timeout: Duration) -> Self {
        Self {
            keepalive,
            #[cfg(any(target_os = "android", target_os = "linux"))]
            user_timeout: timeout.max(USER_TIMEOUT),
        }
    }

    /// Sets the options.
    ///
    /// # Errors
    /// The system's error.
    pub fn set(&self, socket: &SockRef<'_>) -> io::Result<()> {
        socket.set_tcp_nodelay(true)?;
        if let Some(idle) = self.keepalive {
            let keepalive = TcpKeepalive::new().with_time(idle.max(SHORTEST_IDLE));
            // Probes this often notice a peer that does not answer within the time below.
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

/// How long the system waits for the acknowledgement of sent bytes before it gives the connection up. An operation that
/// waits for an answer ends by its own deadline; this is for bytes whose operation has ended.
#[cfg(any(target_os = "android", target_os = "linux"))]
const USER_TIMEOUT: Duration = Duration::from_secs(10);

/// Systems count in seconds.
const SHORTEST_IDLE: Duration = Duration::from_secs(1);

/// The addresses of a name, or why there are none. Unlike an [`io::Error`], it can be given to several callers.
#[derive(Clone, Debug)]
pub struct Resolved(Result<Arc<[SocketAddr]>, (io::ErrorKind, String)>);

impl Resolved {
    /// The address of a `host` that is an IP address, and needs no resolver.
    #[must_use]
    pub fn literal(host: &str, port: u16) -> Option<Self> {
        let ip = host.parse::<IpAddr>().ok()?;
        Some(Self(Ok([SocketAddr::new(ip, port)].into())))
    }

    /// The answer of a resolver.
    pub fn new(answer: io::Result<impl Iterator<Item = SocketAddr>>) -> Self {
        Self(answer.map(Iterator::collect).map_err(|error| (error.kind(), error.to_string())))
    }

    /// The addresses, at least one.
    ///
    /// # Errors
    /// The resolver's, or [`io::ErrorKind::NotFound`] when the name has no address.
    pub fn addresses(&self) -> io::Result<Arc<[SocketAddr]>> {
        match &self.0 {
            Ok(addresses) if addresses.is_empty() => Err(io::ErrorKind::NotFound.into()),
            Ok(addresses) => Ok(Arc::clone(addresses)),
            Err((kind, text)) => Err(io::Error::new(*kind, text.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use core::net::Ipv4Addr;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn the_system_is_told() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        for (keepalive, timeout) in [(Some(60), 1), (Some(0), 100), (None, 1)] {
            let seconds = Duration::from_secs;
            let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let socket = SockRef::from(&stream);
            TcpOptions::new(keepalive.map(seconds), seconds(timeout)).set(&socket).unwrap();
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

    #[test]
    fn a_number_needs_no_resolver() {
        let addresses = Resolved::literal("::1", 7).unwrap().addresses().unwrap();
        assert_eq!(addresses[..], ["[::1]:7".parse().unwrap()]);
        assert!(Resolved::literal("localhost", 7).is_none());
    }

    #[test]
    fn no_address_is_an_error() {
        let nothing = Resolved::new(Ok(core::iter::empty()));
        assert_eq!(nothing.addresses().unwrap_err().kind(), io::ErrorKind::NotFound);
        let failed = Resolved::new(Err::<core::iter::Empty<_>, _>(io::Error::other("no resolver")));
        assert_eq!(failed.addresses().unwrap_err().to_string(), "no resolver");
    }
}
