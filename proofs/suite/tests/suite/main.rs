//! What both clients promise, asked of both: of the server of the process, a real memcached, and servers that misbehave.
//!
//! A promise is an async function over any [`Client`](client::Client); [`promises`](run::promises) makes a test of it for
//! each client, in the modules `on_std` and `on_tokio` of the promise's file. So `cargo test -p memring-suite on_tokio` asks
//! one client, and `cargo test -p memring-suite keys` asks both about keys. Names that both clients hand on are taken from
//! `memring_std`; that they are the same ones in `memring_tokio`, the compiler says where both meet, in `client`.
//!
//! memcached must be installed; the suite fails without it. On Linux, some tests take a network down, one of their own:
//! that needs `unshare`, `ip` and `mount`.

mod auth;
mod batches;
mod client;
mod crowded;
mod descriptors;
mod discovery;
mod events;
mod everywhere;
mod faults;
mod fetch;
mod fetched;
mod hang_ups;
mod health;
mod hung;
mod insight;
mod keys;
mod larger;
mod meta;
mod mixed;
mod naming;
#[cfg(target_os = "linux")]
mod network;
mod openings;
mod parity;
mod proxies;
mod replies;
#[cfg(target_os = "linux")]
mod resolve;
mod run;
mod scenarios;
mod servers;
mod soak;
mod stand_ins;
mod streamed;
mod support;
mod tls;
mod transition;
mod trials;
mod verbs;
