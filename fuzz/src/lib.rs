//! The laws that the fuzz targets try to break, one function each.
//!
//! A target only turns bytes into the arguments of its law. The laws are also called by the unit tests here, with the
//! inputs that once broke them, so a stable compiler guards those.

pub mod callers;
pub mod codec;
pub mod connection;
pub mod guard;
pub mod meta;
pub mod placement;
pub mod servers;
pub mod transcripts;
