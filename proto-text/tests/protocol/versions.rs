//! What other versions of memcached answer to the same requests, read by the client's half.

use std::collections::{BTreeMap, VecDeque};

use memring_text::{
    Exchange, Limits,
    exchange::{ExchangeState, Progress, ProtocolError},
    reply::{DecodeError, Event, Malformed, ReplyDecoder, Step},
    request::ReplyShape,
};
use serde_json::Value;

use crate::{
    client::{Waiting, cuts},
    model::{Data, Reply, ReplyBuilder, is_typed},
    transcript::{self, versions},
};

const STATUSES: [&str; 8] =
    ["STORED", "NOT_STORED", "EXISTS", "NOT_FOUND", "DELETED", "TOUCHED", "OK", "RESET"];

/// The replies in `bytes`, and whether that is all of them: read line by line and word by word, as anybody would.
fn naive(bytes: &[u8]) -> (Vec<Reply>, bool) {
    let (mut replies, mut items, mut rest) = (Vec::new(), Vec::new(), bytes);
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let (line, behind) = (std::str::from_utf8(&rest[..end]).unwrap(), &rest[end + 2..]);
        rest = behind;
        let words: Vec<_> = line.split(' ').filter(|word| !word.is_empty()).collect();
        let bytes = |word: &&str| word.as_bytes().to_vec();
        let mut value = |len: &str| {
            let len: usize = len.parse().unwrap();
            let value = Data::Bytes(rest[..len].to_vec());
            rest = rest[len..].strip_prefix(b"\r\n").unwrap();
            value
        };
        replies.push(match words[..] {
            ["VALUE", key, flags, len, ref cas @ ..] => {
                let flags = flags.parse::<i64>().unwrap() as u32;
                items.push((bytes(&key), flags, value(len), cas.first().map(|cas| cas.parse().unwrap())));
                continue;
            }
            ["END"] => Reply::Values(std::mem::take(&mut items)),
            ["VA", len, ref flags @ ..] if len.parse::<usize>().is_ok() => {
                Reply::Meta("VA".into(), flags.iter().map(bytes).collect(), Some(value(len)))
            }
            [code @ ("HD" | "EN" | "NF" | "NS" | "EX" | "MN"), ref flags @ ..] => {
                Reply::Meta(code.into(), flags.iter().map(bytes).collect(), None)
            }
            ["ME", ..] => Reply::Line(line.into()),
            [word, ..] if word.trim_end_matches(':').ends_with("ERROR") => {
                items.clear();
                let (word, text) = (word.trim_end_matches(':'), line[word.len()..].trim_start_matches(' '));
                Reply::Error(word.into(), text.into())
            }
            [word] if STATUSES.contains(&line) => Reply::Status(word.into()),
            ["VERSION", version] => Reply::Version(bytes(&version)),
            [number] if number.parse::<u64>().is_ok() => Reply::Number(number.parse().unwrap()),
            _ => return (replies, false),
        });
    }
    (replies, rest.is_empty() && items.is_empty())
}

/// Runs of spaces say no more than one.
fn squeezed(replies: Vec<Reply>) -> Vec<Reply> {
    let squeeze = |reply| match reply {
        Reply::Meta(code, mut flags, value) => {
            flags.retain(|flag: &Vec<u8>| !flag.is_empty());
            Reply::Meta(code, flags, value)
        }
        other => other,
    };
    replies.into_iter().map(squeeze).collect()
}

/// The replies that a decoder finds in `bytes`, and its error.
fn decode(bytes: &[u8], cuts: &[usize]) -> (Vec<Reply>, Option<DecodeError>) {
    let (mut decoder, mut builder) = (ReplyDecoder::new(Limits::DEFAULT), ReplyBuilder::default());
    let mut start = 0;
    for end in cuts.iter().copied().chain([bytes.len()]) {
        loop {
            match decoder.decode(&bytes[start..end]) {
                Ok(Step::Event { consumed, event }) => {
                    builder.take(&event);
                    start += consumed;
                }
                Ok(Step::NeedMore) => break,
                Err(error) => return (squeezed(builder.replies), Some(error)),
            }
        }
    }
    (squeezed(builder.replies), None)
}

