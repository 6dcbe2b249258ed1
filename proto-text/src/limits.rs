//! How much a peer may send before it is taken for broken or hostile.

/// Caps on what a decoder accepts. Nothing is reserved for them: they only end a stream that exceeds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest line with its end, in bytes: 2048.
    ///
    /// A caller's buffer must hold one line, so this is also the smallest buffer that serves every reply; a smaller
    /// buffer wants a smaller limit. Item heads need up to 321 bytes.
    pub line: usize,
    /// Longest value, in bytes: 1 MiB. Servers with larger items (`-I`) want more, at most 1 GiB.
    ///
    /// A longer value that another client has stored is skipped ([`Event::Skipped`](crate::reply::Event::Skipped)): its bytes are
    /// read and thrown away, it is [`ReplyError::TooLarge`](crate::operation::ReplyError::TooLarge) for the caller that asked for it, and
    /// the connection goes on. One that is announced with more than [`MAX_VALUE_LEN`](crate::value::MAX_VALUE_LEN), which no server
    /// can have, is an error of the connection.
    pub value: usize,
    /// Most items in one reply: 1024, as many as one request line asks for.
    pub items: u32,
    /// Most lines in one reply to `stats`: 4096.
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
