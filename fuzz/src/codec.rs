//! Laws of the codec, both sides of the wire.

use arbitrary::Arbitrary;
use memring_text::{
    Exchange, Get, Key, Limits, Request, Store, Value,
    buffer::{Buffer, SliceBuffer},
    exchange::{ExchangeState, Progress, ProtocolError},
    reply::{DecodeError, Event, ReplyDecoder, Step},
    request::{
        Abandoned, Arith, ArithVerb, Delete, Expected, FlushAll, FlushDelay, GetVerb, Keys, ReplyShape,
        StatsKind, StoreVerb, Touch, Verbosity,
    },
    server::{
        Engine, EngineConfig, MemoryStore, Next, Reading, Refusal, RequestDecoder, RequestEvent, Session,
        StoreHead,
    },
    ttl::UnixTime,
    value::MAX_VALUE_LEN,
};

use crate::connection::{calls_agree, guards_agree};

/// What one side sends, and where it is cut. The bytes come last, so that a seed is a transcript behind a short head.
#[derive(Arbitrary, Debug)]
pub struct Stream<'a> {
    cuts: [u16; 3],
    /// Which requests the bytes answer, or how a server reads them.
    pub(crate) asked: [u8; 2],
    pub(crate) bytes: &'a [u8],
}

impl Stream<'_> {
    /// Where a piece ends: in one go, byte by byte, and at the cuts.
    pub(crate) fn ways(&self) -> [Vec<usize>; 3] {
        let len = self.bytes.len();
        let mut cuts: Vec<_> = self.cuts.iter().map(|cut| usize::from(*cut) % (len + 1)).collect();
        cuts.sort_unstable();
        cuts.push(len);
        [vec![len], (1..=len).collect(), cuts]
    }
}

/// Gives `decode` more and more of `bytes`, up to each of `ends`, until it fails.
fn feed<E>(
    bytes: &[u8],
    ends: &[usize],
    mut decode: impl FnMut(&[u8]) -> Result<Option<usize>, E>,
) -> (usize, Option<E>) {
    let mut from = 0;
    for &to in ends {
        loop {
            match decode(&bytes[from..to]) {
                Ok(Some(consumed)) => {
                    assert!(consumed <= to - from, "consumed more than there is");
                    from += consumed;
                }
                Ok(None) => break,
                Err(error) => return (from, Some(error)),
            }
        }
    }
    (from, None)
}

/// However a reply is cut, and whichever key is expected, its events are the same; an error is final; and written
/// again, the events are read again.
pub fn reply_cuts_agree(stream: &Stream<'_>) {
    let limits = match stream.asked[0] % 3 {
        0 => Limits::DEFAULT,
        1 => Limits { value: usize::MAX, ..Limits::DEFAULT },
        _ => Limits { line: 64, value: 100, items: 3, stats: 3 },
    };
    let names = item_keys(stream.bytes);
    let key = names.get(usize::from(stream.asked[1])).or(names.first()).copied();
    let whole = replies(stream.bytes, &[stream.bytes.len()], limits, None);
    for ends in stream.ways() {
        assert_eq!(replies(stream.bytes, &ends, limits, None), whole);
        assert_eq!(replies(stream.bytes, &ends, limits, key), whole);
    }
    let mut at_once = Vec::new();
    let read =
        ReplyDecoder::new(limits).decode_each(stream.bytes, |event| event.encode(&mut at_once).unwrap());
    assert_eq!((&at_once, read.err()), (&whole.0, whole.2));
    assert!(read.is_err() || read == Ok(whole.1));
    let (written, ..) = whole;
    // Of a name without a value, the space behind it is written too.
    let longer = Limits { line: limits.line + 1, ..limits };
    let (again, read, error) = replies(&written, &[written.len()], longer, key);
    assert_eq!((&again, read, error), (&written, written.len(), None));
}

