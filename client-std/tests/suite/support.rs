//! Servers to test against.

use core::{any::Any, time::Duration};

use memring_std::{Client, testing};

pub(crate) use memring_suite::*;

/// Makes two tests of each function: on servers of the process, and on real ones.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod on_embedded {
            $(#[test] fn $name() { super::$name(&$crate::support::Fleet::embedded(3)); })*
        }

        mod on_memcached {
            $(#[test] fn $name() { super::$name(&$crate::support::Fleet::memcached(3)); })*
        }
    };
}

pub(crate) use on_both;

/// Servers of one kind, and a client of them.
pub(crate) struct Fleet {
    pub(crate) client: Client,
    pub(crate) names: Vec<String>,
    /// They live as long as this does.
    _servers: Vec<Box<dyn Any>>,
}

impl Fleet {
    pub(crate) fn embedded(count: usize) -> Self {
        let servers: Vec<_> = (0..count).map(|_| testing::Server::start().unwrap()).collect();
        let names = servers.iter().map(|server| server.addr().to_string()).collect();
        Self::new(names, servers)
    }

    pub(crate) fn memcached(count: usize) -> Self {
        let servers: Vec<_> = (0..count).map(|_| Memcached::start()).collect();
        let names = servers.iter().map(Memcached::name).collect();
        Self::new(names, servers)
    }

    fn new<S: Any>(names: Vec<String>, servers: Vec<S>) -> Self {
        let client = Client::builder().servers(&names).timeout(Duration::from_secs(10)).build().unwrap();
        Self { client, names, _servers: servers.into_iter().map(|server| Box::new(server) as _).collect() }
    }
}

/// A client of this server alone.
pub(crate) fn client_of(server: &Scripted, timeout: Duration) -> Client {
    Client::builder().servers([server.name()]).timeout(timeout).build().unwrap()
}

/// Whether the connection to the only server is kept, now that nobody uses it.
pub(crate) fn is_kept(client: &Client) -> bool {
    let servers = client.servers();
    assert_eq!(servers[0].waiting, 0);
    servers[0].idle == 1
}

/// Runs `run` and holds its time against a deadline: not before it, and not a fifth of it later.
pub(crate) fn ends_at<T>(deadline: Duration, run: impl FnOnce() -> T) -> T {
    let watch = Stopwatch::start();
    let result = run();
    watch.assert_ends_at(deadline);
    result
}
