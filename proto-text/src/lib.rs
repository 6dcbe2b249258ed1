//! The memcached text protocol as a sans-IO codec: it takes bytes and the time, and gives bytes and events.
//!
//! The crate has no sockets, no clock, no allocation and no panics. The same code serves firmware, blocking clients,
//! asynchronous clients and test servers.
//!
//! ```text
//!           Operation ──▶ Request ──▶ bytes          bytes ──▶ RequestDecoder ─┐
//!  client       ▲                                                  Session, Engine   server
//!           Reply ◀── Exchange ◀── ReplyDecoder ◀── bytes   bytes ◀── Event ───┘
//! ```
//!
//! # Example: one exchange by hand
//!
//! ```
//! use memring_text::{
//!     Exchange, Get, Key, Operation, Reply,
//!     exchange::{ExchangeState, Progress},
//! };
//!
//! let get = Get::new(Key::new(b"greeting")?);
//! let request = get.request();
//! assert_eq!(request.parts().as_slices()[0], b"get greeting\r\n");
//!
//! // The server's bytes, as they might come off a socket.
//! let mut unread = &b"VALUE greeting 0 5\r\nhello\r\nEND\r\n"[..];
//! let mut exchange = Exchange::default();
//! let mut reply = Reply::new(Vec::new());
//! exchange.sent();
//! loop {
//!     match exchange.decode(unread, &request)? {
//!         Progress::Event { consumed, event, complete, .. } => {
//!             reply.take(&event);
//!             unread = &unread[consumed..];
//!             if complete {
//!                 break;
//!             }
//!         }
//!         Progress::NeedMore => panic!("read more here"),
//!     }
//! }
//! assert_eq!(get.output(reply)?.expect("a hit").value, b"hello");
//! assert_eq!(exchange.state(), ExchangeState::Idle);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is where
//! The types that most programs name are at the root; the others are in modules:
//! - [`key`], [`value`], [`ttl`]: keys, values and times to live, checked for the wire.
//! - [`request`]: requests of all classic commands, of operators' commands ([`Admin`](request::Admin)), and
//!   [`Credentials`](request::Credentials). Encoding a request cannot fail. [`meta`]: the meta commands, with a type
//!   for every flag.
//! - [`capabilities`]: the features that a server has, by its version.
//! - [`reply`]: a [`ReplyDecoder`](reply::ReplyDecoder) reads a server's bytes as [`Event`](reply::Event)s. An
//!   [`ErrorLine`](reply::ErrorLine) tells after which refusals a connection stays in step.
//! - [`exchange`]: an [`Exchange`] pairs replies with requests, and checks every key and every opaque.
//!   For firmware, [`SmallGet`](exchange::SmallGet) and [`SmallExchange`](exchange::SmallExchange) are a get and a change of
//!   one item in a fraction of the code; `proofs/firmware` prints a value with the first.
//! - [`operation`]: an [`Operation`] with its [`Reply`] gives a typed result.
//! - [`buffer`]: one trait for the places that bytes are put into: vectors, slices and arrays.
//! - `connection`: the loop over any byte stream, blocking (feature `embedded-io`) and asynchronous (feature
//!   `embedded-io-async`).
//! - [`server`]: the server's side of the protocol.
//!
//! `benches/decode.rs` and `benches/peers` measure the codec, alone and beside other libraries.
//!
//! # Features
//! - `std` (default): [`server::MemoryStore`], and [`UnixTime`](ttl::UnixTime) from the system's clock; implies `alloc`.
//! - `alloc`: [`Buffer`](buffer::Buffer) for `Vec<u8>`.
//! - `embedded-io`: `Connection`.
//! - `embedded-io-async`: `AsyncConnection`.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod base64;
pub mod buffer;
pub mod capabilities;
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
pub mod connection;
pub mod exchange;
mod feature;
pub mod key;
mod limits;
mod line;
pub mod meta;
mod number;
pub mod operation;
pub mod reply;
pub mod request;
pub mod server;
pub mod ttl;
pub mod value;

#[cfg(feature = "embedded-io-async")]
pub use connection::AsyncConnection;
#[cfg(feature = "embedded-io")]
pub use connection::Connection;
pub use exchange::Exchange;
pub use key::Key;
pub use limits::Limits;
pub use operation::{Item, Operation, Reply, StoreOutcome};
pub use request::{Get, Request, Store};
pub use ttl::Ttl;
pub use value::Value;

// The README's example, compiled and run with the others.
#[cfg(all(doctest, feature = "embedded-io"))]
#[doc = include_str!("../README.md")]
struct Readme;
