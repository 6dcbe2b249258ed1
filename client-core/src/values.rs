//! Values of other clients: what their flags say about the bytes of an item.
//!
//! memcached stores bytes and a number, the flags. Each client has its own convention of what the flags say: the type
//! of the value, and whether it is compressed. Here every convention is a [`Peer`], a table. It reads items as its
//! clients do, and writes what they read:
//!
//! ```
//! use memring_client::values::{DEFAULT_LIMIT, Value, peers};
//!
//! // PHP's Memcached class stored a float and an integer.
//! let reading = peers::PHP_MEMCACHED.read(2, b".5", DEFAULT_LIMIT)?;
//! assert_eq!(reading.value, Value::Float(0.5));
//! let int = Value::from(42);
//! let stored = peers::PHP_MEMCACHED.write(&int)?;
//! assert_eq!((stored.flags, &*stored.bytes), (1, &b"42"[..]));
//!
//! // Nothing in an item tells which client wrote it: these bytes are one number to PHP, and another to Java.
//! let php = peers::PHP_MEMCACHE.read(0x300, b"42", DEFAULT_LIMIT)?;
//! let java = peers::SPYMEMCACHED.read(0x300, b"42", DEFAULT_LIMIT)?;
//! assert_eq!((php.value, java.value), (Value::from(42), Value::from(13_362)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What only a program of the peer's language can read is an [`Object`]: its [`Format`] is named, its bytes are left as
//! they are. A pickle is a program, and is never run. [`guess`] is for looking at items of which nobody knows the
//! client: it takes only what checks itself.
//!
//! # Compressed values
//! FastLZ is always here; zlib and gzip need the feature `zlib`, and zstd the feature `zstd`. Whoever can store an item
//! chooses what it inflates to, a thousand times its length and more. So whoever reads says a limit, such as
//! [`DEFAULT_LIMIT`]; nothing longer is ever held in memory, and an item that would be longer is
//! [`Problem::TooLarge`].
//!
//! | module | what it has |
//! |---|---|
//! | [`peers`] | the tables |
//! | `form` | how bytes hold a value, both ways |
//! | `inflate` | decompression within a limit |

mod fastlz;
mod float;
mod form;
mod guess;
mod gzip;
mod inflate;
mod integer;
mod java;
#[cfg(feature = "lz4")]
mod lz4;
mod node;
mod peer;
pub mod peers;
mod plain;
mod problem;
mod value;
#[cfg(feature = "zstd")]
mod zstd;

pub use guess::{Guess, guess};
pub use inflate::Compression;
pub(crate) use inflate::{Way, inflate};
pub use integer::Integer;
pub use peer::{Peer, Reading, Stored};
pub use problem::{Problem, ReadError, Refusal, WriteError};
pub use value::{Format, Object, Type, Value};

/// How long a value may be after decompression, unless the reader says otherwise: 64 MiB, 64 times the largest item
/// that memcached takes by default.
pub const DEFAULT_LIMIT: usize = 64 << 20;
