//! Takes standard input for what a server says, for what a client asks, and for keys and values; whole and byte by
//! byte, on both sides of the wire, and through a connection whose server is this same program.
//!
//! The exit status is 0 when all ways agree.
//!
//! `AsyncConnection` is not here: every `async fn` panics when it is polled after its end. But for its reads and writes
//! it is the blocking one.
#![no_std]
#![no_main]

use core::{
    convert::Infallible,
    fmt::{self, Debug, Display, Write as _},
    time::Duration,
};

use memring_text::{
    Abandoned, Admin, Arith, ArithMode, ArithVerb, ArrayBuffer, Automove, BinaryKey, Buffer, Capabilities,
    Connection, ConnectionError, Credentials, DecodeError, Delete, Event, Exchange, ExchangeState, Expected,
    Feature, FlushAll, FlushDelay, Full, Get, GetVerb, ItemCollector, Key, Keys, Limits, MetaArith,
    MetaDebug, MetaDelete, MetaGet, MetaInfo, MetaKey, MetaNoop, MetaSet, Opaque, Operation, Progress,
    ProtocolError, Reply, ReplyDecoder, Request, ServerError, SetMode, SlabClasses, SliceBuffer, SmallGet,
    StatsKind, Status, Step, Store, StoreVerb, Touch, Ttl, UnixTime, Value, Verbosity, Version, WatchKinds,
    server::{
        self, Engine, EngineConfig, Guard, Next, OutOfMemory, Reading, Record, RequestDecoder, RequestEvent,
        Session, Side, StoreHead, Usage,
    },
};

freestanding::program!(main);

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

fn main(input: &[u8]) -> u8 {
    let laws: [fn(&[u8]) -> Option<()>; 11] = [
        replies,
        small_gets,
        exchanges,
        operations,
        requests,
        admin,
        words,
        served,
        engine,
        connections,
        guarded,
    ];
    let broken = laws.iter().position(|law| law(input).is_none());
    broken.map_or(0, |law| (law as u8).wrapping_add(1))
}

/// Everything that is said, in one number.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Digest(u64);

impl Digest {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn debug(&mut self, thing: &dyn Debug) {
        let _ = write!(self, "{thing:?} {thing:#?}");
    }

    fn display(&mut self, thing: &dyn Display) {
        let _ = write!(self, "{thing} {thing:>9}");
    }

    fn error(&mut self, error: &dyn core::error::Error) {
        self.debug(&error);
        self.display(&error);
        if let Some(source) = error.source() {
            self.display(&source);
        }
    }

