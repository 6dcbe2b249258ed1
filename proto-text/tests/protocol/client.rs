//! The client's half: requests encoded, replies decoded and paired.

use memring_text::{
    Exchange, Key, Limits, Request,
    exchange::{ExchangeState, Progress, ProtocolError},
    reply::{DecodeError, Event, ReplyDecoder, Step},
    request::{Credentials, Expected, Keys, ReplyShape},
};

use crate::{
    model::{Data, Reply, ReplyBuilder, data_of_json, get_of_json, is_typed, with_request},
    transcript::{self, blocks},
};

/// One block has a server with larger items.
const LIMITS: Limits = Limits { value: 4 << 20, ..Limits::DEFAULT };

/// Blocks with a request that cannot be said in our types, and so cannot be sent by mistake.
const UNTYPED: [(&str, &str); 18] = [
    ("06-admin/stats-unknown", "no such word"),
    ("06-admin/stats-detail-usage", "a word is missing"),
    ("06-admin/watch-bad-arg", "no such word"),
    ("07-meta-get/mg-opaque-32", "32 bytes of opaque"),
    ("07-meta-get/mg-base64-invalid", "not base64"),
    ("07-meta-get/mg-base64-no-padding", "not base64"),
    ("07-meta-get/mg-base64-noncanonical-tail", "base64 in another form than ours"),
    ("07-meta-get/mg-flag-with-unexpected-token", "a token behind a flag that has none"),
    ("07-meta-get/mg-bad-T-token", "not a number"),
    ("08-meta-set/ms-mode-lower-case-refused", "no such mode"),
    ("08-meta-set/ms-mode-empty", "no such mode"),
    ("08-meta-set/ms-bad-F", "not a number"),
    ("08-meta-set/ms-F-2pow32", "more than 32 bits of flags"),
    ("08-meta-set/ms-opaque-too-long-swallows-block", "32 bytes of opaque"),
    ("09-meta-delete-arith-debug/ma-decr-shrinks", "another letter for a mode"),
    ("09-meta-delete-arith-debug/ma-bad-mode", "no such mode"),
    ("09-meta-delete-arith-debug/ma-bad-delta", "not a number"),
    ("12-server-modes/shutdown-enabled-bad-arg", "no such word"),
];

/// The longest reply that is cut at every place; longer ones are cut near their ends.
const CUT_EVERYWHERE: usize = 4096;

