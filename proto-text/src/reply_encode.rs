//! Events of a reply as bytes: the server's half of the codec.

use crate::{
    buffer::{Buffer, Full},
    error_line::ErrorLine,
    number::Digits,
    reply::{Event, ItemHead},
};

const LINE_END: &[u8] = b"\r\n";

impl Event<'_> {
    /// Puts the event's bytes behind what `out` holds, or nothing of them. [`ReplyDecoder`](crate::ReplyDecoder)
    /// reads the same event back.
    ///
    /// Neither a key nor a text is looked at: what would not be read back is the caller's error.
    ///
    /// # Errors
    /// [`Full`] when they do not fit.
    pub fn encode(&self, out: &mut (impl Buffer + ?Sized)) -> Result<(), Full> {
        match *self {
            Self::Value(head) => item_head(&head, out),
            Self::Data(piece) => out.put(piece),
            Self::ValueEnd => out.put(LINE_END),
            Self::End => out.put(b"END\r\n"),
            Self::Status(status) => out.put_all(&[status.word().as_bytes(), LINE_END]),
            Self::Number(number) => out.put_all(&[Digits::of(number).as_bytes(), LINE_END]),
            Self::Version(text) => out.put_all(&[b"VERSION ", text, LINE_END]),
            Self::Stat { name, value } => out.put_all(&[b"STAT ", name, b" ", value, LINE_END]),
            Self::Error(ErrorLine { word, text: [] }) => out.put_all(&[word.word().as_bytes(), LINE_END]),
            Self::Error(ErrorLine { word, text }) => {
                out.put_all(&[word.word().as_bytes(), b" ", text, LINE_END])
            }
        }
    }
}

fn item_head(head: &ItemHead<'_>, out: &mut (impl Buffer + ?Sized)) -> Result<(), Full> {
    let flags = Digits::of(u64::from(head.flags));
    let len = Digits::of(head.len as u64);
    let cas = head.cas.map(Digits::of);
    let (space, cas) = match &cas {
        Some(cas) => (&b" "[..], cas.as_bytes()),
        None => (&b""[..], &b""[..]),
    };
    out.put_all(&[b"VALUE ", head.key, b" ", flags.as_bytes(), b" ", len.as_bytes(), space, cas, LINE_END])
}
