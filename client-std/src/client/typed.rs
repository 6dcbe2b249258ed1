//! Typed values: the client's verbs over types of Rust.

use memring_client::{
    failure::{Error, Many},
    outcome::{CasItem, CasOutcome},
    typed::{Algorithm, Encoding, Layer},
};
use memring_text::{Ttl, request::Attributes};

use super::Client;
use crate::Batch;

mod fetch;

/// A [`Client`] whose values are of types of Rust.
///
/// The flags of each item say its encoding, so that what was stored otherwise, by [`Client::set`] or by a client of
/// another language, is an error, [`ErrorKind::Encoding`](crate::ErrorKind::Encoding), and never a wrong value. What
/// knows no values (`delete`, `touch`, counters) is done by the client itself, of which this has a clone.
///
/// ```
/// use std::time::Duration;
/// use memring_std::{Client, testing::Server, typed::Json};
///
/// let server = Server::start()?;
/// let client = Client::connect([server.addr()])?;
/// let scores = client.typed::<Json>();
/// scores.set("scores", &vec![("Ada".to_owned(), 3)], Duration::from_secs(60))?;
/// let found: Option<Vec<(String, u32)>> = scores.get("scores")?;
/// assert_eq!(found, Some(vec![("Ada".to_owned(), 3)]));
///
/// client.set("scores", "3", Duration::from_secs(60))?;
/// assert!(scores.get::<Vec<(String, u32)>>("scores").is_err(), "it is no typed value");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Typed<E> {
    client: Client,
    layer: Layer<E>,
}

impl Client {
    /// The verbs over values in the encoding `E`, such as `Json` or `Postcard` of [`typed`](crate::typed).
    pub fn typed<E: Default>(&self) -> Typed<E> {
        self.typed_with(E::default())
    }

    /// The verbs over values in `encoding`.
    pub fn typed_with<E>(&self, encoding: E) -> Typed<E> {
        Typed { client: self.clone(), layer: Layer::new(encoding) }
    }
}

impl<E> Typed<E> {
    /// Compresses values of more than `above` bytes that get smaller by it. Compressed values are read whatever is said
    /// here, if the feature is on.
    #[must_use]
    pub fn compressed(self, algorithm: Algorithm, above: usize) -> Self {
        Self { layer: self.layer.compressed(algorithm, above), ..self }
    }

