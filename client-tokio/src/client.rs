//! The client: every verb of the protocol, each sent to the server that holds the key.

use core::{fmt, time::Duration};
use std::sync::Arc;

use bytes::Bytes;
use memring_client::{
    Common, Config, FromConfig, KeyScratch, ServerStatus,
    change::Change,
    failure::{Cause, Error},
    outcome::{CasOutcome, is_stored, must_be_stored, visible},
    roster::Roster,
    spec::{ServerList, ServerSpecError},
};
use memring_text::{
    Get, Key, Store, StoreOutcome, Ttl,
    buffer::Buffer,
    request::{Arith, ArithVerb, Attributes, Delete, GetVerb, StoreVerb, Touch},
};

use crate::{
    call::{Target, call},
    deadline::{CLOCK, Deadline},
    discover,
    pool::{Pool, mux::Closing},
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

/// An item with its value in shared bytes.
pub type Item = memring_text::Item<Bytes>;

/// An item with its cas unique, and its value in shared bytes.
pub type CasItem = memring_client::outcome::CasItem<Bytes>;

/// An item with a borrowed value.
pub type ItemRef<'v> = memring_text::Item<&'v [u8]>;

/// A client of many servers, for tokio.
///
/// It is cheap to clone, and clones share their connections. All methods take `&self`: use it from as many tasks as you
/// like. There is one connection to each server, for the requests of all tasks.
///
/// Every method returns within the [timeout](Builder::timeout). A miss is `None` or `false`; an [`Error`] is a failure,
/// never a miss.
///
/// # Cancel safety
/// Any future of a client may be dropped at any moment, as `select!` and `timeout` do. A request that has not left is
/// then not sent. A request that has left may have taken effect; of a call with many keys or to many servers, a part
/// may have. Its reply is read and thrown away, and the connection goes on: no other caller notices, and none gets the
/// reply. A method that differs says so.
///
/// # Runtime
/// The methods run in a tokio runtime with network and clock enabled; elsewhere they return
/// [`ErrorKind::Config`](crate::ErrorKind::Config). A client may be used in several runtimes, one after the other or at
/// once. A task of one of them drives a connection. When that runtime ends, or does not run, the first caller that
/// waits in another one takes the connection over, with all that is under way on it: nothing is lost or sent twice.
///
/// ```
/// use memring_tokio::{Client, Ttl, testing::Server};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::start().await?;
/// let client = Client::connect([server.addr()])?;
/// client.set("greeting", "hello", Ttl::NEVER).await?;
/// let item = client.get("greeting").await?.expect("it was just stored");
/// assert_eq!(item.value, "hello");
/// assert!(client.get("farewell").await?.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    common: Common<Pool>,
}

/// Makes a [`Client`]: each call sets a field of a [`Config`].
///
/// ```
/// use std::time::Duration;
/// use memring_tokio::{Client, Event, FailurePolicy};
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
/// # Ok::<(), memring_tokio::Error>(())
/// ```
pub type Builder = memring_client::Builder<Client>;

