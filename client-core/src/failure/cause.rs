//! Causes: everything that can go wrong in a client.

use core::{error, fmt, time::Duration};
use std::{io, sync::Arc};

#[cfg(feature = "embedded-io")]
use memring_text::connection::ConnectionError;
use memring_text::{
    buffer::Full,
    capabilities::Unsupported,
    exchange::ProtocolError,
    key::KeyError,
    meta::MetaKeyError,
    operation::{ReplyError, ValueError},
    reply::{NoticeWord, ServerError, ServerErrorKind},
    ttl::ZeroTtl,
    value::ValueTooLarge,
};

use super::ErrorKind;
use crate::{roster::Why, typed};

/// What went wrong, without the server and the operation. Callers of a client see an [`Error`](super::Error).
///
/// It is cheap to clone: all callers that wait for one connection get the same cause.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Cause {
    /// The client's configuration is invalid.
    Config(Arc<dyn error::Error + Send + Sync>),
    /// The key is invalid.
    Key(KeyError),
    /// The key of a meta command is invalid.
    MetaKey(MetaKeyError),
    /// The value is too large to be sent.
    Value(ValueTooLarge),
    /// The value that came is larger than the client takes, and was skipped.
    Skipped(ValueTooLarge),
    /// The time to live is zero.
    Ttl(ZeroTtl),
    /// The value does not fit into the caller's buffer.
    Full(Full),
    /// The server's name does not resolve.
    Resolve(Arc<io::Error>),
    /// No connection could be opened.
    Connect(Arc<io::Error>),
    /// The TLS library refused the connection as not secure.
    Tls(Arc<dyn error::Error + Send + Sync>),
    /// No complete reply came in time.
    Timeout,
    /// No connection of the pool was free in time.
    PoolBusy,
    /// Too many requests were under way on the connection, until time ran out.
    OverQuota,
    /// The connection was given up because an earlier reply was overdue.
    Stalled,
    /// The server closed the connection; with the system's error, if there is one.
    Closed(Option<Arc<io::Error>>),
    /// The client was closed.
    Shut,
    /// There is no tokio runtime to run the connection in.
    NoRuntime,
    /// The tokio runtime has no clock or no network.
    NoDrivers,
    /// Any other failure of the system's sockets.
    Io(Arc<io::Error>),
    /// The reply is invalid, or does not fit the request.
    Protocol(ProtocolError),
    /// The server refused.
    Server(ServerError),
    /// The server refused an operator's command, for the reason that the word says.
    Refused(NoticeWord),
    /// The server lacks a feature that the request needs; nothing was sent.
    Unsupported(Unsupported),
    /// The server has the item, but its reply does not say what was asked about it.
    Unclear,
    /// The server hangs up at this command, though it answers others: the server, or a proxy before it, does not know
    /// the command.
    HangsUp,
    /// The source or the sink of a streamed value failed; or the source ended before the value did.
    Stream(Arc<io::Error>),
    /// The server did not store a value although the request had no condition.
    NotStored,
    /// The server failed before, and is left alone: it will be tried again after this time.
    Down(Duration),
    /// The key moves to another server now, and the operation has no rule for that.
    Moving,
    /// No server has the slot now: its server has left, and nobody has taken its place.
    Vacant,
    /// The servers could not be found out, and there is no list to begin with.
    Undiscovered(Why),
    /// A typed value could not be encoded, or what is stored is none.
    Typed(Arc<typed::Problem>),
}

/// What the end of an operation says about its server's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The server answers, if only to refuse.
    Up,
    /// The server failed.
    Failed,
    /// The server failed, and other operations over the same connection will report the same failure.
    Lost,
    /// Nothing, neither good nor bad.
    None,
}

impl Cause {
    /// The configuration is invalid: `error` says why.
    pub fn config(error: impl error::Error + Send + Sync + 'static) -> Self {
        Self::Config(Arc::new(error))
    }

    /// The connection is not secure: `error` says why.
    pub fn tls(error: impl error::Error + Send + Sync + 'static) -> Self {
        Self::Tls(Arc::new(error))
    }

    /// A typed value could not be encoded or decoded.
    #[must_use]
    pub fn typed(problem: typed::Problem) -> Self {
        Self::Typed(Arc::new(problem))
    }

    /// Opening a connection failed.
    #[must_use]
    pub fn connect(error: io::Error) -> Self {
        Self::Connect(Arc::new(error))
    }

    /// Resolving the server's name failed.
    #[must_use]
    pub fn resolve(error: io::Error) -> Self {
        Self::Resolve(Arc::new(error))
    }

    /// A stream of the caller's failed.
    #[must_use]
    pub fn stream(error: io::Error) -> Self {
        Self::Stream(Arc::new(error))
    }

    /// Whether the server ended the connection. Another connection may still work.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }

    /// Whether the server refused with its answer that it has too many connections.
    #[must_use]
    pub const fn is_crowd(&self) -> bool {
        match self {
            Self::Server(error) => matches!(error.kind(), ServerErrorKind::TooManyConnections),
            _ => false,
        }
    }