    fn reply(&mut self, event: &Event<'_>) {
        match event {
            Event::Data(piece) => self.bytes(piece),
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
                self.debug(&line.cas());
                line.unescape().for_each(|byte| self.bytes(&[byte]));
            }
            Event::Notice(notice) => self.bytes(notice.word.word().as_bytes()),
            _ => {}
        }
    }

    fn request(&mut self, event: &RequestEvent<'_>) {
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

/// Gives `decode` the input, `step` more bytes at a time, until it fails or all is there.
fn feed<E>(
    input: &[u8],
    step: usize,
    mut decode: impl FnMut(&[u8]) -> Result<Option<usize>, E>,
) -> Option<E> {
    let (mut from, mut to) = (0_usize, 0_usize);
    while to < input.len() {
        to = to.saturating_add(step).min(input.len());
        loop {
            match decode(input.get(from..to).unwrap_or_default()) {
                Ok(Some(consumed)) => from = from.saturating_add(consumed),
                Ok(None) => break,
                Err(error) => return Some(error),
            }
        }
    }
    None
}

fn tell_replies(
    input: &[u8],
    step: usize,
    limits: Limits,
    key: Option<&[u8]>,
) -> (Digest, Option<DecodeError>) {
    let mut digest = Digest::new();
    let mut decoder = ReplyDecoder::new(limits);
    let error = feed(input, step, |buf| {
        Ok(match decoder.decode_expecting(buf, key)? {
            Step::Event { consumed, event } => {
                digest.reply(&event);
                Some(consumed)
            }
            Step::NeedMore => None,
        })
    });
    if let Some(error) = error {
        digest.error(&error);
        if decoder.is_between_lines() || decoder.decode(input) != Err(error) {
            return (Digest(0), None);
        }
    }
    (digest, error)
}

/// However a reply is cut, and whatever key is expected, the events are the same.
fn replies(input: &[u8]) -> Option<()> {
    let small = Limits { line: 64, value: 100, items: 2, stats: 2 };
    for limits in [Limits::DEFAULT, small] {
        let whole = tell_replies(input, input.len(), limits, None);
        for step in [1, 7] {
            for key in [None, Some(&b"tokyo"[..]), Some(input)] {
                (tell_replies(input, step, limits, key) == whole).then_some(())?;
            }
        }
        let mut at_once = Digest::new();
        let error = ReplyDecoder::new(limits).decode_each(input, |event| at_once.reply(event)).err();
        if let Some(error) = error {
            at_once.error(&error);
        }
        ((at_once, error) == whole).then_some(())?;
    }
    Some(())
}

/// The same for a get in little code.
fn small_gets(input: &[u8]) -> Option<()> {
    let key = Key::new(b"tokyo").ok()?;
    let tell = |step| {
        let mut get = SmallGet::new(key);
        let mut digest = Digest::new();
        get.request().iter().for_each(|piece| digest.bytes(piece));
        let error = feed(input, step, |buf| {
            Ok::<_, ProtocolError>(match get.decode(buf)? {
                Step::Event { consumed, event } => {
                    digest.reply(&event);
                    Some(consumed)
                }
                Step::NeedMore => None,
            })
        });
        digest.debug(&get.clone());
        (digest, error)
    };
    (tell(1) == tell(input.len().max(1))).then_some(())
}

/// Whatever is waited for, an exchange counts right and fails for good.
fn exchanges(input: &[u8]) -> Option<()> {
    let names = [&b"tokyo"[..], b"foo"];
    waits(input, &Abandoned)?;
    waits(input, &Keys { keys: &names, cas: false })?;
    waits(input, &Keys { keys: &names, cas: true })?;
    every_request(input, |request| waits(input, request))?;
    let mut exchange = Exchange::default();
    exchange.closed().ok()?;
    exchange.fail();
    (exchange.state() == ExchangeState::MustClose).then_some(())
}

fn waits(input: &[u8], oldest: &(impl Expected + Debug)) -> Option<()> {
    let tell = |step| {
        let mut digest = Digest::new();
        digest.debug(oldest);
        digest.debug(&oldest.shape());
        let mut exchange = Exchange::new(Limits::DEFAULT);
        exchange.sent();
        exchange.sent();
        let error = feed(input, step, |buf| {
            Ok::<_, ProtocolError>(match exchange.decode(buf, &oldest)? {
                Progress::Event { consumed, event, index, complete } => {
                    digest.reply(&event);
                    if oldest.key(index).is_none() && complete {
                        digest.debug(&exchange.state());
                    }
                    Some(consumed)
                }
                Progress::NeedMore => None,
            })
        });
        if let Some(error) = &error {
            digest.error(error);
        }
        digest.debug(&exchange.owed());
        let closed = exchange.closed();
        (digest, error, closed.is_ok())
    };
    (tell(1) == tell(input.len().max(1))).then_some(())
}

/// Every operation reads its output off any events, and never the same buffer twice.
fn operations(input: &[u8]) -> Option<()> {
    let key = Key::new(b"tokyo").ok()?;
    let store =
        Store { verb: StoreVerb::Set, key, flags: 0, exptime: 0, value: Value::EMPTY, noreply: false };
    come_to(&Get { verb: GetVerb::Get, key }, input, |item| item.map(|item| item.value.as_slice().len()))?;
    come_to(&store, input, |outcome| outcome)?;
    come_to(&Delete { key, noreply: false }, input, |found| found)?;
    come_to(&Touch { key, exptime: 0, noreply: false }, input, |found| found)?;
    come_to(&Arith { verb: ArithVerb::Incr, key, delta: 1, noreply: false }, input, |number| number)?;
    come_to(&FlushAll::default(), input, |()| ())?;
    come_to(&Verbosity { level: 0, noreply: false }, input, |()| ())?;
    come_to(&Version, input, |text| text.as_slice().len())?;
    come_to(&StatsKind::General, input, |stats| (stats.value("pid").is_some(), stats.iter().count()))?;
    let meta = MetaGet::new(key).value();
    come_to(&meta, input, |item| item.map(|item| item.value.as_slice().len()))?;
    come_to(&MetaSet::new(key, Value::EMPTY), input, |outcome| outcome)?;
    come_to(&MetaDelete::new(key), input, |outcome| outcome)?;
    come_to(&MetaArith::new(key).value(), input, |outcome| outcome)?;
    come_to(&MetaDebug::new(key), input, |text| text.map(|text| text.as_slice().len()))?;
    come_to(&MetaNoop, input, |()| ())?;
    come_to(&Admin::CacheMemlimit { megabytes: 64 }, input, |outcome| outcome)?;
    come_to(&Credentials::new(b"user", b"password").ok()?, input, |()| ())?;
    let mut collector = ItemCollector::<ArrayBuffer<64>>::default();
    let mut items = Digest::new();
    let _: Option<DecodeError> = events(input, |event| {
        if let Some(item) = collector.take(event) {
            items.debug(&item);
        }
    });
    (items == Digest::new() || collector.take(&Event::ValueEnd).is_some()).then_some(())
}

fn events(input: &[u8], mut take: impl FnMut(&Event<'_>)) -> Option<DecodeError> {
    let mut decoder = ReplyDecoder::default();
    feed(input, input.len(), |buf| {
        Ok(match decoder.decode(buf)? {
            Step::Event { consumed, event } => {
                take(&event);
                Some(consumed)
            }
            Step::NeedMore => None,
        })
    })
}

fn come_to<O: Operation<ArrayBuffer<512>>, D: Debug>(
    operation: &O,
    input: &[u8],
    show: impl Fn(O::Output) -> D,
) -> Option<()> {
    let mut reply = Reply::new(ArrayBuffer::new());
    events(input, |event| {
        reply.take(event);
        if let Event::Error(line) = event {
            let error = ServerError::from(*line);
            let mut digest = Digest::new();
            digest.error(&error);
            digest.debug(&(
                error.kind(),
                error.word(),
                error.text(),
                error == error.clone(),
                line.keeps_in_step(),
            ));
        }
    });
    let mut digest = Digest::new();
    match operation.output(reply) {
        Ok(output) => digest.debug(&show(output)),
        Err(error) => digest.error(&error),
    }
    operation.request().has_reply().then_some(())
}

/// However requests are cut, the events are the same; and what they make is read back strictly.
fn requests(input: &[u8]) -> Option<()> {
    for reading in [Reading::AsMemcached, Reading::Strict] {
        let tell = |step| {
            let mut digest = Digest::new();
            let mut decoder = RequestDecoder::new(reading);
            let mut read_back = true;
            let error = feed(input, step, |buf| {
                Ok::<_, DecodeError>(match decoder.decode(buf)? {
                    Step::Event { consumed, event } => {
                        digest.request(&event);
                        if let Some(request) = event.request() {
                            read_back = read_back && is_one_request(&request).is_some();
                        }
                        Some(consumed)
                    }
                    Step::NeedMore => None,
                })
            });
            (digest, error, read_back)
        };
        let whole = tell(input.len().max(1));
        (whole.2 && tell(1) == whole && tell(7) == whole).then_some(())?;
    }
    every_request(input, is_one_request)
}

fn is_one_request(request: &Request<'_>) -> Option<()> {
    let parts = request.parts();
    let mut bytes = ArrayBuffer::<2048>::new();
    let mut digest = Digest::new();
    if let Err(full) = request.encode(&mut bytes) {
        digest.error(&full);
        return (full.needed == parts.len() && bytes.as_slice().is_empty()).then_some(());
    }
    digest.debug(&(parts.head.as_bytes(), &parts, parts.is_empty(), request.may_retry(0)));
    let mut decoder = RequestDecoder::new(Reading::Strict);
    let mut events = 0_usize;
    let error = feed(bytes.as_slice(), bytes.as_slice().len(), |buf| {
        Ok::<_, DecodeError>(match decoder.decode(buf)? {
            Step::Event { consumed, event } => {
                events = events.saturating_add(1);
                digest.request(&event);
                Some(consumed)
            }
            Step::NeedMore => None,
        })
    });
    let expected = match (request, request.value()) {
        (Request::Get(_) | Request::Auth(_), _) => 3,
        (_, Some(value)) if value.as_bytes().is_empty() => 2,
        (_, Some(_)) => 3,
        _ => 1,
    };
    (error.is_none() && events == expected).then_some(())
}

/// Calls `each` with requests of every kind, of keys and values from the input.
fn every_request(input: &[u8], each: impl Fn(&Request<'_>) -> Option<()>) -> Option<()> {
    let number = input.iter().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    let (exptime, flags, noreply) = (number as i32, (number >> 20) as u32, number & 1 == 1);
    let value = Value::within(input, 1024).unwrap_or(Value::EMPTY);
    for word in input.split(|byte| byte.is_ascii_whitespace()).chain([&b"noreply"[..]]) {
        let key = match Key::new(word) {
            Ok(key) => key,
            Err(error) => {
                Digest::new().error(&error);
                continue;
            }
        };
        for verb in [GetVerb::Get, GetVerb::Gets, GetVerb::Gat(exptime), GetVerb::Gats(exptime)] {
            each(&Request::Get(Get { verb, key }))?;
        }
        for verb in [
            StoreVerb::Set,
            StoreVerb::Add,
            StoreVerb::Replace,
            StoreVerb::Append,
            StoreVerb::Prepend,
            StoreVerb::Cas(number),
        ] {
            each(&Request::Store(Store { verb, key, flags, exptime, value, noreply }))?;
        }
        for verb in [ArithVerb::Incr, ArithVerb::Decr] {
            each(&Request::Arith(Arith { verb, key, delta: number, noreply }))?;
        }
        meta_requests(key, number, value, &each)?;
        each(&Request::Delete(Delete { key, noreply }))?;
        each(&Request::Touch(Touch { key, exptime, noreply }))?;
    }
    each(&Request::FlushAll(FlushAll { delay: FlushDelay::new(flags), noreply }))?;
    each(&Request::Verbosity(Verbosity { level: flags, noreply }))?;
    each(&Request::Version)?;
    for kind in StatsKind::ALL {
        Digest::new().display(&kind);
        each(&Request::Stats(kind))?;
    }
    match Credentials::new(input, input) {
        Ok(credentials) => each(&Request::Auth(credentials))?,
        Err(error) => Digest::new().error(&error),
    }
    each(&Request::MetaNoop)?;
    each(&Request::Quit)
}

/// Calls `each` with meta requests that have every flag.
fn meta_requests(
    key: Key<'_>,
    number: u64,
    value: Value<'_>,
    each: &impl Fn(&Request<'_>) -> Option<()>,
) -> Option<()> {
    let exptime = number as i32;
    let mut digest = Digest::new();
    let opaque = match Opaque::new(key.as_bytes()) {
        Ok(opaque) => opaque,
        Err(error) => {
            digest.error(&error);
            Opaque::number(number)
        }
    };
    digest.bytes(opaque.as_bytes());
    let binary = match BinaryKey::new(key.as_bytes()) {
        Ok(key) => MetaKey::from(key),
        Err(error) => {
            digest.error(&error);
            MetaKey::from(key)
        }
    };
    for key in [MetaKey::from(key), binary] {
        digest.debug(&(key, key.as_bytes(), key.is_binary()));
        let get = MetaGet::new(key).value().cas().flags().hit().key().last_access().size().ttl().quiet();
        let get = get.opaque(opaque).no_bump().vivify(exptime).recache(exptime).touch(exptime);
        let get = get.unless_cas(number).new_cas(number);
        let set = MetaSet::new(key, value).flags(number as u32).exptime(exptime).mode(SetMode::Append);
        let set = set.if_cas(number).new_cas(number).invalidate().vivify(exptime).cas().key().size();
        let set = set.opaque(opaque).quiet();
        let delete = MetaDelete::new(key).if_cas(number).new_cas(number).mark_stale().exptime(exptime);
        let delete = delete.value_only().key().opaque(opaque).quiet();
        let arith = MetaArith::new(key).mode(ArithMode::Decr).delta(number).vivify(exptime).initial(number);
        let arith = arith.exptime(exptime).if_cas(number).new_cas(number).value().cas().key().ttl();
        let arith = arith.opaque(opaque).quiet();
        let debug = MetaDebug::new(key);
        // What the oldest server knows, which is what ours reads.
        let old = [
            *MetaGet::new(key).value().key().opaque(opaque).quiet().vivify(exptime).request(),
            *MetaSet::new(key, value).flags(7).exptime(exptime).mode(SetMode::Add).if_cas(number).request(),
            *MetaDelete::new(key).mark_stale().exptime(exptime).opaque(opaque).request(),
            *MetaArith::new(key).mode(ArithMode::Incr).delta(number).vivify(exptime).value().request(),
            *debug.request(),
        ];
        old.iter().try_for_each(|request| each(&Request::Meta(request)))?;
        for parts in [get.parts(), set.parts(), delete.parts(), arith.parts(), debug.parts()] {
            digest.debug(&parts);
        }
        for request in [get.request(), set.request(), delete.request(), arith.request(), debug.request()] {
            let whole = Request::Meta(request);
            digest.bytes(request.verb().word().as_bytes());
            digest.bytes(request.opaque().unwrap_or_default());
            digest.debug(&(request, request.key(), request.is_quiet(), request.value()));
            digest.debug(&(request.shape().verb(), request.shape().is_quiet()));
            for version in [key.as_bytes(), b"1.6.18"] {
                let server = Capabilities::of_version(version).with(Feature::Meta).without(Feature::Mgdump);
                digest.debug(&(server, server.has(Feature::MetaNewCas)));
                if let Err(error) = server.check(&whole) {
                    digest.error(&error);
                }
            }
        }
    }
    Some(())
}

/// Commands for operators, which no server here reads, and what they wait for.
fn admin(input: &[u8]) -> Option<()> {
    let number = input.iter().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(*byte)));
    let [low, high, ..] = number.to_le_bytes();
    let classes = SlabClasses::one(low).unwrap_or(SlabClasses::ALL);
    let classes = classes.and(SlabClasses::one(high).unwrap_or(SlabClasses::ALL));
    let kinds =
        WatchKinds { fetchers: low & 1 == 1, mutations: true, evictions: true, ..WatchKinds::default() };
    let tune =
        Admin::LruTune { hot_percent: low, warm_percent: high, hot_hundredths: 1, warm_hundredths: 65535 };
    for admin in [
        Admin::CacheMemlimit { megabytes: number },
        Admin::Shutdown { graceful: low & 1 == 1 },
        Admin::Watch(kinds),
        Admin::SlabsReassign { from: Some(low), to: high },
        Admin::SlabsAutomove(Automove::Eager),
        tune,
        Admin::LruMode { segmented: low & 1 == 1 },
        Admin::LruTempTtl(Some(number)),
        Admin::CrawlerEnable(low & 1 == 1),
        Admin::CrawlerSleep(number),
        Admin::CrawlerTocrawl(number),
        Admin::CrawlerCrawl(classes),
        Admin::Metadump(classes),
        Admin::MetadumpHash,
        Admin::Mgdump(classes),
        Admin::MgdumpHash,
    ] {
        let request = Request::Admin(admin);
        let mut bytes = ArrayBuffer::<512>::new();
        request.encode(&mut bytes).ok()?;
        let mut digest = Digest::new();
        digest.debug(&(request, admin.reply_shape(), request.may_retry(1)));
        bytes.as_slice().ends_with(b"\r\n").then_some(())?;
        waits(input, &request)?;
    }
    Some(())
}

/// What stands alone: times, limits, statuses, buffers, lines of many keys.
fn words(input: &[u8]) -> Option<()> {
    let mut digest = Digest::new();
    let millis = input.iter().fold(0_u64, |sum, byte| sum.wrapping_mul(257).wrapping_add(u64::from(*byte)));
    let moment = UnixTime::from_millis(millis);
    digest.debug(&(moment.as_millis(), moment.as_secs()));
    let times = [Duration::from_millis(millis), Duration::MAX].map(Ttl::from);
    for ttl in [Ttl::NEVER, Ttl::at(moment), Ttl::seconds(millis as u32)].into_iter().chain(times) {
        digest.debug(&(ttl, ttl.exptime(NOW), ttl.exptime(moment)));
    }
    for status in Status::ALL {
        digest.bytes(status.word().as_bytes());
    }
    if let Err(error) = Value::within(input, 8) {
        digest.error(&error);
    }
    if let Err(error) = Value::new(input) {
        digest.error(&error);
    }
    digest.debug(&(Limits::default(), str::from_utf8(input).ok().and_then(|text| Key::try_from(text).ok())));
    buffers(input, &mut digest)?;
    let mut line = [0; 600];
    let mut keys = [Key::new(b"k").ok()?; 8];
    let found = input.split(|byte| *byte == b' ').filter_map(|word| Key::try_from(word).ok());
    for (place, key) in keys.iter_mut().zip(found) {
        *place = key;
    }
    for verb in [GetVerb::Get, GetVerb::Gats(-1)] {
        match verb.write_line(&keys, &mut line) {
            Ok(written) => digest.bytes(line.get(..written.len)?),
            Err(full) => digest.error(&full),
        }
        digest.bytes(verb.word().as_bytes());
        digest.debug(&(verb.has_cas(), verb.exptime(), verb.reply_shape()));
    }
    Some(())
}

fn buffers(input: &[u8], digest: &mut Digest) -> Option<()> {
    let mut bytes = [0; 64];
    let mut lent = SliceBuffer::new(&mut bytes);
    let mut owned = ArrayBuffer::<64>::default();
    for piece in input.chunks(11) {
        let full: Option<Full> = lent.put_all(&[piece, b"+"]).err();
        (full == (&mut owned).put_all(&[piece, b"+"]).err()).then_some(())?;
        (lent.room() == owned.room() && lent.as_slice() == owned.as_slice()).then_some(())?;
        if full.is_some() {
            lent.truncate(input.len() % 64);
            (&mut owned).truncate(input.len() % 64);
        }
    }
    digest.debug(&(&lent, &owned, owned.clone().as_slice()));
    Some(())
}

/// A server in fixed memory answers the same, however its input is cut, and a client can read what it says.
fn served(input: &[u8]) -> Option<()> {
    let (mut whole, mut single) = ([0; 8192], [0; 8192]);
    let whole = serve(input, input.len(), &mut whole);
    let single = serve(input, 1, &mut single);
    let error = events(whole, |_| {});
    (whole == single && (error.is_none() || whole.len() > 8000)).then_some(())
}

/// The replies to `input`, as many as fit.
fn serve<'a>(input: &[u8], step: usize, out: &'a mut [u8]) -> &'a [u8] {
    let mut server = Server::new();
    let mut replies = SliceBuffer::new(out);
    let (mut from, mut to) = (0_usize, 0_usize);
    while to < input.len() {
        to = to.saturating_add(step).min(input.len());
        from = from.saturating_add(server.feed(input.get(from..to).unwrap_or_default(), &mut replies));
    }
    let len = replies.as_slice().len();
    out.get(..len).unwrap_or_default()
}

