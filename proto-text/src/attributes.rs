//! What is stored beside a value.

use crate::ttl::Ttl;

/// What is stored beside a value.
///
/// Where one is asked for, a [`Ttl`] will do: the flags are then 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Attributes {
    /// The caller's own number.
    pub flags: u32,
    /// How long the item is to live.
    pub ttl: Ttl,
}

impl From<Ttl> for Attributes {
    fn from(ttl: Ttl) -> Self {
        Self { flags: 0, ttl }
    }
}
