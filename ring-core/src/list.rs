//! Lists that a configuration holds: as the text it is written in, or as a slice.

use core::str::{self, FromStr};

/// A list of numbers.
///
/// ```
/// use memring_core::list::List;
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

impl<'a, T: Copy + FromStr> List<'a, T> {
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

fn read<T: FromStr>(text: &str) -> impl Iterator<Item = Option<T>> {
    text.as_bytes()
        .split(|&byte| byte == b',')
        .map(|item| str::from_utf8(item).ok().and_then(|item| item.trim_ascii().parse().ok()))
}