/// The engine's own doors, with keys and values from the input.
fn engine(input: &[u8]) -> Option<()> {
    let mut digest = Digest::new();
    let mut engine = Engine::new(Shelf::default());
    let verbs = [StoreVerb::Add, StoreVerb::Append, StoreVerb::Prepend, StoreVerb::Cas(1), StoreVerb::Set];
    for (word, verb) in input.split(|byte| byte.is_ascii_whitespace()).zip(verbs.into_iter().cycle()) {
        let head = StoreHead { verb, key: word, flags: 7, exptime: 9, len: word.len(), noreply: false };
        match engine.admit(&head).and_then(|()| engine.store_value(&head, word, NOW)) {
            Ok(outcome) => digest.debug(&(outcome, engine.get(word, NOW).map(|item| item.value.len()))),
            Err(refusal) => digest.debug(&(refusal, engine.out_of_memory(&head))),
        }
        digest.debug(&engine.arith(ArithVerb::Decr, word, 3, NOW));
        digest.debug(&(engine.touch(word, 60, NOW), engine.get_and_touch(word, -1, NOW)));
        digest.debug(&engine.delete(word, NOW));
    }
    engine.flush_all(Some(10), NOW);
    engine.stats(NOW, |name, value| digest.bytes(if name.is_empty() { value } else { name.as_bytes() }));
    engine.settings(|name, _| digest.bytes(name.as_bytes()));
    engine.reset_stats();
    digest.error(&OutOfMemory);
    let usage = server::Store::usage(engine.store());
    digest.debug(&(engine.config(), EngineConfig::default(), usage));
    (usage.limit == SLOTS as u64).then_some(())
}

