//! What the suites of both clients test against: real servers, servers that misbehave, and what those need.

mod alone;
mod file;
mod memcached;
mod nobody;
pub(crate) mod proxies;
pub(crate) mod replies;
pub(crate) mod scripted;
mod stopwatch;
#[cfg(feature = "tls")]
mod tls;

use core::time::Duration;
use std::{thread, time::Instant};

pub(crate) use alone::alone;
#[cfg(target_os = "linux")]
pub(crate) use alone::{alone_in_a_network, has_own_network, in_place_of, link};
pub(crate) use file::File;
pub(crate) use memcached::Memcached;
pub(crate) use nobody::{BlackHole, refusing};
pub(crate) use scripted::Scripted;
pub(crate) use stopwatch::Stopwatch;
#[cfg(feature = "tls")]
pub(crate) use tls::{Authority, Identity};

/// Waits for something to be there, at most ten seconds.
pub(crate) fn until<T>(what: &str, mut there: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(it) = there() {
            return it;
        }
        assert!(begin.elapsed() < Duration::from_secs(10), "waited in vain: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}
