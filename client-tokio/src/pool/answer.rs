//! Answers: complete replies in a small type that is cheap to move.

use memring_text::{
    Item, Reply,
    operation::ValueError,
    reply::{Event, Status},
};

/// A complete reply.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The item that was asked for.
    Item(Item<Vec<u8>>),
    /// The item that was asked for, whose value could not be kept.
    Lost(ValueError),
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
        let event = match self {
            Self::Item(item) => return Reply::of_item(Ok(item)),
            Self::Lost(lost) => return Reply::of_item(Err(lost)),
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
