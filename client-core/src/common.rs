//! The state of a client beside its sockets: its configuration, its servers, how its keys are written.

use core::{
    any::TypeId,
    mem,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};
use std::{
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Instant,
};

use memring_text::{
    Key, Store, Ttl, Value,
    meta::{MetaKey, Opaque},
    request::{Attributes, StoreVerb},
    ttl::UnixTime,
    value::ValueTooLarge,
};

use crate::{
    any_operation::AnyOperation,
    batch::Batch,
    change::Change,
    clock::Clock,
    config::Config,
    failure::{Cause, Error, Many},
    fetch::{
        self, Call, Content, Dialect, FetchCounts, Freshness, Invalidate, Life, Lifetime, Loaded, Put, Times,
        Update,
    },
    naming::{KeyScratch, Naming},
    route::{Fleet, Watched},
    shares::Shares,
    spec::{ServerList, ServerSpec, ServerSpecError},
    status::{Connections, ServerStatus},
    target::{Deadline, Target},
    transition::TransitionError,
    watch::Watch,
};

mod discovered;
mod moving;

use discovered::Discovered;
pub use discovered::WeakCommon;

/// The state of a client beside its sockets. `P` is the pool of one server.
///
/// Clones share the servers and the configuration. Each clone has its own timeout, routing key, and choice whether
/// errors are misses.
#[derive(Debug)]
pub struct Common<P> {
    shared: Arc<Shared<P>>,
    timeout: Duration,
    errors_as_misses: bool,
    /// The key by which all keys are placed, if they are not placed by themselves.
    routing_key: Option<Arc<[u8]>>,
}

#[derive(Debug)]
struct Shared<P> {
    config: Arc<Config>,
    clock: Clock,
    fleet: RwLock<Arc<Fleet<P>>>,
    is_closed: AtomicBool,
    /// Tells replies to meta commands apart.
    opaques: AtomicU64,
    naming: Naming,
    fetch: Arc<fetch::Shared>,
    /// What is known of the source, if the servers are found out.
    discovered: Option<Discovered>,
    /// The ids of the transitions that were begun.
    transitions: Mutex<Vec<String>>,
}

impl<P> Clone for Common<P> {
    fn clone(&self) -> Self {
        let Self { timeout, errors_as_misses, .. } = *self;
        let (shared, routing_key) = (Arc::clone(&self.shared), self.routing_key.clone());
        Self { shared, timeout, errors_as_misses, routing_key }
    }
}

/// Making a client, and what its callers may change.
impl<P: Watched> Common<P> {
    /// The state of a client as `config` describes it. `open` makes the pool of a server.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::failure::ErrorKind::Config): a server, the scheme or another field is wrong, or they do
    /// not fit together.
    pub fn build(
        config: Config,
        clock: Clock,
        open: impl FnMut(&ServerSpec, Watch, &Arc<Config>) -> Result<P, Cause>,
    ) -> Result<Self, Error> {
        if config.discovery.is_some() {
            return Err(Error::new("build", discovered::source()));
        }
        Self::with(config, clock, None, open)
    }

    fn with(
        config: Config,
        clock: Clock,
        discovered: Option<Discovered>,
        mut open: impl FnMut(&ServerSpec, Watch, &Arc<Config>) -> Result<P, Cause>,
    ) -> Result<Self, Error> {
        let (config, naming) = config.ready()?;
        let fleet = Fleet::build(&config, clock, |spec, watch| open(spec, watch, &config))
            .map_err(|cause| Error::new("build", cause))?;
        let Config { timeout, errors_as_misses, .. } = *config;
        let (fleet, is_closed) = (RwLock::new(Arc::new(fleet)), AtomicBool::new(false));
        let fetch = Arc::new(fetch::Shared::new(config.observer.clone()));
        let opaques = AtomicU64::new(0);
        let transitions = Mutex::default();
        let shared =
            Shared { config, clock, fleet, is_closed, opaques, naming, fetch, discovered, transitions };
        Ok(Self { shared: Arc::new(shared), timeout, errors_as_misses, routing_key: None })
    }

