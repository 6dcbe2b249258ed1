//! A tokio memcached client over many servers that places every key exactly where the client of your choice does.
//!
//! ```
//! use std::time::Duration;
//! use memring_tokio::{Client, testing::Server};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let servers = [Server::start().await?, Server::start().await?, Server::start().await?];
//! let client = Client::builder()
//!     .servers(servers.iter().map(Server::addr))
//!     .scheme_named("libmemcached-ketama-weighted", [("prefix", "shop:")])
//!     .build()?;
//! client.set("cart:7", "1 umbrella", Duration::from_secs(60)).await?;
//! assert_eq!(client.get("cart:7").await?.expect("a hit").value, "1 umbrella");
//! println!("it is on {}", client.server_of("cart:7"));
//! # Ok(())
//! # }
//! ```
//!
//! An operation goes this way:
//!
//! ```text
//! Client ─▶ Fleet ─▶ Pool ─▶ Mux ─▶ Driver     one key: call     many keys: batch
//! verbs     where    of one  shared the task that
//!                    server  by all reads and writes
//! ```
//!
//! - [`Client`] has the verbs, [`Builder`] what can be set; [`ServerSpec`] is how servers are written.
//! - [`Error`] says what went wrong and where; [`Many`] has the results of a call with many keys.
//! - [`testing`] is a memcached inside the process.
//!
//! What happens when servers fail, what all that costs, and what is left out: the README.
//!
//! # Features
//!
//! None is on by default.
//!
//! - `tls`: encrypted connections, by rustls with ring.
//! - `tracing`: a span for each operation, and what happens to connections and servers.
//! - `metrics`: durations and failures for whoever collects metrics.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod batch;
mod call;
mod client;
mod deadline;
mod dial;
mod hang_up;
mod pool;
mod resolve;
mod socket;
mod statistics;
mod streamed;
pub mod testing;

pub use client::{Builder, CasItem, Client, Item, ItemRef, Meta, MetaItem, Outcomes};
#[doc(inline)]
pub use memring_client::vocabulary::*;

/// The example of the README is one of the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
