//! Meta requests answered: what the engine does about an item, and the flags that come back, in the order asked.
//!
//! Source: memcached 1.6.18 `proto_text.c`, `process_mget_command` and its neighbours.

use super::{
    engine::Engine,
    item_size::slab_class,
    meta_line::MetaLine,
    request_event::Refusal,
    store::{Record, Store},
};
use crate::{
    base64,
    buffer::{ArrayBuffer, Buffer, Full},
    key::MAX_KEY_LEN,
    meta::{ArithMode, MetaCode, MetaHead, MetaVerb, Opaque, ReturnFlags, SetMode},
    number::Digits,
    reply::Event,
    request::ArithVerb,
    ttl::UnixTime,
};

/// As many bytes as the longest line of a meta reply.
pub(super) const META_CAPACITY: usize = 448;

/// Answers `mg`, `md`, `ma` and `me`.
pub(super) fn answer<S: Store>(
    line: &MetaLine<'_>,
    engine: &mut Engine<S>,
    out: &mut (impl Buffer + ?Sized),
    now: UnixTime,
) -> Result<(), Full> {
    let mut scratch = [0; MAX_KEY_LEN];
    let asked = Asked { line, key: line.key(&mut scratch), now };
    // A win is given once, so there must be capacity for the answer before anything is done.
    let len = engine.value_len(asked.key, now).unwrap_or(0);
    let needed = META_CAPACITY.saturating_add(len);
    if out.free() < needed {
        return Err(Full { needed, given: out.free() });
    }
    match line.verb {
        MetaVerb::Get => asked.get(engine, out),
        MetaVerb::Delete => asked.delete(engine, out),
        MetaVerb::Arith => asked.arith(len, engine, out),
        _ => asked.debug(engine, out),
    }
}

/// What is asked about which key, and when.
#[derive(Clone, Copy)]
struct Asked<'l> {
    line: &'l MetaLine<'l>,
    key: &'l [u8],
    now: UnixTime,
}