#[test]
fn requests_are_encoded_byte_for_byte() {
    let mut count = 0;
    let mut untyped = Vec::new();
    for block in blocks() {
        for exchange in &block.exchanges {
            let Some(requests) = &exchange.requests else { continue };
            if !requests.iter().all(is_typed) {
                untyped.push(block.name.clone());
                continue;
            }
            let sent = exchange.sent_whole();
            let mut encoded = Vec::new();
            for request in requests {
                count += 1;
                if let Some((verb, keys)) = get_of_json(request) {
                    let keys: Vec<_> = keys.iter().map(|key| Key::new(key).unwrap()).collect();
                    let mut out = vec![0; sent.len()];
                    let line = verb.write_line(&keys, &mut out).unwrap();
                    assert_eq!(line.keys, keys.len(), "{}", block.name);
                    encoded.extend_from_slice(&out[..line.len]);
                    continue;
                }
                // A long value is not in the files: it is the bytes that follow its line.
                let len = request.get("len").map_or(0, |len| len.as_u64().unwrap() as usize);
                let line_end = sent[encoded.len()..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
                let data = &sent[encoded.len() + line_end..][..len];
                assert_eq!(data_of_json(request), request.get("len").map(|_| Data::Bytes(data.to_vec())));
                with_request(request, data, |request| request.encode(&mut encoded)).unwrap().unwrap();
            }
            // The one request that is sent in another form than a person would, and why: see `Delete`.
            if block.name == "04-delete-touch-flush/delete-key-named-noreply" && sent == b"delete noreply\r\n"
            {
                assert_eq!(encoded, b"delete noreply 0\r\n");
                continue;
            }
            assert!(encoded == sent, "{}: {}", block.name, encoded.escape_ascii());
        }
    }
    println!("{count} requests encoded");
    assert_eq!(untyped, UNTYPED.map(|(name, _)| name));
    assert_eq!(count, 696);
}

fn decode(bytes: &[u8], cuts: &[usize]) -> Result<Vec<Reply>, DecodeError> {
    let mut decoder = ReplyDecoder::new(LIMITS);
    let mut builder = ReplyBuilder::default();
    let mut start = 0;
    for end in cuts.iter().copied().chain([bytes.len()]) {
        while let Step::Event { consumed, event } = decoder.decode(&bytes[start..end])? {
            assert!(consumed > 0 && consumed <= end - start);
            builder.take(&event);
            start += consumed;
        }
    }
    assert!(start == bytes.len() && !builder.is_open(), "bytes left over");
    Ok(builder.replies)
}

/// Where a stream of `len` bytes is cut in two: everywhere, or where it is long, near its ends.
pub fn cuts(len: usize) -> impl Iterator<Item = usize> {
    (0..=len).filter(move |cut| len <= CUT_EVERYWHERE || *cut < 32 || len - cut < 32)
}

#[test]
fn replies_are_decoded_however_they_are_cut() {
    let mut count = 0;
    let mut cut_count = 0;
    for block in blocks() {
        for exchange in &block.exchanges {
            let Some(replies) = &exchange.replies else { continue };
            let expected: Vec<_> = replies.iter().map(Reply::of_json).collect();
            count += expected.len();
            let bytes = &exchange.received;
            let whole = decode(bytes, &[]).unwrap();
            assert_eq!(whole, expected, "{}", block.name);
            let check = |cuts: &[usize]| assert_eq!(decode(bytes, cuts).unwrap(), whole, "{}", block.name);
            if bytes.len() <= 1 << 17 {
                check(&(0..bytes.len()).collect::<Vec<_>>());
            }
            for cut in cuts(bytes.len()) {
                check(&[cut]);
                cut_count += 1;
            }
        }
    }
    println!("{count} replies decoded, {cut_count} cuts");
    assert_eq!(count, 666);
}

/// A request that waits, as a client's queue would hold it.
pub struct Waiting {
    pub shape: ReplyShape,
    pub keys: Vec<Vec<u8>>,
    pub opaque: Option<Vec<u8>>,
}

impl Waiting {
    pub fn of_json(request: &serde_json::Value) -> Self {
        if let Some((verb, keys)) = get_of_json(request) {
            return Self { shape: verb.reply_shape(), keys, opaque: None };
        }
        with_request(request, b"", Self::of).unwrap()
    }

    pub fn of(request: &Request<'_>) -> Self {
        Self {
            shape: request.reply_shape(),
            keys: request.key(0).map(<[u8]>::to_vec).into_iter().collect(),
            opaque: request.opaque().map(<[u8]>::to_vec),
        }
    }
}

impl Expected for Waiting {
    fn shape(&self) -> ReplyShape {
        self.shape
    }

    fn key(&self, index: usize) -> Option<&[u8]> {
        self.keys.get(index).map(Vec::as_slice)
    }

    fn opaque(&self) -> Option<&[u8]> {
        self.opaque.as_deref()
    }
}

/// Quiet requests without opaque and key, to which memcached had something to say all the same.
const UNIDENTIFIED: [&str; 3] = [
    "08-meta-set/ms-quiet-shows-failures",
    "09-meta-delete-arith-debug/md-quiet-miss-is-NOT-quiet",
    "09-meta-delete-arith-debug/ma-vivify-quiet",
];

#[test]
fn every_reply_answers_its_request() {
    let (mut count, mut silent, mut unidentified) = (0, 0, Vec::new());
    for block in blocks() {
        // What a server says after `quit`, or that authentication is wanted, answers nothing that was asked.
        if block.end != "open" {
            continue;
        }
        let typed =
            |e: &&transcript::Exchange| e.requests.as_ref().is_some_and(|all| all.iter().all(is_typed));
        'exchange: for exchange in block.exchanges.iter().filter(typed) {
            let mut waiting = std::collections::VecDeque::new();
            let mut pairing = Exchange::new(LIMITS);
            for request in exchange.requests.as_ref().unwrap() {
                let request = Waiting::of_json(request);
                if request.shape != ReplyShape::Nothing {
                    waiting.push_back(request);
                    pairing.sent();
                }
            }
            let mut rest = &exchange.received[..];
            while let Some(oldest) = waiting.front() {
                match pairing.decode(rest, oldest) {
                    Ok(Progress::Event { consumed, event, complete, .. }) => {
                        silent += usize::from(matches!(event, Event::Silence { .. }));
                        rest = &rest[consumed..];
                        if complete {
                            waiting.pop_front();
                            count += 1;
                        }
                    }
                    Ok(Progress::NeedMore) => panic!("{}: a reply is missing", block.name),
                    Err(ProtocolError::Unidentified) => {
                        unidentified.push(block.name.clone());
                        continue 'exchange;
                    }
                    Err(error) => panic!("{}: {error}", block.name),
                }
            }
            assert_eq!((pairing.owed(), rest), (0, &b""[..]), "{}", block.name);
        }
    }
    println!("{count} replies paired, of them {silent} silent");
    assert_eq!(unidentified, UNIDENTIFIED);
    assert_eq!((count, silent), (541, 10));
}

