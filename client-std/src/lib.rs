//! A blocking memcached client over many servers, which places keys as the client of your choice does.
#![forbid(unsafe_code)]

mod batch;
mod builder;
mod call;
mod client;
mod deadline;
mod dial;
mod error;
mod fleet;
mod many;
mod pool;
mod resolve;
mod server_spec;
mod socket;
pub mod testing;

pub use builder::Builder;
pub use client::{Attributes, Client, FromServer, Item, ServerStatus};
pub use error::{Error, ErrorKind};
pub use many::Many;
pub use memring_core::{Scheme, Weight, peers};
pub use memring_text::{
    ArrayBuffer, Buffer, FlushDelay, Limits, ServerError, ServerErrorKind, SliceBuffer, Stats, StatsKind,
    StoreOutcome, Ttl, UnixTime, ZeroTtl,
};
pub use server_spec::{Address, DEFAULT_PORT, Problem, ServerSpec, ServerSpecError};
