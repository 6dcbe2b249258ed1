//! From an address to a connected socket.

use core::time::Duration;
use std::{io, path::Path, sync::Arc};

#[cfg(feature = "tls")]
use memring_client::tls::{Tls, TlsTarget};
use memring_client::{
    Config, OwnedCredentials,
    failure::Cause,
    spec::{Address, ServerSpec},
};
use memring_text::Limits;
use socket2::{SockRef, TcpKeepalive};

pub(crate) use self::opening::Opening;
use crate::{deadline::Deadline, resolve::Resolver};

mod connecting;
mod opening;

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

    /// Begins to open a connection, which is to be there by `deadline` and whose operations will usually have `timeout`.
    pub(crate) fn dial(&self, deadline: Deadline, timeout: Duration, limits: Limits) -> Opening<'_> {
        Opening::new(self, deadline, timeout, limits)
    }
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
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn the_system_is_told() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        for (keepalive, timeout) in [(Some(60), 1), (Some(0), 100), (None, 1)] {
            let seconds = Duration::from_secs;
            let options = TcpOptions::new(keepalive.map(seconds), seconds(timeout));
            let stream = TcpStream::connect(address).unwrap();
            let socket = SockRef::from(&stream);
            options.set(&socket).unwrap();
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