impl FromConfig for Client {
    fn from_config(config: Config) -> Result<Self, Error> {
        Ok(Self { common: Common::build(config, CLOCK, Pool::new)? })
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
    /// asked before this returns, and then again and again by a task of this runtime that ends with the client. No operation
    /// waits for it. When it fails, the servers stay as they are; [`Builder::on_event`] tells of that, and of each change before
    /// it is made. When the runtime ends, the servers stay as they are then.
    ///
    /// ```
    /// use memring_tokio::{Client, Ttl, discovery::Source, testing::Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::start().await?;
    /// let list = std::env::temp_dir().join(format!("memring-servers-tokio-{}", std::process::id()));
    /// std::fs::write(&list, server.addr().to_string())?;
    ///
    /// let client = Client::discover(Client::builder().discovery(Source::file(&list)).config()?).await?;
    /// client.set("greeting", "hello", Ttl::NEVER).await?;
    /// # std::fs::remove_file(&list)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Resolve`](crate::ErrorKind::Resolve): the source does not answer within the
    /// [pace's](crate::discovery::Discovery::pace) time, or knows no server, and [`Config::servers`] has none to begin with.
    /// [`ErrorKind::Config`](crate::ErrorKind::Config): there is no source, or as of [`with_config`](Self::with_config).
    pub async fn discover(config: Config) -> Result<Self, Error> {
        Ok(Self { common: discover::start(config).await? })
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
    /// A connection is closed when its oldest reply has not come within the [builder's timeout](Builder::timeout), or
    /// within the longer one of its caller: a short timeout of one caller does not end the connection for others.
    ///
    /// ```
    /// # use memring_tokio::{Client, testing::Server};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Server::start().await?;
    /// # let client = Client::connect([server.addr()])?;
    /// use std::time::Duration;
    ///
    /// let patient = client.with_timeout(Duration::from_secs(10));
    /// assert!(patient.get("k").await?.is_none());
    /// # Ok(())
    /// # }
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
    /// # use memring_tokio::Client;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), memring_tokio::Error> {
    /// let client = Client::connect(["127.0.0.1:1"])?.with_errors_as_misses(true);
    /// assert!(client.get("k").await?.is_none());
    /// assert!(client.get("").await.is_err(), "no key");
    /// # Ok(())
    /// # }
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
    /// # use memring_tokio::{Client, Ttl, testing::Server};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let servers = [Server::start().await?, Server::start().await?];
    /// # let client = Client::connect(servers.iter().map(Server::addr))?;
    /// let user = client.routed_by("user:7");
    /// user.set("cart", "1 umbrella", Ttl::NEVER).await?;
    /// assert_eq!(user.server_of("cart"), client.server_of("user:7"));
    /// assert!(user.get("cart").await?.is_some());
    /// # Ok(())
    /// # }
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
    /// # use memring_tokio::Client;
    /// let client = Client::connect(["10.0.0.1", "10.0.0.2", "10.0.0.3"])?;
    /// let change = client.set_servers(["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"])?;
    /// println!("{:.1} % of the keys have to be fetched anew", 100.0 * change.moves().moved());
    /// # Ok::<(), memring_tokio::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config): the list is invalid, or the servers are [found
    /// out](Self::discover); they stay as they were. After
    /// [`close`](Self::close), [`ErrorKind::Closed`](crate::ErrorKind::Closed).
    pub fn set_servers<S: TryInto<ServerList>>(
        &self,
        servers: impl IntoIterator<Item = S>,
    ) -> Result<Change, Error>
    where
        ServerSpecError: From<S::Error>,
    {
        self.common.set_servers(servers, Pool::new)
    }

    /// Closes all connections, for all clones at once, as soon as all requests under way are answered and all values
    /// are streamed: after the [timeout](Builder::timeout) at the latest. Later calls, and those that are not done by
    /// then, fail with [`ErrorKind::Closed`](crate::ErrorKind::Closed).
    ///
    /// Dropping the last clone closes the connections, too, without waiting.
    ///
    /// # Cancel safety
    /// Once the future has been polled, the connections are closed even if it is dropped; values that are being
    /// streamed are then not broken off.
    pub async fn close(&self) {
        let deadline = Deadline::after(self.common.config().timeout);
        let fleet = self.common.close();
        for mux in fleet.pools().iter().flat_map(|pool| pool.muxes()) {
            mux.close(Closing::Gently);
        }
        for mux in fleet.pools().iter().flat_map(|pool| pool.muxes()) {
            mux.closed(deadline).await;
        }
        for pool in fleet.pools() {
            pool.streams().close(deadline.at()).await;
        }
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
    pub async fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<Item>, Error> {
        Ok(self.retrieve(GetVerb::Get, key.as_ref()).await?.map(shared))
    }

    /// Reads an item into the caller's buffer. The client allocates nothing.
    ///
    /// ```
    /// # use memring_tokio::{Client, Ttl, testing::Server};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Server::start().await?;
    /// # let client = Client::connect([server.addr()])?;
    /// # client.set("greeting", "hello", Ttl::NEVER).await?;
    /// let mut buffer = Vec::with_capacity(100);
    /// if client.get_into("greeting", &mut buffer).await?.is_some() {
    ///     assert_eq!(buffer, b"hello");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::BufferFull`](crate::ErrorKind::BufferFull) when the value does not fit; else see [`Error`].
    ///
    /// # Cancel safety
    /// A dropped future has not touched `value`.
    pub async fn get_into<B: Buffer>(
        &self,
        key: impl AsRef<[u8]>,
        value: B,
    ) -> Result<Option<memring_text::Item<B>>, Error> {
        let (mut value, mut scratch) = (value, KeyScratch::default());
        let found = match self.target("get", key.as_ref(), &mut scratch) {
            Ok((mut target, key)) => {
                let item = call(&mut target, &Get { verb: GetVerb::Get, key }).await.map(visible);
                target.found(&item);
                item.map(|item| item.map(|item| (item, target)))
            }
            Err(error) if is_moving(&error) => {
                let found = Box::pin(self.retrieve_moving(GetVerb::Get, key.as_ref())).await;
                let Some(item) = self.common.or_miss(found)? else { return Ok(None) };
                let memring_text::Item { flags, cas, value: found } = item;
                let put = value.put(&found).map_err(|full| Error::new("get", Cause::Full(full)));
                return put.map(|()| Some(memring_text::Item { flags, cas, value }));
            }
            Err(error) => Err(error),
        };
        let Some((item, target)) = self.common.or_miss(found)? else { return Ok(None) };
        let memring_text::Item { flags, cas, value: found } = item;
        let put = value.put(&found);
        target.pool().mux().give_back(found);
        let refused = |full| target.error(Cause::Full(full));
        put.map(|()| Some(memring_text::Item { flags, cas, value })).map_err(refused)
    }

    /// Reads an item with its cas unique, for [`cas`](Self::cas).
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn gets(&self, key: impl AsRef<[u8]>) -> Result<Option<CasItem>, Error> {
        let found = self.retrieve(GetVerb::Gets, key.as_ref()).await?;
        CasItem::read_found("gets", found.map(shared))
    }

    /// Reads an item and gives it `ttl` to live from now on.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn gat(&self, key: impl AsRef<[u8]>, ttl: impl Into<Ttl>) -> Result<Option<Item>, Error> {
        let verb = GetVerb::Gat(self.common.exptime("gat", ttl.into())?);
        Ok(self.retrieve(verb, key.as_ref()).await?.map(shared))
    }

    /// Reads an item with its cas unique and gives it `ttl` to live from now on.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn gats(&self, key: impl AsRef<[u8]>, ttl: impl Into<Ttl>) -> Result<Option<CasItem>, Error> {
        let verb = GetVerb::Gats(self.common.exptime("gats", ttl.into())?);
        let found = self.retrieve(verb, key.as_ref()).await?;
        CasItem::read_found("gats", found.map(shared))
    }

    /// Stores a value, whether the key had one before or not.
    ///
    /// # Errors
    /// See [`Error`]. If the server refuses the value as too large, the old value is gone; if the client does, nothing
    /// is sent and the old value stays: see [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge).
    pub async fn set(
        &self,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        attributes: impl Into<Attributes>,
    ) -> Result<(), Error> {
        self.store(StoreVerb::Set, key.as_ref(), value.as_ref(), attributes.into(), must_be_stored).await
    }

    /// Stores a value if the key has none. Returns whether it was stored.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn add(
        &self,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        attributes: impl Into<Attributes>,
    ) -> Result<bool, Error> {
        self.store(StoreVerb::Add, key.as_ref(), value.as_ref(), attributes.into(), is_stored).await
    }