    /// A clone with another timeout.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self { timeout, ..self.clone() }
    }

    /// A clone for which outages are misses if `yes`, else errors.
    #[must_use]
    pub fn with_errors_as_misses(&self, yes: bool) -> Self {
        Self { errors_as_misses: yes, ..self.clone() }
    }

    /// A clone whose keys are all placed as if they were `key`.
    #[must_use]
    pub fn routed_by(&self, key: &[u8]) -> Self {
        Self { routing_key: Some(key.into()), ..self.clone() }
    }

    /// Replaces the servers, for all clones at once. Servers that stay keep their pools.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::failure::ErrorKind::Config), and [`ErrorKind::Closed`](crate::failure::ErrorKind::Closed)
    /// after [`close`](Self::close); the servers remain what they were.
    pub fn set_servers<S: TryInto<ServerList>>(
        &self,
        servers: impl IntoIterator<Item = S>,
        mut open: impl FnMut(&ServerSpec, Watch, &Arc<Config>) -> Result<P, Cause>,
    ) -> Result<Change, Error>
    where
        ServerSpecError: From<S::Error>,
    {
        let set = || {
            if self.shared.discovered.is_some() {
                return Err(discovered::is_discovered());
            }
            let specs = ServerSpec::read_all(servers).map_err(Cause::config)?;
            let before = self.fleet();
            if before.motion().is_some() {
                return Err(Cause::config(TransitionError::Busy));
            }
            let after =
                before.with_servers(specs, &[], |spec, watch| open(spec, watch, &self.shared.config))?;
            let change = Change::new(Arc::clone(before.placement()), Arc::clone(after.placement()));
            self.replace(after).map(|()| change)
        };
        set().map_err(|cause| Error::new("set_servers", cause))
    }

    fn replace(&self, fleet: Fleet<P>) -> Result<(), Cause> {
        let fleet = Arc::new(fleet);
        let mut current = self.shared.fleet.write().unwrap_or_else(PoisonError::into_inner);
        if self.shared.is_closed.load(Ordering::Relaxed) {
            return Err(Cause::Shut);
        }
        let replaced = mem::replace(&mut *current, fleet);
        drop(current);
        // This drop may close connections, so it happens outside the lock.
        drop(replaced);
        Ok(())
    }

    /// Forbids any further change of servers, and returns the last ones, so that their connections can be closed.
    #[must_use]
    pub fn close(&self) -> Arc<Fleet<P>> {
        let fleet = self.shared.fleet.write().unwrap_or_else(PoisonError::into_inner);
        self.shared.is_closed.store(true, Ordering::Relaxed);
        Fleet::everyone(Arc::clone(&fleet))
    }

    /// The servers, in the configured order, those of the gutter last. `connections` counts those of one server.
    pub fn servers(&self, connections: impl Fn(&P) -> Connections) -> Vec<ServerStatus> {
        let fleet = self.fleet();
        let status = |(index, (spec, pool)): (usize, (&ServerSpec, &Arc<P>))| {
            ServerStatus::new(spec, fleet.is_spare(index), pool.watch(), connections(pool))
        };
        fleet.specs().zip(fleet.pools()).enumerate().map(status).collect()
    }

    /// The name of the server that holds `key` when all servers are up.
    pub fn server_of(&self, key: &[u8]) -> Arc<str> {
        let (fleet, mut scratch) = (self.fleet(), Vec::new());
        let routing_key = self.shared.naming.routing_key(self.routing_key().unwrap_or(key), &mut scratch);
        Arc::clone(fleet.pool(fleet.primary(routing_key)).watch().name())
    }
}

/// What operations read.
impl<P> Common<P> {
    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Arc<Config> {
        &self.shared.config
    }

