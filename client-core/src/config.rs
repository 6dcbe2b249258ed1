//! What a client is made of, as one value.

use core::{num::NonZeroUsize, time::Duration};
use std::sync::Arc;

use memring_core::{health::HealthPolicy, peers::libmemcached};
use memring_text::{Limits, Ttl, ttl::ZeroTtl};

#[cfg(feature = "tls")]
use crate::Tls;
use crate::{
    Corrections, Naming, OwnedCredentials, OwnedScheme,
    failure::{Cause, Error, Observer},
    insight,
    route::FailurePolicy,
    spec::ServerSpec,
};

/// Everything that a client can be told, with defaults that suit most.
///
/// It is data: change what should differ, and give it to a client's `Client::with_config`. A client's `Builder` sets the
/// same fields one call after the other.
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
    pub servers: Vec<ServerSpec>,

    /// How keys are placed on the servers. Unless told otherwise, by [`libmemcached::KETAMA_WEIGHTED`].
    pub scheme: OwnedScheme,

    /// What stands before every key, behind what the scheme itself puts there: nothing. Keys are placed without it,
    /// unless [`place_by_namespace`](Self::place_by_namespace) says otherwise.
    pub namespace: Vec<u8>,

    /// Whether the [namespace](Self::namespace) counts as a part of the key where that is placed: it does not.
    pub place_by_namespace: bool,

    /// How long it may take to open a connection, the server's name and all its addresses included: 1 s. It ends with
    /// the operation that needs the connection, too.
    pub connect_timeout: Duration,

    /// How long an operation may take, from the call to its result, whatever happens in between: 1 s.
    pub timeout: Duration,

    /// How many connections to each server there may be.
    ///
    /// `None` is what suits the client. The blocking client has up to 16; more threads than that take turns. The tokio
    /// client has one, which all tasks share: more help only where large values let others wait for as long as their
    /// transfer takes, because the requests of one connection are answered in their order.
    pub pool_size: Option<NonZeroUsize>,

    /// How long a connection may rest before it is closed rather than used again: 60 s. No thread watches over
    /// connections at rest: the blocking client closes those that are too old one by one, each time another comes back.
    pub idle_timeout: Duration,

    /// How much may be under way on one connection of the tokio client: 1024 requests, and 4 MiB of values to be stored.
    /// What is more waits its turn. The blocking client has one operation under way on a connection.
    pub under_way: UnderWay,

    /// Whether `get`s of different callers of the tokio client that wait at the same moment leave as one request for all
    /// their keys: they do.
    ///
    /// A server answers that several times faster than the same keys one by one. It changes no result, except that a
    /// server's refusal of such a request reaches all of its callers.
    pub merge_gets: bool,

    /// How much a server may send, and, as [`Limits::value`], how large a value may be stored.
    pub limits: Limits,

    /// How connections are encrypted: not at all, unless told so. With it, all servers must speak TLS; a Unix socket is
    /// refused. Without it, servers written `memcacheds://` are encrypted alone, and trusted as the system trusts them.
    ///
    /// The handshake is a part of opening a connection, for which there is the
    /// [connect timeout](Self::connect_timeout). A server that is not what it should be is
    /// [`ErrorKind::Tls`](crate::failure::ErrorKind::Tls).
    #[cfg(feature = "tls")]
    pub tls: Option<Tls>,

    /// When a TCP connection was idle for this long, the system asks whether the server is still there, which also keeps
    /// firewalls from forgetting the connection; `None`: never. It is a minute, and at least a second.
    ///
    /// Beyond that, TCP connections send at once (`TCP_NODELAY`), and end when the server's system acknowledges nothing
    /// for 10 s, or for the [timeout](Self::timeout) if that is longer (`TCP_USER_TIMEOUT`, on Linux).
    pub keepalive: Option<Duration>,

    /// The name and password that are said on every connection, before anything else: for servers that demand them
    /// (memcached's option `-Y`). A server that takes others answers
    /// [`ErrorKind::Auth`](crate::failure::ErrorKind::Auth), and so does one that demands some and gets none.
    ///
    /// A server whose URL has a user and password of its own gets those.
    ///
    /// They travel as they are: without TLS, the network can read them.
    pub auth: Option<OwnedCredentials>,

    /// What single servers have, or lack, whatever their version tells: a build with a patch, or a proxy that gives a
    /// version of its own.
    pub corrections: Corrections,

    /// When a server is left alone after failures, and for how long. Unless told otherwise, that is after three
    /// failures in ten seconds without a success between them, at first for a tenth of a second; then one operation
    /// tries it, and each time in vain the wait is longer, up to 30 s. Meanwhile its operations fail at once, with
    /// [`ErrorKind::Down`](crate::failure::ErrorKind::Down), or go where the
    /// [failure policy](Self::failure_policy) says.
    ///
    /// `None`: every operation tries its server, whatever happened before.
    ///
    /// Failures are connections that cannot be opened or are lost, replies that are invalid, and replies that do not
    /// come within the [timeout](Self::timeout) of this configuration; a shorter one that a caller chose counts only its
    /// own patience. A refusal of the server is no failure: it is there to say so.
    pub health_policy: Option<HealthPolicy>,

    /// What becomes of the keys of a server that is down: they fail, unless told otherwise.
    ///
    /// [`FailurePolicy::Fallback`] asks whom the scheme's own client asks, which for many is nobody unless an option of
    /// the scheme says so, as `auto_eject_hosts` does for libmemcached's.
    pub failure_policy: FailurePolicy,

    /// Spare servers, which hold nothing while all is well: keys are placed on them by the same scheme when the servers
    /// that may have them by the [failure policy](Self::failure_policy) are down, or cannot be reached.
    ///
    /// When the server is back, what lies on the spare ones is seen no more. It soon ends: see
    /// [`stand_in_ttl`](Self::stand_in_ttl).
    pub gutter: Vec<ServerSpec>,

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
    pub stand_in_ttl: Ttl,

    /// Whether a read that fails for a server or the way to it is a miss: it is not. See a client's
    /// `with_errors_as_misses`.
    pub errors_as_misses: bool,

    /// The function that hears what happens: connections, servers that go down and come back, operations that fail. The observer
    /// runs on the thread, or in the task, where that happens, so it must be quick.
    pub observer: Observer,
}

/// How much may be under way on one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnderWay {
    /// Requests without an answer, at least 1.
    pub requests: usize,
    /// Bytes of values to be stored. A value that is longer by itself goes alone.
    pub bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
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
            // What mcrouter gives such items, unless told otherwise.
            // Source: mcrouter, `FailoverWithExptimeRoute`, `failover_exptime`.
            stand_in_ttl: Ttl::seconds(60),
            errors_as_misses: false,
            observer: Observer::NONE,
        }
    }
}

impl Config {
    /// The configuration as a client keeps it, and how its keys are written. The observer tells `tracing` and `metrics`,
    /// too, where these features are on.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::failure::ErrorKind::Config): one of the fields has a value that it cannot have.
    pub fn ready(mut self) -> Result<(Arc<Self>, Naming), Error> {
        if self.stand_in_ttl.is_zero() {
            return Err(Error::new("stand_in_ttl", Cause::config(ZeroTtl)));
        }
        let naming = Naming::new(self.scheme.scheme().key.prefix, &self.namespace, self.place_by_namespace)
            .map_err(|error| Error::new("namespace", Cause::config(error)))?;
        self.observer = insight::observer(self.observer);
        Ok((Arc::new(self), naming))
    }
}
