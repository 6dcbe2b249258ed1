//! One request and what it comes to: from the events of a reply to a typed result.

use core::fmt;

#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
use crate::exchange::Usual;
use crate::{
    auth::Credentials,
    buffer::{Buffer, Full},
    error_line::{ServerError, ServerErrorKind},
    meta::{MetaCode, MetaInfo},
    reply::{Event, NoticeWord, Status},
    request::{
        Arith, Delete, FlushAll, Get, GetVerb, Request, StatsKind, Store, StoreVerb, Touch, Verbosity,
    },
    ttl::{Ttl, UnixTime},
    value::ValueTooLarge,
};

/// A request with a typed result.
///
/// A driver sends [`request`](Self::request), gives every event of the reply to a [`Reply`], and asks for the
/// [`output`](Self::output). `V` is what values are collected in: a vector, a caller's slice, an array.
pub trait Operation<V> {
    /// What the operation comes to.
    type Output;

    /// What to send.
    fn request(&self) -> Request<'_>;

    /// Reads the result off the complete reply.
    ///
    /// # Errors
    /// The server's refusal; or the value did not fit.
    fn output(&self, reply: Reply<V>) -> Result<Self::Output, ReplyError>;

    /// The same operation, sent at `now`, but no item lives longer for it than by `cap`; `None` when it gives none a
    /// time to live. For servers that hold a key for a while only, in another's place.
    ///
    /// ```
    /// use memring_text::{Key, Operation, Touch, Ttl, UnixTime};
    ///
    /// let touch = Touch { key: Key::new(b"k")?, exptime: 0, noreply: false };
    /// let (cap, now) = (Ttl::seconds(60), UnixTime::from_secs(1_700_000_000));
    /// let short = Operation::<Vec<u8>>::with_ttl_cap(&touch, cap, now);
    /// assert_eq!(short, Some(Touch { exptime: 60, ..touch }));
    /// # Ok::<(), memring_text::KeyError>(())
    /// ```
    fn with_ttl_cap(&self, cap: Ttl, now: UnixTime) -> Option<Self>
    where
        Self: Sized,
    {
        let _ = (cap, now);
        None
    }
}

/// The reply to one request, gathered event by event.
///
/// ```
/// use memring_text::{Event, Get, GetVerb, Key, Operation, Reply, ReplyDecoder, Step};
///
/// let get = Get { verb: GetVerb::Get, key: Key::new(b"k")? };
/// let mut rest = &b"VALUE k 7 5\r\nhello\r\nEND\r\n"[..];
/// let mut decoder = ReplyDecoder::default();
/// let mut reply = Reply::new(Vec::new());
/// while let Step::Event { consumed, event } = decoder.decode(rest)? {
///     reply.take(&event);
///     rest = &rest[consumed..];
/// }
/// let item = get.output(reply)?.expect("a hit");
/// assert_eq!((item.flags, &item.value[..]), (7, &b"hello"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Reply<V> {
    pub(crate) outcome: Outcome,
    /// Flags and cas unique of the item.
    item: Option<(u32, Option<u64>)>,
    pub(crate) value: V,
    /// How much of the value is still to come.
    rest: usize,
    pub(crate) lost: Option<ValueError>,
}

#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// The reply has not ended yet.
    Open,
    /// `END`, of items or of statistics.
    End,
    Status(Status),
    Number(u64),
    Version,
    /// A text that is the whole answer.
    Text,
    Meta(MetaCode, MetaInfo),
    Silence {
        sure: bool,
    },
    Notice(NoticeWord),
    Error(ServerError),
}

impl<V: Buffer> Reply<V> {
    /// Nothing received yet. `value` takes the item's value, the version text or the statistics, behind what it
    /// holds; hand it in empty.
    pub const fn new(value: V) -> Self {
        Self { outcome: Outcome::Open, item: None, value, rest: 0, lost: None }
    }

    /// Takes the next event of the reply.
    ///
    /// What does not fit into the buffer is passed by, so that the connection stays in step; the output says so.
    #[inline]
    pub fn take(&mut self, event: &Event<'_>) {
        match *event {
            Event::Value(head) => {
                self.item = Some((head.flags, head.cas));
                self.rest = head.len;
            }
            Event::Data(piece) => {
                self.rest = self.rest.saturating_sub(piece.len());
                if self.lost.is_none() {
                    self.lost = self.value.put_of(piece, self.rest).err().map(ValueError::Full);
                }
            }
            Event::ValueEnd => {}
            Event::End => self.outcome = Outcome::End,
            _ => self.take_other(event),
        }
    }