/// The events as a server would write them, how much was read, and the error.
fn replies(
    bytes: &[u8],
    ends: &[usize],
    limits: Limits,
    key: Option<&[u8]>,
) -> (Vec<u8>, usize, Option<DecodeError>) {
    let mut decoder = ReplyDecoder::new(limits);
    let mut written = Vec::new();
    let (read, error) = feed(bytes, ends, |buf| {
        Ok(match decoder.decode_expecting(buf, key)? {
            Step::Event { consumed, event } => {
                assert!(consumed > 0, "no progress");
                if let Event::Value(head) = event {
                    assert!(head.len <= limits.value.max(MAX_VALUE_LEN));
                }
                event.encode(&mut written).unwrap();
                Some(consumed)
            }
            Step::NeedMore => None,
        })
    });
    if let Some(error) = error {
        for later in [bytes, b"END\r\n", b""] {
            assert_eq!(decoder.decode(later), Err(error), "an error is final");
        }
    }
    (written, read, error)
}

/// The words that stand where the keys of items do, if they are keys.
pub(crate) fn item_keys(bytes: &[u8]) -> Vec<&[u8]> {
    const WORD: &[u8] = b"VALUE ";
    let starts = bytes.windows(WORD.len()).enumerate().filter(|(_, window)| *window == WORD);
    let words = starts.map(|(at, _)| {
        let rest = &bytes[at + WORD.len()..];
        rest.split(|byte| *byte == b' ').next().unwrap_or(rest)
    });
    words.filter(|word| Key::new(word).is_ok()).take(64).collect()
}

/// However a reply is cut, it is paired with the same requests; only items that were asked for come through; and
/// once a connection is out of step, nothing does.
pub fn exchange_cuts_agree(stream: &Stream<'_>) {
    let names = item_keys(stream.bytes);
    let queue = stream.asked.map(|which| Asked::number(which, &names));
    let [whole, bytewise, cut] = stream.ways().map(|ends| pair(stream.bytes, &ends, &queue));
    assert_eq!(bytewise, whole);
    assert_eq!(cut, whole);
    assert_eq!(pair_at_once(stream.bytes, &queue), (whole.0, whole.2));
    calls_agree(stream);
}

/// A request as an exchange sees it.
#[derive(Debug)]
enum Asked<'a> {
    Keys(Keys<'a, &'a [u8]>),
    Shape(ReplyShape),
    Abandoned,
}

impl<'a> Asked<'a> {
    fn number(which: u8, names: &'a [&'a [u8]]) -> Self {
        let shape = match which % 12 {
            0 | 1 => return Self::Keys(Keys { keys: names, cas: which % 12 == 1 }),
            2 => return Self::Keys(Keys { keys: &names[names.len() / 2..], cas: false }),
            3 => ReplyShape::Store,
            4 => ReplyShape::Cas,
            5 => ReplyShape::Delete,
            6 => ReplyShape::Touch,
            7 => ReplyShape::Arith,
            8 => ReplyShape::Ok,
            9 => ReplyShape::Version,
            10 => ReplyShape::Stats,
            _ => return Self::Abandoned,
        };
        Self::Shape(shape)
    }
}

impl Expected for Asked<'_> {
    fn shape(&self) -> ReplyShape {
        match self {
            Self::Keys(keys) => keys.shape(),
            Self::Shape(shape) => *shape,
            Self::Abandoned => Abandoned.shape(),
        }
    }

    fn key(&self, index: usize) -> Option<&[u8]> {
        match self {
            Self::Keys(keys) => keys.key(index),
            _ => None,
        }
    }
}

