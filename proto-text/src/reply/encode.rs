//! Encoding of events, for servers.

use crate::{
    buffer::{Buffer, Full},
    meta::{DebugLine, MetaCode, MetaHead},
    number::Digits,
    reply::{CacheItem, DumpKey, DumpLine, ErrorLine, Event, ItemHead, Notice},
};

const LINE_END: &[u8] = b"\r\n";

impl Event<'_> {
    /// Puts the event's bytes behind those of `out`, or nothing. [`ReplyDecoder`](crate::reply::ReplyDecoder) reads the
    /// same event back.
    ///
    /// Keys and texts are not checked: the caller must not give any that would not be read back.
    ///
    /// # Errors
    /// [`Full`] when they do not fit.
    pub fn encode(&self, out: &mut (impl Buffer + ?Sized)) -> Result<(), Full> {
        match *self {
            Self::Value(head) => item_head(&head, out),
            Self::Data(piece) | Self::Skipped { piece, .. } => out.put(piece),
            Self::ValueEnd => out.put(LINE_END),
            Self::End => out.put(b"END\r\n"),
            Self::Status(status) => out.put_all(&[status.word().as_bytes(), LINE_END]),
            Self::Number(number) => out.put_all(&[Digits::of(number).as_bytes(), LINE_END]),
            Self::Version(text) => out.put_all(&[b"VERSION ", text, LINE_END]),
            Self::Stat { name, value } => out.put_all(&[b"STAT ", name, b" ", value, LINE_END]),
            Self::Meta(head) => meta_head(&head, out),
            Self::Debug(DebugLine { key, text }) => out.put_all(&[b"ME ", key, b" ", text, LINE_END]),
            Self::Silence { .. } => Ok(()),
            Self::Prefix { name, value } => out.put_all(&[b"PREFIX ", name, b" ", value, LINE_END]),
            Self::CacheItem(CacheItem { key, len, expires }) => {
                let (len, expires) = (Digits::of(len), Digits::of(expires));
                let numbers: [&[u8]; 5] = [b" [", len.as_bytes(), b" b; ", expires.as_bytes(), b" s]\r\n"];
                let [a, b, c, d, e] = numbers;
                out.put_all(&[b"ITEM ", key, a, b, c, d, e])
            }
            Self::Dump(DumpLine { key, text }) => out.put_all(&[b"key=", key, b" ", text, b"\n"]),
            Self::DumpKey(DumpKey { key, is_base64 }) => {
                out.put_all(&[b"mg ", key, if is_base64 { b" b\r\n" } else { LINE_END }])
            }
            Self::Log(line) => out.put_all(&[line.text, b"\n"]),
            Self::Notice(Notice { word, text: [] }) => out.put_all(&[word.word().as_bytes(), LINE_END]),
            Self::Notice(Notice { word, text }) => {
                out.put_all(&[word.word().as_bytes(), b" ", text, LINE_END])
            }
            Self::Error(ErrorLine { word, text: [] }) => out.put_all(&[word.word().as_bytes(), LINE_END]),
            Self::Error(ErrorLine { word, text }) => {
                out.put_all(&[word.word().as_bytes(), b" ", text, LINE_END])
            }
        }
    }
}

fn meta_head(head: &MetaHead<'_>, out: &mut (impl Buffer + ?Sized)) -> Result<(), Full> {
    let len = Digits::of(head.len as u64);
    let len: [&[u8]; 2] = if head.code == MetaCode::Value { [b" ", len.as_bytes()] } else { [b"", b""] };
    let flags = head.flags.as_bytes();
    let [before_len, len] = len;
    let before_flags: &[u8] = if flags.is_empty() { b"" } else { b" " };
    out.put_all(&[head.code.word().as_bytes(), before_len, len, before_flags, flags, LINE_END])
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
