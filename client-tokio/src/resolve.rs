//! The resolver: finds the addresses of a name outside the runtime's threads.

use core::net::SocketAddr;
use std::{
    io,
    net::ToSocketAddrs as _,
    process,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use memring_client::dial::Resolved;
use tokio::sync::watch;

/// The name of one server, looked up anew for each connection.
///
/// The system's resolver can hang for longer than any deadline and cannot be interrupted, so it runs in a thread of its
/// own, for which a runtime that ends does not wait. There is one such thread at a time for each name, and its answer
/// goes to all callers that wait for it.
#[derive(Debug)]
pub(crate) struct Resolver {
    host: Arc<str>,
    port: u16,
    /// The lookup that is running, and its process: a forked process does not have the thread.
    lookup: Mutex<Option<(u32, watch::Receiver<Option<Resolved>>)>>,
}

impl Resolver {
    /// A resolver of `host`.
    pub(crate) fn new(host: &str, port: u16) -> Self {
        Self { host: host.into(), port, lookup: Mutex::new(None) }
    }

    /// The current addresses of the name, at least one. Takes as long as the system's resolver; the future may be
    /// dropped.
    pub(crate) async fn resolve(&self) -> io::Result<Arc<[SocketAddr]>> {
        if let Some(literal) = Resolved::literal(&self.host, self.port) {
            return literal.addresses();
        }
        let mut lookup = self.lookup()?;
        let answer = lookup.wait_for(Option::is_some).await.map_err(|_| io::ErrorKind::Other)?;
        answer.as_ref().map_or_else(|| Err(io::ErrorKind::NotFound.into()), Resolved::addresses)
    }

    /// The lookup that is running, or a new one.
    fn lookup(&self) -> io::Result<watch::Receiver<Option<Resolved>>> {
        let mut running = self.lookup.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((home, lookup)) = &*running {
            if *home == process::id() && matches!(lookup.has_changed(), Ok(false)) {
                return Ok(lookup.clone());
            }
        }
        let (sender, receiver) = watch::channel(None);
        let (host, port) = (Arc::clone(&self.host), self.port);
        thread::Builder::new().name("memring-resolve".into()).spawn(move || {
            sender.send_replace(Some(Resolved::new((&*host, port).to_socket_addrs())));
        })?;
        *running = Some((process::id(), receiver.clone()));
        Ok(receiver)
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
