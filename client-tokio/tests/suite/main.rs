//! What the tokio client alone does: one connection of many callers, futures that are dropped, runtimes. What both clients
//! promise is in `proofs/suite`.
//!
//! memcached must be installed; the suite fails without it.

mod cancel;
mod closing;
mod fetch;
mod runtimes;
mod sharing;
mod streams;
mod support;
mod testing;
mod timeouts;
mod trouble;