/// A client in fixed memory gets back what it stored; what the input says in the server's place does no harm.
fn connections(input: &[u8]) -> Option<()> {
    let mut room = [0; 700];
    let limits = Limits { line: 600, ..Limits::DEFAULT };
    let mut connection = Connection::with_limits(Loop::new(), &mut room[..], limits);
    let key = Key::new(b"tokyo").ok()?;
    let value = Value::new(input.get(..VALUE_LEN).unwrap_or(input)).ok()?;
    let store = Store { verb: StoreVerb::Set, key, flags: 1, exptime: 0, value, noreply: false };
    connection.call(&store, ArrayBuffer::<0>::new()).ok()?;
    let item = connection.call(&Get { verb: GetVerb::Gets, key }, ArrayBuffer::<VALUE_LEN>::new()).ok()??;
    (item.value.as_slice() == value.as_bytes()).then_some(())?;
    connection.send(&Request::Version).ok()?;
    let keys = [key, Key::new(b"foo").ok()?];
    (connection.send_get(GetVerb::Get, &keys).ok()? == 2).then_some(())?;
    connection.receive(&Request::Version, |_, _| {}).ok()?;
    let mut found = 0_usize;
    let expected = Keys { keys: &keys, cas: false };
    connection.receive(&expected, |_, index| found = found.saturating_add(usize::from(index == 0))).ok()?;
    (connection.state() == ExchangeState::Idle && found > 2 && !connection.io().out.is_empty())
        .then_some(())?;
    connection.io_mut().input.truncate(0);
    let (_, room) = connection.into_inner();

    let mut hostile = Connection::new(Said { bytes: input }, room);
    let mut digest = Digest::new();
    if let Err(error) = hostile.call(&StatsKind::General, ArrayBuffer::<99>::new()) {
        digest.debug(&(&error, hostile.may_retry(&Request::Version)));
        digest.display(&ShowError(error));
    }
    Some(())
}

