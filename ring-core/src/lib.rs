//! Places memcached keys on servers exactly where other clients place them.
//!
//! memcached has no distributed part: each client decides by itself which server holds a key, and every client does it in
//! its own way. This crate knows those ways, bit for bit, without the standard library and without allocating.
//!
//! ```
//! use memring_core::{peers::libketama::LIBKETAMA, storage::Fixed, Placement, Scheme, Server};
//!
//! let servers = ["10.0.1.1:11211", "10.0.1.2:11211", "10.0.1.3:11211"].map(Server::new);
//!
//! // A microcontroller names a constant and keeps the ring in an array.
//! let ketama = Placement::build(LIBKETAMA, servers, Fixed::<480>::new())?;
//! assert_eq!(servers[ketama.primary(b"tokyo").get()].name, "10.0.1.3:11211");
//!
//! // A tool names what the operator asked for.
//! let scheme = Scheme::from_name("libmemcached-modula").unwrap().with_option("hash", "md5").unwrap();
//! let modula = Placement::build(scheme, servers, Fixed::<0>::new())?;
//! assert_eq!(servers[modula.primary(b"foo").get()].name, "10.0.1.2:11211");
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
//! | [`scheme`] | what a scheme is |
//! | [`placement`] | a scheme built for servers: ask it where a key lives |
//! | [`server`], [`live`] | names and weights; who is in play |
//! | [`key`], [`text`], [`hash`] | what is hashed, and with what |
//! | [`mechanism`] | how a hash becomes a server |
//! | [`fallback`], [`order`], [`health`] | who is asked when a server is down, and when it is |
//! | [`storage`] | fixed, lent, boxed or static room for rings |
//! | [`plan`] | what a change of servers or scheme moves |
//! | [`vector`] | the files that say what peers did |
//!
//! # Promise
//!
//! The placement of a scheme never changes in a release. Every scheme is tested with vectors that its peer itself made.
//!
//! # Features
//!
//! - `alloc`: storage on the heap, [`storage::Boxed`](storage); schemes as configurations write them, `named`.
//! - `small`: less flash, more time per key.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

#[cfg(any(test, feature = "alloc"))]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod fallback;
pub mod hash;
pub mod health;
pub mod key;
pub mod list;
pub mod live;
pub mod mechanism;
mod number;
pub mod order;
pub mod peers;
pub mod placement;
pub mod plan;
pub mod scheme;
pub mod server;
pub mod storage;
pub mod text;
pub mod vector;

pub use placement::Placement;
pub use scheme::{BuildError, Scheme};
pub use server::{AsServer, Server, ServerIndex, Servers, Weight};

// The README's example, compiled and run with the others.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
