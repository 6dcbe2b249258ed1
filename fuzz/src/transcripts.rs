//! The transcripts of real servers, as bytes: seeds for the codec's targets, and rows for its tests.

use std::{fs, path::Path};

/// What went one way in a block, all of it.
pub fn all(way: Way) -> Vec<Vec<u8>> {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto-text/tests/vectors");
    let entries = fs::read_dir(vectors).expect("the transcripts");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    let texts = files.iter().map(|file| fs::read_to_string(file).expect("text"));
    let blocks = texts
        .flat_map(|text| text.split("\n@ ").skip(1).map(|block| bytes_of(block, way)).collect::<Vec<_>>());
    blocks.filter(|bytes| !bytes.is_empty()).collect()
}

/// Which way bytes went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    Requests,
    /// From the server to the client.
    Replies,
}

/// The bytes of every record of a kind, one after the other.
fn bytes_of(block: &str, way: Way) -> Vec<u8> {
    let kind = if way == Way::Requests { "C " } else { "S " };
    let records = block.lines().filter_map(|line| line.strip_prefix(kind));
    records.filter(|record| *record != "(nothing)").flat_map(bytes).collect()
}

/// Reads items like `"text"` and `3*"text"`, with one space between.
fn bytes(record: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = record;
    while let Some((count, text)) = rest.split_once('"') {
        let count = count.trim().trim_end_matches('*').parse().unwrap_or(1);
        let (item, behind) = quoted(text);
        bytes.extend(item.repeat(count));
        rest = behind;
    }
    bytes
}

/// What stands before the closing quotation mark, and behind it.
fn quoted(text: &str) -> (Vec<u8>, &str) {
    let mut item = Vec::new();
    let mut rest = text.char_indices();
    while let Some((at, char)) = rest.next() {
        match char {
            '"' => return (item, &text[at + 1..]),
            '\\' => match rest.next().map(|(_, char)| char) {
                Some('r') => item.push(b'\r'),
                Some('n') => item.push(b'\n'),
                Some('x') => {
                    let (from, _) = rest.next().expect("two digits");
                    rest.next();
                    item.push(u8::from_str_radix(&text[from..from + 2], 16).expect("two digits"));
                }
                Some(other) => item.push(other as u8),
                None => break,
            },
            other => item.push(other as u8),
        }
    }
    panic!("no end of {text:?}");
}