#[test]
fn user_and_password_are_sent_in_a_set() {
    let mut count = 0;
    for exchange in
        blocks().iter().filter(|block| block.name.starts_with("11-auth")).flat_map(|block| &block.exchanges)
    {
        let sent = exchange.sent_whole();
        let Some(("set x 0 0 12" | "set x 0 0 11", rest)) =
            std::str::from_utf8(&sent).unwrap().split_once("\r\n")
        else {
            continue;
        };
        let (user, password) = rest.split_once("\r\n").unwrap().0.split_once(' ').unwrap();
        let credentials = Credentials::new(user.as_bytes(), password.as_bytes()).unwrap();
        let mut encoded = Vec::new();
        Request::Auth(credentials).encode(&mut encoded).unwrap();
        // The server looks at the length only.
        let expected = [b"set x 0 -1", sent.strip_prefix(b"set x 0 0").unwrap()].concat();
        assert!(expected.starts_with(&encoded), "{}", encoded.escape_ascii());
        let mut pairing = Exchange::default();
        pairing.sent();
        let progress = pairing.decode(&exchange.received, &Request::Auth(credentials)).unwrap();
        let Progress::Event { complete: true, event, .. } = progress else { panic!("{progress:?}") };
        assert_eq!(pairing.state() == ExchangeState::Idle, !matches!(event, Event::Error(_)));
        count += 1;
    }
    assert_eq!(count, 6);
}

#[test]
fn an_abandoned_reply_is_thrown_away_by_count() {
    use memring_text::request::Abandoned;
    let bytes = b"VALUE a 0 1\r\n1\r\nEND\r\nSTORED\r\nSTAT a b\r\nEND\r\n5\r\nVALUE b 0 1\r\n2\r\nEND\r\n";
    let mut pairing = Exchange::default();
    (0..5).for_each(|_| pairing.sent());
    let keys = Keys { keys: &["b"], cas: false };
    let mut rest = &bytes[..];
    while pairing.owed() > 0 {
        let last = pairing.owed() == 1;
        let progress = if last { pairing.decode(rest, &keys) } else { pairing.decode(rest, &Abandoned) };
        let Ok(Progress::Event { consumed, .. }) = progress else { panic!("{progress:?}") };
        rest = &rest[consumed..];
    }
    assert_eq!((pairing.state(), rest), (ExchangeState::Idle, &b""[..]));
}

#[test]
fn a_caller_may_go_away_in_the_middle_of_a_value() {
    use memring_text::{Get, Operation as _, exchange::Taken, meta::MetaGet, request::Abandoned};
    for (first, classic) in [(&b"VALUE a 0 4\r\n"[..], true), (b"VA 4\r\n", false)] {
        let bytes = [first, b"1111\r\n", if classic { b"END\r\n" } else { b"" }, b"VA 1\r\n2\r\n"].concat();
        let get = Request::Get(Get::new(Key::new(b"a").unwrap()));
        let meta = MetaGet::new(Key::new(b"b").unwrap()).value();
        let meta = meta.request();
        let mut pairing = Exchange::default();
        (0..2).for_each(|_| pairing.sent());
        let begun = pairing.decode(&bytes, if classic { &get } else { &meta });
        let Ok(Progress::Event { consumed, complete: false, .. }) = begun else { panic!("{begun:?}") };
        let mut rest = &bytes[consumed..];
        while pairing.owed() == 2 {
            let thrown = pairing.decode(rest, &Abandoned);
            let Ok(Progress::Event { consumed, .. }) = thrown else { panic!("{thrown:?}") };
            rest = &rest[consumed..];
        }
        assert_eq!(rest, b"VA 1\r\n2\r\n");
        let read = pairing.decode_each(rest, &meta, |_, _| {});
        assert_eq!(read, Ok(Taken { consumed: rest.len(), complete: true }));
    }
}
