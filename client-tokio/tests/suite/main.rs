//! What the client promises, held against the server of the process, a real memcached, and servers that misbehave.
//!
//! memcached must be installed; the suite fails without it.

mod cancel;
mod faults;
mod keys;
mod support;
mod verbs;
