//! From a name to addresses, within a deadline.

use core::net::{IpAddr, SocketAddr};
use std::{
    io,
    net::ToSocketAddrs as _,
    process,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use crate::deadline::Deadline;

/// The name of one server, looked up anew for each connection.
///
/// The system's resolver can hang for longer than any deadline and cannot be called back, so it runs in a thread of its
/// own: one at a time for each name, whose answer goes to all who wait for it.
#[derive(Debug)]
pub(crate) struct Resolver {
    host: String,
    port: u16,
    lookup: Mutex<Lookup>,
    answered: Condvar,
}

#[derive(Debug)]
struct Lookup {
    /// The process that has a thread for it: where that is another, the thread was not inherited by the fork.
    running: Option<u32>,
    /// How many answers there have been, and the last one.
    answers: u64,
    answer: Answer,
}

/// An `io::Error` cannot be copied for each who waits; its kind and text can.
type Answer = Result<Arc<[SocketAddr]>, (io::ErrorKind, String)>;

impl Resolver {
    /// A resolver of `host`.
    pub(crate) fn new(host: &str, port: u16) -> Self {
        let lookup = Lookup { running: None, answers: 0, answer: Ok([].into()) };
        Self { host: host.to_owned(), port, lookup: Mutex::new(lookup), answered: Condvar::new() }
    }

    /// The addresses of the name as of now; never none.
    pub(crate) fn resolve(self: &Arc<Self>, deadline: Deadline) -> io::Result<Arc<[SocketAddr]>> {
        if let Ok(number) = self.host.parse::<IpAddr>() {
            return Ok([SocketAddr::new(number, self.port)].into());
        }
        let mut lookup = self.lock();
        let before = lookup.answers;
        if lookup.running != Some(process::id()) {
            let resolver = Arc::clone(self);
            thread::Builder::new().name("memring-resolve".into()).spawn(move || resolver.look_up())?;
            lookup.running = Some(process::id());
        }
        let (lookup, _) = self
            .answered
            .wait_timeout_while(lookup, deadline.left(), |lookup| lookup.answers == before)
            .unwrap_or_else(PoisonError::into_inner);
        if lookup.answers == before {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match &lookup.answer {
            Ok(addresses) if addresses.is_empty() => Err(io::ErrorKind::NotFound.into()),
            Ok(addresses) => Ok(Arc::clone(addresses)),
            Err((kind, text)) => Err(io::Error::new(*kind, text.clone())),
        }
    }

    fn look_up(&self) {
        let answer = match (self.host.as_str(), self.port).to_socket_addrs() {
            Ok(addresses) => Ok(addresses.collect()),
            Err(error) => Err((error.kind(), error.to_string())),
        };
        let mut lookup = self.lock();
        *lookup = Lookup { running: None, answers: lookup.answers.wrapping_add(1), answer };
        self.answered.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Lookup> {
        self.lookup.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    fn resolve(host: &str, timeout: Duration) -> io::Result<Arc<[SocketAddr]>> {
        Arc::new(Resolver::new(host, 7)).resolve(Deadline::after(timeout))
    }

    #[test]
    fn numbers_need_no_resolver() {
        let addresses = resolve("::1", Duration::ZERO).unwrap();
        assert_eq!(addresses[..], ["[::1]:7".parse().unwrap()]);
    }

    #[test]
    fn a_name_gives_its_addresses() {
        let addresses = resolve("localhost", Duration::from_secs(9)).unwrap();
        assert!(addresses.iter().all(|address| address.ip().is_loopback() && address.port() == 7));
    }

    #[test]
    fn nobody_waits_past_the_deadline() {
        let error = resolve("localhost", Duration::ZERO).map(drop);
        // The thread may have been faster than no time at all.
        assert!(error.is_ok() || error.is_err_and(|error| error.kind() == io::ErrorKind::TimedOut));
    }
}
