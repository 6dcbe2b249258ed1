//! What a client asks, as events: the vocabulary of [`RequestDecoder`](super::RequestDecoder).

use core::fmt;

use super::{admin_line::read_stats, meta_line::MetaLine};
use crate::{
    key::Key,
    reply::{ErrorLine, ErrorWord},
    request::{
        Admin, Arith, ArithVerb, Delete, FlushAll, FlushDelay, GetVerb, Request, StoreVerb, Touch, Verbosity,
    },
};

/// A piece of a request; bytes are borrowed from the caller's buffer.
///
/// Keys are 1 to 250 bytes without space, line feed and NUL. Read [strictly](super::Reading::Strict), they are valid
/// [`Key`]s too. `Debug` prints lengths in the place of keys and values.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestEvent<'b> {
    /// `get`, `gets`, `gat`, `gats`: the keys follow, however many.
    Get(GetVerb),
    /// A key of a get.
    Key(&'b [u8]),
    /// The end of a get's line.
    GetEnd,
    /// `set` and its relatives: the value follows.
    Store(StoreHead<'b>),
    /// A piece of the value, never empty.
    Data(&'b [u8]),
    /// The value is complete and rightly ended.
    StoreEnd,
    /// `delete`.
    Delete {
        /// The key.
        key: &'b [u8],
        /// Whether no reply is wanted.
        noreply: bool,
    },
    /// `incr`, `decr`.
    Arith {
        /// The verb.
        verb: ArithVerb,
        /// The key.
        key: &'b [u8],
        /// By how much.
        delta: u64,
        /// Whether no reply is wanted.
        noreply: bool,
    },
    /// `touch`.
    Touch {
        /// The key.
        key: &'b [u8],
        /// The new exptime, as on the wire.
        exptime: i32,
        /// Whether no reply is wanted.
        noreply: bool,
    },
    /// `flush_all`.
    FlushAll {
        /// The delay, as on the wire.
        delay: Option<i32>,
        /// Whether no reply is wanted.
        noreply: bool,
    },
    /// `verbosity`.
    Verbosity {
        /// The level.
        level: u32,
        /// Whether no reply is wanted.
        noreply: bool,
    },
    /// `version`.
    Version,
    /// `mg`, `md`, `ma`, `me`.
    Meta(MetaLine<'b>),
    /// `ms`: the value follows.
    MetaStore(MetaLine<'b>),
    /// `mn`.
    MetaNoop,
    /// `config get cluster`, which managed caches know.
    ClusterConfig,
    /// A command for operators.
    Admin(Admin),
    /// `stats`, with what follows the word on the line.
    Stats(&'b [u8]),
    /// `quit`: close the connection when the replies so far are written.
    Quit,
    /// The request is wrong. If it is a get, the keys that came before are void, too.
    Refused {
        /// What to answer.
        refusal: Refusal,
        /// Whether the request wants no reply.
        noreply: bool,
    },
    /// Bytes of a refused line, which are skipped.
    Skipped,
    /// The connection is to be closed without an answer, as memcached does here.
    Close,
}

impl<'b> RequestEvent<'b> {
    /// The request, for those events that are a whole one and have a valid key. [`Stats`](Self::Stats) only with
    /// what a [`StatsKind`](crate::request::StatsKind) says.
    #[must_use]
    pub fn request(&self) -> Option<Request<'b>> {
        Some(match *self {
            Self::Delete { key, noreply } => Request::Delete(Delete { key: Key::new(key).ok()?, noreply }),
            Self::Arith { verb, key, delta, noreply } => {
                Request::Arith(Arith { verb, key: Key::new(key).ok()?, delta, noreply })
            }
            Self::Touch { key, exptime, noreply } => {
                Request::Touch(Touch { key: Key::new(key).ok()?, exptime, noreply })
            }
            Self::FlushAll { delay, noreply } => {
                let delay = match delay {
                    Some(delay) => Some(FlushDelay::new(u32::try_from(delay).ok()?)?),
                    None => None,
                };
                Request::FlushAll(FlushAll { delay, noreply })
            }
            Self::Verbosity { level, noreply } => Request::Verbosity(Verbosity { level, noreply }),
            Self::Version => Request::Version,
            Self::MetaNoop => Request::MetaNoop,
            Self::Stats(args) => Request::Stats(read_stats(args)?),
            Self::Admin(admin) => Request::Admin(admin),
            Self::Quit => Request::Quit,
            _ => return None,
        })
    }
}

impl fmt::Debug for RequestEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Get(verb) => write!(f, "Get({verb:?})"),
            Self::Key(key) => write!(f, "Key({} bytes)", key.len()),
            Self::GetEnd => f.write_str("GetEnd"),
            Self::Store(head) => head.fmt(f),
            Self::Data(piece) => write!(f, "Data({} bytes)", piece.len()),
            Self::StoreEnd => f.write_str("StoreEnd"),
            Self::Delete { key, noreply } => write!(f, "Delete({} bytes, noreply {noreply})", key.len()),
            Self::Arith { verb, key, delta, noreply } => {
                write!(f, "Arith({verb:?} {} bytes by {delta}, noreply {noreply})", key.len())
            }
            Self::Touch { key, exptime, noreply } => {
                write!(f, "Touch({} bytes for {exptime}, noreply {noreply})", key.len())
            }
            Self::FlushAll { delay, noreply } => write!(f, "FlushAll({delay:?}, noreply {noreply})"),
            Self::Verbosity { level, noreply } => write!(f, "Verbosity({level}, noreply {noreply})"),
            Self::Version => f.write_str("Version"),
            Self::Meta(line) => write!(f, "Meta({line:?})"),
            Self::MetaStore(line) => write!(f, "MetaStore({line:?})"),
            Self::MetaNoop => f.write_str("MetaNoop"),
            Self::ClusterConfig => f.write_str("ClusterConfig"),
            Self::Admin(admin) => admin.fmt(f),
            Self::Stats(args) => write!(f, "Stats({})", args.escape_ascii()),
            Self::Quit => f.write_str("Quit"),
            Self::Refused { refusal, noreply } => write!(f, "Refused({refusal:?}, noreply {noreply})"),
            Self::Skipped => f.write_str("Skipped"),
            Self::Close => f.write_str("Close"),
        }
    }
}

/// The line before a value that is to be stored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct StoreHead<'b> {
    /// The verb.
    pub verb: StoreVerb,
    /// The key.
    pub key: &'b [u8],
    /// The number that the client stored with the value.
    pub flags: u32,
    /// How long it lives, as on the wire.
    pub exptime: i32,
    /// Length of the value in bytes, less than 2³¹.
    pub len: usize,
    /// Whether no reply is wanted.
    pub noreply: bool,
}