struct ShowError(ConnectionError<Infallible>);

impl Display for ShowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.0, f)
    }
}

/// A server as one client sees it.
struct Server {
    session: Session<ArrayBuffer<VALUE_LEN>>,
    engine: Engine<Shelf>,
}

impl Server {
    fn new() -> Self {
        let config = EngineConfig { item_size_max: 500, version: "1.6" };
        let engine = Engine::with_config(Shelf::default(), config);
        Self { session: Session::new(ArrayBuffer::new()), engine }
    }

    /// Puts the replies into `out` and says how much is read. What does not fit is left unread.
    fn feed(&mut self, input: &[u8], out: &mut SliceBuffer<'_>) -> usize {
        let fed = self.session.feed(input, &mut self.engine, out, NOW);
        if fed.next == Next::Close { input.len() } else { fed.consumed }
    }
}

/// Who may in is the same, however what is said is cut; and who says it rightly is let in.
fn guarded(input: &[u8]) -> Option<()> {
    let users = [Credentials::new(b"user", b"password").ok()?];
    let answers = |step: usize| {
        let (mut guard, mut digest, mut at) = (Guard::new(), Digest::new(), 0_usize);
        let mut end = 0_usize;
        loop {
            let mut out = ArrayBuffer::<512>::new();
            let fed = guard.feed(input.get(at..end).unwrap_or_default(), &users, &mut out);
            digest.bytes(out.as_slice());
            at = at.saturating_add(fed.consumed);
            match fed.next {
                Next::Close => return (digest, false, None),
                Next::Write if !guard.is_open() => {}
                Next::Read if end < input.len() => end = end.saturating_add(step).min(input.len()),
                _ => return (digest, guard.is_open(), Some(at)),
            }
        }
    };
    let (mut guard, mut out) = (Guard::new(), ArrayBuffer::<64>::new());
    guard.feed(Request::Auth(users[0]).parts().head.as_bytes(), &users, &mut out);
    (answers(1) == answers(input.len().max(1)) && guard.is_open()).then_some(())
}

