//! Lists in a configuration: as a text or as a slice.

use crate::number;

/// A list of numbers.
///
/// ```
/// use memring_core::scheme::List;
///
/// let written = List::<u16>::parse("2, 0, 1").unwrap();
/// assert!(written.iter().eq(List::Items(&[2, 0, 1]).iter()));
/// assert!(List::<u16>::parse("2,,1").is_none());
/// ```
#[derive(Clone, Copy, Debug)]
pub enum List<'a, T> {
    /// Separated by commas; the list ends before the first item that cannot be read.
    Text(&'a str),
    /// One after the other.
    Items(&'a [T]),
}

impl<'a, T: Item> List<'a, T> {
    /// The list that `text` writes, or `None` when an item cannot be read.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        read::<T>(text).all(|item| item.is_some()).then_some(Self::Text(text))
    }

    /// The items.
    pub fn iter(&self) -> impl Iterator<Item = T> + use<'a, T> {
        let (text, items) = match *self {
            Self::Text(text) => (Some(text), &[][..]),
            Self::Items(items) => (None, items),
        };
        text.into_iter().flat_map(read).map_while(|item| item).chain(items.iter().copied())
    }
}

fn read<T: Item>(text: &str) -> impl Iterator<Item = Option<T>> {
    text.as_bytes().split(|&byte| byte == b',').map(|item| T::read(item.trim_ascii()))
}

/// A type of list items.
pub trait Item: Copy {
    /// The item that `text` writes.
    fn read(text: &[u8]) -> Option<Self>;
}

impl Item for u16 {
    fn read(text: &[u8]) -> Option<Self> {
        number::whole(text).and_then(|number| number.try_into().ok())
    }
}

impl Item for f64 {
    fn read(text: &[u8]) -> Option<Self> {
        number::decimal(text)
    }
}
