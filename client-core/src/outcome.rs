//! What verbs make of the outcomes of the protocol.

use memring_text::{Item, StoreOutcome, exchange::ProtocolError};

use crate::failure::{Cause, Error};

/// The result of `set`, which stores in any case.
///
/// # Errors
/// [`Cause::NotStored`]: the server has not stored the value.
pub fn must_be_stored(outcome: StoreOutcome) -> Result<(), Cause> {
    if outcome == StoreOutcome::Stored { Ok(()) } else { Err(Cause::NotStored) }
}

/// The result of `add`, `replace` and the like: whether the value is stored.
///
/// # Errors
/// None: it has the type of a function that reads an outcome.
pub fn is_stored(outcome: StoreOutcome) -> Result<bool, Cause> {
    Ok(outcome == StoreOutcome::Stored)
}

/// What became of a value that was to be stored by `cas`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CasOutcome {
    /// It is stored.
    Stored,
    /// It is not stored: the item has changed since its cas unique was read.
    Exists,
    /// It is not stored: there is no such item any more.
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
    /// [`Cause::NotStored`]: the server has not stored the value, and says neither why nor that it may not. memcached does
    /// not do this.
    pub const fn read(outcome: StoreOutcome) -> Result<Self, Cause> {
        match outcome {
            StoreOutcome::Stored => Ok(Self::Stored),
            StoreOutcome::Exists => Ok(Self::Exists),
            StoreOutcome::NotFound => Ok(Self::NotFound),
            StoreOutcome::NotStored => Err(Cause::NotStored),
        }
    }
}

/// An item with its cas unique, as `gets` and `gats` read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CasItem<V> {
    /// The number that was stored beside the value.
    pub flags: u32,
    /// The cas unique: a number that differs whenever the item has changed.
    pub cas: u64,
    /// The value.
    pub value: V,
}

impl<V> CasItem<V> {
    /// Reads the item of a reply to `gets` or `gats`.
    ///
    /// # Errors
    /// [`Cause::Protocol`]: the item has no cas unique. An exchange lets no such item through.
    pub fn read(item: Item<V>) -> Result<Self, Cause> {
        let Item { flags, cas, value } = item;
        let cas = cas.ok_or(Cause::Protocol(ProtocolError::Unexpected))?;
        Ok(Self { flags, cas, value })
    }

    /// Reads the result of the operation `name`, a `gets` or `gats`: see [`read`](Self::read).
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
