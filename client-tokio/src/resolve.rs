//! From a name to addresses, off the runtime's threads.

use core::net::{IpAddr, SocketAddr};
use std::{
    io,
    net::ToSocketAddrs as _,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use tokio::sync::watch;

/// The name of one server, looked up anew for each connection.
///
/// The system's resolver can hang for longer than any deadline and cannot be called back, so it runs in a thread of its
/// own, which a runtime that ends does not wait for: one at a time for each name, whose answer goes to all who wait.
#[derive(Debug)]
pub(crate) struct Resolver {
    host: Arc<str>,
    port: u16,
    lookup: Mutex<Option<watch::Receiver<Option<Answer>>>>,
}

/// An `io::Error` cannot be copied for each who waits; its kind and text can.
type Answer = Result<Arc<[SocketAddr]>, (io::ErrorKind, String)>;

impl Resolver {
    /// A resolver of `host`.
    pub(crate) fn new(host: &str, port: u16) -> Self {
        Self { host: host.into(), port, lookup: Mutex::new(None) }
    }

    /// The addresses of the name as of now; never none. It may be dropped and waits for as long as the system does.
    pub(crate) async fn resolve(&self) -> io::Result<Arc<[SocketAddr]>> {
        if let Ok(number) = self.host.parse::<IpAddr>() {
            return Ok([SocketAddr::new(number, self.port)].into());
        }
        let mut lookup = self.lookup()?;
        let answer = lookup.wait_for(Option::is_some).await.map_err(|_| io::ErrorKind::Other)?.clone();
        match answer {
            Some(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
            Some(Err((kind, text))) => Err(io::Error::new(kind, text)),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// The lookup that is running, or a new one.
    fn lookup(&self) -> io::Result<watch::Receiver<Option<Answer>>> {
        let mut running = self.lookup.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lookup) = running.as_ref().filter(|lookup| matches!(lookup.has_changed(), Ok(false))) {
            return Ok(lookup.clone());
        }
        let (sender, receiver) = watch::channel(None);
        let (host, port) = (Arc::clone(&self.host), self.port);
        thread::Builder::new().name("memring-resolve".into()).spawn(move || {
            let answer = match (&*host, port).to_socket_addrs() {
                Ok(addresses) => Ok(addresses.collect()),
                Err(error) => Err((error.kind(), error.to_string())),
            };
            sender.send_replace(Some(answer));
        })?;
        Ok(running.insert(receiver).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn numbers_need_no_resolver() {
        let addresses = Resolver::new("::1", 7).resolve().await.unwrap();
        assert_eq!(addresses[..], ["[::1]:7".parse().unwrap()]);
    }

    #[tokio::test]
    async fn a_name_gives_its_addresses_each_time() {
        let resolver = Resolver::new("localhost", 7);
        for _ in 0..2 {
            let addresses = resolver.resolve().await.unwrap();
            assert!(addresses.iter().all(|address| address.ip().is_loopback() && address.port() == 7));
        }
    }
}
