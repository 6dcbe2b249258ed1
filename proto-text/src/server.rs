//! The server's side of the protocol: it reads requests, answers them as memcached does, and writes replies.
//!
//! ```text
//!  bytes ──▶ RequestDecoder ──▶ Session ──▶ Engine ──▶ Store
//!  bytes ◀── Event::encode  ◀──────┘ (now)
//! ```
//!
//! Where a password is wanted, a [`Guard`] reads the connection until a user has logged in, and the [`Session`] what
//! follows.
//!
//! A server is a loop over [`Session::feed`], whatever the sockets and threads around it:
//!
//! ```
//! use memring_text::{server::{Engine, MemoryStore, Next, Session}, ttl::UnixTime};
//!
//! let mut engine = Engine::new(MemoryStore::new(64 << 20));
//! let mut session = Session::new(Vec::new());
//! let (mut out, now) = (Vec::new(), UnixTime::from_secs(1_700_000_000));
//! let input = b"set k 0 0 5\r\nhello\r\nget k\r\n";
//! let fed = session.feed(input, &mut engine, &mut out, now);
//! assert_eq!((fed.consumed, fed.next), (input.len(), Next::Read));
//! assert_eq!(out, b"STORED\r\nVALUE k 0 5\r\nhello\r\nEND\r\n");
//! ```

mod admin_line;
mod c_number;
mod clock;
mod counters;
mod engine;
mod guard;
mod item_size;
#[cfg(feature = "std")]
mod memory_store;
mod meta_answer;
mod meta_line;
mod request_decoder;
mod request_event;
mod request_line;
mod session;
mod store;

pub use engine::{Engine, EngineConfig, FoundItem};
pub use guard::Guard;
#[cfg(feature = "std")]
pub use memory_store::MemoryStore;
pub use meta_line::MetaLine;
pub use request_decoder::{Reading, RequestDecoder};
pub use request_event::{Refusal, RequestEvent, StoreHead};
pub use session::{Fed, Next, Session};
pub use store::{OutOfMemory, Record, Side, Store, Usage};