    /// What this cause says about the server's health.
    ///
    /// Connections that cannot be opened, time that runs out, connections that end, and invalid replies speak
    /// against it, and so does a refusal of the connection. Any other refusal is an answer.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        match self {
            Self::Resolve(_) | Self::Connect(_) | Self::Tls(_) | Self::Timeout => Evidence::Failed,
            Self::Closed(_) | Self::Io(_) | Self::Protocol(_) | Self::Stalled => Evidence::Lost,
            Self::Server(_) if self.is_crowd() => Evidence::Failed,
            Self::Server(_)
            | Self::Refused(_)
            | Self::NotStored
            | Self::Full(_)
            | Self::Skipped(_)
            | Self::Unclear
            | Self::HangsUp => Evidence::Up,
            Self::Config(_)
            | Self::Key(_)
            | Self::MetaKey(_)
            | Self::Value(_)
            | Self::Ttl(_)
            | Self::PoolBusy
            | Self::OverQuota
            | Self::Shut
            | Self::NoRuntime
            | Self::NoDrivers
            | Self::Unsupported(_)
            | Self::Stream(_)
            | Self::Typed(_)
            | Self::Down(_)
            | Self::Vacant
            | Self::Moving
            | Self::Undiscovered(_) => Evidence::None,
        }
    }

    /// Whether time ran out.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::Timeout | Self::PoolBusy | Self::OverQuota | Self::Stalled => true,
            Self::Resolve(error) | Self::Connect(error) => error.kind() == io::ErrorKind::TimedOut,
            _ => false,
        }
    }

    /// Whether nothing reached the server at all, so that another server may be asked instead.
    #[must_use]
    pub const fn is_unreached(&self) -> bool {
        matches!(self, Self::Resolve(_) | Self::Connect(_) | Self::Vacant)
    }

    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Config(_) | Self::NoRuntime | Self::NoDrivers => ErrorKind::Config,
            Self::Key(_) | Self::MetaKey(_) => ErrorKind::Key,
            Self::Unsupported(_) | Self::Unclear | Self::HangsUp => ErrorKind::Unsupported,
            Self::Stream(_) => ErrorKind::Stream,
            Self::Value(_) | Self::Skipped(_) => ErrorKind::TooLarge,
            Self::Ttl(_) => ErrorKind::Ttl,
            Self::Full(_) => ErrorKind::BufferFull,
            Self::Resolve(_) | Self::Undiscovered(_) => ErrorKind::Resolve,
            Self::Connect(_) => ErrorKind::Connect,
            Self::Tls(_) => ErrorKind::Tls,
            Self::Timeout | Self::PoolBusy | Self::OverQuota | Self::Stalled => ErrorKind::Timeout,
            Self::Closed(_) | Self::Shut => ErrorKind::Closed,
            Self::Io(_) => ErrorKind::Io,
            Self::Protocol(_) => ErrorKind::Protocol,
            Self::NotStored => ErrorKind::NotStored,
            Self::Moving => ErrorKind::Moving,
            Self::Down(_) | Self::Vacant => ErrorKind::Down,
            Self::Typed(_) => ErrorKind::Encoding,
            Self::Refused(_) => ErrorKind::Server,
            Self::Server(error) => match error.kind() {
                ServerErrorKind::TooLarge => ErrorKind::TooLarge,
                ServerErrorKind::OutOfMemory => ErrorKind::OutOfMemory,
                ServerErrorKind::NonNumeric => ErrorKind::NonNumeric,
                ServerErrorKind::Unauthenticated | ServerErrorKind::AuthFailed => ErrorKind::Auth,
                ServerErrorKind::TooManyConnections => ErrorKind::TooManyConnections,
                ServerErrorKind::NotAllowed | ServerErrorKind::UnknownCommand => ErrorKind::Unsupported,
                ServerErrorKind::Client => ErrorKind::Client,
                _ => ErrorKind::Server,
            },
        }
    }

    /// Whether the exchange ended without an answer.
    pub(super) const fn leaves_open(&self) -> bool {
        matches!(
            self,
            Self::Timeout
                | Self::Stalled
                | Self::Closed(_)
                | Self::HangsUp
                | Self::Shut
                | Self::Io(_)
                | Self::Tls(_)
                | Self::Protocol(_)
        )
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Key(error) => error.fmt(f),
            Self::MetaKey(error) => error.fmt(f),
            Self::Unsupported(error) => error.fmt(f),
            Self::Unclear => f.write_str("server does not tell of this item, though it is there"),
            Self::HangsUp => f.write_str(
                "server closes the connection at this command, but answers others: \
                    it, or a proxy before it, does not know the command, and is not sent it for a minute",
            ),
            Self::Stream(error) => write!(f, "the caller's own stream: {}", System(error)),
            Self::Value(error) => error.fmt(f),
            Self::Skipped(value) => {
                write!(f, "value of {} bytes is skipped, the client's limit is {}", value.len, value.limit)
            }
            Self::Ttl(error) => error.fmt(f),
            Self::Full(error) => error.fmt(f),
            Self::Resolve(error) => match error.kind() {
                io::ErrorKind::TimedOut => f.write_str("name not resolved in time"),
                _ => f.write_str("name not resolved"),
            },
            Self::Connect(error) => match error.kind() {
                io::ErrorKind::TimedOut => f.write_str("not connected in time"),
                _ => write!(f, "not connected: {}", System(error)),
            },
            Self::Tls(error) => write!(f, "not secure: {error}"),
            Self::Timeout => f.write_str("timed out"),
            Self::PoolBusy => f.write_str("no connection free in time"),
            Self::OverQuota => f.write_str("too many requests under way"),
            Self::Stalled => f.write_str("connection given up, an earlier reply was overdue"),
            Self::Shut => f.write_str("client closed"),
            Self::NoRuntime => f.write_str("not in a tokio runtime"),
            Self::NoDrivers => {
                f.write_str("the tokio runtime has no clock or no network: build it with `enable_all`")
            }
            Self::Closed(None) => f.write_str("connection closed"),
            Self::Closed(Some(error)) => write!(f, "connection closed: {}", System(error)),
            Self::Io(error) => System(error).fmt(f),
            Self::Protocol(error) => error.fmt(f),
            Self::Server(error) => error.fmt(f),
            Self::Refused(word) => write!(f, "server answered {}", word.word()),
            Self::NotStored => f.write_str("server did not store the value"),
            Self::Typed(problem) => problem.fmt(f),
            Self::Moving => f.write_str("the key is moving to another server, and this operation cannot follow it; wait for the end of the transition"),
            Self::Vacant => f.write_str("the server has left, and no other has taken its place"),
            Self::Undiscovered(why) => write!(f, "servers not found out: {why}"),
            Self::Down(wait) => write!(f, "server is down, next trial in {} ms", wait.as_millis()),
        }
    }
}

