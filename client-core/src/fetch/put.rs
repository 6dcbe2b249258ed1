//! `put` and `peek`: a value of `fetch` stored, and looked at, without loading.

use std::time::Instant;

use memring_text::StoreOutcome;

use super::{
    Answer, Dialect, Errand, Fetched, Found, NoAnswer, Times, Write, content,
    errand::Condition,
    lease::{is_blank, is_placeholder},
    talk::{Next, Talk},
};
use crate::failure::Cause;

/// The machine of `put`.
#[derive(Debug)]
pub struct Put {
    times: Times,
    content: Fetched,
    dialect: Dialect,
    end: Option<Result<(), Option<Cause>>>,
}

impl Put {
    /// Before the errand, to a server that speaks `dialect`.
    #[must_use]
    pub const fn new(times: Times, content: Fetched, dialect: Dialect) -> Self {
        Self { times, content, dialect, end: None }
    }
}

impl Talk for Put {
    type Output = ();

    fn next(&mut self, _: Instant) -> Next<()> {
        match (&mut self.end, content::stored(&self.content)) {
            (Some(Ok(())), _) => Next::Done(()),
            (Some(Err(cause)), _) => Next::Failed(cause.take()),
            (None, None) => Next::Failed(Some(Cause::NotStored)),
            (None, Some((flags, value))) => {
                let ttl = self.times.kept_by(self.dialect, self.content.is_some());
                Next::Send(Errand::Write(Write { flags, value, ttl, condition: Condition::None }))
            }
        }
    }

    fn answered(&mut self, answer: Result<Answer, NoAnswer>, _: Instant) {
        self.end = match answer {
            Err(NoAnswer::UnknownCommand) if self.dialect == Dialect::Meta => {
                self.dialect = Dialect::Classic;
                None
            }
            Ok(Answer::Changed(StoreOutcome::Stored)) => Some(Ok(())),
            Ok(_) => Some(Err(Some(Cause::NotStored))),
            Err(_) => Some(Err(None)),
        };
    }

    fn dialect(&self) -> Dialect {
        self.dialect
    }
}

/// What `peek` makes of an item that a plain `get` has read: `None` is a miss, and so is a placeholder.
#[must_use]
pub fn peeked(flags: u32, value: bytes::Bytes) -> Option<Fetched> {
    let found = Found { len: value.len() as u64, value, flags, ..Found::default() };
    (!is_placeholder(&found) && !is_blank(&found)).then(|| content::read(flags, found.value))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::fetch::Content;

    #[test]
    fn what_is_peeked_at_has_its_value_and_no_placeholder_has() {
        let value = Bytes::from_static(b"v");
        assert_eq!(peeked(7, value.clone()), Some(Some(Content { flags: 7, value: value.clone() })));
        assert_eq!(peeked(content::NOTHING, Bytes::new()), Some(None));
        assert_eq!(peeked(0, Bytes::new()), None);
        assert_eq!(peeked(crate::fetch::PLACEHOLDER, value), None);
    }
}