    /// Stores a value if the key has one. Returns whether it was stored.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn replace(
        &self,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        attributes: impl Into<Attributes>,
    ) -> Result<bool, Error> {
        self.store(StoreVerb::Replace, key.as_ref(), value.as_ref(), attributes.into(), is_stored).await
    }

    /// Appends `value` to the key's value, which keeps its flags and its time to live. Returns whether there was one.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn append(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<bool, Error> {
        self.store(StoreVerb::Append, key.as_ref(), value.as_ref(), Attributes::default(), is_stored).await
    }

    /// Puts `value` before the key's value, which keeps its flags and its time to live. Returns whether there was one.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn prepend(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<bool, Error> {
        self.store(StoreVerb::Prepend, key.as_ref(), value.as_ref(), Attributes::default(), is_stored).await
    }

    /// Stores a value if the item has not changed since [`gets`](Self::gets) returned it with `cas`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn cas(
        &self,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        attributes: impl Into<Attributes>,
        cas: u64,
    ) -> Result<CasOutcome, Error> {
        self.store(StoreVerb::Cas(cas), key.as_ref(), value.as_ref(), attributes.into(), CasOutcome::read)
            .await
    }

    /// Deletes an item. Returns whether there was one.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn delete(&self, key: impl AsRef<[u8]>) -> Result<bool, Error> {
        let mut scratch = KeyScratch::default();
        let (mut target, key) = match self.target("delete", key.as_ref(), &mut scratch) {
            Err(error) if is_moving(&error) => return Box::pin(self.delete_moving(key.as_ref())).await,
            found => found?,
        };
        let _changing = self.common.changing(key.as_bytes(), target.routing_key());
        call(&mut target, &Delete { key, noreply: false }).await
    }

    /// Gives an item `ttl` to live from now on. Returns whether there is one.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn touch(&self, key: impl AsRef<[u8]>, ttl: impl Into<Ttl>) -> Result<bool, Error> {
        let mut scratch = KeyScratch::default();
        let exptime = self.common.exptime("touch", ttl.into())?;
        let (mut target, key) = self.target("touch", key.as_ref(), &mut scratch)?;
        call(&mut target, &Touch { key, exptime, noreply: false }).await
    }

    /// Adds `delta` to a counter and returns the new number, or `None` when there is no such item. Past 2⁶⁴ − 1 the
    /// counter begins again at 0.
    ///
    /// # Errors
    /// [`ErrorKind::NonNumeric`](crate::ErrorKind::NonNumeric) when the value is not a number; else see [`Error`].
    pub async fn incr(&self, key: impl AsRef<[u8]>, delta: u64) -> Result<Option<u64>, Error> {
        self.count(ArithVerb::Incr, key.as_ref(), delta).await
    }

    /// Subtracts `delta` from a counter and returns the new number, or `None` when there is no such item. The counter
    /// stops at 0.
    ///
    /// # Errors
    /// [`ErrorKind::NonNumeric`](crate::ErrorKind::NonNumeric) when the value is not a number; else see [`Error`].
    pub async fn decr(&self, key: impl AsRef<[u8]>, delta: u64) -> Result<Option<u64>, Error> {
        self.count(ArithVerb::Decr, key.as_ref(), delta).await
    }

    async fn retrieve(
        &self,
        verb: GetVerb,
        key: &[u8],
    ) -> Result<Option<memring_text::Item<Vec<u8>>>, Error> {
        let mut scratch = KeyScratch::default();
        let found = match self.target(verb.word(), key, &mut scratch) {
            Ok((mut target, key)) => {
                let found = call(&mut target, &Get { verb, key }).await.map(visible);
                target.found(&found);
                found
            }
            // Boxed, because it is rare: the future of every call would be larger for it.
            Err(error) if is_moving(&error) => Box::pin(self.retrieve_moving(verb, key)).await,
            Err(error) => Err(error),
        };
        self.common.or_miss(found)
    }

    async fn store<T>(
        &self,
        verb: StoreVerb,
        key: &[u8],
        value: &[u8],
        attributes: Attributes,
        to: fn(StoreOutcome) -> Result<T, Cause>,
    ) -> Result<T, Error> {
        let mut scratch = KeyScratch::default();
        let value = self.common.value(verb.word(), value)?;
        let (flags, exptime) = self.common.attributes(verb.word(), attributes)?;
        let (mut target, key) = match self.target(verb.word(), key, &mut scratch) {
            Err(error) if is_moving(&error) => {
                return Box::pin(self.store_moving(verb, key, value, (flags, exptime), to)).await;
            }
            found => found?,
        };
        let _changing = self.common.changing(key.as_bytes(), target.routing_key());
        let store = Store { verb, key, flags, exptime, value, noreply: false };
        let outcome = call(&mut target, &store).await?;
        to(outcome).map_err(|cause| target.error(cause))
    }

    async fn count(&self, verb: ArithVerb, key: &[u8], delta: u64) -> Result<Option<u64>, Error> {
        let mut scratch = KeyScratch::default();
        let (mut target, key) = match self.target(verb.word(), key, &mut scratch) {
            Err(error) if is_moving(&error) => return Box::pin(self.count_moving(verb, key, delta)).await,
            found => found?,
        };
        let _changing = self.common.changing(key.as_bytes(), target.routing_key());
        call(&mut target, &Arith { verb, key, delta, noreply: false }).await
    }

    /// The server for the operation `name`, and the key on the wire.
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
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("servers", &self.servers()).finish_non_exhaustive()
    }
}

/// The item with its value in shared bytes.
fn shared(item: memring_text::Item<Vec<u8>>) -> Item {
    Item { flags: item.flags, cas: item.cas, value: Bytes::from(item.value) }
}