    /// Takes a whole reply.
    #[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
    #[inline(always)]
    pub(crate) fn take_usual(&mut self, reply: &Usual<'_>) {
        self.outcome = match *reply {
            Usual::Hit(head, value) => {
                self.item = Some((head.flags, head.cas));
                if !value.is_empty() {
                    self.lost = self.value.put(value).err().map(ValueError::Full);
                }
                Outcome::End
            }
            Usual::Miss => Outcome::End,
            Usual::Stored => Outcome::Status(Status::Stored),
        };
    }

    /// What the server says, if that is that it has too many connections. That is no answer to the request, so the reply
    /// begins anew: it may come over another connection.
    pub fn turned_away(&mut self) -> Option<ServerError> {
        match &self.outcome {
            Outcome::Error(error) if error.kind() == ServerErrorKind::TooManyConnections => {
                let error = error.clone();
                self.outcome = Outcome::Open;
                Some(error)
            }
            _ => None,
        }
    }

    /// Takes an event that is not of an item.
    #[inline(never)]
    fn take_other(&mut self, event: &Event<'_>) {
        match *event {
            // These are not here.
            Event::Value(_) | Event::Data(_) | Event::ValueEnd | Event::End => {}
            Event::Skipped { value, .. } => self.lost = Some(ValueError::TooLarge(value)),
            Event::Status(status) => self.outcome = Outcome::Status(status),
            Event::Number(number) => self.outcome = Outcome::Number(number),
            Event::Version(text) => {
                self.outcome = Outcome::Version;
                self.put(&[text]);
            }
            Event::Stat { name, value } => self.put(&[name, b" ", value, b"\n"]),
            Event::Error(line) => self.outcome = Outcome::Error(ServerError::from(line)),
            Event::Meta(head) => {
                self.outcome = Outcome::Meta(head.code, MetaInfo::from(&head));
                self.rest = head.len;
            }
            Event::Silence { sure } => self.outcome = Outcome::Silence { sure },
            Event::Debug(line) => {
                self.outcome = Outcome::Text;
                self.put(&[line.text]);
            }
            Event::Prefix { name, value } => self.put(&[name, b" ", value, b"\n"]),
            Event::CacheItem(item) => self.put(&[item.key, b"\n"]),
            Event::Dump(line) => self.put(&[b"key=", line.key, b" ", line.text, b"\n"]),
            Event::DumpKey(key) => self.put(&[key.key, if key.is_base64 { b" b\n" } else { b"\n" }]),
            Event::Notice(notice) => self.outcome = Outcome::Notice(notice.word),
        }
    }

    fn put(&mut self, parts: &[&[u8]]) {
        if self.lost.is_none() {
            self.lost = self.value.put_all(parts).err().map(ValueError::Full);
        }
    }
}

impl<V> Reply<V> {
    /// The status, for the shapes that end in one.
    fn status(self) -> Result<Status, ReplyError> {
        match self.outcome {
            Outcome::Status(status) => Ok(status),
            other => Err(other.into_error()),
        }
    }
}

impl Outcome {
    pub(crate) fn into_error(self) -> ReplyError {
        match self {
            Self::Error(error) => ReplyError::Server(error),
            Self::Silence { sure: false } => ReplyError::Unsure,
            _ => ReplyError::Mismatch,
        }
    }
}

/// An item as a server returned it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Item<V> {
    /// The number it was stored with.
    pub flags: u32,
    /// The cas unique, where it was asked for.
    pub cas: Option<u64>,
    /// The value.
    pub value: V,
}

impl<V> fmt::Debug for Item<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Item").field("flags", &self.flags).field("cas", &self.cas).finish_non_exhaustive()
    }
}

/// What became of a value that was to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreOutcome {
    /// It is stored.
    Stored,
    /// The condition of `add`, `replace`, `append` or `prepend` did not hold; or the appended value would be too
    /// large.
    NotStored,
    /// `cas`: the item has changed since.
    Exists,
    /// `cas`: the item is gone.
    NotFound,
}

impl<V> Operation<V> for Get<'_> {
    /// `None` is a miss.
    type Output = Option<Item<V>>;

    #[inline]
    fn request(&self) -> Request<'_> {
        Request::Get(*self)
    }

    #[inline]
    fn output(&self, reply: Reply<V>) -> Result<Self::Output, ReplyError> {
        match (reply.outcome, reply.item, reply.lost) {
            (Outcome::End, None, _) => Ok(None),
            (Outcome::End, Some(_), Some(lost)) => Err(lost.into()),
            (Outcome::End, Some((flags, cas)), None) => Ok(Some(Item { flags, cas, value: reply.value })),
            (other, ..) => Err(other.into_error()),
        }
    }

    fn with_ttl_cap(&self, cap: Ttl, now: UnixTime) -> Option<Self> {
        let verb = match self.verb {
            GetVerb::Get | GetVerb::Gets => return None,
            GetVerb::Gat(exptime) => GetVerb::Gat(cap.cap(exptime, now)),
            GetVerb::Gats(exptime) => GetVerb::Gats(cap.cap(exptime, now)),
        };
        Some(Self { verb, ..*self })
    }
}