/// Calls `check` with nothing cut, everything cut, and a cut at every place.
fn in_every_way(len: usize, mut check: impl FnMut(&[usize])) {
    check(&[]);
    check(&(0..len).collect::<Vec<_>>());
    cuts(len).for_each(|cut| check(&[cut]));
}

#[test]
fn every_version_is_decoded_however_it_is_cut() {
    let mut counts = BTreeMap::new();
    for (version, blocks) in versions() {
        for block in &blocks {
            for bytes in block.exchanges.iter().map(|exchange| &exchange.received) {
                let (replies, is_all) = naive(bytes);
                in_every_way(bytes.len(), |cuts| {
                    let (read, error) = decode(bytes, cuts);
                    assert_eq!(read, replies, "{version} {}", block.name);
                    let is_open = naive(&[bytes, &b"END\r\n"[..]].concat()).0.len() > replies.len();
                    assert_eq!(error.is_some(), !is_all && !is_open, "{version} {}: {error:?}", block.name);
                });
                let count: &mut (usize, usize) = counts.entry(version.clone()).or_default();
                *count = (count.0 + replies.len(), count.1 + usize::from(!is_all));
            }
        }
    }
    // How many replies, and how many exchanges with something else: the meta commands before they were what they are, a value
    // without its `END`, and an empty line behind an error.
    let expected = [
        ("1.4.24", (279, 0)),
        ("1.4.5", (292, 1)),
        ("1.5.22", (237, 12)),
        ("1.6.10", (52, 0)),
        ("1.6.12", (52, 0)),
        ("1.6.29", (45, 0)),
        ("1.6.45", (94, 2)),
        ("1.6.9", (183, 14)),
    ];
    assert_eq!(counts, expected.map(|(version, count)| (version.to_string(), count)).into());
}

/// What became of the requests of one exchange: what each was told, and what ended the connection, if anything.
#[derive(Debug, Default, PartialEq)]
struct Came {
    told: Vec<Vec<Reply>>,
    end: Option<ProtocolError>,
}

fn pair(exchange: &transcript::Exchange, cuts: &[usize]) -> Came {
    let mut waiting: VecDeque<_> = exchange.requests.iter().flatten().map(Waiting::of_json).collect();
    waiting.retain(|request| request.shape != ReplyShape::Nothing);
    let mut pairing = Exchange::new(Limits::DEFAULT);
    waiting.iter().for_each(|_| pairing.sent());
    let (mut came, mut builder, mut start) = (Came::default(), ReplyBuilder::default(), 0);
    let bytes = &exchange.received;
    for end in cuts.iter().copied().chain([bytes.len()]) {
        while let Some(oldest) = waiting.front() {
            match pairing.decode(&bytes[start..end], oldest) {
                Ok(Progress::Event { consumed, event, complete, .. }) => {
                    start += consumed;
                    builder.take(&event);
                    if complete {
                        let replies = squeezed(std::mem::take(&mut builder.replies));
                        assert_eq!(replies.is_empty(), matches!(event, Event::Silence { .. }));
                        came.told.push(replies);
                        waiting.pop_front();
                    }
                }
                Ok(Progress::NeedMore) => break,
                Err(error) => {
                    came.end = Some(error);
                    return came;
                }
            }
        }
    }
    if pairing.state() == ExchangeState::MustClose {
        came.end = Some(ProtocolError::OutOfStep);
    } else if pairing.owed() > 0 {
        came.end = Some(ProtocolError::Eof);
    } else if start < bytes.len() {
        came.end = Some(ProtocolError::Unasked);
    }
    came
}

/// The command of each row of the clients' READMEs that not every server has, and a block in which it is asked for alone.
const YOUNGER: [(&str, &str); 3] = [
    ("`gat`", "02-retrieval/gat-miss"),
    ("`touch`", "04-delete-touch-flush/touch-miss"),
    ("`meta().noop`", "07-meta-get/mn"),
];

/// The three numbers of a version.
fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|number| number.parse().unwrap()).collect()
}

