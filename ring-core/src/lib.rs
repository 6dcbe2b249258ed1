//! Places memcached keys on servers exactly where other clients place them.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(any(test, feature = "alloc"))]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod hash;
pub mod text;