    /// How long an operation may take.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The servers now. An operation that holds them is not affected by a change of servers.
    #[inline]
    #[must_use]
    pub fn fleet(&self) -> Arc<Fleet<P>> {
        let fleet = Arc::clone(&self.shared.fleet.read().unwrap_or_else(PoisonError::into_inner));
        if fleet.motion().is_some() { self.shared.settled(fleet) } else { fleet }
    }

    /// A token that no other request under way has.
    #[must_use]
    pub fn opaque(&self) -> Opaque {
        Opaque::number(self.number())
    }

    /// The number that such a token is made of.
    #[inline]
    #[must_use]
    pub fn number(&self) -> u64 {
        self.shared.opaques.fetch_add(1, Ordering::Relaxed)
    }

    /// The date and time now.
    #[must_use]
    pub fn unix_time(&self) -> UnixTime {
        self.shared.clock.unix_time()
    }

    /// The number on the wire for `ttl` now, for the operation `name`.
    ///
    /// # Errors
    /// [`ErrorKind::Ttl`](crate::failure::ErrorKind::Ttl): `ttl` is zero.
    #[inline(always)]
    pub fn exptime(&self, name: &'static str, ttl: Ttl) -> Result<i32, Error> {
        ttl.exptime_by(|| self.unix_time()).map_err(|error| Error::new(name, error))
    }

    /// Checks a value that the operation `name` is to store.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`](crate::failure::ErrorKind::TooLarge).
    #[inline]
    pub fn value<'v>(&self, name: &'static str, value: &'v [u8]) -> Result<Value<'v>, Error> {
        Value::within(value, self.shared.config.limits.value).map_err(|error| Error::new(name, error))
    }

    /// The flags and the time to live of an item to be stored by the operation `name`, as numbers for the wire.
    ///
    /// # Errors
    /// As of [`exptime`](Self::exptime).
    #[inline(always)]
    pub fn attributes(&self, name: &'static str, attributes: Attributes) -> Result<(u32, i32), Error> {
        Ok((attributes.flags, self.exptime(name, attributes.ttl)?))
    }

    /// Checks that the operation `name` may store a value of `len` bytes, which is not at hand.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`](crate::failure::ErrorKind::TooLarge): the value is too large.
    pub fn check_len(&self, name: &'static str, len: usize) -> Result<(), Error> {
        let limit = self.shared.config.limits.value;
        if len > limit { Err(Error::new(name, ValueTooLarge { len, limit })) } else { Ok(()) }
    }

    /// The result of a read: a miss in place of an outage, for a client that takes errors for misses.
    ///
    /// # Errors
    /// Any other error of `found`.
    #[inline]
    pub fn or_miss<T>(&self, found: Result<Option<T>, Error>) -> Result<Option<T>, Error> {
        match found {
            Err(error) if self.errors_as_misses && error.is_outage() => Ok(None),
            found => found,
        }
    }

    /// The results of a read of many keys, whose misses are the default of `T`: see [`or_miss`](Self::or_miss).
    #[must_use]
    pub fn or_misses<T: Default>(&self, found: Many<T>) -> Many<T> {
        if self.errors_as_misses { found.outages_as(T::default) } else { found }
    }

    /// Whether a read is a miss, and not an error, when its server or the way to it fails.
    #[must_use]
    pub const fn errors_as_misses(&self) -> bool {
        self.errors_as_misses
    }

    fn routing_key(&self) -> Option<&[u8]> {
        self.routing_key.as_deref()
    }
}

