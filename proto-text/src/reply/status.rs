//! The replies of one word.

/// A reply of one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// `STORED`
    Stored,
    /// `NOT_STORED`: the condition of `add`, `replace`, `append` or `prepend` did not hold.
    NotStored,
    /// `EXISTS`: the item has another cas unique.
    Exists,
    /// `NOT_FOUND`: there is no such item.
    NotFound,
    /// `DELETED`
    Deleted,
    /// `TOUCHED`
    Touched,
    /// `OK`
    Ok,
    /// `RESET`: the statistics are at zero.
    Reset,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 8] = [
        Self::Stored,
        Self::NotStored,
        Self::Exists,
        Self::NotFound,
        Self::Deleted,
        Self::Touched,
        Self::Ok,
        Self::Reset,
    ];

    /// The word on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stored => "STORED",
            Self::NotStored => "NOT_STORED",
            Self::Exists => "EXISTS",
            Self::NotFound => "NOT_FOUND",
            Self::Deleted => "DELETED",
            Self::Touched => "TOUCHED",
            Self::Ok => "OK",
            Self::Reset => "RESET",
        }
    }

    pub(crate) fn from_word(word: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word().as_bytes() == word)
    }
}
