//! Laws of the codec, tried on whatever proptest comes up with.

use memring_text::{
    Exchange, Get, Key, Limits, Request, Store, Value,
    buffer::{Full, SliceBuffer},
    exchange::{Progress, ProtocolError},
    meta::{
        ArithMode, BinaryKey, MetaArith, MetaCode, MetaDelete, MetaGet, MetaKey, MetaRequest, MetaSet,
        Opaque, SetMode,
    },
    reply::{DecodeError, ErrorLine, ErrorWord, Event, ItemHead, Malformed, ReplyDecoder, Status, Step},
    request::{Arith, ArithVerb, Delete, FlushAll, FlushDelay, StatsKind, StoreVerb, Touch, Verbosity},
    server::{Reading, RequestDecoder, RequestEvent},
};
use proptest::{collection::vec, prelude::*};

/// An event as text, with the pieces of a value put together: equal for equal streams, however they were cut.
#[derive(Default, PartialEq, Debug)]
struct Story(Vec<String>);

impl Story {
    fn piece(&mut self, piece: &[u8]) {
        let text = piece.escape_ascii().to_string();
        match self
            .0
            .last_mut()
            .and_then(|last| last.strip_prefix("data ").map(|old| format!("data {old}{text}")))
        {
            Some(longer) => *self.0.last_mut().unwrap() = longer,
            None => self.0.push(format!("data {text}")),
        }
    }

    fn reply(&mut self, event: &Event<'_>) {
        match *event {
            Event::Data(piece) | Event::Skipped { piece, .. } => self.piece(piece),
            Event::Value(head) => self.0.push(format!("{} {head:?}", head.key.escape_ascii())),
            Event::Number(number) => self.0.push(format!("number {number}")),
            event => self.0.push(format!("{event:?}")),
        }
    }

    fn request(&mut self, event: &RequestEvent<'_>) {
        match *event {
            RequestEvent::Data(piece) => self.piece(piece),
            RequestEvent::Key(key) => self.0.push(format!("key {}", key.escape_ascii())),
            // How much is passed by at a time depends on the cut.
            RequestEvent::Skipped => {}
            event => self.0.push(format!("{event:?}")),
        }
    }
}

/// Feeds `bytes`, cut at `cuts`; the bytes behind each cut are not there yet.
fn tell<E>(
    bytes: &[u8],
    cuts: &[usize],
    mut decode: impl FnMut(&[u8], &mut Story) -> Result<Option<usize>, E>,
) -> (Story, Option<E>, usize) {
    let mut story = Story::default();
    let mut start = 0;
    let mut ends: Vec<_> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).chain([bytes.len()]).collect();
    ends.sort_unstable();
    for end in ends {
        loop {
            match decode(&bytes[start..end.max(start)], &mut story) {
                Ok(Some(consumed)) => {
                    assert!(consumed > 0, "no progress");
                    assert!(start + consumed <= end, "consumed more than there is");
                    start += consumed;
                }
                Ok(None) => break,
                Err(error) => return (story, Some(error), start),
            }
        }
    }
    (story, None, start)
}

fn tell_replies(bytes: &[u8], cuts: &[usize]) -> (Story, Option<DecodeError>, usize) {
    let mut decoder = ReplyDecoder::new(Limits { value: 64, ..Limits::DEFAULT });
    tell(bytes, cuts, |buf, story| {
        Ok(match decoder.decode(buf)? {
            Step::Event { consumed, event } => {
                story.reply(&event);
                Some(consumed)
            }
            Step::NeedMore => None,
        })
    })
}

fn tell_requests(bytes: &[u8], cuts: &[usize], reading: Reading) -> (Story, Option<DecodeError>, usize) {
    let mut decoder = RequestDecoder::new(reading);
    tell(bytes, cuts, |buf, story| {
        Ok(match decoder.decode(buf)? {
            Step::Event { consumed, event } => {
                story.request(&event);
                Some(consumed)
            }
            Step::NeedMore => None,
        })
    })
}

