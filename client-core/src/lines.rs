//! Commands that a server answers with any number of lines, which nobody keeps.

use memring_text::{
    Operation as _, Reply, Request,
    buffer::ArrayBuffer,
    operation::AdminOutcome,
    reply::Event,
    request::{Admin, SlabClasses, StatsKind, WatchKinds},
};

use crate::failure::Cause;

/// A command that a server answers with any number of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// Statistics.
    Stats(StatsKind),
    /// Every item: its key, and what is known of it.
    Metadump,
    /// What happens on the server, without end.
    Watch(WatchKinds),
}

impl Lines {
    /// The name that errors and events have for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stats(_) => "stats",
            Self::Metadump => "metadump",
            Self::Watch(_) => "watch",
        }
    }

    /// The request.
    #[must_use]
    pub const fn request(self) -> Request<'static> {
        match self {
            Self::Stats(kind) => Request::Stats(kind),
            Self::Metadump => Request::Admin(Admin::Metadump(SlabClasses::ALL)),
            Self::Watch(kinds) => Request::Admin(Admin::Watch(kinds)),
        }
    }

    /// Whether the server may say nothing for any time, once it has begun to answer.
    #[must_use]
    pub const fn is_endless(self) -> bool {
        matches!(self, Self::Watch(_))
    }

    /// Whether an event is a line for the caller. All others make up the [end](Self::end).
    #[must_use]
    pub const fn is_line(event: &Event<'_>) -> bool {
        matches!(event, Event::Dump(_) | Event::Log(_)) || event.statistic().is_some()
    }

    /// How the command ended, when its reply is complete.
    ///
    /// # Errors
    /// The server refused.
    pub fn end(self, reply: Reply<ArrayBuffer<0>>) -> Result<(), Cause> {
        let admin = match self {
            Self::Stats(kind) => return Ok(kind.output(reply).map(drop)?),
            Self::Metadump => Admin::Metadump(SlabClasses::ALL),
            Self::Watch(kinds) => Admin::Watch(kinds),
        };
        match admin.output(reply)? {
            AdminOutcome::Done(_) => Ok(()),
            AdminOutcome::Refused(word) => Err(Cause::Refused(word)),
        }
    }
}
