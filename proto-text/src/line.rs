//! Finds the end of a line that arrives in pieces, looking at each byte once.

/// How far the search for a line's end has come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LineSearch {
    searched: usize,
}

impl LineSearch {
    /// At the start of a line.
    pub(crate) const START: Self = Self { searched: 0 };

    /// Whether the line has not been looked at before.
    pub(crate) const fn is_fresh(&self) -> bool {
        self.searched == 0
    }

    /// Looks for a line feed within the first `limit` bytes of `buf`; gives its position.
    ///
    /// `buf` must hold what it held at the last call, and may hold more.
    pub(crate) fn find(&mut self, buf: &[u8], limit: usize) -> Searched {
        let window = buf.get(..limit).unwrap_or(buf);
        let fresh = window.get(self.searched..).unwrap_or(&[]);
        if let Some(at) = memchr::memchr(b'\n', fresh) {
            let at = at.saturating_add(self.searched);
            self.searched = 0;
            return Searched::At(at);
        }
        self.searched = window.len();
        if window.len() >= limit { Searched::TooLong } else { Searched::NotYet }
    }
}

/// The result of a search for a line's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Searched {
    /// The line feed is at this position.
    At(usize),
    /// More bytes are needed.
    NotYet,
    /// There is none within the limit.
    TooLong,
}

/// What lies behind the spaces at the front of `text`.
pub(crate) fn behind_spaces(text: &[u8]) -> &[u8] {
    let mut rest = text;
    while let [b' ', behind @ ..] = rest {
        rest = behind;
    }
    rest
}

/// The bytes before the first space, and those behind it; without a space, all and nothing.
#[inline]
pub(crate) fn split_word(line: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b' ', line).and_then(|at| line.split_at_checked(at)) {
        Some((word, [_, rest @ ..])) => (word, rest),
        _ => (line, &[]),
    }
}
