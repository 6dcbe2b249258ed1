//! One client's connection, seen from the server: bytes in, bytes out, and when to close.

use super::{
    engine::Engine,
    meta_answer::{MetaStore, answer},
    meta_line::MetaLine,
    request_decoder::{Reading, RequestDecoder},
    request_event::{Refusal, RequestEvent, StoreHead},
    store::Store,
};
use crate::{
    buffer::{ArrayBuffer, Buffer, Full},
    key::MAX_KEY_LEN,
    meta::{MetaCode, MetaHead, ReturnFlags},
    number::Digits,
    operation::StoreOutcome,
    reply::{Event, ItemHead, Status, Step},
    request::{GetVerb, StoreVerb},
    ttl::UnixTime,
};

/// When this much waits to be written, no more requests are answered before it is.
const PAUSE: usize = 64 * 1024;

/// The size of the longest reply of one line.
pub(super) const LINE_CAPACITY: usize = 128;

/// The key under which servers without `config get cluster` have the same: see [`RequestEvent::ClusterConfig`].
const CLUSTER_KEY: &[u8] = b"AmazonElastiCache:cluster";

/// The server's side of one connection.
///
/// `B` collects a value while it arrives: a vector, or a fixed buffer, which then also limits values.
#[derive(Debug)]
pub struct Session<B> {
    decoder: RequestDecoder,
    doing: Doing,
    /// Where, in what waits to be written, the replies begin that memcached would still hold back. It writes at the
    /// end of a get, at an `mn`, behind a value of which it had to wait for a part, and when it has no more to read; what
    /// it holds back can be lost.
    held_from: usize,
    key: ArrayBuffer<MAX_KEY_LEN>,
    value: B,
}

#[derive(Clone, Copy, Debug)]
enum Doing {
    Nothing,
    Get(GetVerb),
    /// The head of the item whose value arrives; its key is in `key`.
    Store(StoreHead<'static>),
    /// The store of an `ms`.
    MetaStore(MetaStore),
    /// A value of which nothing is kept, because it is refused; memcached says so behind it.
    Swallow {
        refusal: Refusal,
        noreply: bool,
    },
}

/// What [`Session::feed`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fed {
    /// How many bytes to take off the front of the input.
    pub consumed: usize,
    /// What to do next.
    pub next: Next,
}

/// What the socket loop does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Next {
    /// Write what waits, then read more and feed it behind what is left of the input.
    Read,
    /// Write what waits, then feed what is left of the input again.
    Write,
    /// Write what waits, then close the connection.
    Close,
}

impl<B: Buffer> Session<B> {
    /// A fresh connection. `value` is where values are collected; hand it in empty.
    pub const fn new(value: B) -> Self {
        Self {
            decoder: RequestDecoder::new(Reading::AsMemcached),
            doing: Doing::Nothing,
            held_from: 0,
            key: ArrayBuffer::new(),
            value,
        }
    }

    /// Answers the requests at the front of `input`, which holds every byte received and not yet consumed, and puts
    /// the replies behind what `out` holds. The caller writes `out` and empties it, before each read at the latest.
    ///
    /// As in memcached 1.6.18, a get whose key is too long and a line that closes the connection can remove replies
    /// to requests that came in the same piece.
    ///
    /// The caller's buffer for `input` must hold at least [`RequestDecoder::MIN_BUFFER`] bytes. When `out` has fixed
    /// capacity, a reply that would not fit into it when empty closes the connection.
    pub fn feed<S: Store>(
        &mut self,
        input: &[u8],
        engine: &mut Engine<S>,
        out: &mut (impl Buffer + ?Sized),
        now: UnixTime,
    ) -> Fed {
        let mut rest = input;
        let mut waited = self.decoder.is_in_value();
        let next = loop {
            let waiting = out.as_slice().len();
            if waiting >= PAUSE || (waiting > 0 && out.free() < LINE_CAPACITY) {
                break Next::Write;
            }
            self.held_from = self.held_from.min(waiting);
            let before = self.decoder.clone();
            // Read as memcached does, there are no errors; an error would end the connection like one.
            let Ok(Step::Event { consumed, event }) = self.decoder.decode(rest) else {
                if !matches!(self.doing, Doing::Get(_)) {
                    self.held_from = waiting;
                }
                break Next::Read;
            };
            if let RequestEvent::Quit | RequestEvent::Close = event {
                if event == RequestEvent::Close {
                    out.truncate(self.held_from);
                }
                rest = &[];
                break Next::Close;
            }
            if self.take(&event, engine, out, now).is_err() {
                // Nothing that cannot be done again has happened: see `LINE_CAPACITY`.
                out.truncate(waiting);
                self.decoder = before;
                break if waiting > 0 { Next::Write } else { Next::Close };
            }
            rest = rest.get(consumed..).unwrap_or(&[]);
            if waited && !self.decoder.is_in_value() {
                waited = false;
                self.held_from = out.as_slice().len();
            }
        };
        Fed { consumed: input.len().saturating_sub(rest.len()), next }
    }