    /// Refuses to read compressed values that inflate to more than `limit` bytes (default:
    /// [`DEFAULT_LIMIT`](crate::values::DEFAULT_LIMIT)): whoever can store an item chooses what it inflates to.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { layer: self.layer.limit(limit), ..self }
    }

    /// The client, for what knows no values.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Reads a value. Of a key of [`fetch`](Self::fetch), a value that is being loaded is a miss, and so is the word that
    /// there is nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Encoding`](crate::ErrorKind::Encoding) when what is stored is not of this encoding and type; else see
    /// [`Error`].
    pub fn get<T>(&self, key: impl AsRef<[u8]>) -> Result<Option<T>, Error>
    where
        E: Encoding<T>,
    {
        let Some(item) = self.client.get(key)? else { return Ok(None) };
        self.layer.decode_item("get", item.flags, &item.value)
    }

    /// Reads a value with its cas unique, for [`cas`](Self::cas).
    ///
    /// # Errors
    /// As of [`get`](Self::get).
    pub fn gets<T>(&self, key: impl AsRef<[u8]>) -> Result<Option<CasItem<T>>, Error>
    where
        E: Encoding<T>,
    {
        let Some(CasItem { flags, cas, value }) = self.client.gets(key)? else { return Ok(None) };
        let value = self.layer.decode_item("gets", flags, &value)?;
        Ok(value.map(|value| CasItem { flags, cas, value }))
    }

    /// Reads a value and gives it `ttl` to live from now on.
    ///
    /// # Errors
    /// As of [`get`](Self::get). The item has the new time to live then, too.
    pub fn gat<T>(&self, key: impl AsRef<[u8]>, ttl: impl Into<Ttl>) -> Result<Option<T>, Error>
    where
        E: Encoding<T>,
    {
        let Some(item) = self.client.gat(key, ttl)? else { return Ok(None) };
        self.layer.decode_item("gat", item.flags, &item.value)
    }

    /// Stores a value, whether the key had one before or not.
    ///
    /// # Errors
    /// [`ErrorKind::Encoding`](crate::ErrorKind::Encoding) when the value cannot be encoded, and nothing was sent; else as of
    /// [`Client::set`].
    pub fn set<T>(&self, key: impl AsRef<[u8]>, value: &T, ttl: impl Into<Ttl>) -> Result<(), Error>
    where
        E: Encoding<T>,
    {
        let (flags, bytes) = self.layer.encode_for("set", value)?;
        self.client.set(key, bytes, Attributes { flags, ttl: ttl.into() })
    }

    /// Stores a value if the key has none. Returns whether it was stored.
    ///
    /// # Errors
    /// As of [`set`](Self::set).
    pub fn add<T>(&self, key: impl AsRef<[u8]>, value: &T, ttl: impl Into<Ttl>) -> Result<bool, Error>
    where
        E: Encoding<T>,
    {
        let (flags, bytes) = self.layer.encode_for("add", value)?;
        self.client.add(key, bytes, Attributes { flags, ttl: ttl.into() })
    }

    /// Stores a value if the key has one, of whatever encoding. Returns whether it was stored.
    ///
    /// # Errors
    /// As of [`set`](Self::set).
    pub fn replace<T>(&self, key: impl AsRef<[u8]>, value: &T, ttl: impl Into<Ttl>) -> Result<bool, Error>
    where
        E: Encoding<T>,
    {
        let (flags, bytes) = self.layer.encode_for("replace", value)?;
        self.client.replace(key, bytes, Attributes { flags, ttl: ttl.into() })
    }

    /// Stores a value if the item has not changed since [`gets`](Self::gets) returned it with `cas`.
    ///
    /// # Errors
    /// As of [`set`](Self::set).
    pub fn cas<T>(
        &self,
        key: impl AsRef<[u8]>,
        value: &T,
        ttl: impl Into<Ttl>,
        cas: u64,
    ) -> Result<CasOutcome, Error>
    where
        E: Encoding<T>,
    {
        let (flags, bytes) = self.layer.encode_for("cas", value)?;
        self.client.cas(key, bytes, Attributes { flags, ttl: ttl.into() }, cas)
    }

    /// Reads many values of one type. Every server is asked before any reply is read.
    ///
    /// # Errors
    /// As of [`Client::get_many`]. A value of another encoding or type is the error of its key.
    pub fn get_many<T, K: AsRef<[u8]>>(&self, keys: &[K]) -> Result<Many<Option<T>>, Error>
    where
        E: Encoding<T>,
    {
        let found = self.client.get_many(keys)?;
        Ok(found.and_then(|found| {
            let Some(item) = found else { return Ok(None) };
            self.layer.decode_item("get_many", item.flags, &item.value)
        }))
    }

    /// Stores many values, all for the same time, whether their keys had values before or not. Requests to one server are
    /// sent together.
    ///
    /// # Errors
    /// As of [`set`](Self::set) if a value cannot be encoded, and nothing was sent; else as of [`Client::set_many`].
    pub fn set_many<T, K: AsRef<[u8]>>(
        &self,
        items: &[(K, T)],
        ttl: impl Into<Ttl>,
    ) -> Result<Many<()>, Error>
    where
        E: Encoding<T>,
    {
        let (mut batch, mut handles, ttl) = (Batch::new(), Vec::with_capacity(items.len()), ttl.into());
        for (key, value) in items {
            // Each has flags of its own: not all get smaller.
            let (flags, bytes) = self.layer.encode_for("set_many", value)?;
            handles.push(batch.set(key, bytes, Attributes { flags, ttl }));
        }
        let mut outcomes = self.client.run(batch)?;
        let errors = outcomes.errors().to_vec();
        Ok(Many::new(handles.into_iter().map(|handle| outcomes.take(handle)).collect(), errors))
    }
}

#[cfg(test)]
mod tests {
    use memring_client::{failure::ErrorKind, typed::Json};

    use super::*;
    use crate::testing::Server;

    #[test]
    fn many_values_are_read_and_one_of_another_encoding_is_the_error_of_its_key() {
        let servers = [Server::start().unwrap(), Server::start().unwrap()];
        let client = Client::connect(servers.iter().map(Server::addr)).unwrap();
        let typed = client.typed::<Json>().compressed(Algorithm::Lz4, 100);
        let items: Vec<_> = (0..20).map(|number| (format!("k{number}"), "a".repeat(number * 20))).collect();
        typed.set_many(&items, Ttl::seconds(60)).unwrap().all().unwrap();
        client.set("k3", "plain", Ttl::NEVER).unwrap();
        client.delete("k4").unwrap();
        let keys: Vec<_> = items.iter().map(|(key, _)| key).collect();
        let found = typed.get_many::<String, _>(&keys).unwrap();
        assert_eq!(found.errors().len(), 1);
        for (number, (result, (_, value))) in found.into_results().into_iter().zip(&items).enumerate() {
            match number {
                3 => assert_eq!(result.unwrap_err().kind(), ErrorKind::Encoding),
                4 => assert_eq!(result.unwrap(), None),
                _ => assert_eq!(result.unwrap().as_ref(), Some(value)),
            }
        }
        assert!(!typed.replace("k4", &1, Ttl::NEVER).unwrap());
        assert!(typed.limit(10).get::<String>("k9").is_err(), "it inflates to more");
        let stored = client.get("k4").unwrap();
        assert!(stored.is_none());
    }
}
