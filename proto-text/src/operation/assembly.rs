//! Assembly of an item from its events, for any driver.

use super::{Item, ValueError};
use crate::{buffer::Buffer, reply::Event};

/// An item that is arriving: its head, and how much of its value is still missing.
///
/// The value is put into a buffer that the caller passes with every event. A value that does not fit, or is longer than
/// the limit, is read and thrown away: the connection stays in step, and [`item`](Self::item) returns the error.
///
/// ```
/// use memring_text::{
///     Exchange,
///     exchange::Progress,
///     operation::Assembly,
///     reply::Event,
///     request::Keys,
/// };
///
/// let keys = Keys { keys: &["a", "b", "c"], cas: false };
/// let mut rest = &b"VALUE c 0 1\r\n3\r\nEND\r\n"[..];
/// let mut exchange = Exchange::default();
/// exchange.sent();
/// let (mut coming, mut value, mut found) = (Assembly::default(), Vec::new(), Vec::new());
/// while exchange.owed() > 0 {
///     let Progress::Event { consumed, event, index, .. } = exchange.decode(rest, &keys)? else { break };
///     coming.take(&event, &mut value);
///     if event == Event::ValueEnd {
///         let item = core::mem::take(&mut coming).item(core::mem::take(&mut value))?;
///         found.push((keys.keys[index], item.value));
///     }
///     rest = &rest[consumed..];
/// }
/// assert_eq!(found, [("c", b"3".to_vec())]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Assembly {
    pub(super) flags: u32,
    pub(super) cas: Option<u64>,
    /// How much of the value is still to come, in bytes.
    pub(super) rest: usize,
    /// Why the value is not there.
    pub(super) lost: Option<ValueError>,
}

impl Assembly {
    /// Takes the next event of the item, and puts the bytes of a value behind those of `value`. Events that are not of
    /// an item are ignored.
    #[inline]
    pub fn take(&mut self, event: &Event<'_>, value: &mut (impl Buffer + ?Sized)) {
        match *event {
            Event::Value(head) => (self.flags, self.cas, self.rest) = (head.flags, head.cas, head.len),
            Event::Data(piece) => {
                self.rest = self.rest.saturating_sub(piece.len());
                if self.lost.is_none() {
                    self.lost = value.put_of(piece, self.rest).err().map(ValueError::Full);
                }
            }
            Event::Skipped { value, .. } => self.lost = Some(ValueError::TooLarge(value)),
            _ => {}
        }
    }

    /// Begins a value without flags, of `len` bytes.
    pub(super) const fn begin_value(&mut self, len: usize) {
        self.rest = len;
    }

    /// The whole item, after all of its events have been taken. `value` is the buffer of its value.
    ///
    /// # Errors
    /// Why the value is not there.
    #[inline]
    pub fn item<V>(self, value: V) -> Result<Item<V>, ValueError> {
        match self.lost {
            None => Ok(Item { flags: self.flags, cas: self.cas, value }),
            Some(lost) => Err(lost),
        }
    }
}
