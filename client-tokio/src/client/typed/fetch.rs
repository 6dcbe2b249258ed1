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
    /// # use memring_tokio::{Client, testing::Server, typed::Json};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Server::start().await?;
    /// # let client = Client::connect([server.addr()])?;
    /// use std::{io, time::Duration};
    ///
    /// let scores = client.typed::<Json>();
    /// let load = async { Ok::<_, io::Error>(vec![("Ada".to_owned(), 3)]) };
    /// let found = scores.fetch("scores", Duration::from_secs(60), load).await?;
    /// assert_eq!(found, [("Ada".to_owned(), 3)]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`FetchError::Refused`] with an error of [`ErrorKind::Encoding`](crate::ErrorKind::Encoding) when what is stored is
    /// not of this encoding and type, or what was loaded cannot be encoded: then nothing is stored. What was stored
    /// otherwise stays until it ends: delete it, or take another key. Else as of [`Client::fetch`](crate::Client::fetch).
    pub async fn fetch<T, X: Send + Sync + 'static>(
        &self,
        key: impl AsRef<[u8]>,
        freshness: impl Into<Freshness>,
        loader: impl Future<Output = Result<T, X>>,
    ) -> Result<T, FetchError<X>>
    where
        C: Encoding<T>,
    {
        let loader = async { self.layer.loaded(loader.await) };
        self.layer.fetched(self.client.fetch(key, freshness, loader).await)
    }

    /// As [`fetch`](Self::fetch), of a loader that can say that there is nothing: that is kept for a time of its own,
    /// [`Freshness::negative_ttl`].
    ///
    /// ```
    /// # use memring_tokio::{Client, testing::Server, typed::Json};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Server::start().await?;
    /// # let client = Client::connect([server.addr()])?;
    /// # let users = client.typed::<Json>();
    /// use std::{io, time::Duration};
    ///
    /// let load = async { io::Result::<Option<String>>::Ok(None) };
    /// let nobody = users.fetch_option("user:7", Duration::from_secs(60), load).await?;
    /// assert_eq!(nobody, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As of [`fetch`](Self::fetch).
    pub async fn fetch_option<T, X: Send + Sync + 'static>(
        &self,
        key: impl AsRef<[u8]>,
        freshness: impl Into<Freshness>,
        loader: impl Future<Output = Result<Option<T>, X>>,
    ) -> Result<Option<T>, FetchError<X>>
    where
        C: Encoding<T>,
    {
        let loader = async { self.layer.loaded_option(loader.await) };
        self.layer.fetched_option(self.client.fetch(key, freshness, loader).await)
    }

    /// Changes a value by what it was, as [`Client::update`](crate::Client::update) does: `change` gets the value, or
    /// `None`, and returns the new one, or `None` to leave all as it was. It may run often.
    ///
    /// ```
    /// # use memring_tokio::{Client, testing::Server, typed::Json};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Server::start().await?;
    /// # let client = Client::connect([server.addr()])?;
    /// use std::time::Duration;
    ///
    /// let carts = client.typed::<Json>();
    /// for article in ["umbrella", "hat"] {
    ///     let add = |cart: Option<Vec<String>>| {
    ///         let mut cart = cart.unwrap_or_default();
    ///         cart.push(article.to_owned());
    ///         Some(cart)
    ///     };
    ///     carts.update("cart:7", Duration::from_secs(3600), add).await?;
    /// }
    /// assert_eq!(carts.get::<Vec<String>>("cart:7").await?.unwrap_or_default(), ["umbrella", "hat"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Encoding`](crate::ErrorKind::Encoding) when what is stored is not of this encoding and type, or the new
    /// value cannot be encoded: then all is left as it was. Else as of [`Client::update`](crate::Client::update).
    pub async fn update<T>(
        &self,
        key: impl AsRef<[u8]>,
        lifetime: impl Into<Lifetime>,
        change: impl FnMut(Option<T>) -> Option<T>,
    ) -> Result<Updated<T>, Error>
    where
        C: Encoding<T>,
    {
        let mut change = self.layer.change(change);
        let updated = self.client.update(key, lifetime, |old| change.run(old)).await;
        change.end(updated)
    }

    /// Stores a value of a key of [`fetch`](Self::fetch), as [`Client::put`](crate::Client::put) does.
    ///
    /// # Errors
    /// As of [`set`](Self::set).
    pub async fn put<T>(&self, key: impl AsRef<[u8]>, value: &T, freshness: &Freshness) -> Result<(), Error>
    where
        C: Encoding<T>,
    {
        self.client.put(key, self.layer.content("put", value)?, freshness).await
    }
}

