//! Limits on what a peer may send before it is taken for broken or hostile.

/// Limits on what a decoder accepts. No memory is reserved for them: a stream that exceeds them is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest line with its end, in bytes: 2048.
    ///
    /// A caller's buffer must hold one line, so this is also the size of the smallest buffer that serves every reply; a
    /// smaller buffer needs a smaller limit. Item heads need up to 321 bytes.
    pub line: usize,
    /// Longest value, in bytes: 1 MiB. Servers with larger items (`-I`) need more, at most 1 GiB.
    ///
    /// A longer value that another client has stored is skipped ([`Event::Skipped`](crate::reply::Event::Skipped)): its
    /// bytes are read and thrown away, its caller gets
    /// [`ReplyError::TooLarge`](crate::operation::ReplyError::TooLarge), and the connection goes on. An announced
    /// length above [`MAX_VALUE_LEN`](crate::value::MAX_VALUE_LEN), which no server can have, is an error of the
    /// connection.
    pub value: usize,
    /// Most items in one reply: 1024, as many as one request line asks for.
    pub items: u32,
    /// Most lines in one reply to `stats` and to whatever else is a list of `STAT` lines: 4096.
    pub stats: u32,
}

impl Limits {
    /// The limits as stated on the fields.
    pub const DEFAULT: Self = Self { line: 2048, value: 1 << 20, items: 1024, stats: 4096 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
