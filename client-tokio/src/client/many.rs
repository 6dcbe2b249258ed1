//! The verbs for many keys at once.

use std::sync::{Mutex, PoisonError};

use memring_client::{
    failure::{Error, Many},
    outcome::{must_be_stored, visible},
};
use memring_text::{
    Get, Operation, Reply, Request,
    buffer::Buffer,
    operation::ReplyError,
    request::{Attributes, Delete, GetVerb},
};

use super::{Client, Item, ItemRef, moving::is_moving, shared};
use crate::batch;

impl Client {
    /// Reads many items: every server is asked before the reply of any is waited for.
    ///
    /// ```
    /// # use memring_tokio::{Client, Ttl, testing::Server};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let servers = [Server::start().await?, Server::start().await?];
    /// # let client = Client::connect(servers.iter().map(Server::addr))?;
    /// client.set_many(&[("a", "1"), ("b", "2")], Ttl::NEVER).await?.all()?;
    /// let keys = ["a", "b", "c"];
    /// let found = client.get_many(&keys).await?;
    /// for error in found.errors() {
    ///     eprintln!("{error}");
    /// }
    /// let found = found.by_key(&keys);
    /// assert_eq!(found[&"b"].value, b"2"[..]);
    /// assert!(!found.contains_key(&"c"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Key`](crate::ErrorKind::Key) when a key is invalid, at the error's
    /// [`position`](Error::position); nothing was sent then. Errors of servers are in the [`Many`].
    pub async fn get_many<K: AsRef<[u8]>>(&self, keys: &[K]) -> Result<Many<Option<Item>>, Error> {
        const NAME: &str = "get_many";
        let (deadline, fleet, mut scratch) = (self.deadline(), self.common.fleet(), Vec::new());
        let shares = match self.common.shares(NAME, &fleet, keys.iter().map(AsRef::as_ref), &mut scratch) {
            Err(error) if is_moving(&error) => return Box::pin(self.get_many_moving(keys)).await,
            shares => shares?,
        };
        let gets: Vec<_> = shares.keys().iter().map(|&key| Get { verb: GetVerb::Get, key }).collect();
        let read = |item: Option<_>| Ok(visible(item).map(shared));
        let found = batch::run(NAME, shares.divide(&gets), gets.len(), deadline, read).await;
        shares.found(&found, |found| Some(found.is_some()));
        Ok(self.common.or_misses(found))
    }

    /// Reads many items like [`get_many`](Self::get_many), but hands each to `visit` when it is whole, with its key's
    /// position; its value is lent for that long. The result says of each key whether there was an item.
    ///
    /// ```
    /// # use memring_tokio::{Client, Ttl, testing::Server};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let servers = [Server::start().await?, Server::start().await?];
    /// # let client = Client::connect(servers.iter().map(Server::addr))?;
    /// client.set_many(&[("a", "1"), ("b", "22")], Ttl::NEVER).await?.all()?;
    /// let mut len = 0;
    /// let found = client.get_many_with(&["a", "b", "c"], |_, item| len += item.value.len()).await?;
    /// assert_eq!((len, found.all()?), (3, vec![true, true, false]));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As of [`get_many`](Self::get_many). If a server fails in the middle, `visit` has seen some of its items.
    ///
    /// # Cancel safety
    /// Dropped, it has shown some of the items, perhaps, and shows no more.
    pub async fn get_many_with<K: AsRef<[u8]>>(
        &self,
        keys: &[K],
        visit: impl FnMut(usize, ItemRef<'_>) + Send,
    ) -> Result<Many<bool>, Error> {
        const NAME: &str = "get_many_with";
        let (deadline, fleet, mut scratch) = (self.deadline(), self.common.fleet(), Vec::new());
        let shares = self.common.shares(NAME, &fleet, keys.iter().map(AsRef::as_ref), &mut scratch)?;
        let get = |(&key, &position)| Placed { get: Get { verb: GetVerb::Get, key }, position };
        let gets: Vec<_> = shares.keys().iter().zip(shares.positions()).map(get).collect();
        // Locked by one alone: only this call, which polls its parts one after the other, has it.
        let visit = Mutex::new(visit);
        let show = |(position, item): (usize, Option<memring_text::Item<Vec<u8>>>)| {
            let Some(memring_text::Item { flags, cas, value }) = visible(item) else { return Ok(false) };
            let mut visit = visit.lock().unwrap_or_else(PoisonError::into_inner);
            visit(position, memring_text::Item { flags, cas, value: &value });
            Ok(true)
        };
        let found = batch::run(NAME, shares.divide(&gets), gets.len(), deadline, show).await;
        shares.found(&found, |found| Some(*found));
        Ok(self.common.or_misses(found))
    }

    /// Stores many values, all with the same attributes, whether their keys had values before or not. Requests to one
    /// server are sent together.
    ///
    /// # Errors
    /// [`ErrorKind::Key`](crate::ErrorKind::Key) and [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) when a key or
    /// a value is invalid, at the error's [`position`](Error::position); nothing was sent then. Errors of servers are
    /// in the [`Many`].
    pub async fn set_many<K: AsRef<[u8]>, V: AsRef<[u8]>>(
        &self,
        items: &[(K, V)],
        attributes: impl Into<Attributes>,
    ) -> Result<Many<()>, Error> {
        const NAME: &str = "set_many";
        let (deadline, fleet, mut scratch) = (self.deadline(), self.common.fleet(), Vec::new());
        let (shares, stores) = self.common.sets(NAME, &fleet, items, attributes.into(), &mut scratch)?;
        let _changing = self.common.changing_many(items.iter().map(|(key, _)| key.as_ref()));
        Ok(batch::run(NAME, shares.divide(&stores), stores.len(), deadline, must_be_stored).await)
    }

    /// Deletes many items; the results say which of them there were. Requests to one server are sent together.
    ///
    /// # Errors
    /// [`ErrorKind::Key`](crate::ErrorKind::Key) when a key is invalid, at the error's
    /// [`position`](Error::position); nothing was sent then. Errors of servers are in the [`Many`].
    pub async fn delete_many<K: AsRef<[u8]>>(&self, keys: &[K]) -> Result<Many<bool>, Error> {
        const NAME: &str = "delete_many";
        let (deadline, fleet, mut scratch) = (self.deadline(), self.common.fleet(), Vec::new());
        let shares = self.common.shares(NAME, &fleet, keys.iter().map(AsRef::as_ref), &mut scratch)?;
        let _changing = self.common.changing_many(keys.iter().map(AsRef::as_ref));
        let deletes: Vec<_> = shares.keys().iter().map(|&key| Delete { key, noreply: false }).collect();
        Ok(batch::run(NAME, shares.divide(&deletes), deletes.len(), deadline, Ok).await)
    }
}

/// A get that knows its position in the batch.
struct Placed<'k> {
    get: Get<'k>,
    position: usize,
}

impl Operation for Placed<'_> {
    type Output<V> = (usize, Option<memring_text::Item<V>>);

    fn request(&self) -> Request<'_> {
        Request::Get(self.get)
    }

    fn output<V: Buffer>(&self, reply: Reply<V>) -> Result<Self::Output<V>, ReplyError> {
        Ok((self.position, self.get.output(reply)?))
    }
}