/// Both ends of a wire.
struct Loop {
    server: Server,
    input: ArrayBuffer<4096>,
    out: ArrayBuffer<4096>,
    read: usize,
}

impl Loop {
    fn new() -> Self {
        Self { server: Server::new(), input: ArrayBuffer::new(), out: ArrayBuffer::new(), read: 0 }
    }
}

trait IsEmpty {
    fn is_empty(&self) -> bool;
}

impl<B: Buffer> IsEmpty for B {
    fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }
}

impl embedded_io::ErrorType for Loop {
    type Error = Infallible;
}

impl embedded_io::Write for Loop {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        let piece = bytes.get(..7).unwrap_or(bytes);
        Ok(if self.input.put(piece).is_ok() { piece.len() } else { 0 })
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl embedded_io::Read for Loop {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        if self.read == self.out.as_slice().len() {
            (self.read, self.out) = (0, ArrayBuffer::new());
            let server = &mut self.server;
            server.session.feed(self.input.as_slice(), &mut server.engine, &mut self.out, NOW);
            self.input.truncate(0);
        }
        let unread = self.out.as_slice().get(self.read..).unwrap_or_default();
        let len = unread.iter().zip(bytes).map(|(byte, place)| *place = *byte).count();
        self.read = self.read.saturating_add(len);
        Ok(len)
    }
}

