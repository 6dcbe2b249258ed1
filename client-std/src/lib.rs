//! A blocking memcached client for many servers, which places every key exactly where the client of your choice does.
//!
//! ```
//! use std::time::Duration;
//! use memring_std::{Client, testing::Server};
//!
//! let servers = [Server::start()?, Server::start()?, Server::start()?];
//! let client = Client::builder()
//!     .servers(servers.iter().map(Server::addr))
//!     .scheme_named("libmemcached-ketama-weighted", [("prefix", "shop:")])
//!     .build()?;
//! client.set("cart:7", "1 umbrella", Duration::from_secs(60))?;
//! assert_eq!(client.get("cart:7")?.expect("a hit").value, b"1 umbrella");
//! println!("it is on {}", client.server_of("cart:7"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! An operation takes this way:
//!
//! ```text
//! Client ─▶ Fleet ─▶ Pool ─▶ Lease ─▶ Socket        one key: call     many keys: batch
//! verbs     where    of one  of one   bytes and
//!                    server  operation deadline
//! ```
//!
//! - [`Client`] has the verbs, [`Builder`] the options; [`ServerSpec`] is a server, with the grammar in which servers
//!   are written.
//! - [`Error`] says what failed and on which server; [`Many`] has the results of a call with many keys.
//! - [`testing`] has a memcached that runs inside the process.
//!
//! The [guides](guide) are about a fleet that others use, too, about resizing, discovery, failures, stampedes, testing and
//! security. The README says what happens when servers fail, what operations cost, and what is left out.
//!
//! # Features
//!
//! None is on by default.
//!
//! - `tls`: encrypted connections, by rustls with ring.
//! - `file`: `Config::from_file`, for configurations in TOML.
//! - `tracing`: a span for each operation, and events of connections and servers.
//! - `metrics`: durations and counts of failures.
//! - `json`, `postcard`: encodings of [typed] values; `zstd`, `lz4`: their compression.
//! - `zlib`, `zstd`: compressed [values] of other clients.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod batch;
mod call;
mod client;
mod deadline;
mod dial;
mod discover;
mod hang_up;
mod lines;
mod pool;
mod resolve;
mod socket;
mod streamed;
pub mod testing;

pub use client::{Builder, CasItem, Client, Item, ItemRef, Meta, MetaItem, Outcomes, Typed};
#[doc(no_inline)]
pub use memring_client::guide;
#[doc(inline)]
pub use memring_client::vocabulary::*;

/// The example of the README is one of the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