impl<V> Operation<V> for Store<'_> {
    type Output = StoreOutcome;

    #[inline]
    fn request(&self) -> Request<'_> {
        Request::Store(*self)
    }

    #[inline]
    fn output(&self, reply: Reply<V>) -> Result<StoreOutcome, ReplyError> {
        match reply.status()? {
            Status::Stored => Ok(StoreOutcome::Stored),
            Status::NotStored => Ok(StoreOutcome::NotStored),
            Status::Exists => Ok(StoreOutcome::Exists),
            Status::NotFound => Ok(StoreOutcome::NotFound),
            _ => Err(ReplyError::Mismatch),
        }
    }

    fn with_ttl_cap(&self, cap: Ttl, now: UnixTime) -> Option<Self> {
        match self.verb {
            StoreVerb::Append | StoreVerb::Prepend => None,
            _ => Some(Self { exptime: cap.cap(self.exptime, now), ..*self }),
        }
    }
}

impl<V> Operation<V> for Delete<'_> {
    /// Was there an item to delete?
    type Output = bool;

    #[inline]
    fn request(&self) -> Request<'_> {
        Request::Delete(*self)
    }

    #[inline]
    fn output(&self, reply: Reply<V>) -> Result<bool, ReplyError> {
        found(reply, Status::Deleted)
    }
}

impl<V> Operation<V> for Touch<'_> {
    /// Was there an item to touch?
    type Output = bool;

    #[inline]
    fn request(&self) -> Request<'_> {
        Request::Touch(*self)
    }

    #[inline]
    fn output(&self, reply: Reply<V>) -> Result<bool, ReplyError> {
        found(reply, Status::Touched)
    }

    fn with_ttl_cap(&self, cap: Ttl, now: UnixTime) -> Option<Self> {
        Some(Self { exptime: cap.cap(self.exptime, now), ..*self })
    }
}

impl<V> Operation<V> for Arith<'_> {
    /// The new number; `None` when there is no such item.
    type Output = Option<u64>;

    #[inline]
    fn request(&self) -> Request<'_> {
        Request::Arith(*self)
    }

    #[inline]
    fn output(&self, reply: Reply<V>) -> Result<Option<u64>, ReplyError> {
        match reply.outcome {
            Outcome::Number(number) => Ok(Some(number)),
            Outcome::Status(Status::NotFound) => Ok(None),
            other => Err(other.into_error()),
        }
    }
}

impl<V> Operation<V> for FlushAll {
    type Output = ();

    #[inline]
    fn request(&self) -> Request<'_> {
        Request::FlushAll(*self)
    }

    #[inline]
    fn output(&self, reply: Reply<V>) -> Result<(), ReplyError> {
        found(reply, Status::Ok).map(|_| ())
    }
}

impl<V> Operation<V> for Verbosity {
    type Output = ();

    #[inline]
    fn request(&self) -> Request<'_> {
        Request::Verbosity(*self)
    }

    #[inline]
    fn output(&self, reply: Reply<V>) -> Result<(), ReplyError> {
        found(reply, Status::Ok).map(|_| ())
    }
}

/// `version`, as an operation: the text that the server gives of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version;

impl<V> Operation<V> for Version {
    /// The text, as bytes.
    type Output = V;

    #[inline]
    fn request(&self) -> Request<'_> {
        Request::Version
    }

    #[inline]
    fn output(&self, reply: Reply<V>) -> Result<V, ReplyError> {
        match (reply.outcome, reply.lost) {
            (Outcome::Version, None) => Ok(reply.value),
            (Outcome::Version, Some(lost)) => Err(lost.into()),
            (other, _) => Err(other.into_error()),
        }
    }
}

impl<V> Operation<V> for Credentials<'_> {
    /// The server knows the user.
    type Output = ();

    #[inline]
    fn request(&self) -> Request<'_> {
        Request::Auth(*self)
    }

    #[inline]
    fn output(&self, reply: Reply<V>) -> Result<(), ReplyError> {
        found(reply, Status::Stored).map(|_| ()).map_err(|error| match error {
            ReplyError::Server(error) => ReplyError::Server(error.without_unknown_text()),
            error => error,
        })
    }
}

impl<V> Operation<V> for StatsKind {
    /// The statistics; none after [`StatsKind::Reset`] and the like. Of [`StatsKind::Cachedump`], the keys as names.
    type Output = Stats<V>;

    #[inline]
    fn request(&self) -> Request<'_> {
        Request::Stats(*self)
    }

    #[inline]
    fn output(&self, reply: Reply<V>) -> Result<Stats<V>, ReplyError> {
        match (reply.outcome, reply.lost) {
            (Outcome::End | Outcome::Status(Status::Reset | Status::Ok), None) => Ok(Stats(reply.value)),
            (Outcome::End, Some(lost)) => Err(lost.into()),
            (other, _) => Err(other.into_error()),
        }
    }
}

