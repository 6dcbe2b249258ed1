//! Statistics of a server.

use super::{Operation, Outcome, Reply, ReplyError};
use crate::{
    buffer::Buffer,
    reply::Status,
    request::{Request, StatsKind},
};

impl Operation for StatsKind {
    /// The statistics; empty for [`StatsKind::Reset`] and the like. For [`StatsKind::Cachedump`], the names are keys.
    type Output<V> = Stats<V>;

    #[inline]
    fn request(&self) -> Request<'_> {
        Request::Stats(*self)
    }

    #[inline]
    fn output<V: Buffer>(&self, reply: Reply<V>) -> Result<Stats<V>, ReplyError> {
        match (reply.outcome, reply.assembly.lost) {
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
