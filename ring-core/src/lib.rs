//! Places memcached keys on the same servers where other clients place them.
//!
//! memcached has no distributed part: each client decides by itself which server holds a key, and every client does it in
//! its own way. This crate knows those ways, bit for bit, without the standard library and without allocating.
//!
//! ```
//! use memring_core::{peers::libmemcached, storage::{points_for, Fixed}, Placement, Scheme, Server};
//!
//! let servers = ["10.0.1.1:11211", "10.0.1.2:11211", "10.0.1.3:11211"].map(Server::new);
//!
//! // With a heap (feature `alloc`), the ring is in memory of its own.
//! # #[cfg(feature = "alloc")] {
//! let ketama = Placement::owned(libmemcached::KETAMA_WEIGHTED, servers)?;
//! assert_eq!(ketama.server(b"tokyo").name, "10.0.1.1:11211");
//! # }
//!
//! // Without one, it is in an array; `points_for` says how large the ring of three servers is.
//! let ketama = Placement::build(libmemcached::KETAMA_WEIGHTED, servers, Fixed::<{ points_for(3) }>::new())?;
//! assert_eq!(ketama.server(b"tokyo").name, "10.0.1.1:11211");
//!
//! // A tool names what the operator asked for.
//! let scheme = Scheme::from_name("libmemcached-modula").unwrap().with_option("hash", "md5").unwrap();
//! let modula = Placement::build(scheme, servers, Fixed::<0>::new())?;
//! assert_eq!(modula.server(b"foo").name, "10.0.1.2:11211");
//! # Ok::<(), memring_core::BuildError>(())
//! ```
//!
//! ```text
//! key ─ KeyText ─▶ bytes ─ Hash ─▶ hash ─ Mechanism ─▶ server ─ Fallback ─▶ the next, when that one is down
//!       └──────────────────────── a Scheme, as data ────────────────────────┘
//! Scheme + Servers + Storage = Placement
//! ```
//!
//! | module | what it has |
//! |---|---|
//! | [`peers`] | the schemes: a file per family of clients, and the table of their names |
//! | [`storage`] | where a placement keeps its ring: on the heap, in arrays, in lent slices, in flash |
//! | [`health`] | which servers may be asked now, when some fail |
//! | [`plan`] | what a change of servers or scheme moves |
//! | [`scheme`], [`mechanism`] | what a scheme is made of, to build one of your own |
//! | [`hash`] | the hash functions of the field |
//! | [`vector`] | the files that say what peers did |
//!
//! # Promise
//!
//! The placement of a scheme never changes in a release. Every scheme is tested with vectors that its peer itself made.
//!
//! # Features
//!
//! - `alloc`: placements and plans in memory of their own, `Placement::owned` and `Plan::owned`; schemes as configurations
//!   write them, `Scheme::named`.
//! - `small`: less flash, more time per key.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

#[cfg(any(test, feature = "alloc"))]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod error;
mod groups;
pub mod hash;
pub mod health;
mod key;
mod list;
mod live;
pub mod mechanism;
mod number;
mod order;
pub mod peers;
mod placement;
pub mod plan;
pub mod scheme;
mod server;
pub mod storage;
mod text;
pub mod vector;
mod weights;

pub use error::BuildError;
pub use groups::Groups;
pub use placement::Placement;
pub use scheme::Scheme;
pub use server::{AsServer, Server, ServerIndex, Servers, Weight};

// The README's example, compiled and run with the others.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
