//! Results of verbs, made of the protocol's outcomes.

use memring_text::{Item, StoreOutcome, exchange::ProtocolError};

use crate::{
    failure::{Cause, Error},
    fetch::PLACEHOLDER,
};

/// The result of `set`, which has no condition.
///
/// # Errors
/// [`Cause::NotStored`]: the server did not store the value.
pub fn must_be_stored(outcome: StoreOutcome) -> Result<(), Cause> {
    if outcome == StoreOutcome::Stored { Ok(()) } else { Err(Cause::NotStored) }
}

/// The result of `add`, `replace` and the like: whether the value is stored.
///
/// # Errors
/// None; the type is that of all functions that read an outcome.
pub fn is_stored(outcome: StoreOutcome) -> Result<bool, Cause> {
    Ok(outcome == StoreOutcome::Stored)
}

/// The outcome of `cas`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CasOutcome {
    /// The value is stored.
    Stored,
    /// The value is not stored: the item has changed since its cas unique was read.
    Exists,
    /// The value is not stored: there is no such item any more.
    NotFound,
}

impl CasOutcome {
    /// Whether the value is stored.
    #[must_use]
    pub const fn is_stored(self) -> bool {
        matches!(self, Self::Stored)
    }

    /// Reads the outcome of a `cas`.
    ///
    /// # Errors
    /// [`Cause::NotStored`]: the server did not store the value for another reason. memcached does not do this.
    pub const fn read(outcome: StoreOutcome) -> Result<Self, Cause> {
        match outcome {
            StoreOutcome::Stored => Ok(Self::Stored),
            StoreOutcome::Exists => Ok(Self::Exists),
            StoreOutcome::NotFound => Ok(Self::NotFound),
            StoreOutcome::NotStored => Err(Cause::NotStored),
        }
    }
}

/// Whether an item with these flags is one for callers. The placeholder that `fetch` leaves on servers without meta
/// commands is none: it is a miss.
#[inline]
#[must_use]
pub const fn is_visible(flags: u32) -> bool {
    flags != PLACEHOLDER
}

/// The item, if it is [one for callers](is_visible).
#[inline]
#[must_use]
pub fn visible<V>(item: Option<Item<V>>) -> Option<Item<V>> {
    item.filter(|item| is_visible(item.flags))
}

/// An item with its cas unique, as `gets` and `gats` read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CasItem<V> {
    /// The flags: a number that was stored with the value.
    pub flags: u32,
    /// The cas unique: a number that changes whenever the item does.
    pub cas: u64,
    /// The value.
    pub value: V,
}

impl<V> CasItem<V> {
    /// Reads the item of a reply to `gets` or `gats`.
    ///
    /// # Errors
    /// [`Cause::Protocol`]: the item has no cas unique. No exchange returns such an item.
    pub fn read(item: Item<V>) -> Result<Self, Cause> {
        let Item { flags, cas, value } = item;
        let cas = cas.ok_or(Cause::Protocol(ProtocolError::Unexpected))?;
        Ok(Self { flags, cas, value })
    }

    /// Reads the result of the operation `name`, which is `gets` or `gats`: see [`read`](Self::read).
    ///
    /// # Errors
    /// As of [`read`](Self::read).
    pub fn read_found(name: &'static str, found: Option<Item<V>>) -> Result<Option<Self>, Error> {
        found.map(Self::read).transpose().map_err(|cause| Error::new(name, cause))
    }

    /// The same item with another value.
    pub fn map<W>(self, map: impl FnOnce(V) -> W) -> CasItem<W> {
        CasItem { flags: self.flags, cas: self.cas, value: map(self.value) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::ErrorKind;

    #[test]
    fn what_cannot_be_is_an_error() {
        assert_eq!(CasOutcome::read(StoreOutcome::Exists).unwrap(), CasOutcome::Exists);
        assert_eq!(CasOutcome::read(StoreOutcome::NotStored).unwrap_err().kind(), ErrorKind::NotStored);
        let item = |cas| Some(Item { flags: 7, cas, value: 1 });
        let found = CasItem::read_found("gets", item(Some(9))).unwrap();
        assert_eq!(found, Some(CasItem { flags: 7, cas: 9, value: 1 }));
        assert_eq!(CasItem::read_found("gets", item(None)).unwrap_err().kind(), ErrorKind::Protocol);
        assert_eq!(CasItem::<u8>::read_found("gets", None).unwrap(), None);
    }
}