impl Asked<'_> {
    fn get<S: Store>(self, engine: &mut Engine<S>, out: &mut (impl Buffer + ?Sized)) -> Result<(), Full> {
        let Self { line, key, now } = self;
        let created = match (engine.meta_find(key, now), line.exptime(b'N')) {
            (true, _) => false,
            (false, Some(_)) => {
                if engine.meta_create(key, b"", now).is_err() {
                    return Event::Error(Refusal::OutOfMemory.line()).encode(out);
                }
                true
            }
            (false, None) if line.has(b'q') && !line.has_long_opaque() => return Ok(()),
            (false, None) => return self.fail(MetaCode::Miss, out),
        };
        let clock = engine.clock(now);
        let Some((record, value)) = engine.meta_item(key) else { return self.fail(MetaCode::Miss, out) };
        let mut flags = Composed::new();
        let mut won = created;
        for (letter, token) in line.flags() {
            match letter {
                b'T' => record.expires = clock.expires_at(line.exptime(b'T').unwrap_or(0)),
                b'N' if created => record.expires = clock.expires_at(line.exptime(b'N').unwrap_or(0)),
                b'R' => {
                    let recache = clock.expires_at(line.exptime(b'R').unwrap_or(0));
                    won |= !record.won && !created && record.expires != 0 && record.expires < recache;
                }
                b's' => flags.number(letter, value.len() as u64),
                b't' => flags.ttl(record, now),
                b'c' => flags.number(letter, record.cas),
                b'f' => flags.number(letter, u64::from(record.flags)),
                b'l' => flags.number(letter, now.as_secs().saturating_sub(record.accessed)),
                b'h' => flags.number(letter, u64::from(record.fetched)),
                b'O' if line.has_long_opaque() => {
                    // Where nothing hinges on the item's old state, memcached has noted the fetch before.
                    if !line.has(b'u') && !line.flags().any(|(letter, _)| b"NTRlh".contains(&letter)) {
                        record.use_at(now);
                    }
                    return Event::Error(Refusal::OpaqueTooLong.line()).encode(out);
                }
                b'O' => flags.token(letter, token),
                b'k' => flags.key(key, record.binary_key),
                _ => {}
            }
        }
        if record.won {
            flags.token(b'Z', b"");
        }
        if record.stale {
            flags.token(b'X', b"");
            won |= !record.won;
        }
        if won {
            flags.token(b'W', b"");
            record.won = true;
        }
        if !line.has(b'u') {
            record.use_at(now);
        }
        if !line.has(b'v') {
            return flags.send(MetaCode::Done, 0, out);
        }
        flags.send(MetaCode::Value, value.len(), out)?;
        Event::Data(value).encode(out)?;
        Event::ValueEnd.encode(out)
    }

    fn delete<S: Store>(self, engine: &mut Engine<S>, out: &mut (impl Buffer + ?Sized)) -> Result<(), Full> {
        let Self { line, key, now } = self;
        let Some(record) = engine.meta_record(key, now) else {
            engine.delete(key, now);
            return self.fail(MetaCode::NotFound, out);
        };
        if line.number(b'C').is_some_and(|cas| cas != record.cas) {
            return self.fail(MetaCode::Exists, out);
        }
        if line.has(b'I') {
            let (cas, clock) = (engine.next_cas(), engine.clock(now));
            if let Some((record, _)) = engine.meta_item(key) {
                if let Some(exptime) = line.exptime(b'T') {
                    record.expires = clock.expires_at(exptime);
                }
                (record.stale, record.won, record.cas) = (true, false, cas);
            }
        } else {
            engine.delete(key, now);
        }
        if line.has(b'q') { Ok(()) } else { self.fail(MetaCode::Done, out) }
    }

    fn arith<S: Store>(
        self,
        len: usize,
        engine: &mut Engine<S>,
        out: &mut (impl Buffer + ?Sized),
    ) -> Result<(), Full> {
        let Self { line, key, now } = self;
        let found = engine.meta_record(key, now);
        if let (Some(record), Some(cas)) = (found, line.number(b'C').filter(|cas| *cas != 0)) {
            // An item without a value is refused before its cas unique is looked at.
            if cas != record.cas && len > 0 {
                return self.fail(MetaCode::Exists, out);
            }
        }
        let verb = if line.arith_mode() == ArithMode::Incr { ArithVerb::Incr } else { ArithVerb::Decr };
        let (number, created) = match engine.arith(verb, key, line.number(b'D').unwrap_or(1), now) {
            Ok(Some(number)) => (number, false),
            Ok(None) if line.has(b'N') => {
                let number = line.number(b'J').unwrap_or(0);
                if engine.meta_create(key, Digits::of(number).as_bytes(), now).is_err() {
                    return Event::Error(Refusal::OutOfMemory.line()).encode(out);
                }
                (number, true)
            }
            Ok(None) => return self.fail(MetaCode::NotFound, out),
            Err(refusal) => return Event::Error(refusal.line()).encode(out),
        };
        let digits = Digits::of(number);
        let clock = engine.clock(now);
        let Some((item, _)) = engine.meta_item(key) else { return self.fail(MetaCode::NotFound, out) };
        let mut told = *item;
        // memcached 1.6.18 answers with the new exptime, but forgets it where the number has grown longer.
        let record = if created || digits.as_bytes().len() <= len { item } else { &mut told };
        let mut flags = Composed::new();
        for (letter, token) in line.flags() {
            match letter {
                b'c' => flags.number(letter, record.cas),
                b't' => flags.ttl(record, now),
                b'T' => record.expires = clock.expires_at(line.exptime(b'T').unwrap_or(0)),
                b'N' if created => record.expires = clock.expires_at(line.exptime(b'N').unwrap_or(0)),
                b'O' if line.has_long_opaque() => {
                    return Event::Error(Refusal::OpaqueTooLong.line()).encode(out);
                }
                b'O' => flags.token(letter, token),
                b'k' => flags.key(key, line.has(b'b')),
                _ => {}
            }
        }
        // memcached 1.6.18 tells of a number that it had to make, quiet or not.
        if line.has(b'q') && !created {
            return Ok(());
        }
        if !line.has(b'v') {
            return flags.send(MetaCode::Done, 0, out);
        }
        flags.send(MetaCode::Value, digits.as_bytes().len(), out)?;
        Event::Data(digits.as_bytes()).encode(out)?;
        Event::ValueEnd.encode(out)
    }

    fn debug<S: Store>(self, engine: &mut Engine<S>, out: &mut (impl Buffer + ?Sized)) -> Result<(), Full> {
        let Self { key, now, .. } = self;
        let Some(record) = engine.meta_record(key, now) else { return self.fail(MetaCode::Miss, out) };
        let size = engine.item_size(key);
        let mut name = Composed::new();
        name.key_bytes(key, record.binary_key);
        let left = Digits::of(record.expires.abs_diff(now.as_secs()));
        let left = if record.expires == 0 { b"1" } else { left.as_bytes() };
        let last = Digits::of(now.as_secs().saturating_sub(record.accessed));
        let (cas, class, size) =
            (Digits::of(record.cas), Digits::of(slab_class(size)), Digits::of(size as u64));
        let fetched: &[u8] = if record.fetched { b"yes" } else { b"no" };
        // The sign is 1.6.18's own, whatever the time left.
        let parts = [
            &b"ME "[..],
            name.0.as_slice(),
            b" exp=-",
            left,
            b" la=",
            last.as_bytes(),
            b" cas=",
            cas.as_bytes(),
            b" fetch=",
            fetched,
            b" cls=",
            class.as_bytes(),
            b" size=",
            size.as_bytes(),
            b"\r\n",
        ];
        out.put_all(&parts)
    }

    /// An answer without an item: the opaque and the key come back, in the form in which they came.
    fn fail(self, code: MetaCode, out: &mut (impl Buffer + ?Sized)) -> Result<(), Full> {
        let Self { line, key, .. } = self;
        let mut flags = Composed::new();
        for (letter, token) in line.flags() {
            match letter {
                _ if line.verb == MetaVerb::Debug => break,
                b'O' if line.has_long_opaque() => {
                    return Event::Error(Refusal::OpaqueTooLong.line()).encode(out);
                }
                b'O' => flags.token(letter, token),
                b'k' => flags.key(key, line.has(b'b')),
                _ => {}
            }
        }
        flags.send(code, 0, out)
    }
}

