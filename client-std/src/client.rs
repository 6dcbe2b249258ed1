//! The client: every verb of the protocol, each sent to the server that holds the key.

use core::{fmt, time::Duration};
use std::sync::Arc;

use memring_client::{
    Clock, Common, Config, FromConfig, KeyScratch, ServerStatus,
    change::Change,
    failure::{Cause, Error},
    outcome::{CasOutcome, is_stored, must_be_stored},
    spec::{ServerList, ServerSpecError},
};
use memring_text::{
    Get, Key, Store, StoreOutcome, Ttl,
    buffer::{ArrayBuffer, Buffer},
    request::{Arith, ArithVerb, Attributes, Delete, GetVerb, StoreVerb, Touch},
};

use crate::{
    call::{Target, call},
    deadline::Deadline,
    pool::Pool,
};

mod admin;
mod batch;
mod many;
mod meta;
mod streamed;

pub use batch::Outcomes;
pub use meta::{Meta, MetaItem};

/// An item with its value in a vector.
pub type Item = memring_text::Item<Vec<u8>>;

/// An item with its cas unique, and its value in a vector.
pub type CasItem = memring_client::outcome::CasItem<Vec<u8>>;

/// An item whose value is lent.
pub type ItemRef<'v> = memring_text::Item<&'v [u8]>;

/// A blocking client of many servers.
///
/// It is cheap to clone, and clones share their connections. All methods take `&self`: use it from as many threads as
/// you like.
///
/// Every method returns by the [timeout](Builder::timeout) at the latest. A miss is `None` or `false`; an [`Error`] is
/// a failure, and never stands for a miss.
///
/// ```
/// use memring_std::{Client, Ttl, testing::Server};
///
/// let server = Server::start()?;
/// let client = Client::connect([server.addr()])?;
/// client.set("greeting", "hello", Ttl::NEVER)?;
/// let item = client.get("greeting")?.expect("it was just stored");
/// assert_eq!(item.value, b"hello");
/// assert!(client.get("farewell")?.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Client {
    common: Common<Pool>,
}

/// Makes a [`Client`]: each call sets a field of a [`Config`].
///
/// ```
/// use std::time::Duration;
/// use memring_std::{Client, Event, FailurePolicy};
///
/// let client = Client::builder()
///     .servers(["10.0.0.1:11211 2", "10.0.0.2:11211"])
///     .scheme_named("libmemcached-ketama-weighted", [("prefix", "shop:"), ("auto_eject_hosts", "1")])
///     .failure_policy(FailurePolicy::Fallback)
///     .timeout(Duration::from_millis(250))
///     .on_event(|event| match event {
///         Event::ServerDown { server, retry_after, .. } => eprintln!("{server} is down for {retry_after:?}"),
///         Event::Failed { error, .. } => eprintln!("{error}"),
///         _ => {}
///     })
///     .build()?;
/// # Ok::<(), memring_std::Error>(())
/// ```
pub type Builder = memring_client::Builder<Client>;

impl FromConfig for Client {
    fn from_config(config: Config) -> Result<Self, Error> {
        Ok(Self { common: Common::build(config, Clock::SYSTEM, Pool::new)? })
    }
}

impl Client {
    /// A client of `servers`, with the defaults of the [`Builder`].
    ///
    /// Connections are opened when they are needed, so servers that are down are no error here.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config): a server is invalid, or there are no servers.
    pub fn connect<S: TryInto<ServerList>>(servers: impl IntoIterator<Item = S>) -> Result<Self, Error>
    where
        ServerSpecError: From<S::Error>,
    {
        Self::builder().servers(servers).build()
    }

    /// The client that `config` describes. It opens connections when it needs them, so servers that are down are no error
    /// here.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config): a server, the scheme or another field is wrong, or they do not fit
    /// together.
    pub fn with_config(config: Config) -> Result<Self, Error> {
        Self::from_config(config)
    }

