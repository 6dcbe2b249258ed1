//! What is stored beside a value.

use core::time::Duration;

use crate::ttl::Ttl;

/// What is stored beside a value.
///
/// A [`Ttl`] or a [`Duration`] converts into attributes whose flags are 0.
///
/// ```
/// use core::time::Duration;
/// use memring_text::{Ttl, request::Attributes};
///
/// assert_eq!(Attributes::from(Duration::from_secs(60)), Attributes { flags: 0, ttl: Ttl::seconds(60) });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Attributes {
    /// The flags: a number of the caller's own.
    pub flags: u32,
    /// How long the item is to live.
    pub ttl: Ttl,
}

impl From<Ttl> for Attributes {
    fn from(ttl: Ttl) -> Self {
        Self { flags: 0, ttl }
    }
}

impl From<Duration> for Attributes {
    fn from(time: Duration) -> Self {
        Ttl::after(time).into()
    }
}
