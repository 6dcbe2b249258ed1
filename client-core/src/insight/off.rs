//! What stands in for a feature that is off: types of no size, and functions that do nothing.

use super::{Ended, Peer};
use crate::failure::Event;

/// The part of an operation's span that a feature which is off keeps: nothing.
#[derive(Debug)]
pub(super) struct Part;

impl Part {
    #[inline(always)]
    pub(super) const fn new(_: &Peer, _: &'static str) -> Self {
        Self
    }

    #[inline(always)]
    pub(super) const fn ended(&mut self, _: Ended) {}
}

pub(super) const fn event(_: &Event<'_>) {}
