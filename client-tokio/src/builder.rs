//! What a client is made of.

use core::{error, time::Duration};
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use memring_core::spec::{ServerSpec, ServerSpecError};
use memring_core::{Scheme, peers::libmemcached};
use memring_text::failure::{Cause, Error};
use memring_text::{Limits, OwnedCredentials};

use crate::{
    client::Client,
    dial::DialOptions,
    fleet::Fleet,
    pool::{PoolOptions, mux::MuxOptions, room::RoomLimits},
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
    scheme: Scheme<'static>,
    options: PoolOptions,
    /// The first thing that was wrong; `build` tells.
    wrong: Option<Error>,
}

impl Builder {
    pub(crate) const fn new() -> Self {
        Self {
            servers: Vec::new(),
            scheme: libmemcached::KETAMA_WEIGHTED,
            options: PoolOptions {
                size: 1,
                dial: DialOptions::DEFAULT,
                mux: MuxOptions {
                    connect_timeout: Duration::from_secs(1),
                    timeout: Duration::from_secs(1),
                    limits: Limits::DEFAULT,
                    room: RoomLimits { requests: 1024, bytes: 4 << 20 },
                    is_merging: true,
                },
            },
            wrong: None,
        }
    }

    /// Adds servers, as texts or as [`ServerSpec`]s. Their order matters to some schemes.
    pub fn servers<S: TryInto<ServerSpec>>(mut self, servers: impl IntoIterator<Item = S>) -> Self
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
    pub const fn scheme(mut self, scheme: Scheme<'static>) -> Self {
        self.scheme = scheme;
        self
    }

    /// Places keys by the scheme called `name`, with `options`, both as [`memring_core::peers`] knows them.
    ///
    /// The texts of the options are kept for as long as the program runs, each once.
    pub fn scheme_named<'a>(
        mut self,
        name: &str,
        options: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        match Scheme::named(name, options, kept) {
            Ok(scheme) => self.scheme = scheme,
            Err(error) => self.is_wrong(error),
        }
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

    /// The client. It opens connections when it needs them, so servers that are down are no error here.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config): a server or the scheme is wrong, or they do not fit together.
    pub fn build(self) -> Result<Client, Error> {
        let Self { servers, scheme, options, wrong } = self;
        if let Some(error) = wrong {
            return Err(error);
        }
        let fleet =
            Fleet::build(scheme, servers, &options, None).map_err(|cause| Error::new("build", cause))?;
        Ok(Client::new(fleet, options))
    }

    fn is_wrong(&mut self, error: impl error::Error + Send + Sync + 'static) {
        self.wrong.get_or_insert_with(|| Error::new("build", Cause::config(error)));
    }
}

/// The same text, to be kept for ever. A scheme borrows its options, and a client its scheme.
fn kept(text: &str) -> &'static str {
    static KEPT: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(text) = kept.get(text) {
        return text;
    }
    let text = Box::leak(text.into());
    kept.insert(text);
    text
}