#[test]
fn the_readmes_say_since_when_servers_have_a_verb() {
    let versions = versions();
    for readme in ["../client-std/README.md", "../client-tokio/README.md"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(readme);
        let readme = std::fs::read_to_string(path).unwrap();
        for (verb, name) in YOUNGER {
            let cell = readme.lines().find(|line| line.starts_with('|') && line.contains(verb)).unwrap();
            let since = cell.trim_end_matches(" |").rsplit(' ').next().unwrap();
            let mut told = 0;
            for (version, blocks) in &versions {
                let Some(block) = blocks.iter().find(|block| block.name == name) else { continue };
                let is_refused = block.exchanges.iter().any(|exchange| {
                    exchange.received.starts_with(b"ERROR") || exchange.received.starts_with(b"EN\r\n")
                });
                assert_eq!(is_refused, numbers(version) < numbers(since), "{verb} {version}: {since}");
                told += usize::from(is_refused);
            }
            assert!(told > 0, "no transcript of a server without {verb}");
        }
    }
}

/// `VA v 5`: the length stood behind the flags once.
const OLD_META: ProtocolError = ProtocolError::Decode(DecodeError::Malformed(Malformed::Meta));

/// `OK` in the place of `HD`.
const OLD_CODE: ProtocolError = ProtocolError::Decode(DecodeError::Malformed(Malformed::Word));

type Ends = &'static [(ProtocolError, usize)];

/// For each version, how often a request with a value or of a quiet run is refused, which ends the connection, and how often
/// it ends by what else. A client that knows the version asks for none of this in those before 1.6.10.
const ENDS: [(&str, usize, Ends); 8] = [
    ("1.4.5", 42, &[(ProtocolError::Eof, 1), (ProtocolError::Unasked, 1)]),
    ("1.4.24", 42, &[(ProtocolError::Eof, 1)]),
    ("1.5.22", 40, &[(ProtocolError::Eof, 1), (OLD_META, 12), (ProtocolError::Unexpected, 3)]),
    (
        "1.6.9",
        33,
        &[
            (OLD_CODE, 13),
            (ProtocolError::Eof, 2),
            (ProtocolError::Unidentified, 1),
            (ProtocolError::Unexpected, 2),
        ],
    ),
    // The quiet `md` of a missing key, without an opaque.
    ("1.6.10", 0, &[(ProtocolError::Unidentified, 1)]),
    ("1.6.12", 0, &[(ProtocolError::Unidentified, 1)]),
    ("1.6.29", 0, &[]),
    // `delete noreply`, which the crate writes in another way, and `mn` before the password.
    ("1.6.45", 0, &[(ProtocolError::Eof, 2)]),
];

#[test]
fn every_version_answers_its_requests_or_is_refused() {
    for (version, blocks) in versions() {
        let (mut refused, mut ends) = (0, Vec::new());
        for block in &blocks {
            let is_typed =
                |e: &&transcript::Exchange| e.requests.as_ref().is_some_and(|all| all.iter().all(is_typed));
            for exchange in block.exchanges.iter().filter(is_typed) {
                let whole = pair(exchange, &[]);
                in_every_way(exchange.received.len(), |cuts| {
                    assert_eq!(pair(exchange, cuts), whole, "{version} {}", block.name);
                });
                // Nothing is told to anybody but what came, in its order.
                let mut came = naive(&exchange.received).0.into_iter();
                for told in whole.told.iter().flatten() {
                    assert_eq!(Some(told), came.next().as_ref(), "{version} {}", block.name);
                }
                let is_risky = |request: &Value| {
                    let flags = request["flags"].as_array();
                    request.get("len").is_some()
                        || flags.is_some_and(|flags| flags.iter().any(|flag| flag == "q"))
                };
                match whole.end {
                    Some(ProtocolError::OutOfStep) => {
                        let is_open = exchange.requests.iter().flatten().any(is_risky);
                        assert!(is_open, "{version} {}", block.name);
                        refused += 1;
                    }
                    Some(end) => ends.push(end),
                    None => {}
                }
            }
        }
        let (_, expected_refused, expected) = ENDS.iter().find(|(name, ..)| *name == version).unwrap();
        let expected: Vec<_> =
            expected.iter().flat_map(|(end, count)| std::iter::repeat_n(*end, *count)).collect();
        let names = |ends: &[ProtocolError]| {
            let mut names: Vec<_> = ends.iter().map(|end| format!("{end:?}")).collect();
            names.sort();
            names
        };
        assert_eq!((refused, names(&ends)), (*expected_refused, names(&expected)), "{version}");
    }
}
