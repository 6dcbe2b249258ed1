//! Whether the stream is in step with the requests, and what a refusal does to it.

use super::{Exchange, ProtocolError, Reading};
use crate::{
    reply::{AfterLine, ErrorLine, ErrorWord},
    request::{Expected, ReplyShape},
};

/// What is known of the position in the stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum InStep {
    /// The next byte belongs to the reply to the oldest request.
    #[default]
    Yes,
    /// A request of a quiet run was refused, and it is not known which. A reply that comes later tells.
    QuietRefused,
    /// A request with a value was refused, and it is not known whether the server has read that. A reply that comes later
    /// tells.
    ValueRefused,
    /// The connection must be closed.
    Ended(ProtocolError),
}

impl Exchange {
    /// Notes that the oldest request is refused, which ends its reply, and whether the server reads the next request next.
    ///
    /// A server that refuses a request without a value has read the whole request. One that refuses a request with a value
    /// has read the value if the line is known to say so. Behind any other `SERVER_ERROR`, the replies that follow prove it: a
    /// server that had not read the value would take the value for a request, and, if it is not one, say so before it answers
    /// anything else.
    pub(super) fn refused(
        &mut self,
        line: ErrorLine<'_>,
        shape: ReplyShape,
        oldest: &(impl Expected + ?Sized),
    ) -> Result<(), ProtocolError> {
        if self.in_step == InStep::ValueRefused && line.word != ErrorWord::ServerError {
            return Err(ProtocolError::OutOfStep);
        }
        let is_in_step = match line.step() {
            _ if self.reading != Reading::Fresh => false,
            AfterLine::InStep => true,
            AfterLine::Closed => false,
            AfterLine::NotOfGets if matches!(shape, ReplyShape::Values { .. }) => false,
            AfterLine::NotOfGets | AfterLine::Unknown if !oldest.has_value() => true,
            AfterLine::NotOfGets | AfterLine::Unknown => {
                self.in_step = InStep::ValueRefused;
                line.word == ErrorWord::ServerError && !oldest.value_may_be_request()
            }
        };
        if !is_in_step {
            self.in_step = InStep::Ended(ProtocolError::OutOfStep);
        }
        Ok(())
    }

    /// Notes that a reply has shown the stream to be in step, unless the connection has ended.
    pub(super) const fn resolve(&mut self) {
        if !matches!(self.in_step, InStep::Ended(_)) {
            self.in_step = InStep::Yes;
        }
    }

    /// Ends the connection, unless it has ended with an earlier error.
    pub(super) const fn end(&mut self, error: ProtocolError) {
        if !matches!(self.in_step, InStep::Ended(_)) {
            self.in_step = InStep::Ended(error);
        }
    }

    /// Ends every doubt once nothing more is owed, as no reply is left that could tell. Which of a quiet run was refused
    /// does not matter then: all of the run are over, and a server that had read the refused one reads the next request
    /// next. A value that may not have been read ends the connection.
    pub(super) fn end_doubts(&mut self) {
        if self.owed > 0 {
            return;
        }
        match self.in_step {
            InStep::QuietRefused => self.in_step = InStep::Yes,
            InStep::ValueRefused => self.in_step = InStep::Ended(ProtocolError::OutOfStep),
            InStep::Yes | InStep::Ended(_) => {}
        }
    }
}
