//! What several of these tests need.

use core::time::Duration;
use std::time::Instant;

use memring_suite::{Scripted, Stopwatch};
use memring_tokio::{Builder, Client, Error, HealthPolicy, Ttl};
use tokio::{io::DuplexStream, task::JoinHandle, time::sleep};

/// Long enough never to be reached.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A server is left alone after one failure, and for so long that no test sees the end of it.
pub(crate) const TOUCHY: HealthPolicy =
    HealthPolicy { failures: 1, min_wait: LONG, max_wait: LONG, ..HealthPolicy::DEFAULT };

pub(crate) fn builder<S: AsRef<str>>(names: &[S]) -> Builder {
    Client::builder().servers(names.iter().map(AsRef::as_ref))
}

/// A client of `names`.
pub(crate) fn client(names: &[String], timeout: Duration) -> Client {
    Client::builder().servers(names).timeout(timeout).build().unwrap()
}

/// A client of this server alone.
pub(crate) fn client_of(server: &Scripted, timeout: Duration) -> Client {
    Client::builder().servers([server.name()]).timeout(timeout).build().unwrap()
}

/// Whether the connection to the only server is kept, now that nobody uses it.
pub(crate) fn is_kept(client: &Client) -> bool {
    let servers = client.servers();
    assert_eq!(servers[0].waiting, 0);
    servers[0].connections == 1
}

/// Waits for `run` and holds its time against a deadline: not before it, and not much later.
pub(crate) async fn ends_at<T>(deadline: Duration, run: impl Future<Output = T>) -> T {
    let watch = Stopwatch::start();
    let result = run.await;
    watch.assert_ends_at(deadline);
    result
}

/// Waits for something to be there, at most ten seconds.
pub(crate) async fn until<T>(what: &str, mut there: impl AsyncFnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(it) = there().await {
            return it;
        }
        assert!(begin.elapsed() < Duration::from_secs(10), "waited in vain: {what}");
        sleep(Duration::from_millis(2)).await;
    }
}

/// A value that is being stored, as long as nothing comes of its source; and the source's other end.
pub(crate) fn upload(client: &Client, key: &str) -> (JoinHandle<Result<(), Error>>, DuplexStream) {
    let (near, far) = tokio::io::duplex(16);
    let (client, key) = (client.clone(), key.to_owned());
    (tokio::spawn(async move { client.set_from(key, 10, far, Ttl::NEVER).await }), near)
}
