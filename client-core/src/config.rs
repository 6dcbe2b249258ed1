//! The configuration of a client, as one value.

use core::{num::NonZeroUsize, time::Duration};
use std::sync::Arc;

use memring_core::{health::HealthPolicy, peers::libmemcached};
use memring_text::{Limits, Ttl, ttl::ZeroTtl};

#[cfg(feature = "tls")]
use crate::Tls;
use crate::{
    Corrections, OwnedCredentials, OwnedScheme,
    discovery::Discovery,
    failure::{Cause, Error, Observer},
    insight,
    naming::Naming,
    route::FailurePolicy,
    spec::ServerSpec,
};

/// Everything that can be configured about a client, with defaults that suit most.
///
/// Change the fields that should differ from the defaults, and pass the value to `Client::with_config`. A client's
/// `Builder` sets the same fields one call after the other.
///
/// ```
/// use core::time::Duration;
/// use memring_client::{Config, spec::ServerSpec};
///
/// let mut config = Config::default();
/// config.servers = ServerSpec::read_all(["10.0.0.1:11211 2", "10.0.0.2:11211"])?;
/// config.timeout = Duration::from_millis(250);
/// # Ok::<(), memring_client::spec::ServerSpecError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The servers. Their order matters to some schemes.
    ///
    /// Each server is reached as its own text says: a user and password in its URL count before those of
    /// [`auth`](Self::auth), and `memcacheds://` encrypts its connections, whatever those of the others are.
    ///
    /// A host name that has several addresses is one server, which is reached over the first of them that takes the
    /// connection. Servers that hold keys of their own behind one name are to be listed one by one.
    ///
    /// With [`discovery`](Self::discovery), this is the list to begin with if the source does not answer: that of the last
    /// time, for example.
    pub servers: Vec<ServerSpec>,

    /// How the client finds out its servers while it runs. Default: `None`, the servers are those of the list.
    ///
    /// A client with a source is made by `Client::discover`, which asks the source first.
    pub discovery: Option<Discovery>,

    /// How keys are placed on the servers. Default: [`libmemcached::KETAMA_WEIGHTED`].
    pub scheme: OwnedScheme,

    /// A prefix of every key; it stands behind the scheme's own prefix, if that has one. Default: empty. Keys are
    /// placed without it, unless [`place_by_namespace`](Self::place_by_namespace) says otherwise.
    pub namespace: Vec<u8>,

    /// Whether the [namespace](Self::namespace) is a part of the key for placement. Default: no.
    pub place_by_namespace: bool,

    /// How long opening a connection may take, with the look-up of the server's name and the trial of all its
    /// addresses. Default: 1 s. The deadline of the operation that needs the connection holds as well.
    pub connect_timeout: Duration,

    /// How long an operation may take, from the call to its result, with everything in between. Default: 1 s.
    pub timeout: Duration,

    /// How many connections the client may have to each server.
    ///
    /// `None` (the default) is the client's own choice. The blocking client has up to 16 connections; more threads than
    /// that take turns. The tokio client has one, which all tasks share. More of them help only with large values: the
    /// requests of one connection are answered in their order, so a large value delays those behind it.
    pub pool_size: Option<NonZeroUsize>,

    /// How long an unused connection is kept. Default: 60 s. No thread watches unused connections: the blocking client
    /// closes old ones one by one, each time a connection comes back to the pool.
    pub idle_timeout: Duration,

    /// How much may be under way on one connection of the tokio client; further requests wait for their turn. Default:
    /// 1024 requests, and 4 MiB of values to be stored. The blocking client has one operation under way on a
    /// connection.
    pub under_way: UnderWay,

    /// Whether the tokio client sends `get`s of different callers that wait at the same moment as one request for all
    /// their keys. Default: yes.
    ///
    /// A server answers one such request several times faster than one request a key. Results are the same, except that
    /// a server's refusal of the request reaches all of its callers.
    pub merge_gets: bool,

    /// How much a server may send. [`Limits::value`] is also the limit for values to be stored.
    pub limits: Limits,

    /// How connections are encrypted. With `Some`, all servers must speak TLS, and a Unix socket is refused. With
    /// `None` (the default), only servers written `memcacheds://` are encrypted; they must have a certificate that the
    /// system trusts.
    ///
    /// The handshake counts towards the [connect timeout](Self::connect_timeout). A server whose certificate is not
    /// accepted is [`ErrorKind::Tls`](crate::failure::ErrorKind::Tls).
    #[cfg(feature = "tls")]
    pub tls: Option<Tls>,

    /// After this idle time, the system probes whether the peer of a TCP connection is still there, which also keeps
    /// firewalls from forgetting the connection. `None` turns probes off. Default: a minute; the least is a second.
    ///
    /// Independently of this field, TCP connections send at once (`TCP_NODELAY`), and end when the server's system
    /// acknowledges nothing for 10 s, or for the [timeout](Self::timeout) if that is longer (`TCP_USER_TIMEOUT`, on
    /// Linux).
    pub keepalive: Option<Duration>,

    /// The name and password that the client sends first on every connection, for servers that demand them (memcached's
    /// option `-Y`). A server that accepts only others is [`ErrorKind::Auth`](crate::failure::ErrorKind::Auth), and so
    /// is one that demands some when there are none.
    ///
    /// A server whose URL has a user and password of its own gets those.
    ///
    /// They are sent in clear: without TLS, the network can read them.
    pub auth: Option<OwnedCredentials>,

    /// Features that single servers have or lack, whatever their version says: for a patched build, or a proxy with a
    /// version number of its own.
    pub corrections: Corrections,

    /// After which failures a server is left alone, and for how long. Default: after three failures in ten seconds
    /// without a success between them, at first for a tenth of a second. Then one operation tries the server; after
    /// each failed trial the wait is longer, up to 30 s. Meanwhile its operations fail at once, with
    /// [`ErrorKind::Down`](crate::failure::ErrorKind::Down), or go where the [failure policy](Self::failure_policy)
    /// says.
    ///
    /// With `None`, every operation tries its server, whatever happened before.
    ///
    /// Failures are connections that cannot be opened or are lost, replies that are invalid, and replies that do not
    /// come within the [timeout](Self::timeout) of this configuration. A shorter timeout that one caller chose says
    /// nothing of the server. A refusal is no failure: the server is there to send it.
    pub health_policy: Option<HealthPolicy>,

    /// What happens to operations on the keys of a server that is down. Default: they fail.
    ///
    /// [`FailurePolicy::Fallback`] asks the server that the scheme's own client asks. Many of those ask no other
    /// server, unless an option of the scheme says so, such as libmemcached's `auto_eject_hosts`.
    pub failure_policy: FailurePolicy,

    /// Spare servers, which hold nothing while all is well. When all servers that may have a key by the [failure
    /// policy](Self::failure_policy) are down or cannot be reached, the key is placed on the spare ones, by the same
    /// scheme.
    ///
    /// When the server is back, items on the spare ones are no longer read. They expire soon: see
    /// [`stand_in_ttl`](Self::stand_in_ttl).
    pub gutter: Vec<ServerSpec>,

    /// The longest time to live of an item on a server that stands in for the key's own, by the [failure
    /// policy](Self::failure_policy) or from the [gutter](Self::gutter). Default: 60 s, as with mcrouter's
    /// `FailoverWithExptimeRoute`. A shorter time that the caller gives is kept.
    ///
    /// When the key's own server is back, its item is read again, and the item on the stand-in is not. Without a limit
    /// the latter would stay there, and be read, outdated, at the server's next failure. [`Ttl::NEVER`] means no limit.
    ///
    /// The limit applies to all operations that give an item a time to live: `set`, `add`, `replace`, `cas`, `touch`,
    /// `gat`, `gats`, and the meta commands' `ttl`, `touch` and `vivify`. `append`, `prepend`, `incr` and `decr` leave
    /// an item's time as it is.
    pub stand_in_ttl: Ttl,

    /// Whether a read is a miss, and not an error, when its server or the way to it fails. Default: no. See the
    /// client's `with_errors_as_misses`.
    pub errors_as_misses: bool,

    /// The function that is called for every event: connections, servers that go down and come back, operations that
    /// fail. It runs on the thread, or in the task, where the event happens, so it must be quick.
    pub observer: Observer,
}