/// A server that says what it says.
struct Said<'a> {
    bytes: &'a [u8],
}

impl embedded_io::ErrorType for Said<'_> {
    type Error = Infallible;
}

impl embedded_io::Write for Said<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl embedded_io::Read for Said<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        let len = self.bytes.iter().zip(bytes).map(|(byte, place)| *place = *byte).count();
        self.bytes = self.bytes.get(len..).unwrap_or_default();
        Ok(len)
    }
}

const SLOTS: usize = 4;
const VALUE_LEN: usize = 256;

/// A store of four items; the oldest makes room.
#[derive(Default)]
struct Shelf {
    slots: [Option<Slot>; SLOTS],
    next: usize,
}

struct Slot {
    key: ArrayBuffer<250>,
    record: Record,
    value: ArrayBuffer<VALUE_LEN>,
}

impl Shelf {
    fn slot(&mut self, key: &[u8]) -> Option<&mut Option<Slot>> {
        self.slots.iter_mut().find(|slot| slot.as_ref().is_some_and(|slot| slot.key.as_slice() == key))
    }
}

impl server::Store for Shelf {
    fn find(&mut self, key: &[u8]) -> Option<(&mut Record, &[u8])> {
        let slot = self.slot(key)?.as_mut()?;
        Some((&mut slot.record, slot.value.as_slice()))
    }

