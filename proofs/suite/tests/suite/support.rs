//! Fleets of good servers, and what to ask of a client.

use core::{any::Any, time::Duration};

use memring_std::testing;
use memring_suite::{Memcached, Stopwatch};

use crate::client::Client;

/// Makes tests of each function for either client: on servers of the process, and on real ones.
macro_rules! fleet_promises {
    ($($name:ident)*) => {
        fleet_promises! { on_std_with_embedded embedded memring_std: $($name)* }
        fleet_promises! { on_std_with_memcached memcached memring_std: $($name)* }
        fleet_promises! { on_tokio_with_embedded embedded memring_tokio: $($name)* }
        fleet_promises! { on_tokio_with_memcached memcached memring_tokio: $($name)* }
    };
    ($module:ident $fleet:ident $client:ident: $($name:ident)*) => {
        mod $module {
            $(#[test] fn $name() {
                <$client::Client as $crate::run::Run>::run(async || {
                    super::$name(&$crate::support::Fleet::<$client::Client>::$fleet(3)).await;
                });
            })*
        }
    };
}

pub(crate) use fleet_promises;

/// Servers of one kind, and a client of them.
pub(crate) struct Fleet<C> {
    pub(crate) client: C,
    pub(crate) names: Vec<String>,
    /// They live as long as this does.
    _servers: Vec<Box<dyn Any>>,
}

impl<C: Client> Fleet<C> {
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
        let client = C::builder().servers(&names).timeout(Duration::from_secs(10)).build().unwrap();
        Self { client, names, _servers: servers.into_iter().map(|server| Box::new(server) as _).collect() }
    }

    /// A client of this one server.
    pub(crate) fn alone(&self, name: &str) -> C {
        assert!(self.names.iter().any(|known| known == name));
        C::connect([name]).unwrap()
    }
}

/// Whether the connection to the only server is kept, now that nobody uses it.
pub(crate) fn is_kept(client: &impl Client) -> bool {
    let servers = client.servers();
    assert_eq!(servers[0].waiting, 0);
    servers[0].connections == 1
}

/// The name of a test in `module`, as the test program knows it.
pub(crate) fn named<C: Client>(module: &str, test: &str) -> String {
    format!("{module}::{}::{test}", C::MODULE)
}

/// Waits for `run` and holds its time against a deadline: not before it, and not much later.
pub(crate) async fn ends_at<T>(deadline: Duration, run: impl Future<Output = T>) -> T {
    let watch = Stopwatch::start();
    let result = run.await;
    watch.assert_ends_at(deadline);
    result
}
