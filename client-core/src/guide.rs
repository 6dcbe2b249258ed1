//! Guides: what people do with memcached, and how it is done with memring.
//!
//! The programs in them are for the blocking client, `memring-std`; with `memring-tokio`, each call is followed by `.await`.
//! All of them are compiled and run.
//!
//! | guide | when |
//! |---|---|
//! | [`joining`] | programs in other languages use the same servers |
//! | [`resizing`] | servers come or go |
//! | [`discovery`] | servers change by themselves: Kubernetes, ElastiCache, Memorystore |
//! | [`failures`] | a server is dead, hangs, or comes back |
//! | [`stampedes`] | many callers compute the same item at once |
//! | [`testing`] | a test needs a memcached, or one that misbehaves |
//! | [`security`] | keys and values are somebody else's |
//! | [`embedded`] | there is no operating system |
//! | [`other_clients`] | you know libmemcached, pymemcache, Dalli, gomemcache or redis-rs |

// Their programs need a client, of which this crate knows nothing: `proofs/suite` compiles and runs them.

#[cfg_attr(not(doctest), doc = include_str!("../doc/guide/joining.md"))]
pub mod joining {}

#[cfg_attr(not(doctest), doc = include_str!("../doc/guide/resizing.md"))]
pub mod resizing {}

#[cfg_attr(not(doctest), doc = include_str!("../doc/guide/discovery.md"))]
pub mod discovery {}

#[cfg_attr(not(doctest), doc = include_str!("../doc/guide/failures.md"))]
pub mod failures {}

#[cfg_attr(not(doctest), doc = include_str!("../doc/guide/stampedes.md"))]
pub mod stampedes {}

#[cfg_attr(not(doctest), doc = include_str!("../doc/guide/testing.md"))]
pub mod testing {}

#[cfg_attr(not(doctest), doc = include_str!("../doc/guide/security.md"))]
pub mod security {}

#[cfg_attr(not(doctest), doc = include_str!("../doc/guide/embedded.md"))]
pub mod embedded {}

#[cfg_attr(not(doctest), doc = include_str!("../doc/guide/other_clients.md"))]
pub mod other_clients {}