/// A system error, shown by its kind: the system's own text begins in upper case and ends in a number. That text is
/// shown only where the kind says nothing, for example when a process may open no more files.
pub(crate) struct System<'e>(pub(crate) &'e io::Error);

impl fmt::Display for System<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(error) = self;
        let no_error_of_any_system = io::Error::from_raw_os_error(i32::MAX);
        match error.kind() {
            // Rust's word for it is "entity not found".
            io::ErrorKind::NotFound => f.write_str("no such file"),
            kind if kind == no_error_of_any_system.kind() => error.fmt(f),
            kind => kind.fmt(f),
        }
    }
}

impl From<KeyError> for Cause {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<MetaKeyError> for Cause {
    fn from(error: MetaKeyError) -> Self {
        match error {
            MetaKeyError::Text(error) => Self::Key(error),
            error => Self::MetaKey(error),
        }
    }
}

impl From<ValueTooLarge> for Cause {
    fn from(error: ValueTooLarge) -> Self {
        Self::Value(error)
    }
}

impl From<ZeroTtl> for Cause {
    fn from(error: ZeroTtl) -> Self {
        Self::Ttl(error)
    }
}

impl From<io::Error> for Cause {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, WriteZero};
        use io::ErrorKind::{HostUnreachable, NetworkUnreachable, TimedOut};
        match error.kind() {
            // The peer ended the connection, or the system gave it up: the peer has acknowledged nothing for too long.
            BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | WriteZero | TimedOut
            | HostUnreachable | NetworkUnreachable => Self::Closed(Some(Arc::new(error))),
            _ => Self::Io(Arc::new(error)),
        }
    }
}

impl From<ReplyError> for Cause {
    fn from(error: ReplyError) -> Self {
        match error {
            ReplyError::Server(error) => Self::Server(error),
            ReplyError::Full(full) => Self::Full(full),
            ReplyError::Unclear => Self::Unclear,
            ReplyError::TooLarge(value) => Self::Skipped(value),
            _ => Self::Protocol(ProtocolError::Unexpected),
        }
    }
}

impl From<ValueError> for Cause {
    fn from(error: ValueError) -> Self {
        ReplyError::from(error).into()
    }
}

impl From<ProtocolError> for Cause {
    fn from(error: ProtocolError) -> Self {
        match error {
            ProtocolError::Eof => Self::Closed(None),
            error => Self::Protocol(error),
        }
    }
}

#[cfg(feature = "embedded-io")]
impl<E: Into<Self>> From<ConnectionError<E>> for Cause {
    fn from(error: ConnectionError<E>) -> Self {
        match error {
            ConnectionError::Io(error) => error.into(),
            ConnectionError::WriteZero => Self::Closed(None),
            ConnectionError::Protocol(error) => error.into(),
            ConnectionError::Reply(error) => error.into(),
            _ => Self::Protocol(ProtocolError::Unexpected),
        }
    }
}
