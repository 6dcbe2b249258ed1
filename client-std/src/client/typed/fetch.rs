//! Get or compute, over types of Rust.

use memring_client::{
    failure::Error,
    fetch::{FetchError, Freshness, Lifetime, Updated},
    typed::Encoding,
};

use super::Typed;

impl<C> Typed<C> {
    /// Reads a value, or computes and stores it, as [`Client::fetch`](crate::Client::fetch) does.
    ///
    /// ```
    /// # use memring_std::{Client, testing::Server, typed::Json};
    /// # let server = Server::start()?;
    /// # let client = Client::connect([server.addr()])?;
    /// use std::{io, time::Duration};
    ///
    /// let scores = client.typed::<Json>();
    /// let load = || Ok::<_, io::Error>(vec![("Ada".to_owned(), 3)]);
    /// let found = scores.fetch("scores", Duration::from_secs(60), load)?;
    /// assert_eq!(found, [("Ada".to_owned(), 3)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`FetchError::Refused`] with an error of [`ErrorKind::Encoding`](crate::ErrorKind::Encoding) when what is stored is
    /// not of this encoding and type, or what was loaded cannot be encoded: then nothing is stored. What was stored
    /// otherwise stays until it ends: delete it, or take another key. Else as of [`Client::fetch`](crate::Client::fetch).
    pub fn fetch<T, X: Send + Sync + 'static>(
        &self,
        key: impl AsRef<[u8]>,
        freshness: impl Into<Freshness>,
        loader: impl FnOnce() -> Result<T, X>,
    ) -> Result<T, FetchError<X>>
    where
        C: Encoding<T>,
    {
        let loader = || self.layer.loaded(loader());
        self.layer.fetched(self.client.fetch(key, freshness, loader))
    }

    /// As [`fetch`](Self::fetch), of a loader that can say that there is nothing: that is kept for a time of its own,
    /// [`Freshness::negative_ttl`].
    ///
    /// ```
    /// # use memring_std::{Client, testing::Server, typed::Json};
    /// # let server = Server::start()?;
    /// # let client = Client::connect([server.addr()])?;
    /// # let users = client.typed::<Json>();
    /// use std::{io, time::Duration};
    ///
    /// let nobody = users.fetch_option("user:7", Duration::from_secs(60), || io::Result::<Option<String>>::Ok(None))?;
    /// assert_eq!(nobody, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As of [`fetch`](Self::fetch).
    pub fn fetch_option<T, X: Send + Sync + 'static>(
        &self,
        key: impl AsRef<[u8]>,
        freshness: impl Into<Freshness>,
        loader: impl FnOnce() -> Result<Option<T>, X>,
    ) -> Result<Option<T>, FetchError<X>>
    where
        C: Encoding<T>,
    {
        let loader = || self.layer.loaded_option(loader());
        self.layer.fetched_option(self.client.fetch(key, freshness, loader))
    }

    /// Changes a value by what it was, as [`Client::update`](crate::Client::update) does: `change` gets the value, or
    /// `None`, and returns the new one, or `None` to leave all as it was. It may run often.
    ///
    /// ```
    /// # use memring_std::{Client, testing::Server, typed::Json};
    /// # let server = Server::start()?;
    /// # let client = Client::connect([server.addr()])?;
    /// use std::time::Duration;
    ///
    /// let carts = client.typed::<Json>();
    /// for article in ["umbrella", "hat"] {
    ///     carts.update("cart:7", Duration::from_secs(3600), |cart: Option<Vec<String>>| {
    ///         let mut cart = cart.unwrap_or_default();
    ///         cart.push(article.to_owned());
    ///         Some(cart)
    ///     })?;
    /// }
    /// assert_eq!(carts.get::<Vec<String>>("cart:7")?.unwrap_or_default(), ["umbrella", "hat"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Encoding`](crate::ErrorKind::Encoding) when what is stored is not of this encoding and type, or the new
    /// value cannot be encoded: then all is left as it was. Else as of [`Client::update`](crate::Client::update).
    pub fn update<T>(
        &self,
        key: impl AsRef<[u8]>,
        lifetime: impl Into<Lifetime>,
        change: impl FnMut(Option<T>) -> Option<T>,
    ) -> Result<Updated<T>, Error>
    where
        C: Encoding<T>,
    {
        let mut change = self.layer.change(change);
        let updated = self.client.update(key, lifetime, |old| change.run(old));
        change.end(updated)
    }

    /// Stores a value of a key of [`fetch`](Self::fetch), as [`Client::put`](crate::Client::put) does.
    ///
    /// # Errors
    /// As of [`set`](Self::set).
    pub fn put<T>(&self, key: impl AsRef<[u8]>, value: &T, freshness: &Freshness) -> Result<(), Error>
    where
        C: Encoding<T>,
    {
        self.client.put(key, self.layer.content("put", value)?, freshness)
    }
}

