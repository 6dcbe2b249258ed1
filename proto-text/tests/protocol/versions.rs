//! What other versions of memcached answer to the same requests, read by the client's half.

use std::{
    collections::{BTreeMap, VecDeque},
    fs,
    path::Path,
};

use memring_text::{
    Exchange, Limits,
    capabilities::Capabilities,
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

/// The verbs of each row of the clients' READMEs, each with a block in which its command is asked for.
const ROWS: [&[(&str, &str)]; 17] = [
    &[("get", "02-retrieval/get-miss")],
    &[("gets", "02-retrieval/gets-multi")],
    &[("gat", "02-retrieval/gat-miss"), ("gats", "02-retrieval/gats-hit-multi")],
    &[("get_into", "02-retrieval/get-miss")],
    &[("get_to", "02-retrieval/get-64KiB")],
    &[("set", "01-storage/set-basic"), ("set_from", "01-storage/set-basic")],
    &[("add", "01-storage/add-new"), ("replace", "01-storage/replace-existing")],
    &[
        ("append", "01-storage/append-existing-keeps-flags"),
        ("prepend", "01-storage/prepend-existing-keeps-flags"),
    ],
    &[("cas", "01-storage/cas-missing")],
    &[("delete", "04-delete-touch-flush/delete-hit")],
    &[("touch", "04-delete-touch-flush/touch-miss")],
    &[("incr", "03-arith/incr-basic"), ("decr", "03-arith/decr-floor-0")],
    &[("get_many_with", "02-retrieval/get-multi-3-of-5")],
    &[
        ("get_many", "02-retrieval/get-multi-3-of-5"),
        ("set_many", "01-storage/set-basic"),
        ("delete_many", "04-delete-touch-flush/delete-hit"),
    ],
    &[
        ("meta().get", "07-meta-get/mg-T-touch"),
        ("set", "08-meta-set/ms-basic"),
        ("delete", "09-meta-delete-arith-debug/md-hit"),
        ("arith", "09-meta-delete-arith-debug/ma-hit"),
        ("debug", "09-meta-delete-arith-debug/me-miss"),
    ],
    // What it asks for a key that moves, first of all.
    &[("transition", "07-meta-get/mg-N-vivify-win-then-Z")],
    &[
        ("meta().noop", "07-meta-get/mn"),
        ("version", VERSION),
        ("stats", "06-admin/stats-reset"),
        ("flush_all", "04-delete-touch-flush/flush-all"),
        ("verbosity", "06-admin/verbosity"),
    ],
];

/// Every server was asked for its version at the end of each block of its own.
const VERSION: &str = "06-admin/version";

/// What a README says of the servers that have a verb.
#[derive(Clone, Copy, Debug)]
enum Since<'r> {
    /// Those of this version and later ones, and no others.
    Version(&'r str),
    /// Those of this version and later ones; who knows about the others.
    By(&'r str),
    /// All that were asked.
    EveryOne,
}

impl<'r> Since<'r> {
    /// What the last cell of a row says of `verb`: of all verbs, but for those that it names behind a semicolon.
    fn of(verb: &str, cell: &'r str) -> Option<Self> {
        let mut clauses = cell.split("; ");
        let all = clauses.next().unwrap();
        let short = format!("`{}`", verb.trim_start_matches("meta()."));
        let own = clauses.find(|clause| clause.contains(&short));
        match own.map_or(all, |own| own.rsplit("` ").next().unwrap()) {
            "every one" => Some(Self::EveryOne),
            "–" | "as its operations" => None,
            version => Some(version.strip_prefix("by ").map_or(Self::Version(version), Self::By)),
        }
    }
}

/// The three numbers of a version.
fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|number| number.parse().unwrap()).collect()
}

/// Whether this version answers the requests of `base` in other words than the version of which the base files are, `own` being
/// all that it answers otherwise; `None` when it was not asked.
fn is_refused(version: &str, own: &[transcript::Block], base: &transcript::Block) -> Option<bool> {
    let words = |block: &transcript::Block| {
        let word = |exchange: &transcript::Exchange| {
            let end = exchange.received.iter().position(|byte| b" \r".contains(byte));
            exchange.received[..end.unwrap_or(exchange.received.len())].to_vec()
        };
        block.exchanges.iter().map(word).collect::<Vec<_>>()
    };
    if base.name == VERSION {
        return Some(!own.iter().any(|block| block.end == "open"));
    }
    let was_asked = version == "1.6.45" || (!base.name.starts_with("06") && base.varies.is_none());
    let own = own.iter().find(|block| block.name == base.name);
    was_asked.then(|| own.is_some_and(|own| words(own) != words(base)))
}

