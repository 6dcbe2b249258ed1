//! What the blocking client alone does: connections that threads take turns at. What both clients promise is in
//! `proofs/suite`.
//!
//! memcached must be installed; the suite fails without it.

mod panics;
mod pools;
mod replies;
mod support;
