//! What real servers said, replayed: both halves of the codec, the exchange, the engine, and a live memcached.
//!
//! The transcripts in `tests/vectors` were captured from memcached 1.6.18; their README tells the format. A test
//! says how much it ran, and fails when that is less than it should be.

#![allow(missing_docs, unreachable_pub, clippy::std_instead_of_core)]

mod admin;
mod bad_replies;
mod client;
mod differential;
mod live;
mod meta;
mod model;
mod own_server;
mod pairing;
mod server;
mod sessions;
mod skipped;
mod transcript;
mod versions;