impl fmt::Debug for StoreHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreHead")
            .field("verb", &self.verb)
            .field("key_len", &self.key.len())
            .field("flags", &self.flags)
            .field("exptime", &self.exptime)
            .field("len", &self.len)
            .field("noreply", &self.noreply)
            .finish()
    }
}

/// Why a request is refused, in the server's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// No such command, or not with so many arguments.
    UnknownCommand,
    /// A number is invalid, or a key is too long.
    BadFormat,
    /// A value does not end in a line end.
    BadDataChunk,
    /// The argument of `incr` or `decr` is no number.
    BadDelta,
    /// The exptime of a `touch`, `gat` or `flush_all` is no number.
    BadExptime,
    /// `delete` with an argument that it does not know.
    DeleteUsage,
    /// `incr` or `decr` of a value that is no number.
    NonNumeric,
    /// The item would be larger than the limit.
    TooLarge,
    /// There is no memory, and nothing may be evicted.
    OutOfMemory,
    /// A meta flag is there twice, or is no letter.
    DuplicateFlag,
    /// A meta flag is unknown.
    InvalidFlag,
    /// A flag of `md` or `ma` is wrong, in whatever way.
    InvalidOrDuplicateFlag,
    /// Too many flags for `mg`.
    TooManyFlags,
    /// Too many flags for the others.
    FlagsTooLong,
    /// An opaque token of more than 31 bytes.
    OpaqueTooLong,
    /// A meta flag wants a number.
    BadToken,
    /// A key is marked as base64, and is not valid base64.
    BadKeyEncoding,
    /// A mode is not one letter.
    BadModeLength,
    /// `ms` has no such mode.
    BadSetMode,
    /// `ma` has no such mode.
    BadArithMode,
    /// The initial value of an `ma` is no number.
    BadInitial,
    /// The delta of an `ma` is no number.
    BadDeltaValue,
    /// The user is not known yet.
    Unauthenticated,
    /// The user is unknown, or the password is wrong.
    AuthFailed,
    /// Not a name and a password.
    BadAuthFormat,
    /// A name and a password that do not end in a line end.
    BadTermination,
}

impl Refusal {
    /// The line to answer.
    ///
    /// Source: memcached 1.6.18 `proto_text.c`.
    #[must_use]
    pub const fn line(self) -> ErrorLine<'static> {
        use ErrorWord::{ClientError, Error, ServerError};
        let (word, text) = match self {
            Self::UnknownCommand => (Error, ""),
            Self::BadFormat => (ClientError, "bad command line format"),
            Self::BadDataChunk => (ClientError, "bad data chunk"),
            Self::BadDelta => (ClientError, "invalid numeric delta argument"),
            Self::BadExptime => (ClientError, "invalid exptime argument"),
            Self::DeleteUsage => (ClientError, "bad command line format.  Usage: delete <key> [noreply]"),
            Self::NonNumeric => (ClientError, "cannot increment or decrement non-numeric value"),
            Self::TooLarge => (ServerError, "object too large for cache"),
            Self::OutOfMemory => (ServerError, "out of memory storing object"),
            Self::DuplicateFlag => (ClientError, "duplicate flag"),
            Self::InvalidFlag => (ClientError, "invalid flag"),
            Self::InvalidOrDuplicateFlag => (ClientError, "invalid or duplicate flag"),
            Self::TooManyFlags => (ClientError, "options flags are too long"),
            Self::FlagsTooLong => (ClientError, "options flags too long"),
            Self::OpaqueTooLong => (ClientError, "opaque token too long"),
            Self::BadToken => (ClientError, "bad token in command line format"),
            Self::BadKeyEncoding => (ClientError, "error decoding key"),
            Self::BadModeLength => (ClientError, "incorrect length for M token"),
            Self::BadSetMode => (ClientError, "invalid mode for ms M token"),
            Self::BadArithMode => (ClientError, "invalid mode for ma M token"),
            Self::BadInitial => (ClientError, "invalid numeric initial value"),
            Self::BadDeltaValue => (ClientError, "invalid numeric delta value"),
            Self::Unauthenticated => (ClientError, "unauthenticated"),
            Self::AuthFailed => (ClientError, "authentication failure"),
            Self::BadAuthFormat => (ClientError, "bad authentication token format"),
            Self::BadTermination => (ClientError, "bad command line termination"),
        };
        ErrorLine { word, text: text.as_bytes() }
    }
}
