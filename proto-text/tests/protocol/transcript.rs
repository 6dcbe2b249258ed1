//! Reads the transcript files.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// A block: one connection to one new server.
pub struct Block {
    /// File and name.
    pub name: String,
    /// Arguments of the server; `None` where they need something that is not here.
    pub args: Vec<String>,
    /// Which bytes differ from run to run.
    pub varies: Option<String>,
    pub exchanges: Vec<Exchange>,
    /// How it ended: `open`, `closed`, `reset`, `unprobed`.
    pub end: String,
}

/// What went there and back, and what a parser makes of it.
#[derive(Default)]
pub struct Exchange {
    /// The client's bytes, one entry a write.
    pub sent: Vec<Vec<u8>>,
    /// The requests; `None` when the bytes are no well-formed ones.
    pub requests: Option<Vec<Value>>,
    /// The server's bytes.
    pub received: Vec<u8>,
    /// The replies; `None` when the bytes are no sequence of replies.
    pub replies: Option<Vec<Value>>,
    /// Seconds to wait before sending.
    pub wait: f64,
}

impl Exchange {
    pub fn sent_whole(&self) -> Vec<u8> {
        self.sent.concat()
    }
}

/// A reply of a broken or hostile server, and what must become of it.
pub struct BadReply {
    pub name: String,
    /// The requests, as a client would write their lines.
    pub request: String,
    pub received: Vec<u8>,
    /// The server closes behind its bytes.
    pub eof: bool,
    /// What the caller may receive.
    pub delivered: Option<Value>,
    /// The classes of error that are right.
    pub classes: Vec<String>,
    /// What may become of the connection: `close`, `keep`.
    pub connection: Vec<String>,
}

fn vectors() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

/// The names of the blocks to which memcached 1.6.45 answers otherwise.
pub fn names_that_differ() -> HashSet<String> {
    let names: HashSet<_> = numbered(&vectors().join("newer-1.6.45"))
        .iter()
        .flat_map(blocks_of)
        .map(|block| block.name)
        .collect();
    assert_eq!(names.len(), 54);
    names
}

/// For each other version that was asked, the blocks to which it answers otherwise, with the requests that the base files
/// have for the same bytes.
pub fn versions() -> Vec<(String, Vec<Block>)> {
    let base: HashMap<_, _> = blocks().into_iter().map(|block| (block.name.clone(), block)).collect();
    let mut folders: Vec<_> = fs::read_dir(vectors().join("versions"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .chain([vectors().join("newer-1.6.45")])
        .collect();
    folders.sort();
    let with_requests = |mut block: Block| {
        let base = &base[&block.name];
        assert_eq!(base.exchanges.len(), block.exchanges.len(), "{}", block.name);
        for (exchange, base) in block.exchanges.iter_mut().zip(&base.exchanges) {
            assert_eq!(exchange.sent, base.sent, "{}", block.name);
            exchange.requests = base.requests.clone();
        }
        block
    };
    let versions: Vec<_> = folders
        .iter()
        .map(|folder| {
            let name = folder.file_name().unwrap().to_str().unwrap();
            let blocks = numbered(folder).iter().flat_map(blocks_of).map(with_requests).collect();
            (name.trim_start_matches("newer-").to_string(), blocks)
        })
        .collect();
    let names: Vec<_> = versions.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["1.6.45", "1.4.24", "1.4.5", "1.5.22", "1.6.10", "1.6.12", "1.6.29", "1.6.9"]);
    versions
}

/// Every block of the numbered files, in their order.
pub fn blocks() -> Vec<Block> {
    let blocks: Vec<_> = numbered(&vectors()).iter().flat_map(blocks_of).collect();
    assert_eq!(blocks.len(), 303, "blocks in {}", vectors().display());
    blocks
}

fn numbered(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files
        .retain(|path| path.file_name().unwrap().to_str().unwrap().starts_with(|c: char| c.is_ascii_digit()));
    files.sort();
    files
}

fn blocks_of(path: &PathBuf) -> Vec<Block> {
    let file = path.file_stem().unwrap().to_str().unwrap();
    let text = fs::read_to_string(path).unwrap();
    let mut default_args = Vec::new();
    let mut blocks: Vec<Block> = Vec::new();
    for line in text.lines() {
        if let Some(args) = line.strip_prefix("# args: ").filter(|_| blocks.is_empty()) {
            default_args = words(args).filter(|word| *word != "(defaults)").map(String::from).collect();
        }
        let (kind, rest) = line.split_at(line.len().min(2));
        let block = blocks.last_mut();
        match kind.trim_end() {
            "" | "#" => {}
            "@" => blocks.push(Block {
                name: format!("{file}/{rest}"),
                args: default_args.clone(),
                varies: None,
                exchanges: Vec::new(),
                end: String::new(),
            }),
            "A" => block.unwrap().args = words(rest).map(String::from).collect(),
            "V" => block.unwrap().varies = Some(rest.into()),
            "E" => block.unwrap().end = rest.into(),
            "C" => open_exchange(block.unwrap()).sent.push(bytes(rest)),
            "W" => {
                block
                    .unwrap()
                    .exchanges
                    .push(Exchange { wait: rest.parse().unwrap(), ..Exchange::default() });
            }
            "Q" if rest == "none" => {}
            "Q" => last(block).requests.get_or_insert_default().push(serde_json::from_str(rest).unwrap()),
            "S" => {
                let exchange = last(block);
                exchange.received = bytes(rest);
                if exchange.received.is_empty() {
                    exchange.replies = Some(Vec::new());
                }
            }
            "R" if rest == "none" => last(block).replies = None,
            "R" => last(block).replies.get_or_insert_default().push(serde_json::from_str(rest).unwrap()),
            other => panic!("{file}: unknown record {other:?}"),
        }
    }
    blocks
}

/// The exchange that a C line belongs to: several writes of one exchange follow each other.
fn open_exchange(block: &mut Block) -> &mut Exchange {
    let fresh = block
        .exchanges
        .last()
        .is_some_and(|last| last.requests.is_none() && last.replies.is_none() && last.received.is_empty());
    if !fresh {
        block.exchanges.push(Exchange::default());
    }
    block.exchanges.last_mut().unwrap()
}

fn last(block: Option<&mut Block>) -> &mut Exchange {
    block.unwrap().exchanges.last_mut().unwrap()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|word| !word.is_empty())
}

