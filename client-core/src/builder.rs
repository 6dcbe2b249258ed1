//! A configuration, one call after the other.

use core::{error, marker::PhantomData, num::NonZeroUsize, time::Duration};

use memring_core::health::HealthPolicy;
use memring_text::{Limits, Ttl, capabilities::Feature};

use crate::{
    OwnedCredentials, OwnedScheme,
    config::{Config, UnderWay},
    failure::{Cause, Error, Event, Observer},
    route::FailurePolicy,
    spec::{ServerList, ServerSpec, ServerSpecError},
};

/// A client, as a [`Builder`] makes it.
pub trait FromConfig: Sized {
    /// The client that `config` describes. It opens connections when it needs them, so servers that are down are no error
    /// here.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::failure::ErrorKind::Config): a server, the scheme or another field is wrong, or they do
    /// not fit together.
    fn from_config(config: Config) -> Result<Self, Error>;
}

/// Makes a client. Each call sets a field of a [`Config`], where it is explained.
///
/// A text that is wrong is told by [`build`](Self::build), the first one if there are several.
#[must_use]
pub struct Builder<C> {
    config: Config,
    /// The first thing that was wrong.
    wrong: Option<Error>,
    client: PhantomData<fn() -> C>,
}

impl<C: FromConfig> Builder<C> {
    /// A builder that begins with `config`, as one that was read from elsewhere.
    pub const fn new(config: Config) -> Self {
        Self { config, wrong: None, client: PhantomData }
    }

    /// Adds servers, as texts, socket addresses or [`ServerSpec`]s: [`Config::servers`]. A text may have several, with
    /// commas, blanks or lines between; how servers are written says [`spec`](crate::spec).
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

    /// Whether keys are placed with their namespace; they are not: [`Config::place_by_namespace`].
    pub const fn place_by_namespace(mut self, yes: bool) -> Self {
        self.config.place_by_namespace = yes;
        self
    }

    /// How long it may take to open a connection, 1 s: [`Config::connect_timeout`].
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.config.connect_timeout = timeout;
        self
    }

    /// How long an operation may take, 1 s: [`Config::timeout`].
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.config.timeout = timeout;
        self
    }

    /// How many connections to each server there may be, at least 1: [`Config::pool_size`].
    pub const fn pool_size(mut self, size: usize) -> Self {
        self.config.pool_size = match NonZeroUsize::new(size) {
            None => Some(NonZeroUsize::MIN),
            size => size,
        };
        self
    }

    /// How long a connection may rest before it is closed, 60 s: [`Config::idle_timeout`].
    pub const fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.config.idle_timeout = timeout;
        self
    }

    /// How much may be under way on one connection of the tokio client: this many `requests` without an answer, and
    /// values of this many `bytes` to be stored. See [`Config::under_way`].
    pub const fn under_way(mut self, requests: usize, bytes: usize) -> Self {
        self.config.under_way = UnderWay { requests: if requests == 0 { 1 } else { requests }, bytes };
        self
    }

    /// Whether `get`s of different callers of the tokio client leave as one request; they do: [`Config::merge_gets`].
    pub const fn merge_gets(mut self, merge: bool) -> Self {
        self.config.merge_gets = merge;
        self
    }

    /// How much a server may send, and how large a value may be stored: [`Config::limits`].
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

    /// Says of the server of this name that it has a feature, whatever its version tells: [`Config::corrections`].
    pub fn server_can(mut self, server: impl Into<Box<str>>, feature: Feature) -> Self {
        self.config.corrections.say(server, feature, true);
        self
    }

    /// Says of the server of this name that it lacks a feature, whatever its version tells: what needs it is
    /// [`Unsupported`](crate::failure::ErrorKind::Unsupported), and not sent. See [`Config::corrections`].
    pub fn server_cannot(mut self, server: impl Into<Box<str>>, feature: Feature) -> Self {
        self.config.corrections.say(server, feature, false);
        self
    }

    /// When the system asks whether an idle server is still there, after a minute: [`Config::keepalive`].
    pub const fn keepalive(mut self, idle: Option<Duration>) -> Self {
        self.config.keepalive = idle;
        self
    }

    /// Says this name and password on every connection: [`Config::auth`].
    pub fn auth(mut self, user: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> Self {
        match OwnedCredentials::new(user.as_ref(), password.as_ref()) {
            Ok(credentials) => self.config.auth = Some(credentials),
            Err(error) => self.is_wrong(error),
        }
        self
    }

    /// When a server is left alone after failures, and for how long; `None` for never: [`Config::health_policy`].
    pub fn health_policy(mut self, policy: impl Into<Option<HealthPolicy>>) -> Self {
        self.config.health_policy = policy.into();
        self
    }

    /// What becomes of the keys of a server that is down; they fail: [`Config::failure_policy`].
    pub const fn failure_policy(mut self, policy: FailurePolicy) -> Self {
        self.config.failure_policy = policy;
        self
    }

    /// Adds spare servers, asked when nobody else is left: [`Config::gutter`].
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

    /// The longest that an item lives on a server that stands in for another, 60 s: [`Config::stand_in_ttl`].
    pub const fn stand_in_ttl(mut self, ttl: Ttl) -> Self {
        self.config.stand_in_ttl = ttl;
        self
    }

    /// Whether reads take the failure of a server for a miss; they do not: [`Config::errors_as_misses`].
    pub const fn errors_as_misses(mut self, yes: bool) -> Self {
        self.config.errors_as_misses = yes;
        self
    }

    /// Lets `observe` see what happens: [`Config::observer`].
    pub fn on_event(mut self, observe: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.config.observer = Observer::new(observe);
        self
    }

    /// The configuration so far, without the client.
    ///
    /// # Errors
    /// As [`build`](Self::build), for texts that are wrong.
    pub fn config(self) -> Result<Config, Error> {
        self.wrong.map_or(Ok(self.config), Err)
    }

    /// The client. It opens connections when it needs them, so servers that are down are no error here.
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
