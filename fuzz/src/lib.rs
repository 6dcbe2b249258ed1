//! The laws that the fuzz targets try to break, one function each.
//!
//! A target only turns bytes into the arguments of its law, in [`targets`]. The laws are also called by the unit tests
//! here, with ordinary inputs, with every seed, and with what once broke them, so a stable compiler guards those.

pub mod callers;
pub mod clients;
pub mod clusters;
pub mod codec;
pub mod connection;
pub mod fetch;
pub mod guard;
pub mod meta;
pub mod placement;
pub mod servers;
pub mod small;
pub mod targets;
pub mod transcripts;
pub mod values;
pub mod vectors;
