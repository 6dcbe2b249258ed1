//! What went wrong, on which server, and what to do about it.

use core::{error, fmt};
use std::{io, sync::Arc};

use memring_core::spec::ServerSpecError;
use memring_core::{BuildError, scheme::OptionError};
use memring_text::{Full, KeyError, ProtocolError, ReplyError, ServerError, ServerErrorKind, ValueTooLarge};

/// Why an operation has no result. A miss is a result, not an error.
///
/// It names the operation and the server, and never holds a byte of a key or a value. (What a server says of itself
/// when it refuses is shown, escaped and cut; memcached puts neither into it.)
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    operation: &'static str,
    server: Option<Arc<str>>,
    cause: Cause,
    ambiguous: bool,
}

impl Error {
    pub(crate) fn new(operation: &'static str, cause: impl Into<Cause>) -> Self {
        Self(Arc::new(Inner { operation, server: None, cause: cause.into(), ambiguous: false }))
    }

    /// An error on one server. `ambiguous`: the request may have taken effect if no complete reply came.
    pub(crate) fn on(server: &Arc<str>, operation: &'static str, cause: Cause, ambiguous: bool) -> Self {
        let ambiguous = ambiguous && cause.leaves_open();
        Self(Arc::new(Inner { operation, server: Some(Arc::clone(server)), cause, ambiguous }))
    }

    /// Whether `other` tells the same of the same server.
    pub(crate) fn says_what(&self, other: &Self) -> bool {
        let told = |error: &Self| (error.kind(), error.is_ambiguous(), error.is_timeout());
        told(self) == told(other) && self.server() == other.server()
    }

    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.cause.kind()
    }

    /// The name of the server, where one was involved.
    #[must_use]
    pub fn server(&self) -> Option<&str> {
        self.0.server.as_deref()
    }

    /// The operation, by the name of its method.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// Whether time ran out, be it for a name, a connection or a reply.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        match &self.0.cause {
            Cause::Timeout | Cause::Busy | Cause::Stalled => true,
            Cause::Resolve(error) | Cause::Connect(error) => error.kind() == io::ErrorKind::TimedOut,
            _ => false,
        }
    }

    /// Whether it is unknown if the operation took effect: it changes something, some of it had left, and no complete
    /// reply came.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        self.0.ambiguous
    }

    /// Whether the same call may succeed later, and to repeat it cannot apply it twice.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        let passing = matches!(
            self.kind(),
            ErrorKind::Resolve
                | ErrorKind::Connect
                | ErrorKind::Timeout
                | ErrorKind::Closed
                | ErrorKind::Io
                | ErrorKind::TooManyConnections
                | ErrorKind::OutOfMemory
        );
        passing && !self.is_ambiguous()
    }

    /// What the server said, where it refused.
    #[must_use]
    pub fn server_error(&self) -> Option<&ServerError> {
        match &self.0.cause {
            Cause::Server(error) => Some(error),
            _ => None,
        }
    }
}

/// The kinds of [`Error`], sorted by whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Caller: the servers, the scheme or an option of it are wrong; or the call is not made in a tokio runtime.
    Config,
    /// Caller: the key is empty, too long, or has a byte that no key may have. Nothing was sent.
    Key,
    /// Caller: the value is larger than the client or the server takes. After a server's refusal of a `set`, the old
    /// value is gone.
    TooLarge,
    /// Caller: the value does not fit into the buffer handed in.
    BufferFull,
    /// Caller: `incr` or `decr` of a value that is not a number.
    NonNumeric,
    /// Network: the server's name does not resolve.
    Resolve,
    /// Network: no connection could be opened.
    Connect,
    /// Network: no complete reply came in time, to this operation or to an earlier one on the same connection; or there
    /// was no room for the request in time.
    Timeout,
    /// Network: the server closed the connection before the reply was complete; or the client was closed.
    Closed,
    /// Network: any other failure of the system's sockets.
    Io,
    /// Server: what came is not the reply that was asked for. The connection was closed.
    Protocol,
    /// Server: it demands authentication, or does not accept the one it got.
    Auth,
    /// Server: it has as many connections as it may have.
    TooManyConnections,
    /// Server: it has no memory for the value, and may not evict.
    OutOfMemory,
    /// Server: it did not store a value that was to be stored in any case. memcached does not do this; some proxies do.
    NotStored,
    /// Server: it does not know the command, or refuses it to everyone.
    Unsupported,
    /// Server: it finds fault with the request.
    Client,
    /// Server: it finds fault with itself.
    Server,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Config => "bad configuration",
            Self::Key => "bad key",
            Self::TooLarge => "value too large",
            Self::BufferFull => "buffer too small",
            Self::NonNumeric => "not a number",
            Self::Resolve => "name not resolved",
            Self::Connect => "not connected",
            Self::Timeout => "timed out",
            Self::Closed => "connection closed",
            Self::Io => "input or output failed",
            Self::Protocol => "protocol broken",
            Self::Auth => "not authenticated",
            Self::TooManyConnections => "too many connections",
            Self::OutOfMemory => "out of memory",
            Self::NotStored => "not stored",
            Self::Unsupported => "not supported",
            Self::Client => "refused as wrong",
            Self::Server => "failed in the server",
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.operation)?;
        if let Some(server) = &self.0.server {
            write!(f, " on {server}")?;
        }
        write!(f, ": {}", self.0.cause)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind())
            .field("operation", &self.0.operation)
            .field("server", &self.0.server)
            .field("ambiguous", &self.0.ambiguous)
            .field("cause", &format_args!("{}", self.0.cause))
            .finish()
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.0.cause {
            Cause::Spec(error) => Some(error),
            Cause::Option { error, .. } => Some(error),
            Cause::Build(error) => Some(error),
            Cause::Key(error) => Some(error),
            Cause::Value(error) => Some(error),
            Cause::Full(error) => Some(error),
            Cause::Resolve(error) | Cause::Connect(error) | Cause::Io(error) | Cause::Closed(Some(error)) => {
                Some(&**error)
            }
            Cause::Protocol(error) => Some(error),
            Cause::Server(error) => Some(error),
            Cause::UnknownScheme(_)
            | Cause::Timeout
            | Cause::Busy
            | Cause::Stalled
            | Cause::Shut
            | Cause::NoRuntime
            | Cause::Closed(None)
            | Cause::NotStored => None,
        }
    }
}