/// Every case of `bad-replies.txt`.
pub fn bad_replies() -> Vec<BadReply> {
    let text = fs::read_to_string(vectors().join("bad-replies.txt")).unwrap();
    let mut cases: Vec<BadReply> = Vec::new();
    for line in text.lines() {
        let (kind, rest) = line.split_at(line.len().min(2));
        let case = cases.last_mut();
        match kind.trim_end() {
            "" | "#" => {}
            "@" => cases.push(BadReply {
                name: rest.into(),
                request: String::new(),
                received: Vec::new(),
                eof: false,
                delivered: None,
                classes: Vec::new(),
                connection: Vec::new(),
            }),
            "Q" => case.unwrap().request = rest.into(),
            "S" => {
                let case = case.unwrap();
                let (data, eof) = rest.strip_suffix(" EOF").map_or((rest, false), |data| (data, true));
                (case.received, case.eof) = (bytes(data), eof);
            }
            "D" if rest == "(nothing)" => {}
            "D" => case.unwrap().delivered = Some(serde_json::from_str(rest).unwrap()),
            "X" => case.unwrap().classes = rest.split("-or-").map(String::from).collect(),
            "K" => case.unwrap().connection = rest.split("-or-").map(String::from).collect(),
            other => panic!("unknown record {other:?}"),
        }
    }
    assert_eq!(cases.len(), 95);
    cases
}

/// Items `"text"` and `N*"text"`, separated by one space.
pub fn bytes(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    if text == "(nothing)" {
        return out;
    }
    let mut rest = text;
    while !rest.is_empty() {
        let (times, quoted) = rest.split_once('"').unwrap();
        let times = times.strip_suffix('*').map_or(1, |times| times.parse().unwrap());
        let (item, behind) = quoted_item(quoted);
        for _ in 0..times {
            out.extend_from_slice(&item);
        }
        rest = behind.strip_prefix(' ').unwrap_or(behind);
    }
    out
}

/// The text up to the closing quote, its escapes resolved, and what follows the quote.
fn quoted_item(text: &str) -> (Vec<u8>, &str) {
    let mut out = Vec::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (out, &text[at + 1..]),
            '\\' => match chars.next().unwrap().1 {
                'r' => out.push(b'\r'),
                'n' => out.push(b'\n'),
                'x' => {
                    let high = chars.next().unwrap().1.to_digit(16).unwrap();
                    let low = chars.next().unwrap().1.to_digit(16).unwrap();
                    out.push((high * 16 + low) as u8);
                }
                c @ ('"' | '\\') => out.push(c as u8),
                c => panic!("unknown escape {c:?}"),
            },
            c => out.push(u8::try_from(c).unwrap()),
        }
    }
    panic!("no closing quote in {text:?}");
}

#[test]
fn escapes_and_repeats() {
    assert_eq!(bytes(r#""a\r\n\x07" 3*"b\"" "\\""#), b"a\r\n\x07b\"b\"b\"\\");
}