/// What `fetch` needs, and what it must know of.
impl<P: Watched> Common<P> {
    /// The key on the wire and the routing key of the operation `name`.
    ///
    /// # Errors
    /// [`ErrorKind::Key`](crate::failure::ErrorKind::Key): the key is invalid.
    pub fn key<'k>(
        &'k self,
        name: &'static str,
        key: &'k [u8],
        scratch: &'k mut KeyScratch,
    ) -> Result<(Key<'k>, &'k [u8]), Error> {
        let named = self.shared.naming.key(key, self.routing_key(), scratch);
        named.map_err(|error| Error::new(name, error))
    }

    /// A call of `fetch` for a key on the wire, which is placed by `routing_key`. It goes on where its glance has come to;
    /// the second of `begun` is the longest time to live on a server that stands in, and the date.
    ///
    /// # Errors
    /// [`ErrorKind::Ttl`](crate::failure::ErrorKind::Ttl) and
    /// [`ErrorKind::Config`](crate::failure::ErrorKind::Config): `freshness` is invalid.
    pub fn fetch<L: Loaded, E: Send + Sync + 'static>(
        &self,
        (key, routing_key): (Key<'_>, &[u8]),
        freshness: &Freshness,
        begun: (fetch::First, Option<(Ttl, UnixTime)>),
    ) -> Result<Call<E>, Error> {
        let Shared { config, clock, fetch, .. } = &*self.shared;
        let (keys, now) = ((key.as_bytes(), routing_key), (clock.now(), clock.unix_time()));
        Call::after::<L>(fetch, keys, freshness, config.limits.value, now, begun)
            .map_err(|cause| Error::new("fetch", cause))
    }

    /// The times of a call of `fetch`, for its [glance](fetch::Ask); `None` if others of this client ask for the
    /// key, too, or load it: then the call joins them.
    ///
    /// # Errors
    /// As of [`fetch`](Self::fetch).
    #[inline]
    pub fn glance<L: Loaded, E: 'static>(
        &self,
        (key, routing_key): (Key<'_>, &[u8]),
        freshness: &Freshness,
    ) -> Result<Option<Times>, Error> {
        let Shared { clock, fetch, .. } = &*self.shared;
        let times = freshness.times_by(|| clock.unix_time()).map_err(|cause| Error::new("fetch", cause))?;
        let is_alone = fetch.is_alone(key.as_bytes(), routing_key, TypeId::of::<(L::Found, E)>());
        Ok(is_alone.then_some(times))
    }

    /// Tells of a glance that has found a fresh value, of a call that began at `began`.
    #[inline]
    pub fn tell_hit(&self, began: Instant) {
        self.shared.fetch.tell_hit(began, || self.now());
    }

    /// The machine of `invalidate`, for a key that is fetched by `freshness`.
    ///
    /// # Errors
    /// As of [`fetch`](Self::fetch).
    pub fn invalidate(&self, freshness: &Freshness, dialect: Dialect) -> Result<Invalidate, Error> {
        Ok(Invalidate::new(self.times("invalidate", freshness)?, dialect))
    }

    /// The machine of `put`, for a key that is fetched by `freshness`.
    ///
    /// # Errors
    /// As of [`fetch`](Self::fetch); and the value is too large.
    pub fn put(&self, value: impl Loaded, freshness: &Freshness, dialect: Dialect) -> Result<Put, Error> {
        let (content, times) = (value.into_content(), self.times("put", freshness)?);
        if let Some(content) = &content {
            self.check_len("put", content.value.len())?;
        }
        Ok(Put::new(times, content, dialect))
    }

    /// The machine of `update`.
    ///
    /// # Errors
    /// As of [`fetch`](Self::fetch).
    pub fn update<F: FnMut(Option<&Content>) -> Option<L>, L: Loaded>(
        &self,
        change: F,
        lifetime: Lifetime,
        dialect: Dialect,
    ) -> Result<Update<F>, Error> {
        let life = match lifetime {
            Lifetime::Keep => Life::Keep,
            Lifetime::Plain(ttl) => Life::Plain(ttl),
            Lifetime::Fetched(freshness) => Life::Fetched(self.times("update", &freshness)?),
        };
        let until = self.now().checked_add(self.timeout).unwrap_or_else(|| self.now());
        Ok(Update::new(change, life, dialect, until, self.shared.fetch.seed()))
    }

    fn times(&self, name: &'static str, freshness: &Freshness) -> Result<Times, Error> {
        freshness.times(self.unix_time()).map_err(|cause| Error::new(name, cause))
    }

    /// The time, by the client's clock.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.shared.clock.now()
    }

    /// How often `fetch` ended in which way, for all clones together.
    #[must_use]
    pub fn fetch_counts(&self) -> FetchCounts {
        self.shared.fetch.counts()
    }

    /// Sees to it that callers of `fetch` do not share what was begun before a change of the key has ended: now, and when
    /// the result is dropped.
    #[inline]
    pub fn changing<'k>(&'k self, key: &'k [u8], routing_key: &'k [u8]) -> Changing<'k> {
        self.shared.fetch.detach(key, routing_key);
        Changing { fetch: &self.shared.fetch, key, routing_key }
    }

    /// The same as [`changing`](Self::changing) for many keys, as callers give them.
    pub fn changing_many<'k, I: Iterator<Item = &'k [u8]> + Clone>(
        &self,
        keys: I,
    ) -> ChangingMany<'_, 'k, P, I> {
        self.detach_many(keys.clone());
        ChangingMany { common: self, keys }
    }

    fn detach_many<'k>(&self, keys: impl Iterator<Item = &'k [u8]>) {
        if self.shared.fetch.is_idle() {
            return;
        }
        for key in keys {
            let mut scratch = KeyScratch::default();
            if let Ok((key, routing_key)) = self.key("", key, &mut scratch) {
                self.shared.fetch.detach(key.as_bytes(), routing_key);
            }
        }
    }

    /// Whether the pool of `target` still belongs to the client.
    pub fn has<D: Deadline>(&self, target: &Target<'_, P, D>) -> bool {
        self.fleet().pools().iter().any(|pool| core::ptr::eq(&raw const **pool, target.pool()))
    }
}

