//! Replies to meta requests, some of which are answered by silence.

use super::{Doubt, Exchange, Progress, ProtocolError};
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
        if self.doubt == Doubt::Quiet && !shape.is_quiet() && shape.verb() != MetaVerb::Noop {
            return Err(ProtocolError::OutOfStep);
        }
        let before = self.decoder.clone();
        let (consumed, event) = match self.decoder.decode(buf)? {
            Step::Event { consumed, event } => (consumed, event),
            Step::NeedMore => return Ok(Progress::NeedMore),
        };
        let (key, opaque) = (oldest.key(0).unwrap_or(&[]), oldest.opaque());
        if shape.is_quiet() && !self.begun {
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
                let event = Event::Silence { sure: self.doubt == Doubt::None };
                self.end_in_doubt();
                return Ok(Progress::Event { consumed: 0, event, index: 0, complete: true });
            }
        }
        let complete = match event {
            Event::Error(line) if shape.is_quiet() => {
                if self.begun || self.doubt == Doubt::Value || !line.keeps_in_step() {
                    self.end = Some(ProtocolError::OutOfStep);
                }
                self.doubt = Doubt::Quiet;
                true
            }
            Event::Error(line) => {
                let doubt = self.doubt;
                self.refused(line, ReplyShape::Meta(shape), oldest)?;
                if doubt == Doubt::Quiet {
                    self.doubt = Doubt::None;
                }
                true
            }
            Event::Meta(head) => {
                shape.check(&head, key, opaque)?;
                self.doubt = Doubt::None;
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
        self.begun = !complete;
        // The caller may go away in the middle of the value.
        self.meta_value = !complete;
        if complete {
            self.owed = self.owed.saturating_sub(1);
            self.end_in_doubt();
        }
        Ok(Progress::Event { consumed, event, index: 0, complete })
    }
}
