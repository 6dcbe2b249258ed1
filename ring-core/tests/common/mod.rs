//! What several tests need.
#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]

pub mod vector;