/// How much may be under way on one connection of the tokio client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnderWay {
    /// The number of unanswered requests, at least 1.
    pub requests: usize,
    /// The bytes of values to be stored. A single value that is longer is sent alone.
    pub bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            discovery: None,
            scheme: libmemcached::KETAMA_WEIGHTED.into(),
            namespace: Vec::new(),
            place_by_namespace: false,
            connect_timeout: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            pool_size: None,
            idle_timeout: Duration::from_secs(60),
            under_way: UnderWay { requests: 1024, bytes: 4 << 20 },
            merge_gets: true,
            limits: Limits::DEFAULT,
            #[cfg(feature = "tls")]
            tls: None,
            keepalive: Some(Duration::from_secs(60)),
            auth: None,
            corrections: Corrections::NONE,
            health_policy: Some(HealthPolicy::DEFAULT),
            failure_policy: FailurePolicy::Fail,
            gutter: Vec::new(),
            // mcrouter's default for such items. Source: mcrouter, `FailoverWithExptimeRoute`, `failover_exptime`.
            stand_in_ttl: Ttl::seconds(60),
            errors_as_misses: false,
            observer: Observer::NONE,
        }
    }
}

impl Config {
    /// Checks the configuration; returns it as a client keeps it, and how the client's keys are written. With the
    /// features `tracing` and `metrics`, the observer reports to these, too.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::failure::ErrorKind::Config): a field has an invalid value.
    pub(crate) fn ready(mut self) -> Result<(Arc<Self>, Naming), Error> {
        if self.stand_in_ttl.is_zero() {
            return Err(Error::new("stand_in_ttl", Cause::config(ZeroTtl)));
        }
        let naming = Naming::new(self.scheme.scheme().key.prefix, &self.namespace, self.place_by_namespace)
            .map_err(|error| Error::new("namespace", Cause::config(error)))?;
        self.observer = insight::observer(self.observer);
        Ok((Arc::new(self), naming))
    }
}
