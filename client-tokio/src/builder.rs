//! What a client is made of.

use core::{error, time::Duration};

use memring_client::{
    Naming, OwnedCredentials, OwnedScheme,
    failure::{Cause, Error, Event, Observer},
    insight,
    route::{FailurePolicy, Rules},
    spec::{ServerList, ServerSpec, ServerSpecError},
};
use memring_core::{health::HealthPolicy, peers::libmemcached};
use memring_text::{Limits, Ttl, ZeroTtl};

use crate::{
    client::Client,
    dial::DialOptions,
    fleet::{self, Fleet},
    pool::{Pool, PoolOptions, mux::MuxOptions, room::RoomLimits},
};

/// Makes a [`Client`].
///
/// ```
/// use std::time::Duration;
/// use memring_tokio::Client;
///
/// let client = Client::builder()
///     .servers(["10.0.0.1:11211 2", "10.0.0.2:11211"])
///     .scheme_named("libmemcached-ketama-weighted", [("prefix", "shop:")])
///     .timeout(Duration::from_millis(250))
///     .build()?;
/// # Ok::<(), memring_tokio::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    servers: Vec<ServerSpec>,
    scheme: Option<OwnedScheme>,
    gutter: Vec<ServerSpec>,
    on_failure: FailurePolicy,
    has_misses_for_errors: bool,
    namespace: Vec<u8>,
    is_namespace_placed: bool,
    options: PoolOptions,
    /// The first thing that was wrong; `build` tells.
    wrong: Option<Error>,
}

impl Builder {
    pub(crate) const fn new() -> Self {
        Self {
            servers: Vec::new(),
            scheme: None,
            gutter: Vec::new(),
            on_failure: FailurePolicy::Fail,
            has_misses_for_errors: false,
            namespace: Vec::new(),
            is_namespace_placed: false,
            options: PoolOptions {
                size: 1,
                dial: DialOptions::DEFAULT,
                mux: MuxOptions {
                    connect_timeout: Duration::from_secs(1),
                    timeout: Duration::from_secs(1),
                    idle_timeout: Duration::from_secs(60),
                    limits: Limits::DEFAULT,
                    room: RoomLimits { requests: 1024, bytes: 4 << 20 },
                    is_merging: true,
                },
                stand_in_ttl: STAND_IN_TTL,
                health: Some(HealthPolicy::DEFAULT),
                observer: Observer::NONE,
            },
            wrong: None,
        }
    }

    /// Adds servers, as texts, socket addresses or [`ServerSpec`]s. Their order matters to some schemes. A text may have
    /// several, with commas, blanks or lines between; how servers are written says [`spec`](memring_client::spec).
    ///
    /// Each server is reached as its own text says: a user and password in its URL count before those of
    /// [`auth`](Self::auth), and `memcacheds://` encrypts its connections, whatever those of the others are.
    ///
    /// A host name that has several addresses is one server, which is reached over the first of them that takes the
    /// connection. Servers that hold keys of their own behind one name are to be listed one by one.
    pub fn servers<S: TryInto<ServerList>>(mut self, servers: impl IntoIterator<Item = S>) -> Self
    where
        ServerSpecError: From<S::Error>,
    {
        match ServerSpec::read_all(servers) {
            Ok(specs) => self.servers.extend(specs),
            Err(error) => self.is_wrong(error),
        }
        self
    }

    /// Places keys by `scheme`. Unless told otherwise, that is [`libmemcached::KETAMA_WEIGHTED`].
    pub fn scheme(mut self, scheme: impl Into<OwnedScheme>) -> Self {
        self.scheme = Some(scheme.into());
        self
    }