    /// A builder, to say more.
    pub fn builder() -> Builder {
        Builder::new(Config::default())
    }

    /// The same client, with the same connections, but with another [timeout](Builder::timeout).
    ///
    /// ```
    /// # use memring_std::{Client, testing::Server};
    /// # let server = Server::start()?;
    /// # let client = Client::connect([server.addr()])?;
    /// use std::time::Duration;
    ///
    /// let patient = client.with_timeout(Duration::from_secs(10));
    /// assert!(patient.get("k")?.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self { common: self.common.with_timeout(timeout) }
    }

    /// The same client, with the same connections, but a read that fails for a server or the way to it
    /// ([`Error::is_outage`]) is a miss: a cache that is away is no reason to fail. What changes something fails as
    /// before, and so does what is the caller's fault, such as a bad key. [`Builder::on_event`] still hears of every
    /// error, and so does [`Many::errors`](crate::Many::errors).
    ///
    /// ```
    /// # use memring_std::Client;
    /// let client = Client::connect(["127.0.0.1:1"])?.with_errors_as_misses(true);
    /// assert!(client.get("k")?.is_none());
    /// assert!(client.get("").is_err(), "no key");
    /// # Ok::<(), memring_std::Error>(())
    /// ```
    #[must_use]
    pub fn with_errors_as_misses(&self, yes: bool) -> Self {
        Self { common: self.common.with_errors_as_misses(yes) }
    }

    /// The same client, with the same connections, but all its keys are placed as if they were `key`: so that what belongs
    /// together lives together, on one server. Keys are written as ever; their readers must place them so, too.
    ///
    /// ```
    /// # use memring_std::{Client, Ttl, testing::Server};
    /// # let servers = [Server::start()?, Server::start()?];
    /// # let client = Client::connect(servers.iter().map(Server::addr))?;
    /// let user = client.routed_by("user:7");
    /// user.set("cart", "1 umbrella", Ttl::NEVER)?;
    /// assert_eq!(user.server_of("cart"), client.server_of("user:7"));
    /// assert!(user.get("cart")?.is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn routed_by(&self, key: impl AsRef<[u8]>) -> Self {
        Self { common: self.common.routed_by(key.as_ref()) }
    }

    /// Replaces the servers, for all clones at once, and says what that moves, if asked. Operations under way end where
    /// they began; those after see the new list only. Servers of the same name, address, credentials and encryption keep
    /// their connections, and what is known of their health. The [gutter](Builder::gutter) stays what it is.
    ///
    /// ```
    /// # use memring_std::Client;
    /// let client = Client::connect(["10.0.0.1", "10.0.0.2", "10.0.0.3"])?;
    /// let change = client.set_servers(["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"])?;
    /// println!("{:.1} % of the keys have to be fetched anew", 100.0 * change.moves().moved());
    /// # Ok::<(), memring_std::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config); the servers remain what they were.
    pub fn set_servers<S: TryInto<ServerList>>(
        &self,
        servers: impl IntoIterator<Item = S>,
    ) -> Result<Change, Error>
    where
        ServerSpecError: From<S::Error>,
    {
        self.common.set_servers(servers, Pool::new)
    }

    /// The servers in use, in the configured order, those of the gutter last.
    #[must_use]
    pub fn servers(&self) -> Vec<ServerStatus> {
        self.common.servers(Pool::connections)
    }

    /// The name of the server that holds `key` when all is well. Any bytes have their place, also those that are no key.
    pub fn server_of(&self, key: impl AsRef<[u8]>) -> Arc<str> {
        self.common.server_of(key.as_ref())
    }

    /// Reads an item.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<Item>, Error> {
        self.get_into(key, Vec::new())
    }

    /// Reads an item into the caller's buffer, without an allocation of its own.
    ///
    /// ```
    /// # use memring_std::{Client, Ttl, testing::Server};
    /// # let server = Server::start()?;
    /// # let client = Client::connect([server.addr()])?;
    /// # client.set("greeting", "hello", Ttl::NEVER)?;
    /// let mut buffer = Vec::with_capacity(100);
    /// if client.get_into("greeting", &mut buffer)?.is_some() {
    ///     assert_eq!(buffer, b"hello");
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::BufferFull`](crate::ErrorKind::BufferFull) when the value does not fit; else see [`Error`].
    pub fn get_into<B: Buffer>(
        &self,
        key: impl AsRef<[u8]>,
        value: B,
    ) -> Result<Option<memring_text::Item<B>>, Error> {
        self.retrieve(GetVerb::Get, key.as_ref(), value)
    }

    /// Reads an item with its cas unique, for [`cas`](Self::cas).
    ///
    /// # Errors
    /// See [`Error`].
    pub fn gets(&self, key: impl AsRef<[u8]>) -> Result<Option<CasItem>, Error> {
        CasItem::read_found("gets", self.retrieve(GetVerb::Gets, key.as_ref(), Vec::new())?)
    }

    /// Reads an item and gives it `ttl` to live from now on.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn gat(&self, key: impl AsRef<[u8]>, ttl: impl Into<Ttl>) -> Result<Option<Item>, Error> {
        let verb = GetVerb::Gat(self.common.exptime("gat", ttl.into())?);
        self.retrieve(verb, key.as_ref(), Vec::new())
    }

    /// Reads an item with its cas unique and gives it `ttl` to live from now on.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn gats(&self, key: impl AsRef<[u8]>, ttl: impl Into<Ttl>) -> Result<Option<CasItem>, Error> {
        let verb = GetVerb::Gats(self.common.exptime("gats", ttl.into())?);
        CasItem::read_found("gats", self.retrieve(verb, key.as_ref(), Vec::new())?)
    }

    /// Stores a value, whatever was there before.
    ///
    /// # Errors
    /// See [`Error`]. When the server finds the value too large, the old one is gone; when the client does, nothing is sent, and
    /// the old one stays: see [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge).
    pub fn set(
        &self,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        attributes: impl Into<Attributes>,
    ) -> Result<(), Error> {
        self.store(StoreVerb::Set, key.as_ref(), value.as_ref(), attributes.into(), must_be_stored)
    }

    /// Stores a value under a key that has none. Returns whether it did.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn add(
        &self,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        attributes: impl Into<Attributes>,
    ) -> Result<bool, Error> {
        self.store(StoreVerb::Add, key.as_ref(), value.as_ref(), attributes.into(), is_stored)
    }

    /// Stores a value under a key that has one. Returns whether it did.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn replace(
        &self,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        attributes: impl Into<Attributes>,
    ) -> Result<bool, Error> {
        self.store(StoreVerb::Replace, key.as_ref(), value.as_ref(), attributes.into(), is_stored)
    }

    /// Puts `value` behind the one that is there, which keeps its flags and its time to live. Returns whether there
    /// was one.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn append(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<bool, Error> {
        self.store(StoreVerb::Append, key.as_ref(), value.as_ref(), Attributes::default(), is_stored)
    }

    /// Puts `value` before the one that is there, which keeps its flags and its time to live. Returns whether there
    /// was one.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn prepend(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<bool, Error> {
        self.store(StoreVerb::Prepend, key.as_ref(), value.as_ref(), Attributes::default(), is_stored)
    }

    /// Stores a value if the item has not changed since [`gets`](Self::gets) returned it with `cas`.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn cas(
        &self,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        attributes: impl Into<Attributes>,
        cas: u64,
    ) -> Result<CasOutcome, Error> {
        self.store(StoreVerb::Cas(cas), key.as_ref(), value.as_ref(), attributes.into(), CasOutcome::read)
    }

    /// Deletes an item. Returns whether there was one.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn delete(&self, key: impl AsRef<[u8]>) -> Result<bool, Error> {
        let mut scratch = KeyScratch::default();
        let (mut target, key) = self.target("delete", key.as_ref(), &mut scratch)?;
        call(&mut target, &Delete { key, noreply: false }, NO_VALUE)
    }

    /// Gives an item `ttl` to live from now on. Returns whether there is one.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn touch(&self, key: impl AsRef<[u8]>, ttl: impl Into<Ttl>) -> Result<bool, Error> {
        let mut scratch = KeyScratch::default();
        let exptime = self.common.exptime("touch", ttl.into())?;
        let (mut target, key) = self.target("touch", key.as_ref(), &mut scratch)?;
        call(&mut target, &Touch { key, exptime, noreply: false }, NO_VALUE)
    }

    /// Adds `delta` to a counter and returns the new number, or `None` when there is no such item. Past 2⁶⁴ − 1 it
    /// begins again at 0.
    ///
    /// # Errors
    /// [`ErrorKind::NonNumeric`](crate::ErrorKind::NonNumeric) when the value is not a number; else see [`Error`].
    pub fn incr(&self, key: impl AsRef<[u8]>, delta: u64) -> Result<Option<u64>, Error> {
        self.count(ArithVerb::Incr, key.as_ref(), delta)
    }

    /// Takes `delta` off a counter and returns the new number, or `None` when there is no such item. It ends at 0.
    ///
    /// # Errors
    /// [`ErrorKind::NonNumeric`](crate::ErrorKind::NonNumeric) when the value is not a number; else see [`Error`].
    pub fn decr(&self, key: impl AsRef<[u8]>, delta: u64) -> Result<Option<u64>, Error> {
        self.count(ArithVerb::Decr, key.as_ref(), delta)
    }

    fn retrieve<B: Buffer>(
        &self,
        verb: GetVerb,
        key: &[u8],
        value: B,
    ) -> Result<Option<memring_text::Item<B>>, Error> {
        let mut scratch = KeyScratch::default();
        let found = match self.target(verb.word(), key, &mut scratch) {
            Ok((mut target, key)) => call(&mut target, &Get { verb, key }, value),
            Err(error) => Err(error),
        };
        self.common.or_miss(found)
    }

    fn store<T>(
        &self,
        verb: StoreVerb,
        key: &[u8],
        value: &[u8],
        attributes: Attributes,
        read: impl FnOnce(StoreOutcome) -> Result<T, Cause>,
    ) -> Result<T, Error> {
        let mut scratch = KeyScratch::default();
        let value = self.common.value(verb.word(), value)?;
        let (flags, exptime) = self.common.attributes(verb.word(), attributes)?;
        let (mut target, key) = self.target(verb.word(), key, &mut scratch)?;
        let store = Store { verb, key, flags, exptime, value, noreply: false };
        let outcome = call(&mut target, &store, NO_VALUE)?;
        read(outcome).map_err(|cause| target.error(cause))
    }

    fn count(&self, verb: ArithVerb, key: &[u8], delta: u64) -> Result<Option<u64>, Error> {
        let mut scratch = KeyScratch::default();
        let (mut target, key) = self.target(verb.word(), key, &mut scratch)?;
        call(&mut target, &Arith { verb, key, delta, noreply: false }, NO_VALUE)
    }

    /// The server that the operation `name` goes to, and the key as it goes on the wire.
    #[inline]
    fn target<'k>(
        &'k self,
        name: &'static str,
        key: &'k [u8],
        scratch: &'k mut KeyScratch,
    ) -> Result<(Target<'k>, Key<'k>), Error> {
        self.common.target(name, key, scratch, self.deadline())
    }

    fn deadline(&self) -> Deadline {
        Deadline::after(self.common.timeout())
    }

    /// The deadline of a batch. What has arrived by then may still be read, for an eighth of the time.
    fn batch_deadline(&self) -> Deadline {
        self.deadline().with_overtime(self.common.timeout() / 8)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("servers", &self.servers()).finish_non_exhaustive()
    }
}

/// What replies without a value are collected in.
const NO_VALUE: ArrayBuffer<0> = ArrayBuffer::new();
