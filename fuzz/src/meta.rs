//! Laws of the meta commands.

use arbitrary::Arbitrary;
use memring_text::{
    Exchange, Key, Request, Value,
    exchange::{ExchangeState, Progress},
    meta::{
        ArithMode, BinaryKey, MetaArith, MetaDebug, MetaDelete, MetaGet, MetaKey, MetaRequest, MetaSet,
        Opaque, SetMode,
    },
    reply::{ErrorWord, Event, Step},
    server::{Next, Reading, RequestDecoder, RequestEvent, Session},
};

use crate::codec::{AnyKey, NOW, engine};

/// A meta request of any kind, with flags that memcached 1.6.18 knows.
#[derive(Arbitrary, Debug)]
pub struct AnyMeta {
    verb: u8,
    binary: bool,
    key: AnyKey,
    /// Which of the flags.
    flags: u16,
    number: u64,
    exptime: i32,
    opaque: AnyKey,
    value: Vec<u8>,
}

impl AnyMeta {
    /// Calls `with` with the request.
    fn request<T>(&self, with: impl FnOnce(&MetaRequest<'_>) -> T) -> T {
        let mut key = self.key.bytes();
        let key = if self.binary {
            key.truncate(186);
            MetaKey::from(BinaryKey::new(&key).unwrap())
        } else {
            MetaKey::from(Key::new(&key).unwrap())
        };
        let mut opaque = self.opaque.bytes();
        opaque.truncate(31);
        let opaque = Opaque::new(&opaque).unwrap();
        let value = Value::new(&self.value).unwrap();
        let verb = usize::from(self.verb % 5);
        // The answer to a quiet request must say whose it is. Its flag's number is one more than the opaque's.
        let quiet = [9, 7, 5, 11, 15][verb];
        let flags = self.flags | (self.flags >> quiet & 1) << (quiet - 1);
        let has = |bit: u32| flags >> bit & 1 == 1;
        macro_rules! with_flags {
            ($builder:expr; $($bit:literal => $method:ident($($arg:expr)?);)*) => {{
                let builder = $builder;
                $(let builder = if has($bit) { builder.$method($($arg)?) } else { builder };)*
                with(builder.as_ref())
            }};
        }
        match verb {
            0 => with_flags!(MetaGet::new(key);
                0 => value(); 1 => cas(); 2 => flags(); 3 => hit(); 4 => key(); 5 => last_access(); 6 => size();
                7 => ttl(); 8 => opaque(opaque); 9 => quiet(); 10 => no_bump(); 11 => vivify(self.exptime);
                12 => recache(self.exptime); 13 => touch(self.exptime); 14 => proxy(opaque); 15 => path(opaque);),
            1 => with_flags!(MetaSet::new(key, value);
                0 => flags(self.number as u32); 1 => exptime(self.exptime); 2 => if_cas(self.number);
                3 => invalidate(); 4 => cas(); 5 => key(); 6 => opaque(opaque); 7 => quiet();
                8 => mode(SetMode::Add); 9 => mode(SetMode::Append); 10 => proxy(opaque); 11 => path(opaque);),
            2 => with_flags!(MetaDelete::new(key);
                0 => if_cas(self.number); 1 => mark_stale(); 2 => exptime(self.exptime); 3 => key();
                4 => opaque(opaque); 5 => quiet(); 6 => proxy(opaque); 7 => path(opaque);),
            3 => with_flags!(MetaArith::new(key);
                0 => mode(ArithMode::Decr); 1 => delta(self.number); 2 => vivify(self.exptime);
                3 => initial(self.number); 4 => exptime(self.exptime); 5 => if_cas(self.number); 6 => value();
                7 => cas(); 8 => key(); 9 => ttl(); 10 => opaque(opaque); 11 => quiet(); 12 => proxy(opaque);
                13 => path(opaque);),
            _ => with(MetaDebug::new(key).as_ref()),
        }
    }
}

/// What a client writes is read back as what it meant.
pub fn meta_round_trips(list: &[AnyMeta]) {
    for meta in list {
        meta.request(|request| {
            let mut bytes = Vec::new();
            Request::Meta(request).encode(&mut bytes).unwrap();
            let mut decoder = RequestDecoder::new(Reading::Strict);
            let (mut rest, mut value, mut same) = (&bytes[..], Vec::new(), None);
            while let Step::Event { consumed, event } = decoder.decode(rest).expect("our own bytes") {
                match event {
                    RequestEvent::Meta(line) | RequestEvent::MetaStore(line) => {
                        let meant = request.value().unwrap_or(Value::EMPTY);
                        same = line.with_request(meant, |read| read == request);
                    }
                    RequestEvent::Data(piece) => value.extend_from_slice(piece),
                    RequestEvent::StoreEnd => {}
                    other => panic!("{other:?} read from {request:?}"),
                }
                rest = &rest[consumed..];
            }
            assert_eq!((rest, same), (&b""[..], Some(true)));
            assert_eq!(value, request.value().map_or(&b""[..], Value::as_bytes));
        });
    }
}

/// Our client and our server understand each other, quiet or not: each request has its reply, or none, and then the
/// `mn` behind it has its own.
pub fn meta_is_answered(list: &[AnyMeta]) {
    let (mut engine, mut session) = (engine(), Session::new(Vec::new()));
    let mut exchange = Exchange::default();
    for meta in list {
        meta.request(|request| {
            let requests = [Request::Meta(request), Request::MetaNoop];
            let (mut bytes, mut out) = (Vec::new(), Vec::new());
            for request in &requests {
                request.encode(&mut bytes).unwrap();
                exchange.sent();
            }
            let fed = session.feed(&bytes, &mut engine, &mut out, NOW);
            assert_eq!((fed.consumed, fed.next), (bytes.len(), Next::Read));
            let mut rest = &out[..];
            for oldest in &requests {
                loop {
                    match exchange.decode(rest, oldest) {
                        Ok(Progress::Event { consumed, event, complete, .. }) => {
                            rest = &rest[consumed..];
                            assert!(
                                complete || matches!(event, Event::Meta(_) | Event::Data(_)),
                                "{event:?}"
                            );
                            let is_known =
                                !matches!(event, Event::Error(line) if line.word == ErrorWord::Error);
                            assert!(is_known, "our server does not know {request:?}");
                            if complete {
                                break;
                            }
                        }
                        other => {
                            panic!("{other:?} instead of the reply to {request:?}: {}", out.escape_ascii())
                        }
                    }
                }
            }
            assert_eq!((rest, exchange.state()), (&b""[..], ExchangeState::Idle));
        });
    }
}