/// What is to be known of an `ms` when its value has come; its key is kept elsewhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct MetaStore {
    pub(super) mode: SetMode,
    pub(super) flags: u32,
    pub(super) exptime: i32,
    pub(super) cas: Option<u64>,
    pub(super) invalidate: bool,
    pub(super) binary_key: bool,
    quiet: bool,
    opaque: Opaque,
    /// The letters that come back, in their order; 0 ends them.
    returns: [u8; 3],
}

impl MetaStore {
    pub(super) fn of(line: &MetaLine<'_>) -> Self {
        let mut returns = [0; 3];
        let letters = line.flags().map(|(letter, _)| letter).filter(|letter| b"ckO".contains(letter));
        returns.iter_mut().zip(letters).for_each(|(slot, letter)| *slot = letter);
        Self {
            mode: line.set_mode(),
            flags: line.number(b'F').unwrap_or(0) as u32,
            exptime: line.exptime(b'T').unwrap_or(0),
            cas: line.number(b'C'),
            invalidate: line.has(b'I'),
            binary_key: line.has(b'b'),
            quiet: line.has(b'q'),
            opaque: Opaque::echo(line.token_of(b'O').unwrap_or(&[])),
            returns,
        }
    }

    /// Stores the value, and answers.
    pub(super) fn store<S: Store>(
        &self,
        key: &[u8],
        value: &[u8],
        engine: &mut Engine<S>,
        out: &mut (impl Buffer + ?Sized),
        now: UnixTime,
    ) -> Result<(), Full> {
        if out.free() < META_CAPACITY {
            return Err(Full { needed: META_CAPACITY, given: out.free() });
        }
        let (code, cas) = match engine.meta_store(self, key, value, now) {
            Ok(done) => done,
            Err(refusal) => return Event::Error(refusal.line()).encode(out),
        };
        if code == MetaCode::Done && self.quiet {
            return Ok(());
        }
        let mut flags = Composed::new();
        for letter in self.returns {
            match letter {
                b'c' => flags.number(letter, cas),
                b'k' => flags.key(key, self.binary_key),
                b'O' => flags.token(letter, self.opaque.as_bytes()),
                _ => {}
            }
        }
        flags.send(code, 0, out)
    }
}

/// Flags of a reply while they are put together. They fit: a key, an opaque, six numbers and three letters.
struct Composed(ArrayBuffer<META_CAPACITY>);

impl Composed {
    const fn new() -> Self {
        Self(ArrayBuffer::new())
    }

    fn put(&mut self, parts: &[&[u8]]) {
        let fits = self.0.put_all(parts);
        debug_assert!(fits.is_ok(), "flags longer than META_CAPACITY");
    }

    fn token(&mut self, letter: u8, token: &[u8]) {
        let space: &[u8] = if self.0.as_slice().is_empty() { b"" } else { b" " };
        self.put(&[space, &[letter], token]);
    }

    fn number(&mut self, letter: u8, number: u64) {
        self.token(letter, Digits::of(number).as_bytes());
    }

    fn ttl(&mut self, record: &Record, now: UnixTime) {
        match record.expires {
            0 => self.token(b't', b"-1"),
            // Printed as 32 bits without a sign, also where the item has ended.
            expires => self.number(b't', u64::from(expires.wrapping_sub(now.as_secs()) as u32)),
        }
    }

    fn key(&mut self, key: &[u8], is_base64: bool) {
        self.token(b'k', b"");
        self.key_bytes(key, is_base64);
        if is_base64 {
            self.token(b'b', b"");
        }
    }

    fn key_bytes(&mut self, key: &[u8], is_base64: bool) {
        if is_base64 {
            key.chunks(3).for_each(|chunk| self.put(&[&base64::encode_chunk(chunk)]));
        } else {
            self.put(&[key]);
        }
    }

    fn send(&self, code: MetaCode, len: usize, out: &mut (impl Buffer + ?Sized)) -> Result<(), Full> {
        Event::Meta(MetaHead { code, len, flags: ReturnFlags::composed(self.0.as_slice()) }).encode(out)
    }
}
