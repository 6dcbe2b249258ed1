//! The verbs for many keys at once.

use core::{cell::RefCell, mem};

use memring_client::{
    failure::{Cause, Error, Many},
    outcome::{is_visible, must_be_stored},
};
use memring_text::{
    connection::Lent,
    request::{Attributes, Delete, GetVerb},
};

use super::{Client, Item, ItemRef, moving::is_moving};
use crate::batch::{self, Gets, Requests, Site};

type LentItem<'a> = memring_text::Item<Lent<'a, Vec<u8>>>;

impl Client {
    /// Reads many items. Every server is asked before any reply is read.
    ///
    /// ```
    /// # use memring_std::{Client, Ttl, testing::Server};
    /// # let servers = [Server::start()?, Server::start()?];
    /// # let client = Client::connect(servers.iter().map(Server::addr))?;
    /// client.set_many(&[("a", "1"), ("b", "2")], Ttl::NEVER)?.all()?;
    /// let keys = ["a", "b", "c"];
    /// let found = client.get_many(&keys)?;
    /// for error in found.errors() {
    ///     eprintln!("{error}");
    /// }
    /// let found = found.by_key(&keys);
    /// assert_eq!(found[&"b"].value, b"2"[..]);
    /// assert!(!found.contains_key(&"c"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Key`](crate::ErrorKind::Key) when a key is invalid, at the error's
    /// [`position`](Error::position); nothing was sent then. Errors of servers are in the [`Many`].
    pub fn get_many<K: AsRef<[u8]>>(&self, keys: &[K]) -> Result<Many<Option<Item>>, Error> {
        let own = |_, item: LentItem<'_>| {
            let value = match item.value {
                Lent::Whole(bytes) => bytes.to_vec(),
                Lent::Joined(joined) => mem::take(joined),
            };
            Ok(Some(Item { flags: item.flags, cas: item.cas, value }))
        };
        match self.read_many("get_many", keys, own, Option::is_some) {
            Err(error) if is_moving(&error) => self.get_many_moving(keys),
            found => found,
        }
    }

    /// Reads many items like [`get_many`](Self::get_many), but calls `visit` with each complete item and its key's
    /// position; the value is borrowed for the call. Items are not allocated, and a value that arrives in one piece is
    /// not copied. Items of one server come in the order of their keys. The result says for each key whether there was
    /// an item.
    ///
    /// ```
    /// # use memring_std::{Client, Ttl, testing::Server};
    /// # let servers = [Server::start()?, Server::start()?];
    /// # let client = Client::connect(servers.iter().map(Server::addr))?;
    /// client.set_many(&[("a", "1"), ("b", "22")], Ttl::NEVER)?.all()?;
    /// let mut len = 0;
    /// let found = client.get_many_with(&["a", "b", "c"], |_, item| len += item.value.len())?;
    /// assert_eq!((len, found.all()?), (3, vec![true, true, false]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As of [`get_many`](Self::get_many). If a server fails in the middle, `visit` has seen some of its items.
    pub fn get_many_with<K: AsRef<[u8]>>(
        &self,
        keys: &[K],
        visit: impl FnMut(usize, ItemRef<'_>),
    ) -> Result<Many<bool>, Error> {
        let visit = RefCell::new(visit);
        let show = |position, item: LentItem<'_>| {
            let LentItem { flags, cas, value } = item;
            // A visitor that reads items itself does so in another batch, so this is never borrowed twice.
            visit.borrow_mut()(position, ItemRef { flags, cas, value: value.as_slice() });
            Ok(true)
        };
        self.read_many("get_many_with", keys, show, |found| *found)
    }

    fn read_many<K: AsRef<[u8]>, T: Default>(
        &self,
        name: &'static str,
        keys: &[K],
        read: impl Fn(usize, LentItem<'_>) -> Result<T, Cause>,
        is_hit: fn(&T) -> bool,
    ) -> Result<Many<T>, Error> {
        let (fleet, mut scratch) = (self.common.fleet(), Vec::new());
        let shares = self.common.shares(name, &fleet, keys.iter().map(AsRef::as_ref), &mut scratch)?;
        let items = self.common.config().limits.items;
        let read_visible = |position, item: LentItem<'_>| {
            if is_visible(item.flags) { read(position, item) } else { Ok(T::default()) }
        };
        let gets = shares.divide(shares.keys()).map(|share| {
            (Site::of(&share), Gets::new(GetVerb::Get, share.items, share.positions, items, &read_visible))
        });
        let found = batch::run(name, gets, keys.len(), self.batch_deadline());
        shares.found(&found, |found| Some(is_hit(found)));
        Ok(self.common.or_misses(found))
    }

    /// Stores many values, all with the same attributes, whether their keys had values before or not. Requests to one
    /// server are sent together.
    ///
    /// # Errors
    /// [`ErrorKind::Key`](crate::ErrorKind::Key) and [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) when a key or
    /// a value is invalid, at the error's [`position`](Error::position); nothing was sent then. Errors of servers are
    /// in the [`Many`].
    pub fn set_many<K: AsRef<[u8]>, V: AsRef<[u8]>>(
        &self,
        items: &[(K, V)],
        attributes: impl Into<Attributes>,
    ) -> Result<Many<()>, Error> {
        const NAME: &str = "set_many";
        let (fleet, mut scratch) = (self.common.fleet(), Vec::new());
        let (shares, stores) = self.common.sets(NAME, &fleet, items, attributes.into(), &mut scratch)?;
        let _changing = self.common.changing_many(items.iter().map(|(key, _)| key.as_ref()));
        let sets = shares
            .divide(&stores)
            .map(|share| (Site::of(&share), Requests::new(share.items, share.positions, must_be_stored)));
        Ok(batch::run(NAME, sets, items.len(), self.batch_deadline()))
    }

    /// Deletes many items; the results say which of them there were. Requests to one server are sent together.
    ///
    /// # Errors
    /// [`ErrorKind::Key`](crate::ErrorKind::Key) when a key is invalid, at the error's
    /// [`position`](Error::position); nothing was sent then. Errors of servers are in the [`Many`].
    pub fn delete_many<K: AsRef<[u8]>>(&self, keys: &[K]) -> Result<Many<bool>, Error> {
        const NAME: &str = "delete_many";
        let (fleet, mut scratch) = (self.common.fleet(), Vec::new());
        let shares = self.common.shares(NAME, &fleet, keys.iter().map(AsRef::as_ref), &mut scratch)?;
        let _changing = self.common.changing_many(keys.iter().map(AsRef::as_ref));
        let deletes: Vec<_> = shares.keys().iter().map(|&key| Delete { key, noreply: false }).collect();
        let divided = shares
            .divide(&deletes)
            .map(|share| (Site::of(&share), Requests::new(share.items, share.positions, Ok)));
        Ok(batch::run(NAME, divided, keys.len(), self.batch_deadline()))
    }
}
