//! What a connection hands to a caller, small enough to be moved about.

use memring_text::{
    Item, Reply,
    reply::{Event, ItemHead, Status},
    value::ValueTooLarge,
};

/// A complete reply.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The item that was asked for.
    Item(Item<Vec<u8>>),
    /// The item that was asked for has more bytes than we take.
    Skipped(ValueTooLarge),
    /// No item.
    End,
    Status(Status),
    Number(u64),
    /// Anything else; it is large, and rare.
    Other(Box<Reply<Vec<u8>>>),
}

impl Answer {
    /// The answer that `event` alone is.
    pub(crate) fn of(event: &Event<'_>) -> Self {
        match *event {
            Event::End => Self::End,
            Event::Status(status) => Self::Status(status),
            Event::Number(number) => Self::Number(number),
            _ => {
                let mut reply = Box::new(Reply::new(Vec::new()));
                reply.take(event);
                Self::Other(reply)
            }
        }
    }

    /// The answer as operations read it.
    pub(crate) fn into_reply(self) -> Reply<Vec<u8>> {
        let item = |value, flags, cas| {
            let mut reply = Reply::new(value);
            reply.take(&Event::Value(ItemHead { key: &[], flags, len: 0, cas }));
            reply
        };
        let event = match self {
            Self::Item(Item { flags, cas, value }) => {
                let mut reply = item(value, flags, cas);
                reply.take(&Event::End);
                return reply;
            }
            Self::Skipped(value) => {
                let mut reply = item(Vec::new(), 0, None);
                reply.take(&Event::Skipped { piece: &[], value });
                reply.take(&Event::End);
                return reply;
            }
            Self::End => Event::End,
            Self::Status(status) => Event::Status(status),
            Self::Number(number) => Event::Number(number),
            Self::Other(reply) => return *reply,
        };
        let mut reply = Reply::new(Vec::new());
        reply.take(&event);
        reply
    }
}