#[cfg(test)]
mod tests {
    use core::{convert::Infallible, time::Duration};

    use memring_client::{failure::ErrorKind, typed::Json};

    use super::*;
    use crate::{Client, testing::Server};

    const MINUTE: Duration = Duration::from_secs(60);

    fn client() -> (Server, Client) {
        let server = Server::start().unwrap();
        let client = Client::connect([server.addr()]).unwrap();
        (server, client)
    }

    fn none<T>() -> Result<T, Infallible> {
        unreachable!("it is there")
    }

    #[test]
    fn what_is_loaded_or_missing_is_found_again() {
        let (_server, client) = client();
        let typed = client.typed::<Json>();
        assert_eq!(typed.fetch("some", MINUTE, || Ok::<_, Infallible>(7)).unwrap(), 7);
        assert_eq!(typed.fetch::<u32, _>("some", MINUTE, none).unwrap(), 7);
        assert_eq!(typed.fetch_option("none", MINUTE, || Ok::<_, Infallible>(None::<u32>)).unwrap(), None);
        assert_eq!(typed.fetch_option::<u32, _>("none", MINUTE, none).unwrap(), None);
        // It is no value of another type's, either.
        assert_eq!(typed.get::<String>("none").unwrap(), None);
        typed.put("none", &8, &Freshness::new(MINUTE)).unwrap();
        assert_eq!(typed.fetch_option::<u32, _>("none", MINUTE, none).unwrap(), Some(8));
    }

    #[test]
    fn what_was_written_otherwise_is_an_error_and_stays() {
        let (_server, client) = client();
        let typed = client.typed::<Json>();
        let freshness = Freshness::new(MINUTE);
        client.put("k", "text", &freshness).unwrap();
        let Err(FetchError::Refused(error)) = typed.fetch::<u32, _>("k", freshness, none) else { panic!() };
        assert_eq!(error.kind(), ErrorKind::Encoding);
        let error = typed.update("k", freshness, |_: Option<u32>| panic!("it has no value")).unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Encoding, "update"));
        assert_eq!(client.get("k").unwrap().unwrap().value, b"text");
        // It can be taken over by the next loader.
        client.delete("k").unwrap();
        assert_eq!(typed.fetch("k", freshness, || Ok::<_, Infallible>(1)).unwrap(), 1);
    }

    #[test]
    fn what_cannot_be_encoded_is_an_error_and_the_next_caller_loads() {
        let (_server, client) = client();
        let typed = client.typed::<Json>();
        // JSON has no maps whose keys are no text.
        let loader = || Ok::<_, Infallible>(std::collections::BTreeMap::from([(vec![1], 1)]));
        let Err(FetchError::Refused(error)) = typed.fetch("k", MINUTE, loader) else { panic!() };
        assert_eq!(error.kind(), ErrorKind::Encoding);
        assert_eq!(client.get("k").unwrap(), None);
        assert_eq!(typed.fetch("k", MINUTE, || Ok::<_, Infallible>(2)).unwrap(), 2);
    }

    #[test]
    fn a_loader_s_error_comes_as_it_is() {
        let (_server, client) = client();
        let failed = client.typed::<Json>().fetch::<u32, _>("k", MINUTE, || Err("no"));
        assert_eq!(failed.unwrap_err().loader(), Some(&"no"));
    }

    #[test]
    fn an_update_is_told_and_may_be_declined() {
        let (_server, client) = client();
        let typed = client.typed::<Json>();
        let add = |old: Option<u32>| Some(old.unwrap_or(40) + 1);
        assert_eq!(typed.update("k", MINUTE, add).unwrap().content, Some(41));
        assert_eq!(typed.update("k", MINUTE, add).unwrap().content, Some(42));
        assert_eq!(typed.update("k", MINUTE, |_: Option<u32>| None).unwrap().content, None);
        assert_eq!(typed.get::<u32>("k").unwrap(), Some(42));
    }
}
