//! Requests of any kind, as a client writes them.

use arbitrary::Arbitrary;
use memring_text::{
    Get, Key, Request, Store, Value,
    request::{
        Arith, ArithVerb, Delete, FlushAll, FlushDelay, GetVerb, Keys, ReplyShape, StatsKind, StoreVerb,
        Touch, Verbosity,
    },
    server::{RequestEvent, StoreHead},
};

use super::requests::Asking;

/// A request of any kind.
#[derive(Arbitrary, Clone, Debug)]
pub enum AnyRequest {
    Get { verb: AnyGetVerb, keys: Vec<AnyKey> },
    Store { verb: AnyStoreVerb, key: AnyKey, flags: u32, exptime: i32, value: Vec<u8>, noreply: bool },
    Delete { key: AnyKey, noreply: bool },
    Arith { down: bool, key: AnyKey, delta: u64, noreply: bool },
    Touch { key: AnyKey, exptime: i32, noreply: bool },
    FlushAll { delay: Option<u32>, noreply: bool },
    Verbosity { level: u32, noreply: bool },
    Version,
    Stats(u8),
    Quit,
}

/// A key of any valid bytes.
#[derive(Arbitrary, Clone, Debug)]
pub struct AnyKey(pub(super) Vec<u8>);

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum AnyGetVerb {
    Get,
    Gets,
    Gat(i32),
    Gats(i32),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum AnyStoreVerb {
    Set,
    Add,
    Replace,
    Append,
    Prepend,
    Cas(u64),
}

impl AnyKey {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let valid = |byte: &u8| if matches!(*byte, 0..=b' ' | 0x7f) { b'k' } else { *byte };
        let bytes: Vec<_> = self.0.iter().take(250).map(valid).collect();
        if bytes.is_empty() { b"noreply".to_vec() } else { bytes }
    }
}

impl AnyGetVerb {
    fn verb(self) -> GetVerb {
        match self {
            Self::Get => GetVerb::Get,
            Self::Gets => GetVerb::Gets,
            Self::Gat(exptime) => GetVerb::Gat(exptime),
            Self::Gats(exptime) => GetVerb::Gats(exptime),
        }
    }
}

impl AnyStoreVerb {
    fn verb(self) -> StoreVerb {
        match self {
            Self::Set => StoreVerb::Set,
            Self::Add => StoreVerb::Add,
            Self::Replace => StoreVerb::Replace,
            Self::Append => StoreVerb::Append,
            Self::Prepend => StoreVerb::Prepend,
            Self::Cas(cas) => StoreVerb::Cas(cas),
        }
    }
}

/// A request as it is sent: its bytes, what a server must read, and what is to be held against the reply.
pub(super) struct Sent<'k> {
    pub(super) bytes: Vec<u8>,
    pub(super) read: Vec<Asking>,
    pub(super) keys: Option<Keys<'k, Key<'k>>>,
    pub(super) shape: ReplyShape,
}

impl AnyRequest {
    /// Calls `with` with the request, sent.
    pub(super) fn send<T>(&self, with: impl FnOnce(Sent<'_>) -> T) -> T {
        let event = |event: RequestEvent<'_>| vec![Asking::Event(format!("{event:?}"))];
        let single = |request: Request<'_>, read| {
            let mut bytes = Vec::new();
            request.encode(&mut bytes).unwrap();
            assert_eq!(bytes, request.parts().as_slices().concat());
            assert_eq!(bytes.len(), request.parts().len());
            Sent { bytes, read, keys: None, shape: request.reply_shape() }
        };
        match *self {
            Self::Get { verb, ref keys } => {
                let verb = verb.verb();
                let names: Vec<_> = keys.iter().map(AnyKey::bytes).chain([b"k".to_vec()]).collect();
                let keys: Vec<_> = names.iter().map(|name| Key::new(name).unwrap()).collect();
                let mut bytes = vec![0; 1000];
                let line = verb.write_line(&keys, &mut bytes).unwrap();
                bytes.truncate(line.len);
                let keys = &keys[..line.keys];
                let mut read = event(RequestEvent::Get(verb));
                read.extend(keys.iter().map(|key| Asking::Key(key.as_bytes().to_vec())));
                read.append(&mut event(RequestEvent::GetEnd));
                if let [key] = *keys {
                    assert_eq!(bytes, single(Request::Get(Get { verb, key }), Vec::new()).bytes);
                }
                let keys = Keys { keys, cas: verb.has_cas() };
                with(Sent { bytes, read, keys: Some(keys), shape: verb.reply_shape() })
            }
            Self::Store { verb, ref key, flags, exptime, ref value, noreply } => {
                let (verb, key) = (verb.verb(), key.bytes());
                let head = StoreHead { verb, key: &key, flags, exptime, len: value.len(), noreply };
                let mut read = event(RequestEvent::Store(head));
                if !value.is_empty() {
                    read.push(Asking::Data(value.clone()));
                }
                read.append(&mut event(RequestEvent::StoreEnd));
                let (key, value) = (Key::new(&key).unwrap(), Value::new(value).unwrap());
                with(single(Request::Store(Store { verb, key, flags, exptime, value, noreply }), read))
            }
            Self::Delete { ref key, noreply } => {
                let key = key.bytes();
                let read = event(RequestEvent::Delete { key: &key, noreply });
                with(single(Request::Delete(Delete { key: Key::new(&key).unwrap(), noreply }), read))
            }
            Self::Arith { down, ref key, delta, noreply } => {
                let (verb, key) = (if down { ArithVerb::Decr } else { ArithVerb::Incr }, key.bytes());
                let read = event(RequestEvent::Arith { verb, key: &key, delta, noreply });
                let key = Key::new(&key).unwrap();
                with(single(Request::Arith(Arith { verb, key, delta, noreply }), read))
            }
            Self::Touch { ref key, exptime, noreply } => {
                let key = key.bytes();
                let read = event(RequestEvent::Touch { key: &key, exptime, noreply });
                with(single(Request::Touch(Touch { key: Key::new(&key).unwrap(), exptime, noreply }), read))
            }
            Self::FlushAll { delay, noreply } => {
                let delay = delay.and_then(FlushDelay::new);
                let read = delay.map(|delay| delay.get() as i32);
                let read = event(RequestEvent::FlushAll { delay: read, noreply });
                with(single(Request::FlushAll(FlushAll { delay, noreply }), read))
            }
            Self::Verbosity { level, noreply } => {
                let read = event(RequestEvent::Verbosity { level, noreply });
                with(single(Request::Verbosity(Verbosity { level, noreply }), read))
            }
            Self::Version => with(single(Request::Version, event(RequestEvent::Version))),
            Self::Stats(which) => {
                let kind = StatsKind::ALL[usize::from(which) % StatsKind::ALL.len()];
                with(single(Request::Stats(kind), event(RequestEvent::Stats(kind.word().as_bytes()))))
            }
            Self::Quit => with(single(Request::Quit, event(RequestEvent::Quit))),
        }
    }
}
