#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod answer;
mod batch;
mod builder;
mod call;
mod client;
mod connection;
mod deadline;
mod dial;
mod driver;
mod fleet;
mod flight;
mod mux;
mod pool;
mod queue;
mod resolve;
mod room;
mod slots;
mod socket;
mod state;
mod waiting;

pub use builder::Builder;
pub use client::{Client, Item, ServerStatus};
pub use memring_core::spec::{Address, DEFAULT_PORT, ServerSpec, ServerSpecError, ServerSpecProblem};
pub use memring_core::{Scheme, Weight, peers};
#[doc(inline)]
pub use memring_text::failure::{Error, ErrorKind, FromServer, Many};
pub use memring_text::{
    ArrayBuffer, Attributes, Buffer, FlushDelay, Limits, ServerError, ServerErrorKind, SliceBuffer, Stats,
    StatsKind, StoreOutcome, Ttl, UnixTime, ZeroTtl,
};
