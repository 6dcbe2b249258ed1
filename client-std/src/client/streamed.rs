//! The verbs that stream values, which are never in memory as a whole.

use std::io::{Read, Write};

use memring_client::{KeyScratch, failure::Error, outcome::must_be_stored};
use memring_text::{
    Get, Item, Store, Value,
    request::{Attributes, GetVerb, StoreVerb},
};

use super::Client;
use crate::streamed;

impl Client {
    /// Stores a value of `len` bytes, which it reads from `source` piece by piece, whether the key had one before or
    /// not. The value is never in memory as a whole. The call keeps one connection of the pool for itself.
    ///
    /// The [timeout](crate::Builder::timeout) is for each piece: the call goes on for as long as bytes move. The time
    /// that `source` takes does not count. The call is never repeated.
    ///
    /// ```
    /// # use memring_std::{Client, Ttl, testing::Server};
    /// # let server = Server::start()?;
    /// # let client = Client::connect([server.addr()])?;
    /// let report = "all is well\n".repeat(10_000);
    /// client.set_from("report", report.len(), report.as_bytes(), Ttl::NEVER)?;
    /// let mut copy = Vec::new();
    /// let item = client.get_to("report", &mut copy)?.expect("a hit");
    /// assert_eq!((item.value, copy), (report.len(), report.into_bytes()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Stream`](crate::ErrorKind::Stream) when `source` fails or ends early: the connection is closed, and
    /// nothing is stored. [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge), before anything is read, when `len` is
    /// more than [`Limits::value`](crate::Limits::value). Else see [`Error`].
    pub fn set_from(
        &self,
        key: impl AsRef<[u8]>,
        len: usize,
        source: impl Read,
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
        let outcome = streamed::send_from(&target, &store, len, &mut source, self.common.timeout())?;
        must_be_stored(outcome).map_err(|cause| target.error(cause))
    }

    /// Reads an item and writes its value to `sink` piece by piece. The value is never in memory as a whole; the
    /// returned item has its length instead. The call keeps one connection of the pool for itself.
    ///
    /// The [timeout](crate::Builder::timeout) is for each piece: the call goes on for as long as bytes move. The time
    /// that `sink` takes does not count. The call is never repeated.
    ///
    /// # Errors
    /// [`ErrorKind::Stream`](crate::ErrorKind::Stream) when `sink` fails; else see [`Error`]. Part of the value may
    /// have been written by then. So an error is returned even by a client that [takes errors for
    /// misses](Self::with_errors_as_misses).
    pub fn get_to(&self, key: impl AsRef<[u8]>, sink: impl Write) -> Result<Option<Item<usize>>, Error> {
        const NAME: &str = "get_to";
        let (key, mut scratch, mut sink) = (key.as_ref(), KeyScratch::default(), sink);
        let (target, key) = self.target(NAME, key, &mut scratch)?;
        streamed::get_to(&target, Get { verb: GetVerb::Get, key }, &mut sink, self.common.timeout())
    }
}