/// Bytes that come near to protocol: its words and separators, numbers, and noise.
fn near_protocol() -> impl Strategy<Value = Vec<u8>> {
    const WORDS: &[&str] = &[
        "VALUE ",
        "END",
        "STORED",
        "NOT_STORED",
        "EXISTS",
        "STAT ",
        "VERSION ",
        "ERROR",
        "CLIENT_ERROR ",
        "SERVER_ERROR",
        "get ",
        "gets ",
        "gat ",
        "set ",
        "cas ",
        "append ",
        "incr ",
        "touch ",
        "delete ",
        "flush_all",
        "noreply",
        "quit",
        "\r\n",
        "\r\n",
        "\r\n",
        "\r",
        "\n",
        " ",
        " ",
        "k ",
        "key ",
        "0 ",
        "0",
        "1",
        "5 ",
        "3\r\nabc\r\n",
        "0 0 2\r\nab\r\n",
        "18446744073709551616",
        "-1",
        "\0",
        "\t",
        "HD",
        "VA 3\r\nabc\r\n",
        "VA 5 ",
        "EN",
        "NS",
        "EX",
        "NF",
        "MN",
        "ME k ",
        "c7 ",
        "t-1 ",
        "W",
        "kZm9v b",
        "Oab ",
        "key=k ",
        "ITEM k [3 b; 0 s]",
        "PREFIX p x",
        "BUSY",
        "mg ",
        "ms k 3 ",
        "md ",
        "ma ",
        "me ",
        "mn",
        "v ",
        "q ",
        "b ",
        "N30 ",
        "C1 ",
        "MA ",
    ];
    let word = prop_oneof![
        8 => (0..WORDS.len()).prop_map(|at| WORDS[at].as_bytes().to_vec()),
        1 => vec(any::<u8>(), 1..4),
        1 => (200_usize..300).prop_map(|len| vec![b'k'; len]),
    ];
    vec(word, 0..24).prop_map(|words| words.concat())
}

fn key_bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![0x21..=0x7e_u8, 0x80..=0xff_u8];
    prop_oneof![9 => vec(byte.clone(), 1..20), 1 => vec(byte, 250..=250), 1 => Just(b"noreply".to_vec())]
}