/// Statistics of a server, as names and values.
#[derive(Clone, Debug)]
pub struct Stats<V>(V);

impl<V: Buffer> Stats<V> {
    /// Every name with its value, in the server's order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let lines = self.0.as_slice().split(|byte| *byte == b'\n');
        lines.filter(|line| !line.is_empty()).map(crate::line::split_word)
    }

    /// The value of `name`.
    pub fn value(&self, name: &str) -> Option<&[u8]> {
        self.iter().find(|(found, _)| *found == name.as_bytes()).map(|(_, value)| value)
    }
}

fn found<V>(reply: Reply<V>, yes: Status) -> Result<bool, ReplyError> {
    match reply.status()? {
        status if status == yes => Ok(true),
        Status::NotFound => Ok(false),
        _ => Err(ReplyError::Mismatch),
    }
}

/// Gathers the items of a multi-get, one at a time.
///
/// ```
/// use memring_text::{Exchange, ItemCollector, Keys, Progress};
///
/// let keys = Keys { keys: &["a", "b", "c"], cas: false };
/// let mut rest = &b"VALUE c 0 1\r\n3\r\nEND\r\n"[..];
/// let mut exchange = Exchange::default();
/// exchange.sent();
/// let mut items = ItemCollector::<Vec<u8>>::default();
/// let mut found = Vec::new();
/// while exchange.owed() > 0 {
///     let Progress::Event { consumed, event, index, .. } = exchange.decode(rest, &keys)? else { break };
///     if let Some(item) = items.take(&event) {
///         found.push((keys.keys[index], item?.value));
///     }
///     rest = &rest[consumed..];
/// }
/// assert_eq!(found, [("c", b"3".to_vec())]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ItemCollector<V> {
    flags: u32,
    cas: Option<u64>,
    value: V,
    rest: usize,
    lost: Option<ValueError>,
}

impl<V: Buffer + Default> ItemCollector<V> {
    /// Takes the next event of the reply; gives the item when the event completes one.
    pub fn take(&mut self, event: &Event<'_>) -> Option<Result<Item<V>, ValueError>> {
        match *event {
            Event::Value(head) => {
                *self = Self { flags: head.flags, cas: head.cas, rest: head.len, ..Self::default() };
                None
            }
            Event::Data(piece) => {
                self.rest = self.rest.saturating_sub(piece.len());
                if self.lost.is_none() {
                    self.lost = self.value.put_of(piece, self.rest).err().map(ValueError::Full);
                }
                None
            }
            Event::Skipped { value, .. } => {
                self.lost = Some(ValueError::TooLarge(value));
                None
            }
            Event::ValueEnd => {
                let Self { flags, cas, value, lost, .. } = core::mem::take(self);
                Some(lost.map_or(Ok(Item { flags, cas, value }), Err))
            }
            _ => None,
        }
    }
}

/// Why a value that a server has sent is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueError {
    /// The caller's buffer is too small.
    Full(Full),
    /// It is longer than [`Limits::value`](crate::Limits::value), and was skipped.
    TooLarge(ValueTooLarge),
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(full) => full.fmt(f),
            Self::TooLarge(value) => value.fmt(f),
        }
    }
}

impl core::error::Error for ValueError {}

impl From<ValueError> for ReplyError {
    fn from(error: ValueError) -> Self {
        match error {
            ValueError::Full(full) => Self::Full(full),
            ValueError::TooLarge(value) => Self::TooLarge(value),
        }
    }
}

/// Why a complete reply has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplyError {
    /// The server refuses.
    Server(ServerError),
    /// The caller's buffer is too small.
    Full(Full),
    /// The value is longer than [`Limits::value`](crate::Limits::value), and was skipped.
    TooLarge(ValueTooLarge),
    /// A quiet request stayed without an answer, but one of its run was refused, and it may have been this one.
    Unsure,
    /// The server says that there is no such item, where some servers say so though there is.
    Unclear,
    /// The events were not those of a complete reply to this operation. Where an [`Exchange`](crate::Exchange) let
    /// them through, this does not happen, except to a request that [has no reply](Request::has_reply).
    Mismatch,
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(error) => error.fmt(f),
            Self::Full(full) => full.fmt(f),
            Self::TooLarge(value) => value.fmt(f),
            Self::Unsure => f.write_str("one of several quiet requests was refused"),
            Self::Unclear => f.write_str("server does not tell of a key in base64"),
            Self::Mismatch => f.write_str("reply does not belong to the operation"),
        }
    }
}

impl core::error::Error for ReplyError {}
