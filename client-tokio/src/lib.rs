#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod batch;
mod builder;
mod call;
mod client;
mod deadline;
mod dial;
mod fleet;
mod insight;
mod pool;
mod resolve;
mod socket;
mod streamed;
pub mod testing;
#[cfg(feature = "tls")]
mod tls;
mod watch;

pub use builder::Builder;
pub use client::{Client, Item, ItemRef, Meta, MetaItem, Outcomes, ServerStatus};
pub use memring_core::change::{Change, Moves};
pub use memring_core::health::{HealthPolicy, HealthStatus};
pub use memring_core::plan::Precision;
pub use memring_core::route::FailurePolicy;
pub use memring_core::spec::{Address, DEFAULT_PORT, ServerSpec, ServerSpecError, ServerSpecProblem};
pub use memring_core::{Scheme, ServerIndex, Weight, peers};
#[doc(inline)]
pub use memring_text::batch::{Batch, Handle, kind};
#[doc(inline)]
pub use memring_text::failure::{Error, ErrorKind, Event, FromServer, Many};
pub use memring_text::{
    ArithMode, ArrayBuffer, Attributes, Buffer, Feature, FlushDelay, Limits, MetaArithOptions,
    MetaArithOutcome, MetaDeleteOptions, MetaGetOptions, MetaInfo, MetaSetOptions, MetaStoreOutcome, Opaque,
    ServerError, ServerErrorKind, SetMode, SliceBuffer, Stats, StatsKind, StoreOutcome, Ttl, UnixTime,
};
#[cfg(feature = "tls")]
pub use rustls;

#[cfg(feature = "tls")]
pub use crate::tls::Tls;
