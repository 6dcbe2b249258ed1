//! Laws of placement.
//!
//! [`fleet`] makes schemes, servers and keys of a fuzzer's bytes; `ways`, `stability`, `plans` and `golden` have the laws.

pub mod fleet;
mod golden;
mod plans;
mod stability;
mod ways;
mod words;

pub use self::{
    fleet::{Fleet, Resize},
    golden::{Pick, digest_of, digests, placements_never_change},
    plans::{plan_adds_up, plan_agrees_with_keys},
    stability::placement_is_stable,
    ways::ways_agree,
    words::{accepted, vector_files},
};
