//! The client: every verb of the protocol, each sent to the server that holds the key.

use core::{fmt, time::Duration};
use std::sync::Arc;

use memring_client::{
    Clock, Common, Config, FromConfig, KeyScratch, ServerStatus,
    change::Change,
    failure::{Cause, Error},
    outcome::{CasOutcome, is_stored, must_be_stored, visible},
    roster::Roster,
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
    discover,
    pool::Pool,
};

mod admin;
mod batch;
mod fetch;
mod many;
mod meta;
mod moving;
mod streamed;
mod typed;

pub use batch::Outcomes;
pub use meta::{Meta, MetaItem};
use moving::is_moving;
pub use typed::Typed;

/// An item with its value in a vector.
pub type Item = memring_text::Item<Vec<u8>>;

/// An item with its cas unique, and its value in a vector.
pub type CasItem = memring_client::outcome::CasItem<Vec<u8>>;

/// An item with a borrowed value.
pub type ItemRef<'v> = memring_text::Item<&'v [u8]>;

/// A blocking client of many servers.
///
/// A client is cheap to clone, and clones share their connections. All methods take `&self`: use it from as many
/// threads as you like.
///
/// Every method returns within the [timeout](Builder::timeout). A miss is `None` or `false`; an [`Error`] is a failure,
/// never a miss.
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

    /// The client that `config` describes. No connection is opened before it is needed, so a server that is down is no
    /// error here.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config): a server, the scheme or another field is invalid, or they do
    /// not fit together; or the servers are to be [found out](Self::discover).
    pub fn with_config(config: Config) -> Result<Self, Error> {
        Self::from_config(config)
    }

    /// The client that `config` describes, whose servers are found out by its [`discovery`](Config::discovery): the source is
    /// asked before this returns, and then again and again by a thread that ends with the client. No operation waits for it.
    /// When it fails, the servers stay as they are; [`Builder::on_event`] tells of that, and of each change before it is made.
    /// (After a fork, only the parent has the thread: the child keeps the servers that it has.)
    ///
    /// ```
    /// use memring_std::{Client, Ttl, discovery::Source, testing::Server};
    ///
    /// let server = Server::start()?;
    /// let list = std::env::temp_dir().join(format!("memring-servers-{}", std::process::id()));
    /// std::fs::write(&list, server.addr().to_string())?;
    ///
    /// let client = Client::discover(Client::builder().discovery(Source::file(&list)).config()?)?;
    /// client.set("greeting", "hello", Ttl::NEVER)?;
    /// # std::fs::remove_file(&list)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Resolve`](crate::ErrorKind::Resolve): the source does not answer within the
    /// [pace's](crate::discovery::Discovery::pace) time, or knows no server, and [`Config::servers`] has none to begin with.
    /// [`ErrorKind::Config`](crate::ErrorKind::Config): there is no source, or as of [`with_config`](Self::with_config).
    pub fn discover(config: Config) -> Result<Self, Error> {
        Ok(Self { common: discover::start(config)? })
    }

    /// The servers as the source has told of them so far: who has which slot, and since when the source fails. `None` if
    /// they are not [found out](Self::discover).
    #[must_use]
    pub fn roster(&self) -> Option<Roster> {
        self.common.roster()
    }

    /// Takes the change of servers that was refused as too large ([`Pace::max_share`](crate::roster::Pace::max_share)), if
    /// the source still says so when it is asked, which is now. Returns whether one was refused.
    pub fn accept_change(&self) -> bool {
        self.common.accept_change()
    }

    /// A builder, which sets further options.
    pub fn builder() -> Builder {
        Builder::new(Config::default())
    }

    /// A client with another [timeout](Builder::timeout) that shares the connections of this one.
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

    /// A client that shares the connections of this one, and for which, if `yes`, a read is a miss when its server or
    /// the way to it fails ([`Error::is_outage`]): a program need not fail because its cache is away. Writes still
    /// fail, and so do the caller's mistakes, such as an invalid key. [`Builder::on_event`] and
    /// [`Many::errors`](crate::Many::errors) still have every error.
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

    /// A client that shares the connections of this one, and places all keys as if they were `key`, so that items which
    /// belong together are on one server. The keys on the wire are the same; their readers must place them in the same
    /// way.
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

    /// Replaces the servers, for all clones at once. The result can tell which share of the keys moves. Operations
    /// under way end on the servers where they began; later ones use the new list only. Servers with the same name,
    /// address, credentials and encryption keep their connections, and what is known of their health. The
    /// [gutter](Builder::gutter) stays as it is.
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
    /// [`ErrorKind::Config`](crate::ErrorKind::Config): the list is invalid, or the servers are [found
    /// out](Self::discover); they stay as they were.
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

    /// The name of the server that holds `key` when all servers are up. `key` may be any bytes, even those that are no
    /// valid key.
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

    /// Reads an item into the caller's buffer. The client allocates nothing.
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

    /// Stores a value, whether the key had one before or not.
    ///
    /// # Errors
    /// See [`Error`]. If the server refuses the value as too large, the old value is gone; if the client does, nothing
    /// is sent and the old value stays: see [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge).
    pub fn set(
        &self,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        attributes: impl Into<Attributes>,
    ) -> Result<(), Error> {
        self.store(StoreVerb::Set, key.as_ref(), value.as_ref(), attributes.into(), must_be_stored)
    }

    /// Stores a value if the key has none. Returns whether it was stored.
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

    /// Stores a value if the key has one. Returns whether it was stored.
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

    /// Appends `value` to the key's value, which keeps its flags and its time to live. Returns whether there was one.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn append(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<bool, Error> {
        self.store(StoreVerb::Append, key.as_ref(), value.as_ref(), Attributes::default(), is_stored)
    }

    /// Puts `value` before the key's value, which keeps its flags and its time to live. Returns whether there was one.
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
        let (mut target, key) = match self.target("delete", key.as_ref(), &mut scratch) {
            Err(error) if is_moving(&error) => return self.delete_moving(key.as_ref()),
            found => found?,
        };
        let _changing = self.common.changing(key.as_bytes(), target.routing_key());
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

    /// Adds `delta` to a counter and returns the new number, or `None` when there is no such item. Past 2⁶⁴ − 1 the
    /// counter begins again at 0.
    ///
    /// # Errors
    /// [`ErrorKind::NonNumeric`](crate::ErrorKind::NonNumeric) when the value is not a number; else see [`Error`].
    pub fn incr(&self, key: impl AsRef<[u8]>, delta: u64) -> Result<Option<u64>, Error> {
        self.count(ArithVerb::Incr, key.as_ref(), delta)
    }

    /// Subtracts `delta` from a counter and returns the new number, or `None` when there is no such item. The counter
    /// stops at 0.
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
            Ok((mut target, key)) => {
                let found = call(&mut target, &Get { verb, key }, value).map(visible);
                target.found(&found);
                found
            }
            Err(error) if is_moving(&error) => self.retrieve_moving(verb, key, value),
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
        let (mut target, key) = match self.target(verb.word(), key, &mut scratch) {
            Err(error) if is_moving(&error) => {
                return self.store_moving(verb, key, value, (flags, exptime), read);
            }
            found => found?,
        };
        let _changing = self.common.changing(key.as_bytes(), target.routing_key());
        let store = Store { verb, key, flags, exptime, value, noreply: false };
        let outcome = call(&mut target, &store, NO_VALUE)?;
        read(outcome).map_err(|cause| target.error(cause))
    }

    fn count(&self, verb: ArithVerb, key: &[u8], delta: u64) -> Result<Option<u64>, Error> {
        let mut scratch = KeyScratch::default();
        let (mut target, key) = match self.target(verb.word(), key, &mut scratch) {
            Err(error) if is_moving(&error) => return self.count_moving(verb, key, delta),
            found => found?,
        };
        let _changing = self.common.changing(key.as_bytes(), target.routing_key());
        call(&mut target, &Arith { verb, key, delta, noreply: false }, NO_VALUE)
    }

    /// The server for the operation `name`, and the key on the wire.
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

    /// The deadline of a batch. Replies that have arrived by then may still be read, for an eighth of the time.
    fn batch_deadline(&self) -> Deadline {
        self.deadline().with_overtime(self.common.timeout() / 8)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("servers", &self.servers()).finish_non_exhaustive()
    }
}

/// The buffer of replies that have no value.
const NO_VALUE: ArrayBuffer<0> = ArrayBuffer::new();
