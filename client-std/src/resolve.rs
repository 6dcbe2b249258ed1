//! The resolver: finds the addresses of a name without blocking the caller.

use core::{net::SocketAddr, time::Duration};
use std::{
    io,
    net::ToSocketAddrs as _,
    process,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use memring_client::dial::Resolved;

/// The name of one server, looked up anew for each connection.
///
/// The system's resolver can hang for longer than any deadline and cannot be interrupted, so it runs in a thread of its
/// own. There is one such thread at a time for each name, and its answer goes to all callers that wait for it.
#[derive(Debug)]
pub(crate) struct Resolver {
    host: String,
    port: u16,
    lookup: Mutex<Lookup>,
    answered: Condvar,
}

#[derive(Debug)]
struct Lookup {
    /// The process that has a thread for the name. If that is another process, this one was forked from it and has no
    /// such thread.
    running: Option<u32>,
    /// The number of answers so far, and the last one.
    answers: u64,
    answer: Option<Resolved>,
}

/// A question to the resolver.
#[derive(Debug)]
pub(crate) enum Inquiry {
    /// The name is an address, which needs no resolver.
    Needless(Resolved),
    /// The question was asked after `before` answers.
    Asked { before: u64 },
}

impl Resolver {
    /// A resolver of `host`.
    pub(crate) fn new(host: &str, port: u16) -> Self {
        let lookup = Lookup { running: None, answers: 0, answer: None };
        Self { host: host.to_owned(), port, lookup: Mutex::new(lookup), answered: Condvar::new() }
    }

    /// Asks for the current addresses of the name, without waiting for them.
    pub(crate) fn ask(self: &Arc<Self>) -> io::Result<Inquiry> {
        if let Some(literal) = Resolved::literal(&self.host, self.port) {
            return Ok(Inquiry::Needless(literal));
        }
        let mut lookup = self.lock();
        let before = lookup.answers;
        if lookup.running != Some(process::id()) {
            let resolver = Arc::clone(self);
            thread::Builder::new().name("memring-resolve".into()).spawn(move || resolver.look_up())?;
            lookup.running = Some(process::id());
        }
        Ok(Inquiry::Asked { before })
    }

    /// The addresses, at least one; `None` until they are known.
    pub(crate) fn answer(&self, inquiry: &Inquiry) -> io::Result<Option<Arc<[SocketAddr]>>> {
        let before = match inquiry {
            Inquiry::Needless(literal) => return literal.addresses().map(Some),
            Inquiry::Asked { before } => *before,
        };
        let lookup = self.lock();
        if lookup.answers == before {
            return Ok(None);
        }
        lookup.answer.as_ref().map(Resolved::addresses).transpose()
    }

    /// Waits for the answer, for `time` at most.
    pub(crate) fn wait(&self, inquiry: &Inquiry, time: Duration) {
        if let Inquiry::Asked { before } = inquiry {
            let is_open = |lookup: &mut Lookup| lookup.answers == *before;
            drop(self.answered.wait_timeout_while(self.lock(), time, is_open));
        }
    }

    fn look_up(&self) {
        let answer = Some(Resolved::new((self.host.as_str(), self.port).to_socket_addrs()));
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
    use super::*;

    fn resolve(host: &str, time: Duration) -> io::Result<Option<Arc<[SocketAddr]>>> {
        let resolver = Arc::new(Resolver::new(host, 7));
        let inquiry = resolver.ask()?;
        resolver.wait(&inquiry, time);
        resolver.answer(&inquiry)
    }

    #[test]
    fn numbers_need_no_resolver() {
        let addresses = resolve("::1", Duration::ZERO).unwrap().unwrap();
        assert_eq!(addresses[..], ["[::1]:7".parse().unwrap()]);
    }

    #[test]
    fn a_name_gives_its_addresses() {
        let addresses = resolve("localhost", Duration::from_secs(9)).unwrap().unwrap();
        assert!(addresses.iter().all(|address| address.ip().is_loopback() && address.port() == 7));
    }

    #[test]
    fn nobody_waits_longer_than_told() {
        let found = resolve("localhost", Duration::ZERO).unwrap();
        // The thread may have been faster than no time at all.
        assert!(found.is_none_or(|addresses| !addresses.is_empty()));
    }
}
