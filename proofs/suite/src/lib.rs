//! What clients are tested against: real servers and proxies, servers that misbehave, and what such tests need.
//!
//! Knows no client. What both clients promise is tested in `tests/suite`; what only one of them does, in its own tests,
//! which use this, too.
//!
//! - [`Memcached`] and [`proxies::Twemproxy`] are real, and must be installed.
//! - [`Scripted`] does as it is told, [`proxies`] and [`replies`] have what it is told often; nobody answers at a
//!   [`BlackHole`] or where [`refusing`] says.
//! - [`Stopwatch`] and [`until`] are for time, [`Authority`] for TLS, [`alone`] for what must not be done to others.

#![expect(clippy::new_without_default, reason = "none of what can be had here is the usual one")]

mod alone;
#[cfg(doctest)]
mod documents;
mod file;
mod memcached;
mod nobody;
pub mod proxies;
pub mod replies;
mod scripted;
mod stopwatch;
mod tls;

use core::time::Duration;
use std::{thread, time::Instant};

pub use alone::alone;
#[cfg(target_os = "linux")]
pub use alone::{alone_in_a_network, has_own_network, in_place_of, link};
pub use file::File;
pub use memcached::Memcached;
#[cfg(target_os = "linux")]
pub use nobody::UnixHole;
pub use nobody::{BlackHole, refusing};
pub use scripted::{Peer, Scripted};
pub use stopwatch::Stopwatch;
pub use tls::{Authority, Identity, TlsPeer};

/// Waits for something to be there, at most ten seconds.
pub fn until<T>(what: &str, mut there: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(it) = there() {
            return it;
        }
        assert!(begin.elapsed() < Duration::from_secs(10), "waited in vain: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}
