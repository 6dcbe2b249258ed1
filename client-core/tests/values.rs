//! What other clients stored and read back, beside what is read and written here.
//!
//! The files in `values` are named by the peer. Their header says which client, version and configuration made the rows:
//! the name of the case, flags, bytes, and what the client itself made of them when it read them back.

use std::{borrow::Cow, fs, path::Path};

use memring_client::values::{
    Compression, DEFAULT_LIMIT, Integer, Peer, Problem, Reading, Value, guess, peers,
};
use sha2::{Digest, Sha256};

/// A row of a file.
struct Row {
    /// Where it stands: `php-memcached int-42 flags 1`.
    place: String,
    peer: &'static Peer,
    flags: u32,
    /// The stored bytes; none where the file has only how many there were.
    raw: Option<Vec<u8>>,
    /// What the client called the value.
    kind: String,
    decoded: String,
}

impl Row {
    fn read(&self) -> Option<Reading<'_>> {
        let raw = self.raw.as_deref()?;
        let reading = self.peer.read(self.flags, raw, DEFAULT_LIMIT);
        Some(reading.unwrap_or_else(|error| panic!("{}: {error}", self.place)))
    }

    fn is_compressed(&self) -> bool {
        self.read().is_some_and(|reading| reading.compression.is_some())
    }
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/values")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let peer = peers::named(name).unwrap_or_else(|| panic!("{name} is no peer"));
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let [case, flags, raw, kind, decoded] =
                line.split('\t').collect::<Vec<_>>().try_into().unwrap_or_else(|_| panic!("{name}: {line}"));
            rows.push(Row {
                place: format!("{name} {case} flags {flags}"),
                peer,
                flags: flags.parse().unwrap(),
                raw: (!raw.contains('…')).then(|| unhex(raw)),
                kind: kind.to_owned(),
                decoded: decoded.to_owned(),
            });
        }
    }
    assert!(rows.len() > 1200, "{} rows", rows.len());
    rows
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a file says of bytes: a value of more than 4096 is its length and its hash.
fn digest(bytes: &[u8], shown: impl FnOnce() -> String) -> String {
    if bytes.len() > 4096 { format!("…{}:{}", bytes.len(), hex(&Sha256::digest(bytes))) } else { shown() }
}

/// A value as a file would say it.
fn said(value: &Value<'_>) -> (String, String) {
    let (kind, decoded) = match value {
        Value::Bytes(bytes) => ("bytes", digest(bytes, || hex(bytes))),
        Value::Text(text) => ("text", digest(text.as_bytes(), || text.to_string())),
        Value::Int(int) => ("int", int.to_string()),
        Value::Float(float) => ("float", float.to_string()),
        Value::Bool(yes) => ("bool", yes.to_string()),
        Value::Date(date) => ("date", date.to_string()),
        Value::Object(object) => return (format!("object:{}", object.format), "-".to_owned()),
        value => panic!("{value:?}"),
    };
    (kind.to_owned(), decoded)
}

/// What a row says, in the same words.
fn expected(row: &Row) -> (String, String) {
    let decoded = match row.kind.as_str() {
        "text" if !row.decoded.starts_with('…') => serde_json::from_str(&row.decoded).unwrap(),
        "float" => row.decoded.parse::<f64>().unwrap().to_string(),
        _ => row.decoded.clone(),
    };
    (row.kind.clone(), decoded)
}

#[test]
fn every_row_is_read_as_its_client_reads_it() {
    let mut whole = 0;
    for row in rows() {
        let Some(reading) = row.read() else { continue };
        assert_eq!(said(&reading.value), expected(&row), "{}", row.place);
        whole += 1;
    }
    assert!(whole > 1000, "{whole} whole rows");
}

/// Whether the client stored bytes that it cannot read itself; those are not written.
fn is_lost(row: &Row, value: &Value<'_>) -> bool {
    row.peer == &peers::PYTHON_MEMCACHED_1_58 && matches!(value, Value::Bytes(_))
}

#[test]
fn what_is_not_compressed_is_written_as_its_client_wrote_it() {
    let mut written = 0;
    for row in rows() {
        let (Some(reading), Some(raw)) = (row.read(), &row.raw) else { continue };
        let is_object = matches!(reading.value, Value::Object(_));
        if is_object || reading.compression.is_some() || is_lost(&row, &reading.value) {
            continue;
        }
        let stored = row.peer.write_as(reading.type_name, &reading.value).expect(&row.place);
        assert_eq!(stored.flags | reading.callers_flags, row.flags, "{}", row.place);
        assert_eq!(hex(&stored.bytes), hex(raw), "{}", row.place);
        written += 1;
    }
    assert!(written > 600, "{written} rows were written");
}

