//! Errors: what went wrong, on which server, and what to do about it.
//!
//! A client makes an [`Error`] of a [`Cause`]; the client's caller reads it.

use core::{error, fmt, time::Duration};
use std::sync::Arc;

use memring_text::reply::ServerError;

use crate::typed;

mod cause;
mod counts;
mod event;
mod many;

pub(crate) use cause::System;
pub use cause::{Cause, Evidence};
pub use counts::{Counters, ServerCounts};
pub use event::{Event, Observer};
pub use many::{FromServer, Many};

/// An operation failed. A miss is no error.
///
/// The error names the operation and the server, and never holds a byte of a key or a value. (The text of a server's
/// refusal is shown, escaped and cut; memcached puts neither keys nor values into it.)
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
    /// An error of `operation` that no server is involved in.
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

    /// An error of `operation`, which has many keys: the key or value at `position` is invalid.
    #[cold]
    pub fn at(position: usize, operation: &'static str, cause: impl Into<Cause>) -> Self {
        let (position, cause) = (Some(position), cause.into());
        Self(Arc::new(Inner { operation, position, server: None, cause, ambiguous: false }))
    }

    /// An error on one server. `ambiguous`: the request may have taken effect without a complete reply.
    #[must_use]
    #[cold]
    pub fn on(server: &Arc<str>, operation: &'static str, cause: Cause, ambiguous: bool) -> Self {
        let ambiguous = ambiguous && cause.leaves_open();
        let server = Some(Arc::clone(server));
        Self(Arc::new(Inner { operation, position: None, server, cause, ambiguous }))
    }

    /// The same of an operation of which a part was done before: nobody knows what it has come to.
    #[must_use]
    #[cold]
    pub fn after_a_change(self) -> Self {
        let Inner { operation, position, server, cause, .. } = &*self.0;
        let (server, cause) = (server.clone(), cause.clone());
        Self(Arc::new(Inner { operation, position: *position, server, cause, ambiguous: true }))
    }

    /// A number that only this very error and its clones have.
    fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// Whether `other` has the same cause on the same server.
    #[must_use]
    pub fn says_what(&self, other: &Self) -> bool {
        let told = |error: &Self| (error.kind(), error.is_ambiguous(), error.is_timeout());
        told(self) == told(other) && self.server() == other.server()
    }

    /// The kind of the error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.cause.kind()
    }

    /// The name of the server, if one was involved.
    #[must_use]
    pub fn server(&self) -> Option<&str> {
        self.0.server.as_deref()
    }

    /// The operation, by the name of its method.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// The position, from 0, of the invalid key or value that keeps a call with many keys from being made at all.
    #[must_use]
    pub fn position(&self) -> Option<usize> {
        self.0.position
    }

    /// Whether time ran out: for the look-up of a name, for a connection or for a reply.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.0.cause.is_timeout()
    }

    /// If the server is [down](ErrorKind::Down): how long it was still going to be left alone when the error was made.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self.0.cause {
            Cause::Down(wait) => Some(wait),
            _ => None,
        }
    }

    /// Whether the server, or the way to it, failed; no mistake of the caller and no refusal of this operation alone is
    /// an outage. A cache may take an outage for a miss.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        let is_outage = self.is_passing() || matches!(self.kind(), ErrorKind::Protocol | ErrorKind::Server);
        is_outage && !matches!(self.0.cause, Cause::Shut)
    }

    /// Whether it is unknown if the operation took effect: it changes something, some of the request had left, and no
    /// complete reply came.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        self.0.ambiguous
    }

    /// Whether the same call may succeed later, and repeating it cannot apply it twice.
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

    /// What is wrong with a typed value, if that is the error.
    #[must_use]
    pub fn typed_problem(&self) -> Option<&typed::Problem> {
        match &self.0.cause {
            Cause::Typed(problem) => Some(problem),
            _ => None,
        }
    }

    /// The server's refusal, if that is the error.
    #[must_use]
    pub fn server_error(&self) -> Option<&ServerError> {
        match &self.0.cause {
            Cause::Server(error) => Some(error),
            _ => None,
        }
    }
}

