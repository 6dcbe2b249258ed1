//! The builder of a client: sets the fields of a configuration, one call after the other.

use core::{error, marker::PhantomData, num::NonZeroUsize, time::Duration};

use memring_core::health::HealthPolicy;
use memring_text::{Limits, Ttl, capabilities::Feature};

use crate::{
    OwnedCredentials, OwnedScheme,
    config::{Config, UnderWay},
    discovery::Discovery,
    failure::{Cause, Error, Event, Observer},
    route::FailurePolicy,
    spec::{ServerList, ServerSpec, ServerSpecError},
};

/// A type of client that a [`Builder`] can make.
pub trait FromConfig: Sized {
    /// Makes the client that `config` describes. No connection is opened before it is needed, so a server that is down
    /// is no error here.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::failure::ErrorKind::Config): a server, the scheme or another field is wrong, or they do
    /// not fit together.
    fn from_config(config: Config) -> Result<Self, Error>;
}

/// Makes a client. Each method sets a field of a [`Config`]; the field's documentation explains it.
///
/// Invalid texts are reported by [`build`](Self::build), which returns the first error.
#[must_use]
pub struct Builder<C> {
    config: Config,
    /// The first error.
    wrong: Option<Error>,
    client: PhantomData<fn() -> C>,
}

impl<C: FromConfig> Builder<C> {
    /// A builder that begins with `config`.
    pub const fn new(config: Config) -> Self {
        Self { config, wrong: None, client: PhantomData }
    }

    /// Adds servers, as texts, socket addresses or [`ServerSpec`]s: [`Config::servers`]. A text may have several
    /// servers, with commas, blanks or line ends between them; the module [`spec`](crate::spec) has the grammar.
    pub fn servers<S: TryInto<ServerList>>(mut self, servers: impl IntoIterator<Item = S>) -> Self
    where
        ServerSpecError: From<S::Error>,
    {
        match ServerSpec::read_all(servers) {
            Ok(specs) => self.config.servers.extend(specs),
            Err(error) => self.is_wrong(error),
        }
        self
    }

    /// Finds out the servers while the client runs: [`Config::discovery`]. The client is then made by `Client::discover`, of
    /// the builder's [configuration](Self::config).
    pub fn discovery(mut self, discovery: impl Into<Discovery>) -> Self {
        self.config.discovery = Some(discovery.into());
        self
    }

    /// Places keys by `scheme`: [`Config::scheme`].
    pub fn scheme(mut self, scheme: impl Into<OwnedScheme>) -> Self {
        self.config.scheme = scheme.into();
        self
    }