/// A change of a key that is under way: see [`Common::changing`].
#[derive(Debug)]
#[must_use]
pub struct Changing<'k> {
    fetch: &'k fetch::Shared,
    key: &'k [u8],
    routing_key: &'k [u8],
}

/// A change of many keys that is under way: see [`Common::changing_many`].
#[derive(Debug)]
#[must_use]
pub struct ChangingMany<'c, 'k, P: Watched, I: Iterator<Item = &'k [u8]> + Clone> {
    common: &'c Common<P>,
    keys: I,
}

impl<'k, P: Watched, I: Iterator<Item = &'k [u8]> + Clone> Drop for ChangingMany<'_, 'k, P, I> {
    fn drop(&mut self) {
        self.common.detach_many(self.keys.clone());
    }
}

impl Drop for Changing<'_> {
    #[inline]
    fn drop(&mut self) {
        self.fetch.detach(self.key, self.routing_key);
    }
}

/// The servers of operations.
impl<P: Watched> Common<P> {
    /// The server for the operation `name`, and the key on the wire: see [`Target::new`].
    ///
    /// # Errors
    /// [`ErrorKind::Key`](crate::failure::ErrorKind::Key): the key is invalid. And as of [`Target::new`].
    #[inline]
    pub fn target<'k, D: Deadline>(
        &'k self,
        name: &'static str,
        key: &'k [u8],
        scratch: &'k mut KeyScratch,
        deadline: D,
    ) -> Result<(Target<'k, P, D>, Key<'k>), Error> {
        let fleet = self.fleet();
        let named = self.shared.naming.key(key, self.routing_key(), scratch);
        let (wire_key, routing_key) = named.map_err(|error| Error::new(name, error))?;
        Ok((Target::new(fleet, routing_key, name, deadline)?, wire_key))
    }

    /// The key on the wire and the routing key of the meta command `name`.
    ///
    /// # Errors
    /// [`ErrorKind::Key`](crate::failure::ErrorKind::Key): the key is invalid.
    pub fn meta_key<'k>(
        &'k self,
        name: &'static str,
        key: &'k [u8],
        scratch: &'k mut KeyScratch,
    ) -> Result<(MetaKey<'k>, &'k [u8]), Error> {
        let named = self.shared.naming.meta_key(key, self.routing_key(), scratch);
        named.map_err(|error| Error::new(name, error))
    }

    /// Divides `keys` of the operation `name` among the servers of `fleet`: see [`Shares::new`].
    ///
    /// # Errors
    /// [`ErrorKind::Key`](crate::failure::ErrorKind::Key): a key is invalid.
    pub fn shares<'b, 'k: 'b>(
        &self,
        name: &'static str,
        fleet: &'b Fleet<P>,
        keys: impl Iterator<Item = &'k [u8]> + Clone,
        scratch: &'b mut Vec<u8>,
    ) -> Result<Shares<'b, P>, Error> {
        let (naming, mut joined) = (&self.shared.naming, Vec::new());
        let routing_keys = naming.routing_keys(keys.clone(), self.routing_key(), &mut joined);
        Shares::new(name, fleet, naming.prefix(), keys, &routing_keys, scratch)
    }

    /// The shares of `items` that the operation `name` stores with the same `attributes`, and the requests that store
    /// them, share after share.
    ///
    /// # Errors
    /// A key, a value or the time to live is invalid.
    pub fn sets<'b, K: AsRef<[u8]>, V: AsRef<[u8]>>(
        &self,
        name: &'static str,
        fleet: &'b Fleet<P>,
        items: &'b [(K, V)],
        attributes: Attributes,
        scratch: &'b mut Vec<u8>,
    ) -> Result<(Shares<'b, P>, Vec<Store<'b>>), Error> {
        let (flags, exptime) = self.attributes(name, attributes)?;
        let limit = self.shared.config.limits.value;
        let values = items.iter().enumerate().map(|(position, (_, value))| {
            Value::within(value.as_ref(), limit).map_err(|error| Error::at(position, name, error))
        });
        let values = values.collect::<Result<Vec<_>, _>>()?;
        let shares = self.shares(name, fleet, items.iter().map(|(key, _)| key.as_ref()), scratch)?;
        let store = |(&key, &position): (_, &usize)| {
            // Every position of a share is one of the items.
            let value = *values.get(position)?;
            Some(Store { verb: StoreVerb::Set, key, flags, exptime, value, noreply: false })
        };
        let mut stores: Vec<_> = shares.keys().iter().zip(shares.positions()).filter_map(store).collect();
        shares.shorten(&mut stores);
        Ok((shares, stores))
    }

    /// The shares of `batch` in the operation `name`, and its operations, share after share.
    ///
    /// # Errors
    /// A key, a value or a time to live is invalid.
    pub fn batch<'b>(
        &self,
        name: &'static str,
        fleet: &'b Fleet<P>,
        batch: &'b Batch,
        scratch: &'b mut Vec<u8>,
    ) -> Result<(Shares<'b, P>, Vec<AnyOperation<'b>>), Error> {
        batch
            .check(self.shared.config.limits.value)
            .map_err(|(position, cause)| Error::at(position, name, cause))?;
        let (naming, mut joined, now) = (&self.shared.naming, Vec::new(), self.unix_time());
        let routing_keys = naming.routing_keys(batch.routing_keys(self.routing_key()), None, &mut joined);
        let shares = Shares::new(name, fleet, naming.prefix(), batch.keys(), &routing_keys, scratch)?;
        // Every position of a share is one of the batch.
        let operations = shares.keys().iter().zip(shares.positions());
        let operations = operations.filter_map(|(&key, &position)| batch.operation(position, key, now));
        let mut operations: Vec<_> = operations.collect();
        shares.shorten(&mut operations);
        Ok((shares, operations))
    }
}