/// The kinds of [`Error`]. Each says whose fault it is: the caller's, the network's or the server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Caller: the servers, the scheme or an option of the scheme are invalid; or the call is made outside the runtime
    /// that the client needs.
    Config,
    /// Caller: the key is empty, too long, or has a byte that no key may have. Nothing was sent.
    Key,
    /// Caller: the value is larger than the client or the server takes. If the server refused a `set`, the old value is
    /// gone: memcached drops it, so that no one goes on reading a value that was to be replaced. If the client refused,
    /// [`Error::server`] is `None`: nothing was sent, and the old value is still there; delete it if it must not be
    /// read. For a read: another client has stored more than [`Limits::value`](memring_text::Limits::value); the value
    /// was skipped and is still there.
    TooLarge,
    /// Caller: the time to live is zero, which is neither "for ever" nor a time. Nothing was sent.
    Ttl,
    /// Caller: the value does not fit into the buffer handed in.
    BufferFull,
    /// Caller: `incr` or `decr` of a value that is not a number.
    NonNumeric,
    /// Caller: the source or the sink of a streamed value failed or ended early. No part of such a value is stored.
    Stream,
    /// Caller: a typed value cannot be encoded; or what is stored is no typed value of this encoding, or damaged, and still
    /// there. [`Error::typed_problem`] says which.
    Encoding,
    /// Network: the server failed several times of late and is left alone for a while. Nothing was sent.
    /// [`Error::retry_after`] says when it is tried again. Or the servers are found out, the server that held the key has
    /// left, and no other has taken its place yet.
    Down,
    /// Network: the server's name does not resolve; or the servers could not be found out when the client was made.
    Resolve,
    /// Network: no connection could be opened.
    Connect,
    /// Server: its certificate is not trusted, or not for its name; or the server does not speak TLS correctly, or not
    /// at all; or it does not trust the client.
    Tls,
    /// Network: no complete reply came in time, to this operation or to an earlier one on the same connection; or no
    /// connection was free in time, or too much was under way on it.
    Timeout,
    /// Network: the server closed the connection before the reply was complete; or the client was closed.
    Closed,
    /// Network: any other failure of the system's sockets.
    Io,
    /// Server: the reply is invalid, or does not fit the request. The connection was closed.
    Protocol,
    /// Server: it demands authentication, or does not accept the client's name and password.
    Auth,
    /// Server: it has its highest number of connections.
    TooManyConnections,
    /// Server: it has no memory for the value, and may not evict another one.
    OutOfMemory,
    /// Server: it did not store a value although the request had no condition. memcached does not do this; some proxies
    /// do.
    NotStored,
    /// Server: it does not know the command, or refuses it to everyone; or it is known to lack a feature that the
    /// request needs, and nothing was sent.
    Unsupported,
    /// The key moves to another server in a transition, and the operation has no rule for that; nothing was sent.
    Moving,
    /// Server: it answered `CLIENT_ERROR`, or in another way that the request is at fault.
    Client,
    /// Server: it answered `SERVER_ERROR`, or in another way that it is at fault itself.
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
            Self::Encoding => "not of this encoding",
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
            Self::Moving => "key is moving",
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

/// What the message already shows is not a source as well. The TLS library's error is one, so that callers can inspect
/// it.
impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.0.cause {
            Cause::Config(error) => error.source(),
            Cause::Typed(problem) => error::Error::source(&**problem),
            Cause::Tls(error) => Some(&**error),
            // The message shows only the kind of these.
            Cause::Stream(error)
            | Cause::Resolve(error)
            | Cause::Connect(error)
            | Cause::Io(error)
            | Cause::Closed(Some(error)) => Some(&**error),
            _ => None,
        }
    }
}
