//! What several of these tests need.

use core::time::Duration;

use memring_std::{Builder, Client, HealthPolicy};

/// Long enough never to be reached.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A server is left alone after one failure, and for so long that no test sees the end of it.
pub(crate) const TOUCHY: HealthPolicy =
    HealthPolicy { failures: 1, min_wait: LONG, max_wait: LONG, ..HealthPolicy::DEFAULT };

pub(crate) fn builder<S: AsRef<str>>(names: &[S]) -> Builder {
    Client::builder().servers(names.iter().map(AsRef::as_ref)).timeout(LONG)
}

/// Waits until so many connections to the first server are in use.
pub(crate) fn until_busy(client: &Client, connections: usize) {
    memring_suite::until("the connections are in use", || {
        (client.servers()[0].waiting == connections).then_some(())
    });
}
