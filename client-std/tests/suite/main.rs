//! What the client promises, held against the server of the process, a real memcached, and servers that misbehave.
//!
//! memcached must be installed; the suite fails without it. On Linux, some tests take a network down, one of their own:
//! that needs `unshare`, `ip` and `mount`.

mod batches;
mod crowded;
mod descriptors;
mod events;
mod faults;
mod health;
mod hung;
#[cfg(target_os = "linux")]
mod network;
mod pools;
mod proxies;
mod replies;
#[cfg(target_os = "linux")]
mod resolve;
mod servers;
mod soak;
mod stand_ins;
mod streamed;
mod support;
mod trials;