    fn take<S: Store>(
        &mut self,
        event: &RequestEvent<'_>,
        engine: &mut Engine<S>,
        out: &mut (impl Buffer + ?Sized),
        now: UnixTime,
    ) -> Result<(), Full> {
        match *event {
            RequestEvent::Get(verb) => {
                self.doing = Doing::Get(verb);
            }
            RequestEvent::Key(key) => {
                if let Doing::Get(verb) = self.doing {
                    return get(verb, key, engine, out, now);
                }
            }
            RequestEvent::GetEnd => {
                Event::End.encode(out)?;
                self.doing = Doing::Nothing;
                self.held_from = out.as_slice().len();
            }
            RequestEvent::Meta(line) => return answer(&line, engine, out, now),
            RequestEvent::MetaNoop => {
                let flags = ReturnFlags::default();
                Event::Meta(MetaHead { code: MetaCode::Noop, len: 0, flags }).encode(out)?;
                self.held_from = out.as_slice().len();
            }
            RequestEvent::MetaStore(line) => self.begin_meta(&line, engine),
            RequestEvent::ClusterConfig => return cluster_config(engine, out, now),
            // They are for the insides of memcached.
            RequestEvent::Admin(_) => return Event::Error(Refusal::UnknownCommand.line()).encode(out),
            RequestEvent::Store(head) => self.begin_value(&head, engine),
            RequestEvent::Data(piece) => self.take_data(piece, engine),
            RequestEvent::StoreEnd => return self.end_value(engine, out, now),
            RequestEvent::Delete { key, noreply } => {
                let status = if engine.delete(key, now) { Status::Deleted } else { Status::NotFound };
                return reply(noreply, &Event::Status(status), out);
            }
            RequestEvent::Arith { verb, key, delta, noreply } => {
                let event = match engine.arith(verb, key, delta, now) {
                    Ok(Some(number)) => Event::Number(number),
                    Ok(None) => Event::Status(Status::NotFound),
                    Err(refusal) => Event::Error(refusal.line()),
                };
                return reply(noreply, &event, out);
            }
            RequestEvent::Touch { key, exptime, noreply } => {
                let status = if engine.touch(key, exptime, now) { Status::Touched } else { Status::NotFound };
                return reply(noreply, &Event::Status(status), out);
            }
            RequestEvent::FlushAll { delay, noreply } => {
                engine.flush_all(delay, now);
                return reply(noreply, &Event::Status(Status::Ok), out);
            }
            RequestEvent::Verbosity { noreply, .. } => {
                return reply(noreply, &Event::Status(Status::Ok), out);
            }
            RequestEvent::Version => return Event::Version(engine.config().version.as_bytes()).encode(out),
            RequestEvent::Stats(args) => return stats(args, engine, out, now),
            RequestEvent::Refused { refusal, noreply } => {
                match core::mem::replace(&mut self.doing, Doing::Nothing) {
                    // memcached does not look at the end of what it swallows.
                    Doing::Swallow { refusal, noreply } => {
                        return reply(noreply, &Event::Error(refusal.line()), out);
                    }
                    // A key that is too long.
                    Doing::Get(_) if refusal == Refusal::BadFormat => out.truncate(self.held_from),
                    Doing::Get(_) | Doing::Nothing | Doing::Store(_) | Doing::MetaStore(_) => {}
                }
                return reply(noreply, &Event::Error(refusal.line()), out);
            }
            RequestEvent::Skipped | RequestEvent::Quit | RequestEvent::Close => {}
        }
        Ok(())
    }

    fn begin_value<S: Store>(&mut self, head: &StoreHead<'_>, engine: &mut Engine<S>) {
        self.value.truncate(0);
        self.key.truncate(0);
        // Keys are never longer than the buffer for them.
        let admitted = engine.admit(head).and_then(|()| self.key.put(head.key).or(Err(Refusal::BadFormat)));
        self.doing = match admitted {
            Ok(()) => Doing::Store(StoreHead { key: &[], ..*head }),
            Err(refusal) => Doing::Swallow { refusal, noreply: head.noreply },
        };
    }

    fn begin_meta<S: Store>(&mut self, line: &MetaLine<'_>, engine: &mut Engine<S>) {
        self.value.truncate(0);
        self.key.truncate(0);
        let mut scratch = [0; MAX_KEY_LEN];
        let key = line.key(&mut scratch);
        let head = MetaStore::of(line);
        let admitted = engine.meta_admit(key, head.flags, line.len);
        self.doing = match admitted.and_then(|()| self.key.put(key).or(Err(Refusal::BadFormat))) {
            Ok(()) => Doing::MetaStore(head),
            Err(refusal) => Doing::Swallow { refusal, noreply: false },
        };
    }

    fn take_data<S: Store>(&mut self, piece: &[u8], engine: &mut Engine<S>) {
        let head = match self.doing {
            Doing::Store(head) => head,
            Doing::MetaStore(_) => {
                let verb = StoreVerb::Set;
                StoreHead { verb, key: &[], flags: 0, exptime: 0, len: 0, noreply: false }
            }
            _ => return,
        };
        if self.value.put(piece).is_err() {
            let refusal = engine.out_of_memory(&StoreHead { key: self.key.as_slice(), ..head });
            self.doing = Doing::Swallow { refusal, noreply: head.noreply };
        }
    }