    /// Places keys by the scheme called `name`, with `options`, both as [`memring_core::peers`] knows them.
    pub fn scheme_named<'a>(
        mut self,
        name: &str,
        options: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        match OwnedScheme::named(name, options) {
            Ok(scheme) => self.scheme = Some(scheme),
            Err(error) => self.is_wrong(error),
        }
        self
    }

    /// Puts `namespace` before every key, behind what the scheme itself puts there. Keys are placed without it, unless
    /// [`place_by_namespace`](Self::place_by_namespace) says otherwise.
    pub fn namespace(mut self, namespace: impl AsRef<[u8]>) -> Self {
        self.namespace = namespace.as_ref().to_vec();
        self
    }

    /// Whether the [namespace](Self::namespace) counts as a part of the key where that is placed: it does not.
    pub const fn place_by_namespace(mut self, yes: bool) -> Self {
        self.is_namespace_placed = yes;
        self
    }

    /// How long it may take to open a connection, the server's name and all its addresses included: 1 s. It ends with
    /// the operation that needs the connection, too.
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.options.mux.connect_timeout = timeout;
        self
    }

    /// How long an operation may take, from the call to its result, whatever happens in between: 1 s.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.options.mux.timeout = timeout;
        self
    }

    /// How many connections to each server there are: 1, which is best for most. The requests of one connection are
    /// answered in their order, so that a large value lets others wait for as long as its transfer takes.
    pub const fn pool_size(mut self, size: usize) -> Self {
        self.options.size = if size == 0 { 1 } else { size };
        self
    }

    /// How long a connection may rest before it is closed: 60 s. The next operation opens another.
    pub const fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.options.mux.idle_timeout = timeout;
        self
    }

    /// How much may be under way on one connection: this many `requests` without an answer, 1024 unless told otherwise,
    /// and values of this many `bytes` to be stored, 4 MiB. What is more waits its turn; a value that is longer by itself
    /// goes alone.
    pub const fn under_way(mut self, requests: usize, bytes: usize) -> Self {
        self.options.mux.room = RoomLimits { requests: if requests == 0 { 1 } else { requests }, bytes };
        self
    }

    /// Whether `get`s of different callers that wait at the same moment leave as one request for all their keys: they do.
    ///
    /// A server answers that several times faster than the same keys one by one. It changes no result, except that a
    /// server's refusal of such a request reaches all of its callers.
    pub const fn merge_gets(mut self, merge: bool) -> Self {
        self.options.mux.is_merging = merge;
        self
    }

    /// Encrypts all connections, as `tls` says. All servers must speak TLS; a Unix socket is refused.
    /// Without it, servers written `memcacheds://` are encrypted alone, and trusted as the system trusts them.
    ///
    /// The handshake is a part of opening a connection, for which there is the
    /// [connect timeout](Self::connect_timeout). A server that is not what it should be is
    /// [`ErrorKind::Tls`](crate::ErrorKind::Tls).
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: crate::Tls) -> Self {
        self.options.dial.tls = Some(tls);
        self
    }

    /// Has the system ask, when a TCP connection was idle for this long, whether the server is still there, which also
    /// keeps firewalls from forgetting the connection; `None`: never. It is a minute, and at least a second.
    ///
    /// Beyond that, TCP connections send at once (`TCP_NODELAY`), and end when the server's system acknowledges nothing
    /// for 10 s, or for the [timeout](Self::timeout) if that is longer (`TCP_USER_TIMEOUT`, on Linux).
    pub const fn keepalive(mut self, idle: Option<Duration>) -> Self {
        self.options.dial.keepalive = idle;
        self
    }

    /// Says this name and password on every connection, before anything else: for servers that demand them (memcached's
    /// option `-Y`). A server that takes others answers [`ErrorKind::Auth`](crate::ErrorKind::Auth), and so does one that
    /// demands some and gets none.
    ///
    /// A server whose URL has a user and password of its own gets those.
    ///
    /// They travel as they are: without TLS, the network can read them.
    pub fn auth(mut self, user: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> Self {
        match OwnedCredentials::new(user.as_ref(), password.as_ref()) {
            Ok(credentials) => self.options.dial.auth = Some(credentials),
            Err(error) => self.is_wrong(error),
        }
        self
    }

    /// How much a server may send, and, as [`Limits::value`], how large a value may be stored.
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.options.mux.limits = limits;
        self
    }

    /// When a server is left alone after failures, and for how long. Unless told otherwise, that is after three
    /// failures in ten seconds without a success between them, at first for a tenth of a second; then one operation
    /// tries it, and each time in vain the wait is longer, up to 30 s. Meanwhile its operations fail at once, with
    /// [`ErrorKind::Down`](crate::ErrorKind::Down), or go where the [failure policy](Self::failure_policy) says.
    ///
    /// `None`: every operation tries its server, whatever happened before.
    ///
    /// Failures are connections that cannot be opened or are lost, replies that are none, and replies that do not come
    /// within the builder's [timeout](Self::timeout); a shorter one that a caller chose counts only its own patience.
    /// What a server refuses is none: it is there to say so.
    pub fn health_policy(mut self, policy: impl Into<Option<HealthPolicy>>) -> Self {
        self.options.health = policy.into();
        self
    }

    /// What becomes of the keys of a server that is down: they fail, unless told otherwise.
    ///
    /// [`FailurePolicy::Fallback`] asks whom the scheme's own client asks, which for many is nobody unless an option of the
    /// scheme says so:
    ///
    /// ```
    /// # use memring_tokio::{Client, FailurePolicy};
    /// let client = Client::builder()
    ///     .servers(["10.0.0.1", "10.0.0.2", "10.0.0.3"])
    ///     .scheme_named("libmemcached-ketama-weighted", [("auto_eject_hosts", "1")])
    ///     .failure_policy(FailurePolicy::Fallback)
    ///     .build()?;
    /// # Ok::<(), memring_tokio::Error>(())
    /// ```
    pub const fn failure_policy(mut self, policy: FailurePolicy) -> Self {
        self.on_failure = policy;
        self
    }

    /// The longest that an item lives on a server that stands in for the key's own, by the
    /// [failure policy](Self::failure_policy) or from the [gutter](Self::gutter): 60 s, as with mcrouter's
    /// `FailoverWithExptimeRoute`. A shorter time that the caller gives stays.
    ///
    /// When the key's own server is back, what it holds is read again, and what was written elsewhere meanwhile is seen
    /// no more. Without a limit it would lie there, and be read, old as it is, at the server's next failure.
    /// [`Ttl::NEVER`] is no limit.
    ///
    /// It holds for whatever gives an item a time to live: `set`, `add`, `replace`, `cas`, `touch`, `gat`, `gats`, and the
    /// meta commands' `ttl`, `touch` and `vivify`. `append`, `prepend`, `incr` and `decr` leave an item its time.
    pub const fn stand_in_ttl(mut self, ttl: Ttl) -> Self {
        self.options.stand_in_ttl = ttl;
        self
    }

    /// Adds spare servers, which hold nothing while all is well: keys are placed on them by the same scheme when the
    /// servers that may have them by the [failure policy](Self::failure_policy) are down, or cannot be reached.
    ///
    /// When the server is back, what lies on the spare ones is seen no more. It soon ends: see
    /// [`stand_in_ttl`](Self::stand_in_ttl).
    pub fn gutter<S: TryInto<ServerList>>(mut self, servers: impl IntoIterator<Item = S>) -> Self
    where
        ServerSpecError: From<S::Error>,
    {
        match ServerSpec::read_all(servers) {
            Ok(specs) => self.gutter.extend(specs),
            Err(error) => self.is_wrong(error),
        }
        self
    }

    /// Whether reads take the failure of a server for a miss, as with [`Client::with_errors_as_misses`]: they do not.
    pub const fn errors_as_misses(mut self, yes: bool) -> Self {
        self.has_misses_for_errors = yes;
        self
    }

    /// Lets `observe` see what happens: connections, servers that go down and come back, operations that fail. It runs
    /// in the task where that happens, so it must be quick.
    ///
    /// ```
    /// use memring_tokio::{Client, Event};
    ///
    /// let client = Client::builder().servers(["10.0.0.1"]).on_event(|event| match event {
    ///     Event::ServerDown { server, retry_after, .. } => eprintln!("{server} is down for {retry_after:?}"),
    ///     Event::Failed { error, .. } => eprintln!("{error}"),
    ///     _ => {}
    /// });
    /// ```
    pub fn on_event(mut self, observe: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.options.observer = Observer::new(observe);
        self
    }

    /// The client. It opens connections when it needs them, so servers that are down are no error here.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config): a server or the scheme is wrong, or they do not fit together.
    pub fn build(self) -> Result<Client, Error> {
        let Self { servers, scheme, gutter, on_failure, has_misses_for_errors, mut options, wrong, .. } =
            self;
        if let Some(error) = wrong {
            return Err(error);
        }
        if options.stand_in_ttl.is_zero() {
            return Err(Error::new("stand_in_ttl", Cause::config(ZeroTtl)));
        }
        let scheme = scheme.unwrap_or_else(|| libmemcached::KETAMA_WEIGHTED.into());
        let naming = Naming::new(scheme.scheme().key.prefix, &self.namespace, self.is_namespace_placed)
            .map_err(|error| Error::new("namespace", Cause::config(error)))?;
        options.observer = insight::observer(options.observer);
        let rules = Rules { failure: on_failure, health: options.health };
        let open = |spec: &ServerSpec| Pool::new(spec, &options);
        let fleet = Fleet::build(scheme, servers, gutter, rules, open)
            .map_err(|error| Error::new("build", fleet::cause(error)))?;
        Ok(Client::new(fleet, options, naming).with_errors_as_misses(has_misses_for_errors))
    }

    fn is_wrong(&mut self, error: impl error::Error + Send + Sync + 'static) {
        self.wrong.get_or_insert_with(|| Error::new("build", Cause::config(error)));
    }
}

/// What mcrouter gives such items, unless told otherwise.
///
/// Source: mcrouter, `FailoverWithExptimeRoute`, `failover_exptime`.
const STAND_IN_TTL: Ttl = Ttl::seconds(60);