/// A request of each meta command, with a choice of its flags.
fn with_meta(
    (key, value): (MetaKey<'_>, &[u8]),
    (verb, flags): (usize, u32),
    (cas, exptime, opaque): (u64, i32, Opaque),
    with: impl FnOnce(&MetaRequest<'_>),
) {
    let mut get = MetaGet::new(key);
    let mut set = MetaSet::new(key, Value::new(value).unwrap());
    let mut delete = MetaDelete::new(key);
    let mut arith = MetaArith::new(key);
    let modes = [SetMode::Set, SetMode::Add, SetMode::Replace, SetMode::Append, SetMode::Prepend];
    for bit in (0..17).filter(|bit| flags >> bit & 1 == 1) {
        match bit {
            0 => (get, set, delete, arith) = (get.key(), set.key(), delete.key(), arith.key()),
            1 => (get, set, delete, arith) = (get.quiet(), set.quiet(), delete.quiet(), arith.quiet()),
            2 => (get, set) = (get.opaque(opaque), set.opaque(opaque)),
            3 => (delete, arith) = (delete.opaque(opaque), arith.opaque(opaque)),
            4 => (get, set) = (get.touch(exptime), set.exptime(exptime)),
            5 => (delete, arith) = (delete.exptime(exptime), arith.exptime(exptime)),
            6 => {
                (get, set) = (get.unless_cas(cas), set.if_cas(cas));
                (delete, arith) = (delete.if_cas(cas), arith.if_cas(cas));
            }
            7 => (get, set, arith) = (get.cas(), set.cas(), arith.cas()),
            8 => (get, arith) = (get.value(), arith.value()),
            9 => (get, arith) = (get.ttl(), arith.ttl()),
            10 => (get, arith) = (get.vivify(exptime), arith.vivify(exptime)),
            11 => (get, set, arith) = (get.recache(exptime), set.flags(flags), arith.delta(cas)),
            12 => (get, set, arith) = (get.flags(), set.invalidate(), arith.initial(cas)),
            13 => (get, delete) = (get.hit().no_bump(), delete.mark_stale()),
            14 => (set, arith) = (set.mode(modes[cas as usize % 5]), arith.mode(ArithMode::Decr)),
            15 => (get, set) = (get.size(), set.size()),
            _ => get = get.last_access(),
        }
    }
    with(match verb {
        0 => get.as_ref(),
        1 => set.as_ref(),
        2 => delete.as_ref(),
        _ => arith.as_ref(),
    });
}

fn meta_return_flags() -> impl Strategy<Value = Vec<String>> {
    let flag = prop_oneof![
        any::<u64>().prop_map(|cas| format!("c{cas}")),
        (-1..=i64::MAX).prop_map(|ttl| format!("t{ttl}")),
        any::<u32>().prop_map(|flags| format!("f{flags}")),
        any::<bool>().prop_map(|hit| format!("h{}", u8::from(hit))),
        any::<u32>().prop_map(|seconds| format!("l{seconds}")),
        any::<u64>().prop_map(|len| format!("s{len}")),
        "k[!-~]{1,20}",
        "O[!-~]{0,31}",
        "[bWX]",
    ];
    vec(flag, 0..8).prop_map(|mut flags| {
        let mut seen = std::collections::HashSet::new();
        flags.retain(|flag| seen.insert(flag.as_bytes()[0]));
        flags
    })
}

proptest! {
    #[test]
    fn replies_are_the_same_however_they_are_cut(
        bytes in near_protocol(),
        cuts in vec(any::<usize>(), 0..8),
    ) {
        let whole = tell_replies(&bytes, &[]);
        let every_byte: Vec<_> = (0..bytes.len()).collect();
        prop_assert_eq!(&tell_replies(&bytes, &cuts), &whole);
        prop_assert_eq!(&tell_replies(&bytes, &every_byte), &whole);
    }

    #[test]
    fn requests_are_the_same_however_they_are_cut(bytes in near_protocol(), cuts in vec(any::<usize>(), 0..8)) {
        let every_byte: Vec<_> = (0..bytes.len()).collect();
        for reading in [Reading::AsMemcached, Reading::Strict] {
            let (story, error, _) = tell_requests(&bytes, &[], reading);
            for cuts in [&cuts, &every_byte] {
                let (cut_story, cut_error, _) = tell_requests(&bytes, cuts, reading);
                prop_assert_eq!((&cut_story, cut_error), (&story, error));
            }
        }
    }

    #[test]
    fn after_an_error_every_call_returns_it(bytes in near_protocol(), more in near_protocol()) {
        let mut decoder = ReplyDecoder::default();
        let mut rest = &bytes[..];
        let error = loop {
            match decoder.decode(rest) {
                Ok(Step::Event { consumed, .. }) => rest = &rest[consumed..],
                Ok(Step::NeedMore) => return Ok(()),
                Err(error) => break error,
            }
        };
        prop_assert_eq!(decoder.decode(&more), Err(error));
        prop_assert_eq!(decoder.decode(b""), Err(error));
    }

    #[test]
    fn what_is_asked_is_what_is_read(
        name in key_bytes(),
        value in vec(any::<u8>(), 0..100),
        (flags, exptime, delta) in any::<(u32, i32, u64)>(),
        noreply in any::<bool>(),
        which in 0..20_usize,
        cuts in vec(any::<usize>(), 0..4),
    ) {
        let key = Key::new(&name).unwrap();
        let store = |verb| {
            Request::Store(Store { verb, key, flags, exptime, value: Value::new(&value).unwrap(), noreply })
        };
        let request = match which {
            0 => store(StoreVerb::Set),
            1 => store(StoreVerb::Add),
            2 => store(StoreVerb::Replace),
            3 => store(StoreVerb::Append),
            4 => store(StoreVerb::Prepend),
            5 => store(StoreVerb::Cas(delta)),
            6 => Request::Get(Get::new(key)),
            7 => Request::Get(Get::gets(key)),
            8 => Request::Get(Get::gat(key, exptime)),
            9 => Request::Get(Get::gats(key, exptime)),
            10 => Request::Arith(Arith { verb: ArithVerb::Incr, key, delta, noreply }),
            11 => Request::Arith(Arith { verb: ArithVerb::Decr, key, delta, noreply }),
            12 => Request::Touch(Touch { key, exptime, noreply }),
            13 => Request::FlushAll(FlushAll { delay: FlushDelay::new(flags), noreply }),
            14 => Request::Verbosity(Verbosity { level: flags, noreply }),
            15 => Request::Version,
            16 => Request::Quit,
            17 => Request::Stats(StatsKind::ALL[delta as usize % StatsKind::ALL.len()]),
            _ => Request::Delete(Delete { key, noreply }),
        };
        let mut bytes = Vec::new();
        request.encode(&mut bytes).unwrap();
        prop_assert_eq!(bytes.len(), request.parts().len());

        // Read back: the same request, whole, and nothing else.
        let mut decoder = RequestDecoder::new(Reading::Strict);
        let mut back = None;
        let mut got = Vec::new();
        let mut start = 0;
        let mut ends: Vec<_> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).chain([bytes.len()]).collect();
        ends.sort_unstable();
        for end in ends {
            while let Step::Event { consumed, event } = decoder.decode(&bytes[start..end.max(start)]).unwrap() {
                start += consumed;
                match event {
                    RequestEvent::Get(verb) => back = Some(Request::Get(Get { verb, key })),
                    RequestEvent::Key(read) => prop_assert_eq!(read, &name[..]),
                    RequestEvent::Store(head) => {
                        prop_assert_eq!((head.key, head.len), (&name[..], value.len()));
                        let value = Value::new(&value).unwrap();
                        back = Some(Request::Store(Store {
                            verb: head.verb,
                            key,
                            flags: head.flags,
                            exptime: head.exptime,
                            value,
                            noreply: head.noreply,
                        }));
                    }
                    RequestEvent::Data(piece) => got.extend_from_slice(piece),
                    RequestEvent::GetEnd | RequestEvent::StoreEnd => {}
                    // Its key is borrowed from the buffer; compared here, while it is there.
                    event => {
                        prop_assert_eq!(event.request(), Some(request));
                        back = Some(request);
                    }
                }
            }
        }
        prop_assert_eq!(back, Some(request));
        prop_assert_eq!(got, if request.value().is_some() { value.clone() } else { Vec::new() });
        prop_assert_eq!(start, bytes.len());

        // Into a buffer that is too short nothing is written, and the need is told.
        let mut room = vec![b'?'; bytes.len() - 1];
        let mut short = SliceBuffer::new(&mut room);
        let full = Full { needed: bytes.len(), given: bytes.len() - 1 };
        prop_assert_eq!(request.encode(&mut short), Err(full));
    }

    #[test]
    fn what_is_answered_is_what_is_read(
        key in key_bytes(),
        text in "[!-~][ -~]{0,40}",
        value in vec(any::<u8>(), 1..100),
        (flags, number) in any::<(u32, u64)>(),
        cas in any::<Option<u64>>(),
    ) {
        let text = text.trim_end().as_bytes();
        let head = ItemHead { key: &key, flags, len: value.len(), cas };
        let mut events = vec![Event::Value(head), Event::Data(&value), Event::ValueEnd, Event::End];
        events.extend(Status::ALL.map(Event::Status));
        events.extend([Event::Number(number), Event::Version(text), Event::Stat { name: &key, value: text }]);
        for word in [ErrorWord::Error, ErrorWord::ClientError, ErrorWord::ServerError] {
            events.extend([Event::Error(ErrorLine { word, text: b"" }), Event::Error(ErrorLine { word, text })]);
        }
        let mut bytes = Vec::new();
        for event in &events {
            event.encode(&mut bytes).unwrap();
        }
        let mut decoder = ReplyDecoder::default();
        let mut rest = &bytes[..];
        for event in events {
            let Ok(Step::Event { consumed, event: read }) = decoder.decode(rest) else { panic!("{event:?} is lost") };
            prop_assert_eq!(read, event);
            rest = &rest[consumed..];
        }
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn a_meta_request_is_read_as_it_was_asked(
        name in key_bytes(),
        raw in vec(any::<u8>(), 1..=186),
        is_binary in any::<bool>(),
        value in vec(any::<u8>(), 0..40),
        choice in (0..4_usize, any::<u32>()),
        token in "[!-~]{0,31}",
        (cas, exptime) in any::<(u64, i32)>(),
        cut in any::<usize>(),
    ) {
        let key = if is_binary { BinaryKey::new(&raw).unwrap().into() } else { Key::new(&name).unwrap().into() };
        let opaque = Opaque::new(token.as_bytes()).unwrap();
        with_meta((key, &value), choice, (cas, exptime, opaque), |request| {
            let whole = Request::Meta(request);
            let mut bytes = Vec::new();
            whole.encode(&mut bytes).unwrap();
            // What we send, both readings read, however it is cut, and it is the same request.
            for reading in [Reading::Strict, Reading::AsMemcached] {
                let mut decoder = RequestDecoder::new(reading);
                let (mut start, mut came, mut data) = (0, 0, Vec::new());
                for end in [cut % bytes.len(), bytes.len()] {
                    while let Step::Event { consumed, event } = decoder.decode(&bytes[start..end.max(start)]).unwrap() {
                        start += consumed;
                        match event {
                            RequestEvent::Meta(line) | RequestEvent::MetaStore(line) => {
                                came += 1;
                                assert_eq!(line.key(&mut [0; 250]), key.as_bytes());
                                let value = Value::new(&value).unwrap();
                                let value = request.value().map_or(Value::EMPTY, |_| value);
                                assert_eq!(line.with_request(value, |read| read == request), Some(true));
                            }
                            RequestEvent::Data(piece) => data.extend_from_slice(piece),
                            RequestEvent::StoreEnd => {}
                            other => panic!("{other:?}"),
                        }
                    }
                }
                assert_eq!((start, came), (bytes.len(), 1));
                assert_eq!(data, request.value().map_or(&[][..], |value| value.as_bytes()));
            }
            let mut room = vec![b'?'; bytes.len() - 1];
            let full = Full { needed: bytes.len(), given: bytes.len() - 1 };
            assert_eq!(whole.encode(&mut SliceBuffer::new(&mut room)), Err(full));
            assert!(room.iter().all(|byte| *byte == b'?') || request.value().is_some());
        });
    }

    #[test]
    fn a_meta_reply_is_read_as_it_was_sent(
        flags in meta_return_flags(),
        value in vec(any::<u8>(), 1..40),
        which in 0..7_usize,
        cuts in vec(any::<usize>(), 0..4),
    ) {
        let code = MetaCode::ALL[which];
        let mut line = code.word().to_owned();
        if code == MetaCode::Value {
            line += &format!(" {}", value.len());
        }
        for flag in &flags {
            line += &format!(" {flag}");
        }
        let mut bytes = [line.as_bytes(), b"\r\n"].concat();
        if code == MetaCode::Value {
            bytes.extend([&value[..], b"\r\n"].concat());
        }
        let mut decoder = ReplyDecoder::default();
        let mut again = Vec::new();
        let (_, error, end) = tell(&bytes, &cuts, |buf, _| {
            Ok::<_, DecodeError>(match decoder.decode(buf)? {
                Step::Event { consumed, event } => {
                    event.encode(&mut again).unwrap();
                    if let Event::Meta(head) = event {
                        let letters: Vec<_> = head.flags().map(|flag| flag.letter()).collect();
                        assert_eq!(letters, flags.iter().map(|flag| flag.as_bytes()[0]).collect::<Vec<_>>());
                    }
                    Some(consumed)
                }
                Step::NeedMore => None,
            })
        });
        prop_assert_eq!((error, end), (None, bytes.len()));
        prop_assert_eq!(again, bytes);
    }

    #[test]
    fn a_hostile_reply_never_reaches_a_meta_request(
        bytes in near_protocol(),
        cuts in vec(any::<usize>(), 0..6),
        choice in (0..4_usize, any::<u32>()),
    ) {
        let key = MetaKey::from(Key::new(b"k").unwrap());
        with_meta((key, b"v"), choice, (1, 30, Opaque::new(b"ab").unwrap()), |request| {
            let request = Request::Meta(request);
            let run = |cuts: &[usize]| {
                let mut exchange = Exchange::default();
                exchange.sent();
                tell(&bytes, cuts, |buf, story| {
                    Ok::<_, ProtocolError>(match exchange.decode(buf, &request)? {
                        // After silence nothing is owed, and the bytes were asked for by nobody.
                        Progress::Event { consumed: 0, event: Event::Silence { .. }, .. } => {
                            assert_eq!(exchange.owed(), 0);
                            None
                        }
                        Progress::Event { consumed, event, .. } => {
                            story.reply(&event);
                            Some(consumed)
                        }
                        Progress::NeedMore => None,
                    })
                })
                .0
            };
            let every_byte: Vec<_> = (0..bytes.len()).collect();
            assert_eq!(run(&cuts), run(&[]));
            assert_eq!(run(&every_byte), run(&[]));
        });
    }

    #[test]
    fn numbers_end_where_their_types_end(number in any::<u128>(), small in any::<bool>()) {
        let number = if small { number % (1 << 33) } else { number };
        let line = format!("VALUE k {number} 0\r\n");
        let step = ReplyDecoder::default().decode(line.as_bytes()).map(|step| step != Step::NeedMore);
        let expected = if number <= u128::from(u32::MAX) { Ok(true) } else { Err(DecodeError::Malformed(Malformed::Item)) };
        prop_assert_eq!(step, expected);
    }
}
