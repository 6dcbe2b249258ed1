//! What went wrong, on which server, and what to do about it: what every client of many servers hands to its callers.
//!
//! A client makes an [`Error`] of a [`Cause`]; its caller reads it.

use core::{error, fmt, time::Duration};
use std::sync::Arc;

use memring_text::reply::ServerError;

mod cause;
mod counts;
mod event;
mod many;

pub use cause::{Cause, Evidence};
pub use counts::{Counters, ServerCounts};
pub use event::{Event, Observer};
pub use many::{FromServer, Many};

/// Why an operation has no result. A miss is a result, not an error.
///
/// It names the operation and the server, and never holds a byte of a key or a value. (What a server says of itself
/// when it refuses is shown, escaped and cut; memcached puts neither into it.)
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    operation: &'static str,
    position: Option<usize>,
    server: Option<Arc<str>>,
    cause: Cause,
    ambiguous: bool,
}

impl Error {
    /// An error of `operation` that is not a server's.
    #[cold]
    pub fn new(operation: &'static str, cause: impl Into<Cause>) -> Self {
        Self(Arc::new(Inner {
            operation,
            position: None,
            server: None,
            cause: cause.into(),
            ambiguous: false,
        }))
    }

    /// An error of `operation`, which has many keys, with the key at `position`.
    #[cold]
    pub fn at(position: usize, operation: &'static str, cause: impl Into<Cause>) -> Self {
        let (position, cause) = (Some(position), cause.into());
        Self(Arc::new(Inner { operation, position, server: None, cause, ambiguous: false }))
    }

    /// An error on one server. `ambiguous`: the request may have taken effect if no complete reply came.
    #[must_use]
    #[cold]
    pub fn on(server: &Arc<str>, operation: &'static str, cause: Cause, ambiguous: bool) -> Self {
        let ambiguous = ambiguous && cause.leaves_open();
        let server = Some(Arc::clone(server));
        Self(Arc::new(Inner { operation, position: None, server, cause, ambiguous }))
    }

    /// Whether this is the very same error, not just an equal one.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether `other` tells the same of the same server.
    #[must_use]
    pub fn says_what(&self, other: &Self) -> bool {
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

    /// Where a call with many keys cannot be made at all: the position of the key or value that is at fault, from 0.
    #[must_use]
    pub fn position(&self) -> Option<usize> {
        self.0.position
    }

    /// Whether time ran out, be it for a name, a connection or a reply.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.0.cause.is_timeout()
    }

    /// Where the server is [down](ErrorKind::Down): how long it was going to be left alone when the error was made.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self.0.cause {
            Cause::Down(wait) => Some(wait),
            _ => None,
        }
    }

    /// Whether a server, or the way to it, failed: not the caller, and not the server's word on this operation alone.
    /// These are the errors that a cache may take for a miss.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        let is_outage = self.is_passing() || matches!(self.kind(), ErrorKind::Protocol | ErrorKind::Server);
        is_outage && !matches!(self.0.cause, Cause::Shut)
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
        self.is_passing() && !self.is_ambiguous()
    }

    /// Whether it is of a kind that time may mend.
    fn is_passing(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::Down
                | ErrorKind::Resolve
                | ErrorKind::Connect
                | ErrorKind::Timeout
                | ErrorKind::Closed
                | ErrorKind::Io
                | ErrorKind::TooManyConnections
                | ErrorKind::OutOfMemory
        )
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
    /// Caller: the servers, the scheme or an option of it are wrong; or the call is made outside the runtime that the
    /// client needs.
    Config,
    /// Caller: the key is empty, too long, or has a byte that no key may have. Nothing was sent.
    Key,
    /// Caller: the value is larger than the client or the server takes. Where a server refused a `set`, the old value is
    /// gone: memcached drops it, so that nobody reads on what was to be replaced. Where the client refused, which
    /// [`Error::server`] being `None` tells, nothing was sent, and the old value is there: delete it if it must not be read.
    /// Of a read: another client has stored more than [`Limits::value`](memring_text::Limits::value). It was read over, and
    /// is there still.
    TooLarge,
    /// Caller: the time to live is zero, which is neither "for ever" nor a time. Nothing was sent.
    Ttl,
    /// Caller: the value does not fit into the buffer handed in.
    BufferFull,
    /// Caller: `incr` or `decr` of a value that is not a number.
    NonNumeric,
    /// Caller: what a value was to be read from, or written to, failed or ended early. No part of such a value is
    /// stored.
    Stream,
    /// Network: the server failed several times of late and is left alone for a while. Nothing was sent.
    /// [`Error::retry_after`] says when it is tried again.
    Down,
    /// Network: the server's name does not resolve.
    Resolve,
    /// Network: no connection could be opened.
    Connect,
    /// Server: its certificate is not one that is trusted, or not for its name; or it does not speak TLS as it should, or
    /// not at all; or it does not trust us.
    Tls,
    /// Network: no complete reply came in time, to this operation or to an earlier one on the same connection; or there
    /// was no connection in time, or too much under way on it.
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
    /// Server: it does not know the command, or refuses it to everyone; or it is known to lack what the request needs,
    /// and nothing was sent.
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
            Self::Ttl => "bad time to live",
            Self::BufferFull => "buffer too small",
            Self::NonNumeric => "not a number",
            Self::Stream => "stream failed",
            Self::Down => "server down",
            Self::Resolve => "name not resolved",
            Self::Connect => "not connected",
            Self::Tls => "not secure",
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
        if let Some(position) = self.0.position {
            write!(f, " at position {position}")?;
        }
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
            .field("position", &self.0.position)
            .field("server", &self.0.server)
            .field("ambiguous", &self.0.ambiguous)
            .field("cause", &format_args!("{}", self.0.cause))
            .finish()
    }
}

/// What is shown already is no source, but for what the TLS library says, which may be asked for more.
impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.0.cause {
            Cause::Config(error) => error.source(),
            Cause::Tls(error) => Some(&**error),
            // Of these, the kind alone is shown.
            Cause::Stream(error)
            | Cause::Resolve(error)
            | Cause::Connect(error)
            | Cause::Io(error)
            | Cause::Closed(Some(error)) => Some(&**error),
            _ => None,
        }
    }
}
