//! Places memcached keys on servers exactly where other clients place them.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(any(test, feature = "alloc"))]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod crc_chain;
pub mod fallback;
pub mod hash;
pub mod health;
pub mod ketama;
pub mod key;
pub mod list;
pub mod live;
pub mod mechanism;
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
pub use server::{Server, ServerIndex, Servers, Weight};