    fn end_value<S: Store>(
        &mut self,
        engine: &mut Engine<S>,
        out: &mut (impl Buffer + ?Sized),
        now: UnixTime,
    ) -> Result<(), Full> {
        let head = match self.doing {
            Doing::Store(head) => head,
            Doing::MetaStore(head) => {
                head.store(self.key.as_slice(), self.value.as_slice(), engine, out, now)?;
                self.doing = Doing::Nothing;
                return Ok(());
            }
            Doing::Swallow { refusal, noreply } => {
                self.doing = Doing::Nothing;
                return reply(noreply, &Event::Error(refusal.line()), out);
            }
            Doing::Nothing | Doing::Get(_) => return Ok(()),
        };
        self.doing = Doing::Nothing;
        let head = StoreHead { key: self.key.as_slice(), ..head };
        let event = match engine.store_value(&head, self.value.as_slice(), now) {
            Ok(StoreOutcome::Stored) => Event::Status(Status::Stored),
            Ok(StoreOutcome::NotStored) => Event::Status(Status::NotStored),
            Ok(StoreOutcome::Exists) => Event::Status(Status::Exists),
            Ok(StoreOutcome::NotFound) => Event::Status(Status::NotFound),
            Err(refusal) => Event::Error(refusal.line()),
        };
        reply(head.noreply, &event, out)
    }
}

fn reply(noreply: bool, event: &Event<'_>, out: &mut (impl Buffer + ?Sized)) -> Result<(), Full> {
    if noreply { Ok(()) } else { event.encode(out) }
}

fn get<S: Store>(
    verb: GetVerb,
    key: &[u8],
    engine: &mut Engine<S>,
    out: &mut (impl Buffer + ?Sized),
    now: UnixTime,
) -> Result<(), Full> {
    let item = match verb.exptime() {
        Some(exptime) => engine.get_and_touch(key, exptime, now),
        None => engine.get(key, now),
    };
    let Some(item) = item else { return Ok(()) };
    let cas = verb.has_cas().then_some(item.cas);
    Event::Value(ItemHead { key, flags: item.flags, len: item.value.len(), cas }).encode(out)?;
    Event::Data(item.value).encode(out)?;
    Event::ValueEnd.encode(out)
}

/// Answers `config get cluster` with the item that older servers have their configuration in. Without one, the command is as
/// unknown as to a memcached.
fn cluster_config<S: Store>(
    engine: &mut Engine<S>,
    out: &mut (impl Buffer + ?Sized),
    now: UnixTime,
) -> Result<(), Full> {
    let Some(item) = engine.get(CLUSTER_KEY, now) else {
        return Event::Error(Refusal::UnknownCommand.line()).encode(out);
    };
    let len = Digits::of(item.value.len() as u64);
    out.put_all(&[b"CONFIG cluster 0 ", len.as_bytes(), b"\r\n", item.value, b"\r\nEND\r\n"])
}

fn stats<S: Store>(
    args: &[u8],
    engine: &mut Engine<S>,
    out: &mut (impl Buffer + ?Sized),
    now: UnixTime,
) -> Result<(), Full> {
    let mut put = Ok(());
    let mut each = |name: &str, value: &[u8]| {
        if put.is_ok() {
            put = Event::Stat { name: name.as_bytes(), value }.encode(out);
        }
    };
    match args {
        b"" => engine.stats(now, each),
        b"settings" => engine.settings(each),
        b"sizes" => each("sizes_status", b"disabled"),
        b"items" | b"slabs" | b"conns" => {}
        b"reset" => {
            engine.reset_stats();
            return Event::Status(Status::Reset).encode(out);
        }
        _ => return Event::Error(Refusal::UnknownCommand.line()).encode(out),
    }
    put?;
    Event::End.encode(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{OutOfMemory, Record, Side, Usage};

    /// A store in which there is nothing.
    struct Empty;

    impl Store for Empty {
        fn find(&mut self, _: &[u8]) -> Option<(&mut Record, &[u8])> {
            None
        }

        fn put(&mut self, _: &[u8], _: Record, _: &[u8]) -> Result<(), OutOfMemory> {
            Err(OutOfMemory)
        }

        fn extend(&mut self, _: &[u8], _: Side, _: &[u8]) -> Result<(), OutOfMemory> {
            Ok(())
        }

        fn remove(&mut self, _: &[u8]) -> bool {
            false
        }

        fn clear(&mut self) {}

        fn usage(&self) -> Usage {
            Usage::default()
        }
    }

    #[test]
    fn a_refusal_takes_nothing_back_but_its_own_get() {
        let mut engine = Engine::new(Empty);
        let mut session = Session::new(ArrayBuffer::<0>::new());
        let mut out = ArrayBuffer::<256>::new();
        let fed =
            session.feed(b"get a\r\nstats items\r\nbogus\r\n", &mut engine, &mut out, UnixTime::default());
        assert_eq!(fed.next, Next::Read);
        assert_eq!(out.as_slice(), b"END\r\nEND\r\nERROR\r\n");
    }
}