/// What went wrong, before it is known where. All who wait for one connection are told the same.
#[derive(Clone, Debug)]
pub(crate) enum Cause {
    Spec(ServerSpecError),
    UnknownScheme(String),
    Option {
        name: String,
        error: OptionError,
    },
    Build(BuildError),
    Key(KeyError),
    Value(ValueTooLarge),
    Full(Full),
    Resolve(Arc<io::Error>),
    Connect(Arc<io::Error>),
    Timeout,
    /// There was no room among the requests under way, in time.
    Busy,
    /// The connection was given up because an earlier reply was overdue.
    Stalled,
    Closed(Option<Arc<io::Error>>),
    /// The client was closed.
    Shut,
    /// There is no tokio runtime to run the connection in.
    NoRuntime,
    Io(Arc<io::Error>),
    Protocol(ProtocolError),
    Server(ServerError),
    NotStored,
}

impl Cause {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Spec(_)
            | Self::UnknownScheme(_)
            | Self::Option { .. }
            | Self::Build(_)
            | Self::NoRuntime => ErrorKind::Config,
            Self::Key(_) => ErrorKind::Key,
            Self::Value(_) => ErrorKind::TooLarge,
            Self::Full(_) => ErrorKind::BufferFull,
            Self::Resolve(_) => ErrorKind::Resolve,
            Self::Connect(_) => ErrorKind::Connect,
            Self::Timeout | Self::Busy | Self::Stalled => ErrorKind::Timeout,
            Self::Closed(_) | Self::Shut => ErrorKind::Closed,
            Self::Io(_) => ErrorKind::Io,
            Self::Protocol(_) => ErrorKind::Protocol,
            Self::NotStored => ErrorKind::NotStored,
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

    /// Did the exchange end without an answer?
    const fn leaves_open(&self) -> bool {
        matches!(
            self,
            Self::Timeout | Self::Stalled | Self::Closed(_) | Self::Shut | Self::Io(_) | Self::Protocol(_)
        )
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The system's texts begin in upper case; those of the error's kind do not.
        match self {
            Self::Spec(error) => error.fmt(f),
            Self::UnknownScheme(name) => write!(f, "unknown scheme {name:?}"),
            Self::Option { name, error } => write!(f, "option {name:?}: {error}"),
            Self::Build(error) => error.fmt(f),
            Self::Key(error) => error.fmt(f),
            Self::Value(error) => error.fmt(f),
            Self::Full(error) => error.fmt(f),
            Self::Resolve(error) => match error.kind() {
                io::ErrorKind::TimedOut => f.write_str("name not resolved in time"),
                _ => f.write_str("name not resolved"),
            },
            Self::Connect(error) => match error.kind() {
                io::ErrorKind::TimedOut => f.write_str("not connected in time"),
                kind => write!(f, "not connected: {kind}"),
            },
            Self::Timeout => f.write_str("timed out"),
            Self::Busy => f.write_str("too many requests under way"),
            Self::Stalled => f.write_str("connection given up, an earlier reply was overdue"),
            Self::Shut => f.write_str("client closed"),
            Self::NoRuntime => f.write_str("not in a tokio runtime"),
            Self::Closed(None) => f.write_str("connection closed"),
            Self::Closed(Some(error)) => write!(f, "connection closed: {}", error.kind()),
            Self::Io(error) => error.kind().fmt(f),
            Self::Protocol(error) => error.fmt(f),
            Self::Server(error) => error.fmt(f),
            Self::NotStored => f.write_str("server did not store the value"),
        }
    }
}

impl From<ServerSpecError> for Cause {
    fn from(error: ServerSpecError) -> Self {
        Self::Spec(error)
    }
}

impl From<BuildError> for Cause {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}

impl From<KeyError> for Cause {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<ValueTooLarge> for Cause {
    fn from(error: ValueTooLarge) -> Self {
        Self::Value(error)
    }
}

impl From<io::Error> for Cause {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, WriteZero};
        match error.kind() {
            BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | WriteZero => {
                Self::Closed(Some(Arc::new(error)))
            }
            _ => Self::Io(Arc::new(error)),
        }
    }
}

impl From<ReplyError> for Cause {
    fn from(error: ReplyError) -> Self {
        match error {
            ReplyError::Server(error) => Self::Server(error),
            ReplyError::Full(full) => Self::Full(full),
            _ => Self::Protocol(ProtocolError::Unexpected),
        }
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
