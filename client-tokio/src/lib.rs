#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod builder;
mod call;
mod client;
mod connection;
mod deadline;
mod dial;
mod driver;
mod error;
mod fleet;
mod flight;
mod mux;
mod pool;
mod queue;
mod resolve;
mod server_spec;
mod slots;
mod socket;

pub use builder::Builder;
pub use client::{Attributes, Client, Item, ServerStatus};
pub use error::{Error, ErrorKind};
pub use memring_core::{Scheme, Weight, peers};
pub use memring_text::{Limits, ServerError, ServerErrorKind, Ttl, UnixTime, ZeroTtl};
pub use server_spec::{Address, DEFAULT_PORT, Problem, ServerSpec, ServerSpecError};
