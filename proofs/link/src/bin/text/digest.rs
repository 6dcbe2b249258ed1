//! Everything that is said, in one number.

use core::fmt::{self, Debug, Display, Write as _};

use memring_text::{
    Value,
    buffer::{ArrayBuffer, Buffer},
    meta::MetaInfo,
    reply::Event,
    server::RequestEvent,
};

/// Everything that is said, in one number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digest(pub(crate) u64);

impl Digest {
    pub(crate) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub(crate) fn debug(&mut self, thing: &dyn Debug) {
        let _ = write!(self, "{thing:?} {thing:#?}");
    }

    pub(crate) fn display(&mut self, thing: &dyn Display) {
        let _ = write!(self, "{thing} {thing:>9}");
    }

    pub(crate) fn error(&mut self, error: &dyn core::error::Error) {
        self.debug(&error);
        self.display(&error);
        if let Some(source) = error.source() {
            self.display(&source);
        }
    }

    pub(crate) fn reply(&mut self, event: &Event<'_>) {
        match event {
            Event::Data(piece) | Event::Skipped { piece, .. } => self.bytes(piece),
            event => {
                let mut bytes = ArrayBuffer::<4096>::new();
                if let Err(full) = event.encode(&mut bytes) {
                    self.error(&full);
                }
                self.bytes(bytes.as_slice());
                self.debug(event);
                self.told(event);
            }
        }
    }

    /// What an event's parts can be asked.
    fn told(&mut self, event: &Event<'_>) {
        match event {
            Event::Meta(head) => {
                head.flags().for_each(|flag| self.bytes(&[flag.letter()]));
                self.bytes(head.opaque().unwrap_or_default());
                self.bytes(head.code.word().as_bytes());
                self.debug(&(head.has_key(b"tokyo"), MetaInfo::from(head)));
            }
            Event::Debug(line) => line.iter().for_each(|(name, value)| {
                self.bytes(name);
                self.bytes(value);
            }),
            Event::Dump(line) => {
                line.iter().for_each(|(name, _)| self.bytes(name));
                self.debug(&(line.cas(), line.size(), line.expires(), line.last_access()));
                line.unescape().for_each(|byte| self.bytes(&[byte]));
            }
            Event::Log(line) => {
                line.iter().for_each(|(name, _)| self.bytes(name));
                self.debug(&(line.time(), line.skipped()));
                self.bytes(line.kind().unwrap_or_default());
                self.bytes(line.key().unwrap_or_default());
                line.unescape().for_each(|byte| self.bytes(&[byte]));
            }
            Event::Notice(notice) => self.bytes(notice.word.word().as_bytes()),
            _ => {}
        }
    }

    pub(crate) fn request(&mut self, event: &RequestEvent<'_>) {
        match event {
            RequestEvent::Data(piece) => self.bytes(piece),
            // How much is passed by at a time depends on the cut.
            RequestEvent::Skipped => {}
            event => self.debug(event),
        }
        match event {
            RequestEvent::Refused { refusal, .. } => self.reply(&Event::Error(refusal.line())),
            RequestEvent::Meta(line) | RequestEvent::MetaStore(line) => {
                line.flags().for_each(|(letter, token)| {
                    self.bytes(&[letter]);
                    self.bytes(token);
                });
                self.bytes(line.key(&mut [0; 250]));
                self.debug(&(line.has(b'q'), line.with_request(Value::EMPTY, |request| request.is_quiet())));
            }
            _ => {}
        }
    }
}

impl fmt::Write for Digest {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.bytes(text.as_bytes());
        Ok(())
    }
}
