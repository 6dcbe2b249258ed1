//! Replies to meta requests, some of which are answered by silence.

use super::{Exchange, InStep, Progress, ProtocolError, Reading};
use crate::{
    meta::{MetaCode, MetaShape, MetaVerb},
    reply::{Event, Step},
    request::{Expected, ReplyShape},
};

impl Exchange {
    /// Reads the next event for a meta request.
    ///
    /// A quiet one may have no reply. That shows when a reply comes that is another's: then nothing is consumed, and
    /// the event is [`Event::Silence`].
    pub(super) fn decode_meta<'b>(
        &mut self,
        buf: &'b [u8],
        shape: MetaShape,
        oldest: &(impl Expected + ?Sized),
    ) -> Result<Progress<'b>, ProtocolError> {
        if self.in_step == InStep::QuietRefused && !shape.is_quiet() && shape.verb() != MetaVerb::Noop {
            return Err(ProtocolError::OutOfStep);
        }
        // A few words, no bytes: to put a line back that answers another request.
        let before = self.decoder.clone();
        let (consumed, event) = match self.decoder.decode(buf)? {
            Step::Event { consumed, event } => (consumed, event),
            Step::NeedMore => return Ok(Progress::NeedMore),
        };
        let (key, opaque) = (oldest.key(0).unwrap_or(&[]), oldest.opaque());
        if shape.is_quiet() && self.reading == Reading::Fresh {
            let is_mine = match event {
                Event::Error(_) => true,
                Event::Meta(head) => {
                    shape.is_answered_by(&head, key, opaque).ok_or(ProtocolError::Unidentified)?
                }
                _ => false,
            };
            if !is_mine {
                self.decoder = before;
                self.owed = self.owed.saturating_sub(1);
                let event = Event::Silence { sure: self.in_step == InStep::Yes };
                self.end_doubts();
                return Ok(Progress::Event { consumed: 0, event, index: 0, complete: true });
            }
        }
        let complete = match event {
            Event::Error(line) if shape.is_quiet() => {
                let is_known = self.reading == Reading::Fresh && self.in_step != InStep::ValueRefused;
                self.in_step = match is_known && line.keeps_in_step() {
                    true => InStep::QuietRefused,
                    false => InStep::Ended(ProtocolError::OutOfStep),
                };
                true
            }
            Event::Error(line) => {
                let before = self.in_step;
                self.refused(line, ReplyShape::Meta(shape), oldest)?;
                if before == InStep::QuietRefused {
                    self.resolve();
                }
                true
            }
            Event::Meta(head) => {
                shape.check(&head, key, opaque)?;
                self.resolve();
                head.code != MetaCode::Value
            }
            Event::Data(_) | Event::Skipped { .. } => false,
            Event::ValueEnd => true,
            Event::Debug(line) if shape.verb() == MetaVerb::Debug => {
                if line.key != key && !crate::base64::is_of(line.key, key) {
                    return Err(ProtocolError::WrongKey);
                }
                true
            }
            _ => return Err(ProtocolError::Unexpected),
        };
        if complete {
            self.complete();
            self.end_doubts();
        } else {
            // The caller may go away in the middle of the value.
            self.reading = Reading::MetaValue;
        }
        Ok(Progress::Event { consumed, event, index: 0, complete })
    }
}
