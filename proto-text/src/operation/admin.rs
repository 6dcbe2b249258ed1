//! Operators' commands as operations.

use super::{Operation, Outcome, Reply, ReplyError};
use crate::{
    buffer::Buffer,
    meta::MetaCode,
    reply::{NoticeWord, Status},
    request::{Admin, Request},
};

/// The outcome of an operator's command.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum AdminOutcome<V> {
    /// The command is done. For a dump, the buffer holds a line for each item.
    Done(V),
    /// The command is refused; the word says why.
    Refused(NoticeWord),
}

impl<V> core::fmt::Debug for AdminOutcome<V> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Done(_) => f.write_str("Done"),
            Self::Refused(word) => write!(f, "Refused({word:?})"),
        }
    }
}

impl Operation for Admin {
    type Output<V> = AdminOutcome<V>;

    fn request(&self) -> Request<'_> {
        Request::Admin(*self)
    }

    fn output<V: Buffer>(&self, reply: Reply<V>) -> Result<AdminOutcome<V>, ReplyError> {
        match (reply.outcome, reply.assembly.lost) {
            (Outcome::Notice(word), _) => Ok(AdminOutcome::Refused(word)),
            (Outcome::End | Outcome::Status(Status::Ok) | Outcome::Meta(MetaCode::Miss, _), None) => {
                Ok(AdminOutcome::Done(reply.value))
            }
            (Outcome::End | Outcome::Meta(MetaCode::Miss, _), Some(lost)) => Err(lost.into()),
            (other, _) => Err(other.into_error()),
        }
    }
}