#[test]
fn the_readmes_say_since_when_servers_have_a_verb() {
    let (versions, base) = (versions(), transcript::blocks());
    for readme in ["../client-std/README.md", "../client-tokio/README.md"] {
        let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(readme)).unwrap();
        let table = readme.lines().skip_while(|line| !line.contains("| since memcached |")).skip(2);
        let mut rows = 0;
        for line in table.take_while(|line| line.starts_with('|')) {
            let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let (names, cell) = (cells[0], *cells.last().unwrap());
            let verbs: Vec<_> = names.split('`').filter(|verb| !verb.trim().is_empty()).collect();
            let asked = ROWS.iter().find(|row| row.iter().map(|(verb, _)| *verb).eq(verbs.iter().copied()));
            for verb in &verbs {
                let Some(since) = Since::of(verb, cell) else { continue };
                let asked = asked.unwrap_or_else(|| panic!("no transcripts for the row of {names}"));
                let (_, name) = asked.iter().find(|(known, _)| known == verb).unwrap();
                let base = base.iter().find(|block| block.name == *name).unwrap();
                // The base files are of 1.6.18.
                let mut answers = vec![("1.6.18", false)];
                for (version, own) in &versions {
                    answers.extend(is_refused(version, own, base).map(|refused| (version.as_str(), refused)));
                }
                let (mut before, mut after) = (0, 0);
                for (version, refused) in answers {
                    let is_before = match since {
                        Since::Version(since) | Since::By(since) => numbers(version) < numbers(since),
                        Since::EveryOne => false,
                    };
                    assert!(is_before || !refused, "{verb} {version}: {since:?}");
                    before += usize::from(is_before && refused);
                    after += usize::from(!is_before);
                }
                assert!(after > 0, "no transcript of a server with {verb}: {since:?}");
                // 1.6.9 knows `me`, but no other meta command in these words.
                let is_told = before > 0 || *verb == "debug";
                assert!(is_told || !matches!(since, Since::Version(_)), "no transcript without {verb}");
            }
            rows += usize::from(asked.is_some());
        }
        assert_eq!(rows, ROWS.len(), "each row of verbs");
    }
}

/// The text of a source or a document, and of all in a folder: comments without their signs, and one line.
fn prose(path: &Path) -> String {
    if path.is_dir() {
        return fs::read_dir(path).unwrap().map(|entry| prose(&entry.unwrap().path())).collect();
    }
    if !path.extension().is_some_and(|end| end == "rs" || end == "md") {
        return String::new();
    }
    let text = fs::read_to_string(path).unwrap();
    let words = text.split_whitespace().filter(|word| !word.starts_with("//"));
    words.flat_map(|word| [word, " "]).collect()
}

/// What is said to be there "since" a version is one of the features whose versions are tested, each with its source.
#[test]
fn documents_and_help_name_no_version_that_is_not_tested() {
    let mut told = 0;
    for place in ["src", "README.md", "../client-core", "../client-std", "../client-tokio", "../cli"] {
        let text = prose(&Path::new(env!("CARGO_MANIFEST_DIR")).join(place));
        for behind in text.split("since ").skip(1) {
            let behind = behind.strip_prefix("memcached ").unwrap_or(behind);
            let version = behind.split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap();
            let version = version.trim_end_matches('.');
            // A word, or a year.
            if !version.contains('.') {
                continue;
            }
            let [major, minor, patch] = numbers(version)[..] else { panic!("since {version}?") };
            let before = format!("{major}.{minor}.{}", patch - 1);
            let can = |version: &str| Capabilities::of_version(version.as_bytes());
            assert_ne!(can(version), can(&before), "{place}: since {version}");
            told += 1;
        }
    }
    assert!(told >= 10, "{told}");
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
