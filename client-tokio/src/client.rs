//! The client: every verb of the protocol, each sent to the server that holds the key.

use core::fmt;
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::SystemTime,
};

use bytes::Bytes;
use memring_text::{
    ArrayBuffer, Buffer, Get, GetVerb, Key, KeyError, MAX_KEY_LEN, Operation, Store, StoreOutcome, StoreVerb,
    Ttl, UnixTime, Value,
};
use tokio::time::Instant;

use crate::{
    builder::Builder,
    call::call,
    deadline,
    error::{Cause, Error},
    fleet::Fleet,
    mux::MuxOptions,
    pool::Pool,
    server_spec::{ServerSpec, ServerSpecError},
};

/// An item with its value in shared bytes.
pub type Item = memring_text::Item<Bytes>;

/// A client of many servers, for tokio.
///
/// It is cheap to clone, and clones share their connections. All methods take `&self`: use it from as many tasks as you
/// like. There is one connection to each server, for the requests of all tasks.
///
/// Every method returns by the [timeout](Builder::timeout) at the latest. A miss is `None` or `false`; an [`Error`] is
/// a failure, and never stands for a miss.
///
/// # Cancel safety
/// Any future of a client may be dropped at any moment, as `select!` and `timeout` do. A request that has not left is
/// not sent then. The reply to one that has left is read and thrown away, and the connection goes on: no other caller
/// notices. What a request that has left changes on the server it may have changed, dropped or not.
///
/// # Runtime
/// The methods run in a tokio runtime with its network and its clock enabled; the connections' tasks live in the
/// runtime of the first call. When that runtime ends, the next call opens new ones in its own.
///
/// ```
/// use memring_tokio::{Client, Ttl};
/// # use memring_std::testing::Server;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = Server::start()?;
/// # let addr = server.addr().to_string();
/// let client = Client::connect([addr])?;
/// client.set("greeting", "hello", Ttl::NEVER).await?;
/// let item = client.get("greeting").await?.expect("it was just stored");
/// assert_eq!(item.value, "hello");
/// assert!(client.get("farewell").await?.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    options: MuxOptions,
    fleet: RwLock<Arc<Fleet>>,
}

/// What is stored beside a value.
///
/// Where one is asked for, a [`Ttl`] will do: the flags are then 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Attributes {
    /// The caller's own number.
    pub flags: u32,
    /// How long the item is to live.
    pub ttl: Ttl,
}

impl From<Ttl> for Attributes {
    fn from(ttl: Ttl) -> Self {
        Self { flags: 0, ttl }
    }
}

impl Client {
    /// A client of `servers`, with the defaults of the [`Builder`].
    ///
    /// Connections are opened when they are needed, so servers that are down are no error here.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config): one of the servers is none, or there are none at all.
    pub fn connect<S: TryInto<ServerSpec>>(servers: impl IntoIterator<Item = S>) -> Result<Self, Error>
    where
        ServerSpecError: From<S::Error>,
    {
        Self::builder().servers(servers).build()
    }

