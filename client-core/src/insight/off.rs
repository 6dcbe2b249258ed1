//! What stands in for a feature that is off: types of no size, and functions that do nothing.

use super::Ended;
use crate::{clock::Clock, failure::Event};

/// What a feature that is off knows of a server: nothing.
#[derive(Debug)]
pub(super) struct Server;

/// What a feature that is off notes of an operation: nothing.
#[derive(Debug)]
pub(super) struct Part;

impl Server {
    pub(super) const fn new(_: &str, _: Option<u16>, _: Clock) -> Self {
        Self
    }

    #[inline(always)]
    pub(super) const fn begin(&self, _: &'static str) -> Part {
        Part
    }

    #[inline(always)]
    #[cfg_attr(feature = "metrics", expect(dead_code, reason = "spans count nothing"))]
    pub(super) const fn found(&self, _: u64, _: u64) {}

    #[inline(always)]
    pub(super) const fn end(&self, _: &Part, _: Ended) {}
}

pub(super) const fn event(_: &Event<'_>) {}

#[cfg(not(feature = "metrics"))]
pub(super) const fn asked(_: bool) {}

#[cfg(not(feature = "metrics"))]
pub(super) const fn discovered(_: usize, _: usize) {}
