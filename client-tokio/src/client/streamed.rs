//! The verbs that stream values, which are never in memory as a whole.

use memring_client::{KeyScratch, failure::Error, outcome::must_be_stored};
use memring_text::{
    Get, Item, Store, Value,
    request::{Attributes, GetVerb, StoreVerb},
};
use tokio::io::{AsyncRead, AsyncWrite};

use super::Client;
use crate::streamed;

impl Client {
    /// Stores a value of `len` bytes that is read from `source` piece by piece, whatever was there before. It is never
    /// whole in memory. It has a connection of its own, so that others need not wait; of such there are 16 to each server at
    /// most, and more take turns.
    ///
    /// The [timeout](crate::Builder::timeout) is for each piece: the call goes on for as long as bytes move. The time
    /// that `source` takes does not count. The call is never repeated.
    ///
    /// ```
    /// # use memring_tokio::{Client, Ttl, testing::Server};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Server::start().await?;
    /// # let client = Client::connect([server.addr()])?;
    /// let report = "all is well\n".repeat(10_000);
    /// client.set_from("report", report.len(), report.as_bytes(), Ttl::NEVER).await?;
    /// let mut copy = Vec::new();
    /// let item = client.get_to("report", &mut copy).await?.expect("a hit");
    /// assert_eq!((item.value, copy), (report.len(), report.into_bytes()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Stream`](crate::ErrorKind::Stream) when `source` fails or ends early: the connection is closed, and
    /// nothing is stored. [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge), before anything is read, when `len` is
    /// more than [`Limits::value`](crate::Limits::value). Else see [`Error`].
    ///
    /// # Cancel safety
    /// Dropped, it closes its connection. It has stored the whole value or nothing.
    pub async fn set_from(
        &self,
        key: impl AsRef<[u8]>,
        len: usize,
        source: impl AsyncRead + Unpin,
        attributes: impl Into<Attributes>,
    ) -> Result<(), Error> {
        const NAME: &str = "set_from";
        let (key, mut scratch, mut source) = (key.as_ref(), KeyScratch::default(), source);
        self.common.check_len(NAME, len)?;
        let (flags, exptime) = self.common.attributes(NAME, attributes.into())?;
        let (verb, value) = (StoreVerb::Set, Value::EMPTY);
        let (target, key) = self.target(NAME, key, &mut scratch)?;
        let _changing = self.common.changing(key.as_bytes(), target.routing_key());
        let store = Store { verb, key, flags, exptime, value, noreply: false };
        let outcome = streamed::send_from(&target, &store, len, &mut source, self.common.timeout()).await?;
        must_be_stored(outcome).map_err(|cause| target.error(cause))
    }

    /// Reads an item and writes its value to `sink` piece by piece. It is never whole in memory; the item has its length
    /// in its place. It has a connection of its own, so that others need not wait; of such there are 16 to each server at
    /// most, and more take turns.
    ///
    /// The [timeout](crate::Builder::timeout) is for each piece: the call goes on for as long as bytes move. The time
    /// that `sink` takes does not count. The call is never repeated.
    ///
    /// # Errors
    /// [`ErrorKind::Stream`](crate::ErrorKind::Stream) when `sink` fails; else see [`Error`]. Part of the value may
    /// have been written by then. So an error is returned even by a client that [takes errors for
    /// misses](Self::with_errors_as_misses).
    ///
    /// # Cancel safety
    /// Dropped, it closes its connection; part of the value may have been written.
    pub async fn get_to(
        &self,
        key: impl AsRef<[u8]>,
        sink: impl AsyncWrite + Unpin,
    ) -> Result<Option<Item<usize>>, Error> {
        const NAME: &str = "get_to";
        let (key, mut scratch, mut sink) = (key.as_ref(), KeyScratch::default(), sink);
        let (target, key) = self.target(NAME, key, &mut scratch)?;
        let get = Get { verb: GetVerb::Get, key };
        streamed::get_to(&target, get, &mut sink, self.common.timeout()).await
    }
}