    /// Places keys by the scheme called `name`, with `options`, both as [`memring_core::peers`] knows them.
    pub fn scheme_named<'a>(
        mut self,
        name: &str,
        options: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        match OwnedScheme::named(name, options) {
            Ok(scheme) => self.config.scheme = scheme,
            Err(error) => self.is_wrong(error),
        }
        self
    }

    /// Puts `namespace` before every key: [`Config::namespace`].
    pub fn namespace(mut self, namespace: impl AsRef<[u8]>) -> Self {
        self.config.namespace = namespace.as_ref().to_vec();
        self
    }

    /// Whether keys are placed with their namespace (default: no): [`Config::place_by_namespace`].
    pub const fn place_by_namespace(mut self, yes: bool) -> Self {
        self.config.place_by_namespace = yes;
        self
    }

    /// How long opening a connection may take (default: 1 s): [`Config::connect_timeout`].
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.config.connect_timeout = timeout;
        self
    }

    /// How long an operation may take (default: 1 s): [`Config::timeout`].
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.config.timeout = timeout;
        self
    }

    /// How many connections the client may have to each server, at least 1: [`Config::pool_size`].
    pub const fn pool_size(mut self, size: usize) -> Self {
        self.config.pool_size = match NonZeroUsize::new(size) {
            None => Some(NonZeroUsize::MIN),
            size => size,
        };
        self
    }

    /// How long an unused connection is kept (default: 60 s): [`Config::idle_timeout`].
    pub const fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.config.idle_timeout = timeout;
        self
    }

    /// How much may be under way on one connection of the tokio client: unanswered `requests`, and `bytes` of values to
    /// be stored. See [`Config::under_way`].
    pub const fn under_way(mut self, requests: usize, bytes: usize) -> Self {
        self.config.under_way = UnderWay { requests: if requests == 0 { 1 } else { requests }, bytes };
        self
    }

    /// Whether the tokio client sends waiting `get`s of different callers as one request (default: yes):
    /// [`Config::merge_gets`].
    pub const fn merge_gets(mut self, merge: bool) -> Self {
        self.config.merge_gets = merge;
        self
    }

    /// How much a server may send, and how large a stored value may be: [`Config::limits`].
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.config.limits = limits;
        self
    }

    /// Encrypts all connections, as `tls` says: [`Config::tls`].
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: crate::Tls) -> Self {
        self.config.tls = Some(tls);
        self
    }

    /// States that the server of this name has a feature, whatever its version says: [`Config::corrections`].
    pub fn server_can(mut self, server: impl Into<Box<str>>, feature: Feature) -> Self {
        self.config.corrections.say(server, feature, true);
        self
    }

    /// States that the server of this name lacks a feature, whatever its version says. Requests that need it are not
    /// sent and fail as [`Unsupported`](crate::failure::ErrorKind::Unsupported). See [`Config::corrections`].
    pub fn server_cannot(mut self, server: impl Into<Box<str>>, feature: Feature) -> Self {
        self.config.corrections.say(server, feature, false);
        self
    }

    /// After which idle time the system probes a TCP connection (default: a minute): [`Config::keepalive`].
    pub const fn keepalive(mut self, idle: Option<Duration>) -> Self {
        self.config.keepalive = idle;
        self
    }

    /// Logs in with this name and password on every connection: [`Config::auth`].
    pub fn auth(mut self, user: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> Self {
        match OwnedCredentials::new(user.as_ref(), password.as_ref()) {
            Ok(credentials) => self.config.auth = Some(credentials),
            Err(error) => self.is_wrong(error),
        }
        self
    }

    /// After which failures a server is left alone, and for how long; `None` for never: [`Config::health_policy`].
    pub fn health_policy(mut self, policy: impl Into<Option<HealthPolicy>>) -> Self {
        self.config.health_policy = policy.into();
        self
    }

    /// What happens to operations on the keys of a server that is down (default: they fail):
    /// [`Config::failure_policy`].
    pub const fn failure_policy(mut self, policy: FailurePolicy) -> Self {
        self.config.failure_policy = policy;
        self
    }

    /// Adds spare servers, which are asked when no other is left: [`Config::gutter`].
    pub fn gutter<S: TryInto<ServerList>>(mut self, servers: impl IntoIterator<Item = S>) -> Self
    where
        ServerSpecError: From<S::Error>,
    {
        match ServerSpec::read_all(servers) {
            Ok(specs) => self.config.gutter.extend(specs),
            Err(error) => self.is_wrong(error),
        }
        self
    }

    /// The longest time to live of an item on a server that stands in for another (default: 60 s):
    /// [`Config::stand_in_ttl`].
    pub const fn stand_in_ttl(mut self, ttl: Ttl) -> Self {
        self.config.stand_in_ttl = ttl;
        self
    }

    /// Whether a read whose server fails is a miss and not an error (default: no): [`Config::errors_as_misses`].
    pub const fn errors_as_misses(mut self, yes: bool) -> Self {
        self.config.errors_as_misses = yes;
        self
    }

    /// Calls `observe` for every event: [`Config::observer`].
    pub fn on_event(mut self, observe: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.config.observer = Observer::new(observe);
        self
    }

    /// The configuration so far, without the client.
    ///
    /// # Errors
    /// As of [`build`](Self::build), for invalid texts.
    pub fn config(self) -> Result<Config, Error> {
        self.wrong.map_or(Ok(self.config), Err)
    }

    /// Makes the client. No connection is opened before it is needed, so a server that is down is no error here.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::failure::ErrorKind::Config): a server or the scheme is wrong, or they do not fit
    /// together.
    pub fn build(self) -> Result<C, Error> {
        self.config().and_then(C::from_config)
    }

    fn is_wrong(&mut self, error: impl error::Error + Send + Sync + 'static) {
        self.wrong.get_or_insert_with(|| Error::new("build", Cause::config(error)));
    }
}

impl<C> Clone for Builder<C> {
    fn clone(&self) -> Self {
        Self { config: self.config.clone(), wrong: self.wrong.clone(), client: PhantomData }
    }
}

impl<C> core::fmt::Debug for Builder<C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Builder").field("config", &self.config).field("wrong", &self.wrong).finish()
    }
}