    /// A builder, to say more.
    pub const fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) fn new(fleet: Fleet, options: MuxOptions) -> Self {
        Self { shared: Arc::new(Shared { options, fleet: RwLock::new(Arc::new(fleet)) }) }
    }

    /// The servers in use, in the configured order.
    #[must_use]
    pub fn servers(&self) -> Vec<ServerStatus> {
        let fleet = self.fleet();
        fleet.servers().iter().map(|spec| ServerStatus { spec: spec.clone() }).collect()
    }

    /// The name of the server that holds `key`. Any bytes have their place, also those that are no key.
    pub fn server_of(&self, key: impl AsRef<[u8]>) -> Arc<str> {
        Arc::clone(self.fleet().pool(key.as_ref()).name())
    }

    /// Reads an item.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<Item>, Error> {
        self.retrieve(GetVerb::Get, key.as_ref()).await
    }

    /// Stores a value, whatever was there before.
    ///
    /// # Errors
    /// See [`Error`]. When the server finds the value too large, the old one is gone.
    ///
    /// # Cancel safety
    /// Dropped, it may have stored the value or not.
    pub async fn set(
        &self,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        attributes: impl Into<Attributes>,
    ) -> Result<(), Error> {
        self.store(StoreVerb::Set, key.as_ref(), value.as_ref(), attributes.into(), set_outcome).await
    }

    async fn retrieve(&self, verb: GetVerb, key: &[u8]) -> Result<Option<Item>, Error> {
        let name = verb.word();
        let (target, mut room) = (self.target(name, key), ArrayBuffer::new());
        let get = Get { verb, key: target.key(key, &mut room)? };
        let item = target.call(&get).await?;
        Ok(item.map(|item| Item { flags: item.flags, cas: item.cas, value: Bytes::from(item.value) }))
    }

    async fn store<T>(
        &self,
        verb: StoreVerb,
        key: &[u8],
        value: &[u8],
        attributes: Attributes,
        read: fn(StoreOutcome) -> Result<T, Cause>,
    ) -> Result<T, Error> {
        let name = verb.word();
        let (target, mut room) = (self.target(name, key), ArrayBuffer::new());
        let key = target.key(key, &mut room)?;
        let value = Value::within(value, self.shared.options.limits.value)
            .map_err(|error| Error::new(name, error))?;
        let Attributes { flags, ttl } = attributes;
        let store = Store { verb, key, flags, exptime: exptime(ttl), value, noreply: false };
        let outcome = target.call(&store).await?;
        read(outcome).map_err(|cause| Error::on(target.pool.name(), name, cause, false))
    }

    /// Where the operation `name` goes that is about `key`.
    fn target(&self, name: &'static str, key: &[u8]) -> Target {
        let deadline = deadline::after(self.shared.options.timeout);
        let fleet = self.fleet();
        Target { pool: Arc::clone(fleet.pool(key)), name, deadline, prefix: fleet.scheme().key.prefix }
    }

    /// The servers as of now. They stay what they are for as long as an operation holds them.
    fn fleet(&self) -> Arc<Fleet> {
        Arc::clone(&self.shared.fleet.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("servers", &self.servers()).finish_non_exhaustive()
    }
}

/// The server that an operation goes to.
struct Target {
    pool: Arc<Pool>,
    name: &'static str,
    deadline: Instant,
    prefix: &'static [u8],
}

impl Target {
    /// The key as it goes on the wire.
    fn key<'k>(&self, key: &'k [u8], room: &'k mut ArrayBuffer<MAX_KEY_LEN>) -> Result<Key<'k>, Error> {
        wire_key(self.prefix, key, room).map_err(|error| Error::new(self.name, error))
    }

    async fn call<O: Operation<Vec<u8>>>(&self, operation: &O) -> Result<O::Output, Error> {
        call(&self.pool, self.name, operation, self.deadline).await
    }
}

/// The key as it goes on the wire: `key` behind the scheme's prefix.
fn wire_key<'k>(
    prefix: &[u8],
    key: &'k [u8],
    room: &'k mut ArrayBuffer<MAX_KEY_LEN>,
) -> Result<Key<'k>, KeyError> {
    if prefix.is_empty() || key.is_empty() {
        return Key::new(key);
    }
    room.put_all(&[prefix, key]).map_err(|full| KeyError::TooLong { len: full.needed })?;
    let room: &'k _ = room;
    Key::new(room.as_slice())
}

/// The number for the wire, as of now.
fn exptime(ttl: Ttl) -> i32 {
    ttl.exptime(UnixTime::from(SystemTime::now()))
}

fn set_outcome(outcome: StoreOutcome) -> Result<(), Cause> {
    if outcome == StoreOutcome::Stored { Ok(()) } else { Err(Cause::NotStored) }
}

/// A server of a [`Client`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerStatus {
    /// The server.
    pub spec: ServerSpec,
}
