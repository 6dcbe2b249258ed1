//! Replies, put together from their events.

use super::{Assembly, Item, ReplyError, ValueError};
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
use crate::exchange::{Leased, WholeReply};
use crate::{
    buffer::Buffer,
    meta::{MetaCode, MetaInfo},
    reply::{Event, NoticeWord, ServerError, ServerErrorKind, Status},
};

/// The reply to one request, gathered event by event.
///
/// ```
/// use memring_text::{
///     Get, Key, Operation, Reply,
///     reply::{Event, ReplyDecoder, Step},
/// };
///
/// let get = Get::new(Key::new(b"k")?);
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
    pub(super) has_item: bool,
    /// The item, or what else has a value.
    pub(super) assembly: Assembly,
    pub(super) value: V,
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
    /// A reply before its first event. `value` takes the item's value, the version text or the statistics, behind the
    /// bytes that it holds; pass it empty.
    pub const fn new(value: V) -> Self {
        let assembly = Assembly { flags: 0, cas: None, rest: 0, lost: None };
        Self { outcome: Outcome::Open, has_item: false, assembly, value }
    }

    /// The reply to a get whose item is `item`, or whose value could not be kept.
    pub fn of_item(item: Result<Item<V>, ValueError>) -> Self
    where
        V: Default,
    {
        let (assembly, value) = match item {
            Ok(Item { flags, cas, value }) => (Assembly { flags, cas, ..Assembly::default() }, value),
            Err(lost) => (Assembly { lost: Some(lost), ..Assembly::default() }, V::default()),
        };
        Self { outcome: Outcome::End, has_item: true, assembly, value }
    }

    /// Takes the next event of the reply.
    ///
    /// A value that does not fit into the buffer is thrown away, so that the connection stays in step; the operation's
    /// output is then an error.
    #[inline]
    pub fn take(&mut self, event: &Event<'_>) {
        match *event {
            Event::Value(_) => {
                self.has_item = true;
                self.assembly.take(event, &mut self.value);
            }
            Event::Data(_) | Event::Skipped { .. } | Event::ValueEnd => {
                self.assembly.take(event, &mut self.value);
            }
            Event::End => self.outcome = Outcome::End,
            _ => self.take_other(event),
        }
    }

    /// Takes a whole reply.
    #[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
    #[inline(always)]
    pub(crate) fn take_whole(&mut self, reply: &WholeReply<'_>) {
        self.outcome = match *reply {
            WholeReply::Hit(head, value) => {
                self.has_item = true;
                (self.assembly.flags, self.assembly.cas) = (head.flags, head.cas);
                if !value.is_empty() {
                    self.assembly.lost = self.value.put(value).err().map(ValueError::Full);
                }
                Outcome::End
            }
            WholeReply::Miss => Outcome::End,
            WholeReply::Stored => Outcome::Status(Status::Stored),
            WholeReply::Leased(Leased { cas, ttl, flags }, value) => {
                if !value.is_empty() {
                    self.assembly.lost = self.value.put(value).err().map(ValueError::Full);
                }
                let (cas, ttl, flags) = (Some(cas), Some(ttl), Some(flags));
                Outcome::Meta(MetaCode::Value, MetaInfo { cas, ttl, flags, ..MetaInfo::default() })
            }
        };
    }

    /// The server's error, if that is that it has too many connections. This is no answer to the request, so the reply
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

    /// Takes the next event of a reply that is an item's, or of one word, number or refusal.
    #[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
    #[inline]
    pub(crate) fn take_plain(&mut self, event: &Event<'_>) {
        match *event {
            Event::Value(_) => {
                self.has_item = true;
                self.assembly.take(event, &mut self.value);
            }
            Event::Data(_) | Event::Skipped { .. } | Event::ValueEnd => {
                self.assembly.take(event, &mut self.value);
            }
            Event::End => self.outcome = Outcome::End,
            Event::Status(status) => self.outcome = Outcome::Status(status),
            Event::Number(number) => self.outcome = Outcome::Number(number),
            Event::Error(line) => self.outcome = Outcome::Error(ServerError::from(line)),
            // These are not here.
            _ => {}
        }
    }

    /// Takes an event that is not of an item.
    #[inline(never)]
    fn take_other(&mut self, event: &Event<'_>) {
        match *event {
            // These are not here.
            Event::Value(_) | Event::Data(_) | Event::Skipped { .. } | Event::ValueEnd | Event::End => {}
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
                self.assembly.begin_value(head.len);
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
            // There is no end to them.
            Event::Log(_) => {}
            Event::Notice(notice) => self.outcome = Outcome::Notice(notice.word),
        }
    }

    fn put(&mut self, parts: &[&[u8]]) {
        if self.assembly.lost.is_none() {
            self.assembly.lost = self.value.put_all(parts).err().map(ValueError::Full);
        }
    }
}

impl<V> Reply<V> {
    /// What an `mg` told with its value, if that is there.
    #[inline]
    pub const fn meta_value(&self) -> Option<&MetaInfo> {
        match &self.outcome {
            Outcome::Meta(MetaCode::Value, info) if self.assembly.lost.is_none() => Some(info),
            _ => None,
        }
    }

    /// The buffer that has taken the value.
    #[inline]
    pub fn into_value(self) -> V {
        self.value
    }

    /// The status, for the shapes that end in one.
    pub(super) fn status(self) -> Result<Status, ReplyError> {
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