#[cfg(test)]
mod tests {
    use core::{convert::Infallible, time::Duration};

    use memring_client::{failure::ErrorKind, typed::Json};

    use super::*;
    use crate::{Client, testing::Server};

    const MINUTE: Duration = Duration::from_secs(60);

    async fn client() -> (Server, Client) {
        let server = Server::start().await.unwrap();
        let client = Client::connect([server.addr()]).unwrap();
        (server, client)
    }

    async fn none<T>() -> Result<T, Infallible> {
        unreachable!("it is there")
    }

    #[tokio::test]
    async fn what_is_loaded_or_missing_is_found_again() {
        let (_server, client) = client().await;
        let typed = client.typed::<Json>();
        assert_eq!(typed.fetch("some", MINUTE, async { Ok::<_, Infallible>(7) }).await.unwrap(), 7);
        assert_eq!(typed.fetch::<u32, _>("some", MINUTE, none()).await.unwrap(), 7);
        assert_eq!(
            typed.fetch_option("none", MINUTE, async { Ok::<_, Infallible>(None::<u32>) }).await.unwrap(),
            None
        );
        assert_eq!(typed.fetch_option::<u32, _>("none", MINUTE, none()).await.unwrap(), None);
        // It is no value of another type's, either.
        assert_eq!(typed.get::<String>("none").await.unwrap(), None);
        typed.put("none", &8, &Freshness::new(MINUTE)).await.unwrap();
        assert_eq!(typed.fetch_option::<u32, _>("none", MINUTE, none()).await.unwrap(), Some(8));
    }

    #[tokio::test]
    async fn what_was_written_otherwise_is_an_error_and_stays() {
        let (_server, client) = client().await;
        let typed = client.typed::<Json>();
        let freshness = Freshness::new(MINUTE);
        client.put("k", "text", &freshness).await.unwrap();
        let Err(FetchError::Refused(error)) = typed.fetch::<u32, _>("k", freshness, none()).await else {
            panic!()
        };
        assert_eq!(error.kind(), ErrorKind::Encoding);
        let error =
            typed.update("k", freshness, |_: Option<u32>| panic!("it has no value")).await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Encoding, "update"));
        assert_eq!(client.get("k").await.unwrap().unwrap().value, "text");
        // It can be taken over by the next loader.
        client.delete("k").await.unwrap();
        assert_eq!(typed.fetch("k", freshness, async { Ok::<_, Infallible>(1) }).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn what_cannot_be_encoded_is_an_error_and_the_next_caller_loads() {
        let (_server, client) = client().await;
        let typed = client.typed::<Json>();
        // JSON has no maps whose keys are no text.
        let loader = async { Ok::<_, Infallible>(std::collections::BTreeMap::from([(vec![1], 1)])) };
        let Err(FetchError::Refused(error)) = typed.fetch("k", MINUTE, loader).await else { panic!() };
        assert_eq!(error.kind(), ErrorKind::Encoding);
        assert_eq!(client.get("k").await.unwrap(), None);
        assert_eq!(typed.fetch("k", MINUTE, async { Ok::<_, Infallible>(2) }).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn a_loader_s_error_comes_as_it_is() {
        let (_server, client) = client().await;
        let failed = client.typed::<Json>().fetch::<u32, _>("k", MINUTE, async { Err("no") }).await;
        assert_eq!(failed.unwrap_err().loader(), Some(&"no"));
    }

    #[tokio::test]
    async fn an_update_is_told_and_may_be_declined() {
        let (_server, client) = client().await;
        let typed = client.typed::<Json>();
        let add = |old: Option<u32>| Some(old.unwrap_or(40) + 1);
        assert_eq!(typed.update("k", MINUTE, add).await.unwrap().content, Some(41));
        assert_eq!(typed.update("k", MINUTE, add).await.unwrap().content, Some(42));
        assert_eq!(typed.update("k", MINUTE, |_: Option<u32>| None).await.unwrap().content, None);
        assert_eq!(typed.get::<u32>("k").await.unwrap(), Some(42));
    }
}