/// The events of each request's reply, how far they go, and how it ended.
fn pair(bytes: &[u8], ends: &[usize], queue: &[Asked<'_>]) -> (Vec<Vec<u8>>, usize, Option<ProtocolError>) {
    let mut exchange = Exchange::default();
    let mut told = vec![Vec::new()];
    queue.iter().for_each(|_| exchange.sent());
    let (read, error) = feed(bytes, ends, |buf| {
        let oldest = queue.get(told.len() - 1).unwrap_or(&Asked::Abandoned);
        let owed = exchange.owed();
        Ok::<_, ProtocolError>(match exchange.decode(buf, oldest)? {
            Progress::Event { consumed, event, index, complete } => {
                if let (Event::Value(head), Asked::Keys(keys)) = (event, oldest) {
                    assert_eq!(keys.keys[index], head.key);
                    assert_eq!(head.cas.is_some(), keys.cas);
                }
                assert!(consumed > 0 || complete, "no progress");
                event.encode(told.last_mut().unwrap()).unwrap();
                assert_eq!(exchange.owed(), owed - usize::from(complete));
                if complete {
                    told.push(Vec::new());
                }
                Some(consumed)
            }
            Progress::NeedMore => None,
        })
    });
    if let Some(error) = error {
        assert_eq!(exchange.state(), ExchangeState::MustClose);
        assert_eq!(exchange.decode(b"END\r\n", &Abandoned), Err(error), "an error is final");
    }
    (told, read, error)
}

/// The same, every reply in one step.
fn pair_at_once(bytes: &[u8], queue: &[Asked<'_>]) -> (Vec<Vec<u8>>, Option<ProtocolError>) {
    let mut exchange = Exchange::default();
    let mut told = vec![Vec::new()];
    queue.iter().for_each(|_| exchange.sent());
    let mut rest = bytes;
    loop {
        let oldest = queue.get(told.len() - 1).unwrap_or(&Asked::Abandoned);
        let events = told.last_mut().unwrap();
        match exchange.decode_each(rest, oldest, |event, _| event.encode(events).unwrap()) {
            Ok(taken) => {
                rest = &rest[taken.consumed..];
                if !taken.complete {
                    return (told, None);
                }
                told.push(Vec::new());
            }
            Err(error) => return (told, Some(error)),
        }
    }
}

/// However requests are cut, a server reads the same ones. (But as memcached does, it takes a line of more than 2048
/// bytes only where that comes in one piece.)
pub fn request_cuts_agree(stream: &Stream<'_>) {
    let reading = if stream.asked[0].is_multiple_of(2) { Reading::AsMemcached } else { Reading::Strict };
    let [whole, bytewise, cut] = stream.ways().map(|ends| requests(stream.bytes, &ends, reading));
    if reading == Reading::AsMemcached {
        assert_eq!(whole.1, None, "read as memcached does, there are no errors");
        if closes(&bytewise.0) {
            return;
        }
    }
    assert_eq!(bytewise, whole);
    assert_eq!(cut, whole);
}

fn closes(told: &[Asking]) -> bool {
    told.contains(&Asking::Event(format!("{:?}", RequestEvent::Close)))
}

/// What was read: an event as text, or the bytes of a value.
#[derive(Debug, PartialEq)]
enum Asking {
    Event(String),
    Key(Vec<u8>),
    Data(Vec<u8>),
}

fn requests(bytes: &[u8], ends: &[usize], reading: Reading) -> (Vec<Asking>, Option<DecodeError>) {
    let mut decoder = RequestDecoder::new(reading);
    let mut told = Vec::new();
    let (_, error) = feed(bytes, ends, |buf| {
        Ok(match decoder.decode(buf)? {
            Step::Event { consumed, event } => {
                assert!(consumed > 0, "no progress");
                match (event, told.last_mut()) {
                    (RequestEvent::Data(piece), Some(Asking::Data(data))) => data.extend_from_slice(piece),
                    (RequestEvent::Data(piece), _) => told.push(Asking::Data(piece.to_vec())),
                    (RequestEvent::Key(key), _) => told.push(Asking::Key(key.to_vec())),
                    // How much is passed by at a time depends on the cut.
                    (RequestEvent::Skipped, _) => {}
                    (event, _) => told.push(Asking::Event(format!("{event:?}"))),
                }
                Some(consumed)
            }
            Step::NeedMore => None,
        })
    });
    if let Some(error) = error {
        assert_eq!(decoder.decode(b"version\r\n"), Err(error), "an error is final");
    }
    (told, error)
}

/// However requests are cut, a session answers them the same, and every answer can be read. (But as memcached does, it
/// forgets answers that came in the same piece as a key that is too long, or as a line that closes.)
pub fn sessions_answer(stream: &Stream<'_>) {
    let [whole, bytewise, cut] = stream.ways().map(|ends| answers(stream.bytes, &ends));
    let (told, _) =
        requests(stream.bytes, &(1..=stream.bytes.len()).collect::<Vec<_>>(), Reading::AsMemcached);
    let refused = RequestEvent::Refused { refusal: Refusal::BadFormat, noreply: false };
    if !closes(&told) && !told.contains(&Asking::Event(format!("{refused:?}"))) {
        assert_eq!(bytewise, whole);
        assert_eq!(cut, whole);
    }
    guards_agree(stream);
    let any = Limits { items: u32::MAX, stats: u32::MAX, ..Limits::DEFAULT };
    let (_, read, error) = replies(&whole, &[whole.len()], any, None);
    assert_eq!((read, error), (whole.len(), None));

    // With little room to answer in, nothing is said twice. (What is tried twice is counted twice.)
    let told = told_for_good(&whole);
    let narrow = answers_through(stream.bytes, &mut [0; 700]);
    assert!(told.starts_with(told_for_good(&narrow)) || narrow.starts_with(told));
}

/// The answers before the first that depends on how much could be written when: counters, and the refusal of a get,
/// which takes items back that are not written yet.
fn told_for_good(answers: &[u8]) -> &[u8] {
    let is_refusal = |at: &usize| {
        [&b"STAT "[..], b"CLIENT_ERROR bad command"].iter().any(|word| answers[*at..].starts_with(word))
    };
    let end = (0..answers.len()).find(is_refusal).unwrap_or(answers.len());
    &answers[..end]
}

pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

pub(crate) fn engine() -> Engine<MemoryStore> {
    let config = EngineConfig { item_size_max: 600, ..EngineConfig::default() };
    Engine::with_config(MemoryStore::new(4096), config)
}

fn answers(bytes: &[u8], ends: &[usize]) -> Vec<u8> {
    let (mut engine, mut session) = (engine(), Session::new(Vec::new()));
    let (mut out, mut all) = (Vec::new(), Vec::new());
    let mut from = 0;
    for &to in ends {
        loop {
            let fed = session.feed(&bytes[from..to], &mut engine, &mut out, NOW);
            from += fed.consumed;
            assert!(from <= to);
            // What can wait is not written, because the refusal of a get takes back what is not.
            match fed.next {
                Next::Read => break,
                Next::Write => all.append(&mut out),
                Next::Close => break,
            }
        }
    }
    all.append(&mut out);
    all
}

fn answers_through(bytes: &[u8], room: &mut [u8]) -> Vec<u8> {
    let (mut engine, mut session) = (engine(), Session::new(Vec::new()));
    let (mut all, mut from) = (Vec::new(), 0);
    loop {
        let mut out = SliceBuffer::new(room);
        let fed = session.feed(&bytes[from..], &mut engine, &mut out, NOW);
        from += fed.consumed;
        assert!(fed.next != Next::Write || !out.as_slice().is_empty(), "no progress");
        all.extend_from_slice(out.as_slice());
        if fed.next != Next::Write {
            return all;
        }
    }
}

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
pub struct AnyKey(Vec<u8>);

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
struct Sent<'k> {
    bytes: Vec<u8>,
    read: Vec<Asking>,
    keys: Option<Keys<'k, Key<'k>>>,
    shape: ReplyShape,
}

impl AnyRequest {
    /// Calls `with` with the request, sent.
    fn send<T>(&self, with: impl FnOnce(Sent<'_>) -> T) -> T {
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

/// What a client writes is read back as what it meant, strictly and as memcached reads; many requests like one.
pub fn requests_round_trip(list: &[AnyRequest]) {
    let (mut bytes, mut meant) = (Vec::new(), Vec::new());
    for request in list {
        request.send(|sent| {
            bytes.extend_from_slice(&sent.bytes);
            meant.extend(sent.read);
        });
        if matches!(request, AnyRequest::Quit) {
            break;
        }
    }
    for reading in [Reading::Strict, Reading::AsMemcached] {
        let (read, error) = requests(&bytes, &[bytes.len()], reading);
        assert_eq!((&read, error), (&meant, None));
    }
}

/// Our client and our server understand each other: every request has the reply it waits for, and no other.
pub fn client_and_server_agree(list: &[AnyRequest]) {
    let (mut engine, mut session) = (engine(), Session::new(Vec::new()));
    let mut exchange = Exchange::default();
    for request in list {
        let closed = request.send(|sent| {
            let mut out = Vec::new();
            let fed = session.feed(&sent.bytes, &mut engine, &mut out, NOW);
            let shape = Asked::Shape(sent.shape);
            if sent.shape != ReplyShape::Nothing {
                exchange.sent();
            }
            let mut rest = &out[..];
            while exchange.owed() > 0 {
                let progress = match &sent.keys {
                    Some(keys) => exchange.decode(rest, keys),
                    None => exchange.decode(rest, &shape),
                };
                match progress {
                    Ok(Progress::Event { consumed, .. }) => rest = &rest[consumed..],
                    other => panic!("{other:?} instead of the reply to {request:?}"),
                }
            }
            assert_eq!(rest, b"", "bytes nobody asked for");
            // Our server does not know every kind of statistics, and after an unknown command a client starts anew.
            match &out[..] {
                b"ERROR\r\n" => exchange = Exchange::default(),
                _ => assert_eq!(exchange.state(), ExchangeState::Idle, "after {request:?}"),
            }
            fed.next == Next::Close
        });
        assert_eq!(closed, matches!(request, AnyRequest::Quit));
        if closed {
            break;
        }
    }
}

/// Bytes that want to be a key, and a value for it.
#[derive(Arbitrary, Debug)]
pub struct Smuggled<'a> {
    request: AnyRequest,
    key: &'a [u8],
}

/// Bytes that are accepted as a key make exactly one request, whatever they are and whatever the value is.
pub fn accepted_keys_make_one_request(smuggled: &Smuggled<'_>) {
    let bad = |byte: &u8| *byte <= b' ' || *byte == 0x7f;
    let valid = (1..=250).contains(&smuggled.key.len()) && !smuggled.key.iter().any(bad);
    assert_eq!(Key::new(smuggled.key).is_ok(), valid);
    if !valid {
        return;
    }
    let mut request = smuggled.request.clone();
    match &mut request {
        AnyRequest::Get { keys, .. } => keys.insert(0, AnyKey(smuggled.key.to_vec())),
        AnyRequest::Store { key, .. }
        | AnyRequest::Delete { key, .. }
        | AnyRequest::Arith { key, .. }
        | AnyRequest::Touch { key, .. } => *key = AnyKey(smuggled.key.to_vec()),
        _ => {}
    }
    if !matches!(request, AnyRequest::Quit) {
        requests_round_trip(&[request, AnyRequest::Version]);
    }
}

#[cfg(test)]
mod tests {
    use arbitrary::Unstructured;

    use super::*;
    use crate::{
        meta::{AnyMeta, meta_is_answered, meta_round_trips},
        transcripts::{self, Way},
    };

    /// Calls `law` with `bytes` under every setting.
    fn try_all(bytes: &[u8], law: fn(&Stream<'_>)) {
        for number in 0..12 {
            let cuts = [1, 2, 3].map(|cut| cut * (number + 2));
            law(&Stream { cuts, asked: [number as u8, 11 - number as u8], bytes });
        }
    }

    #[test]
    fn the_replies_of_real_servers_obey() {
        for bytes in transcripts::all(Way::Replies).iter().filter(|bytes| bytes.len() < 5000) {
            try_all(bytes, reply_cuts_agree);
            try_all(bytes, exchange_cuts_agree);
        }
    }

    #[test]
    fn replies_that_once_broke_a_law_obey() {
        for bytes in [&b"key=a\r\r\n"[..], b"key=a b\r\r\n", b"key=a b\r\nEND\r\n"] {
            try_all(bytes, reply_cuts_agree);
            try_all(bytes, exchange_cuts_agree);
        }
    }

    #[test]
    fn the_requests_of_real_clients_obey() {
        for bytes in transcripts::all(Way::Requests).iter().filter(|bytes| bytes.len() < 5000) {
            try_all(bytes, request_cuts_agree);
            try_all(bytes, sessions_answer);
        }
    }

    #[test]
    fn typed_requests_obey() {
        let mut noise: Vec<u8> = (0..2000_u32).map(|number| (number * number / 7 % 251) as u8).collect();
        for round in 0..500 {
            noise.rotate_left(3);
            let noise = &noise[..round * 3];
            let list = Vec::<AnyRequest>::arbitrary_take_rest(Unstructured::new(noise)).unwrap();
            requests_round_trip(&list);
            client_and_server_agree(&list);
            let list = Vec::<AnyMeta>::arbitrary_take_rest(Unstructured::new(noise)).unwrap();
            meta_round_trips(&list);
            meta_is_answered(&list);
            let smuggled = Smuggled::arbitrary_take_rest(Unstructured::new(noise)).unwrap();
            accepted_keys_make_one_request(&smuggled);
        }
    }
}
