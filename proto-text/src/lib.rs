//! The memcached text protocol as a sans-IO codec: bytes and time come in, bytes and events go out.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod buffer;
#[cfg(feature = "embedded-io")]
mod connection;
mod encode;
mod error_line;
mod exchange;
mod key;
mod limits;
mod line;
mod number;
mod operation;
mod reply;
mod reply_decoder;
mod reply_encode;
mod request;
pub mod server;
mod ttl;
mod value;

pub use buffer::{ArrayBuffer, Buffer, Full, SliceBuffer};
#[cfg(feature = "embedded-io")]
pub use connection::{Connection, ConnectionError};
pub use encode::{GetLine, Head, MAX_HEAD_LEN, MAX_KEYS_PER_LINE, MAX_REQUEST_LINE, Parts};
pub use error_line::{ErrorLine, ErrorWord, ServerError, ServerErrorKind};
pub use exchange::{Abandoned, Exchange, ExchangeState, Expected, Keys, Progress, ProtocolError, ReplyShape};
pub use key::{Key, KeyError, MAX_KEY_LEN};
pub use limits::Limits;
pub use operation::{Item, ItemCollector, Operation, Reply, ReplyError, Stats, StoreOutcome, Version};
pub use reply::{Event, ItemHead, Status};
pub use reply_decoder::{DecodeError, Malformed, ReplyDecoder, Step};
pub use request::{
    Arith, ArithVerb, Delete, FlushAll, FlushDelay, Get, GetVerb, Request, StatsKind, Store, StoreVerb,
    Touch, Verbosity,
};
pub use ttl::{MAX_RELATIVE_SECONDS, Ttl, UnixTime, ZeroTtl};
pub use value::{MAX_VALUE_LEN, Value, ValueTooLarge};