/// Where a peer has several types for one kind of value, one of them is written.
#[test]
fn a_value_is_read_again_as_the_same_value() {
    for row in rows() {
        let Some(reading) = row.read() else { continue };
        let stored = match row.peer.write(&reading.value) {
            Ok(stored) => stored,
            Err(error) => {
                let is_object = matches!(reading.value, Value::Object(_));
                assert!(is_object || is_lost(&row, &reading.value), "{}: {error}", row.place);
                continue;
            }
        };
        let again = row.peer.read(stored.flags, &stored.bytes, 0).expect(&row.place);
        assert_eq!(said(&again.value), expected(&row), "{}", row.place);
    }
}

/// Flags and bytes of an item; none if it is refused to write one.
type Written = Option<(u32, &'static [u8])>;

/// What no row has: values of one kind that are written as another, and those that only a peer's language can write.
#[test]
fn values_are_written_where_it_is_defined() {
    let text = Value::from("a\r\nü");
    let big = Value::Int("18446744073709551616".parse::<Integer>().unwrap());
    let rows: [(&Peer, &Value<'_>, Written); 25] = [
        (&peers::RAW, &Value::from(0.5), Some((0, b"0.5"))),
        (&peers::RAW, &Value::from(true), None),
        (&peers::PYLIBMC, &Value::from(true), Some((2, b"1"))),
        (&peers::PYLIBMC, &big, Some((4, b"18446744073709551616"))),
        (&peers::PYLIBMC, &Value::from(0.5), None),
        (&peers::PYTHON_MEMCACHED, &Value::from(true), None),
        (&peers::PYTHON_MEMCACHED_1_58, &Value::from(false), Some((2, b"0"))),
        (&peers::PYTHON_MEMCACHED_1_58, &Value::from(&b"\xff"[..]), None),
        (&peers::BMEMCACHED, &Value::from(&b"\xff"[..]), Some((16, b"\xff"))),
        (&peers::LIBMC, &text, None),
        (&peers::PHP_MEMCACHED, &text, Some((0, "a\r\nü".as_bytes()))),
        (&peers::PHP_MEMCACHED, &big, None),
        (&peers::PHP_MEMCACHED, &Value::from(-0.25), Some((2, b"-.25"))),
        (&peers::PHP_MEMCACHED, &Value::Null, Some((4, b"N;"))),
        (&peers::PHP_MEMCACHE, &Value::Null, Some((1, b"N;"))),
        (&peers::PHP_MEMCACHE, &Value::from(f64::NEG_INFINITY), Some((0x700, b"-INF"))),
        (&peers::DALLI, &Value::from(-7), Some((0, b"-7"))),
        (&peers::CACHE_MEMCACHED, &Value::from(f64::INFINITY), Some((0, b"Inf"))),
        (&peers::CACHE_MEMCACHED_FAST, &text, Some((4, "a\r\nü".as_bytes()))),
        (&peers::NODE_MEMCACHED, &text, Some((0, "a\\\r\\\nü".as_bytes()))),
        (&peers::NODE_MEMCACHED, &Value::from((1 << 53) + 1), None),
        (&peers::NODE_MEMCACHED, &Value::from(1 - (1 << 53)), Some((8, b"-9007199254740991"))),
        (&peers::NODE_MEMCACHED, &Value::Null, Some((2, b"null"))),
        (&peers::SPYMEMCACHED, &Value::from(1 << 31), Some((0x300, b"\x80\0\0\0"))),
        (&peers::SPYMEMCACHED_WHALIN, &Value::from(true), Some((8192, b"\x01"))),
    ];
    for (peer, value, expected) in rows {
        let stored = peer.write(value).ok();
        let stored = stored.as_ref().map(|stored| (stored.flags, &*stored.bytes));
        assert_eq!(stored, expected, "{} {value:?}", peer.name());
    }
}

#[test]
fn numbers_that_memcached_counted_down_are_read() {
    for peer in [
        &peers::PYLIBMC,
        &peers::PYTHON_MEMCACHED,
        &peers::PYMEMCACHE,
        &peers::BMEMCACHED,
        &peers::LIBMC,
        &peers::PHP_MEMCACHED,
        &peers::PHP_MEMCACHE,
        &peers::NODE_MEMCACHED,
    ] {
        let ten = Value::from(10);
        let stored = peer.write(&ten).unwrap();
        let reading = peer.read(stored.flags, b"9 ", 0).unwrap();
        assert_eq!(reading.value, Value::from(9), "{}", peer.name());
    }
}

/// Places in a value of this length to damage it at: all of a short one, and some of a long one.
fn places(len: usize) -> impl Iterator<Item = usize> {
    (0..len).step_by((len / 24).max(1))
}

#[test]
fn a_damaged_compressed_value_is_an_error() {
    for row in rows().iter().filter(|row| row.is_compressed()) {
        let (raw, reading) = (row.raw.as_deref().unwrap(), row.read().unwrap());
        let read = |bytes: &[u8]| {
            row.peer.read(row.flags, bytes, DEFAULT_LIMIT).map(|reading| reading.value.into_owned())
        };
        for end in places(raw.len()) {
            let cut = read(&raw[..end]);
            assert!(cut.is_err(), "{} cut at {end}", row.place);
        }
        let behind = read(&[raw, b"\n"].concat());
        assert!(behind.is_err(), "{} with a byte behind it", row.place);
        // FastLZ has no checksum, and PHP's zstd is written without one.
        let has_checksum = matches!(reading.compression, Some(Compression::Zlib | Compression::Gzip));
        for at in places(raw.len()) {
            let mut flipped = raw.to_vec();
            flipped[at] ^= 1 << (at % 8);
            // The header of gzip has bytes that say nothing about the value.
            if let Ok(value) = read(&flipped) {
                assert!(!has_checksum || value == reading.value, "{} flipped at {at}", row.place);
            }
        }
    }
}

#[test]
fn a_length_before_the_value_must_be_right() {
    for row in rows().iter().filter(|row| row.flags & 0x10 != 0 && row.peer == &peers::PHP_MEMCACHED) {
        let raw = row.raw.clone().unwrap();
        let said = u32::from_le_bytes(raw[..4].try_into().unwrap());
        for wrong in [0, said - 1, said + 1, said * 2, u32::MAX] {
            let raw = [&wrong.to_le_bytes()[..], &raw[4..]].concat();
            let error = row.peer.read(row.flags, &raw, DEFAULT_LIMIT).unwrap_err();
            let is_size = matches!(error.problem, Problem::WrongSize { .. } | Problem::TooLarge { .. });
            assert!(is_size, "{} with {wrong} in place of {said}: {error}", row.place);
        }
    }
}

#[test]
fn the_limit_is_the_longest_value() {
    for row in rows().iter().filter(|row| row.is_compressed()) {
        let raw = row.raw.as_deref().unwrap();
        let reading = row.read().unwrap();
        // How long it is before anything is made of it.
        let len = match &reading.value {
            Value::Bytes(bytes) => bytes.len(),
            Value::Text(text) => text.len(),
            Value::Object(object) => object.bytes.len(),
            value => panic!("{}: {value:?}", row.place),
        };
        assert_eq!(row.peer.read(row.flags, raw, len), Ok(reading), "{}", row.place);
        let error = row.peer.read(row.flags, raw, len - 1).unwrap_err();
        assert!(
            matches!(error.problem, Problem::TooLarge { limit, .. } if limit == len - 1),
            "{}: {error}",
            row.place
        );
    }
}

#[test]
fn a_guess_is_what_the_client_says_or_nothing() {
    let (mut compressed, mut objects) = (0, 0);
    for row in rows() {
        let (Some(raw), Some(reading)) = (row.raw.as_deref(), row.read()) else { continue };
        let guess = guess(row.flags, raw, DEFAULT_LIMIT).expect(&row.place);
        if let Some(compression) = guess.compression {
            assert_eq!(Some(compression), reading.compression, "{}", row.place);
            compressed += 1;
        } else {
            assert!(matches!(guess.bytes, Cow::Borrowed(_)));
            assert_eq!(*guess.bytes, *raw);
        }
        if let Some(format) = guess.format {
            assert_eq!(row.kind, format!("object:{format}"), "{}", row.place);
            objects += 1;
        }
    }
    assert!(compressed > 100 && objects > 50, "{compressed} and {objects}");
}

/// The page of the flags is what the tables say.
#[test]
fn the_page_has_every_type_of_every_peer() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("doc/values.md")).unwrap();
    for peer in peers::ALL {
        let types: Vec<_> = peer.types().map(|(name, flags)| format!("`{name}` {flags:#x}")).collect();
        let line = format!("| `{}` | {} | {} |", peer.name(), peer.clients(), types.join(", "));
        assert!(page.lines().any(|found| found == line), "missing: {line}");
    }
}
