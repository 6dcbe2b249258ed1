//! The memcached text protocol as a sans-IO codec: bytes and time come in, bytes and events go out.
//!
//! No sockets, no clock, no allocation, no panics; the same code drives firmware, blocking clients, asynchronous
//! clients and test servers.
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
//! use memring_text::{Exchange, ExchangeState, Get, GetVerb, Key, Operation, Progress, Reply};
//!
//! let get = Get { verb: GetVerb::Get, key: Key::new(b"greeting")? };
//! let request = Operation::<Vec<u8>>::request(&get);
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
//! - What is valid on the wire: [`Key`], [`Value`], [`Ttl`], [`Attributes`], and [`Request`] made of them; encoding cannot fail.
//! - The meta commands: [`MetaGet`], [`MetaSet`], [`MetaDelete`], [`MetaArith`], [`MetaDebug`], [`MetaNoop`], with
//!   [`BinaryKey`] and [`Opaque`]. For operators: [`Admin`]. At the door: [`Credentials`].
//! - What the server at hand can do: [`Capabilities`].
//! - What a server says: [`ReplyDecoder`] and its [`Event`]s; [`ErrorLine`] knows after which refusals a connection
//!   stays in step.
//! - Whose reply it is: [`Exchange`], which is lent the oldest request and checks every key and every opaque.
//! - What it comes to: [`Operation`] with [`Reply`], and [`ItemCollector`] for multi-gets.
//! - Where bytes are put: [`Buffer`], over vectors, slices and arrays.
//! - The loop itself over any byte stream: `Connection`, blocking (feature `embedded-io`), and `AsyncConnection`
//!   (feature `embedded-io-async`).
//! - A get in a tenth of the code, for firmware: [`SmallGet`]; `examples/firmware` prints a value with it.
//! - The other side: [`server`].
//!
//! How fast all that is, beside other libraries: `benches/decode.rs` and `benches/peers`.
//!
//! # Features
//! - `std` (default): [`server::MemoryStore`], and [`UnixTime`] from the system's clock; implies `alloc`.
//! - `alloc`: [`Buffer`] for `Vec<u8>`.
//! - `embedded-io`: `Connection`.
//! - `embedded-io-async`: `AsyncConnection`.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod admin;
mod attributes;
mod auth;
mod base64;
mod buffer;
mod capabilities;
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
mod connection;
mod encode;
mod error_line;
mod exchange;
mod feature;
mod key;
mod limits;
mod line;
mod meta;
mod number;
mod operation;
mod reply;
mod reply_decoder;
mod reply_encode;
mod request;
pub mod server;
mod small_get;
mod ttl;
mod value;

pub use admin::{Admin, AdminOutcome, Automove, SlabClasses, WatchKinds};
pub use attributes::Attributes;
pub use auth::{Credentials, CredentialsError, MAX_CREDENTIALS_LEN};
pub use buffer::{ArrayBuffer, Buffer, Full, SliceBuffer};
pub use capabilities::{Capabilities, Unsupported};
#[cfg(feature = "embedded-io-async")]
pub use connection::AsyncConnection;
#[cfg(feature = "embedded-io")]
pub use connection::Connection;
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
pub use connection::{ConnectionError, Lent, Pieces};
pub use encode::{GetLine, Head, MAX_HEAD_LEN, MAX_KEYS_PER_LINE, MAX_REQUEST_LINE, Parts};
pub use error_line::{ErrorLine, ErrorWord, ServerError, ServerErrorKind};
pub use exchange::{Exchange, ExchangeState, Progress, ProtocolError, Taken};
pub use feature::Feature;
pub use key::{Key, KeyError, MAX_KEY_LEN};
pub use limits::Limits;
pub use meta::{
    ArithMode, BinaryKey, BinaryKeyError, DebugLine, MAX_BINARY_KEY_LEN, MAX_OPAQUE_LEN, MetaArith,
    MetaArithOptions, MetaArithOutcome, MetaCode, MetaDebug, MetaDelete, MetaDeleteOptions, MetaGet,
    MetaGetOptions, MetaHead, MetaInfo, MetaItem, MetaKey, MetaKeyError, MetaNoop, MetaRequest, MetaSet,
    MetaSetOptions, MetaShape, MetaStoreOutcome, MetaVerb, Opaque, OpaqueError, ReturnFlag, SetMode,
};
pub use operation::{
    Item, ItemCollector, Operation, Reply, ReplyError, Stats, StoreOutcome, ValueError, Version,
};
pub use reply::{CacheItem, DumpKey, DumpLine, Event, ItemHead, Notice, NoticeWord, Status};
pub use reply_decoder::{DecodeError, Malformed, ReplyDecoder, Step};
pub use request::{
    Abandoned, Arith, ArithVerb, Delete, Expected, FlushAll, FlushDelay, Get, GetVerb, Keys, ReplyShape,
    Request, StatsKind, Store, StoreVerb, Touch, Verbosity,
};
pub use small_get::SmallGet;
pub use ttl::{MAX_RELATIVE_SECONDS, Ttl, UnixTime, ZeroTtl};
pub use value::{MAX_VALUE_LEN, Value, ValueTooLarge};

// The README's example, compiled and run with the others.
#[cfg(all(doctest, feature = "embedded-io"))]
#[doc = include_str!("../README.md")]
struct Readme;