    fn put(&mut self, key: &[u8], record: Record, value: &[u8]) -> Result<(), OutOfMemory> {
        self.remove(key);
        let mut slot = Slot { key: ArrayBuffer::new(), record, value: ArrayBuffer::new() };
        slot.key.put(key).and_then(|()| slot.value.put(value)).map_err(|_| OutOfMemory)?;
        if let Some(place) = self.slots.get_mut(self.next) {
            *place = Some(slot);
        }
        self.next = self.next.saturating_add(1) % SLOTS;
        Ok(())
    }

    fn extend(&mut self, key: &[u8], side: Side, piece: &[u8]) -> Result<(), OutOfMemory> {
        let Some(Some(slot)) = self.slot(key) else { return Ok(()) };
        let old = slot.value.clone();
        let parts = match side {
            Side::Front => [piece, old.as_slice()],
            Side::Back => [old.as_slice(), piece],
        };
        slot.value.truncate(0);
        slot.value.put_all(&parts).map_err(|_| OutOfMemory)
    }

    fn remove(&mut self, key: &[u8]) -> bool {
        self.slot(key).is_some_and(|slot| slot.take().is_some())
    }

    fn clear(&mut self) {
        self.slots = Default::default();
    }

    fn usage(&self) -> Usage {
        let items = self.slots.iter().flatten().count() as u64;
        Usage { items, limit: SLOTS as u64, ..Usage::default() }
    }
}
