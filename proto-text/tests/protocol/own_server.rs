//! The engine answers what was asked of memcached as memcached did, byte for byte.

use std::collections::BTreeMap;

use memring_text::{
    request::Credentials,
    server::{Engine, EngineConfig, Guard, MemoryStore, Next, RequestDecoder, Session},
    ttl::UnixTime,
};

use crate::transcript::{Block, blocks};

/// Why a block is not asked of our engine; `None` when it is.
fn reason(block: &Block) -> Option<&'static str> {
    let name = block.name.split_once('/').unwrap().1;
    match name {
        "stats"
        | "stats-settings"
        | "stats-items"
        | "stats-slabs"
        | "stats-conns"
        | "stats-cachedump"
        | "stats-detail-usage"
        | "stats-detail-dump"
        | "cache-memlimit-small"
        | "cache-memlimit"
        | "slabs-automove"
        | "slabs-reassign-same"
        | "lru-tune-too-much"
        | "lru-crawler-metadump-empty"
        | "lru-crawler-metadump-pipelined"
        | "watch"
        | "shutdown-disabled" => Some("the insides of another program"),
        "oom-set" | "oom-set-noreply-is-silent" | "oom-ms-quiet-still-answers" => {
            Some("slab classes, of which memcached runs out one by one")
        }
        "idle-timeout-closes" | "too-many-connections" => Some("for the loop around the engine"),
        _ if config(block).is_none() => Some("an option that we do not have"),
        _ => None,
    }
}

/// `None` for options that we do not have.
fn config(block: &Block) -> Option<EngineConfig> {
    let config = EngineConfig { version: "1.6.18", ..EngineConfig::default() };
    match &block.args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] | ["-Y", "AUTHFILE"] => Some(config),
        ["-I", "4m"] => Some(EngineConfig { item_size_max: 4 << 20, ..config }),
        _ => None,
    }
}

/// A reply in which a time to live is `t?`: of an expired item memcached tells how long the server has been up.
pub fn without_ttl(reply: &[u8]) -> Vec<u8> {
    let words = reply.split(|byte| *byte == b' ');
    let words = words.map(|word| match word {
        [b't', rest @ ..] if rest.first().is_some_and(u8::is_ascii_digit) => {
            let end = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
            [b"t?", &rest[end..]].concat()
        }
        word => word.to_vec(),
    });
    words.collect::<Vec<_>>().join(&b' ')
}

/// Those of the vectors' `AUTHFILE`.
fn users() -> [Credentials<'static>; 2] {
    [("alice", "s3cret"), ("bob", "hunter2")]
        .map(|(user, password)| Credentials::new(user.as_bytes(), password.as_bytes()).unwrap())
}

pub struct Server {
    engine: Engine<MemoryStore>,
    guard: Option<Guard>,
    session: Session<Vec<u8>>,
    inbox: Vec<u8>,
    now: f64,
    closed: bool,
}

impl Server {
    pub fn new(config: EngineConfig, guard: Option<Guard>, now: f64) -> Self {
        let engine = Engine::with_config(MemoryStore::new(64 << 20), config);
        let session = Session::new(Vec::new());
        Self { engine, guard, session, inbox: Vec::new(), now, closed: false }
    }

    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Sends in pieces of `step` bytes; gives what comes back.
    pub fn ask(&mut self, bytes: &[u8], step: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let mut answer = Vec::new();
        for piece in bytes.chunks(step) {
            self.inbox.extend_from_slice(piece);
            while !self.closed {
                let now = UnixTime::from_millis((self.now * 1000.0) as u64);
                let fed = match self.guard.as_mut().filter(|guard| !guard.is_open()) {
                    Some(guard) => guard.feed(&self.inbox, &users(), &mut out),
                    None => self.session.feed(&self.inbox, &mut self.engine, &mut out, now),
                };
                self.inbox.drain(..fed.consumed);
                self.closed = fed.next == Next::Close;
                match fed.next {
                    Next::Write => answer.append(&mut out),
                    Next::Read | Next::Close => break,
                }
            }
            assert!(self.closed || self.inbox.len() <= RequestDecoder::MIN_BUFFER);
        }
        answer.append(&mut out);
        answer
    }
}

#[test]
fn the_engine_answers_as_memcached_did() {
    let (mut ran, mut left_out) = (0, BTreeMap::<_, Vec<_>>::new());
    for block in blocks() {
        if let Some(reason) = reason(&block) {
            left_out.entry(reason).or_default().push(block.name);
            continue;
        }
        for step in [usize::MAX, 1, 7] {
            if step < 100 && block.exchanges.iter().any(|exchange| exchange.sent_whole().len() > 1 << 20) {
                continue;
            }
            let guard = block.args.iter().any(|arg| arg == "-Y").then(Guard::new);
            let mut server = Server::new(config(&block).unwrap(), guard, 1.7e9);
            for exchange in &block.exchanges {
                server.now += exchange.wait;
                let answer = server.ask(&exchange.sent_whole(), step);
                let same = match block.varies.as_deref() {
                    Some("t") => without_ttl(&answer) == without_ttl(&exchange.received),
                    _ => answer == exchange.received,
                };
                assert!(same, "{}: {}", block.name, answer[..answer.len().min(200)].escape_ascii());
            }
            assert_eq!(server.closed, block.end == "closed", "{}", block.name);
            if !server.closed && block.end != "unprobed" {
                assert_eq!(server.ask(b"version\r\n", step), b"VERSION 1.6.18\r\n", "{}", block.name);
            }
        }
        ran += 1;
    }
    println!("{ran} blocks; left out: {left_out:?}");
    assert_eq!((ran, left_out.values().flatten().count()), (272, 31));
}

/// Seconds to wait, what is asked, and what memcached 1.6.18 answers, on a connection to a new server.
type Row<'r> = &'r [(f64, &'r str, &'r str)];

/// Found by asking both what nobody had thought of; see `differential`.
const ROWS: &[Row<'_>] = &[
    // A delayed flush ends a second early, and takes along what is stored in that second.
    &[
        (0.0, "flush_all 1\r\nset a 0 0 1\r\nx\r\nget a\r\n", "OK\r\nSTORED\r\nEND\r\n"),
        (1.0, "set a 0 0 1\r\nx\r\nget a\r\n", "STORED\r\nVALUE a 0 1\r\nx\r\nEND\r\n"),
    ],
    &[
        (0.0, "set a 0 0 1\r\nx\r\nflush_all 3\r\nget a\r\n", "STORED\r\nOK\r\nVALUE a 0 1\r\nx\r\nEND\r\n"),
        (2.0, "get a\r\nset a 0 0 1\r\ny\r\nget a\r\n", "END\r\nSTORED\r\nEND\r\n"),
        (1.0, "set a 0 0 1\r\ny\r\nget a\r\n", "STORED\r\nVALUE a 0 1\r\ny\r\nEND\r\n"),
    ],
    // Another delay replaces the first.
    &[
        (0.0, "set a 0 0 1\r\nx\r\nflush_all 3\r\nflush_all 100\r\n", "STORED\r\nOK\r\nOK\r\n"),
        (3.0, "get a\r\n", "VALUE a 0 1\r\nx\r\nEND\r\n"),
    ],
    // A flush takes a cas unique, also one of a moment long past, which flushes nothing.
    &[(
        0.0,
        "set a 0 0 1\r\nx\r\nflush_all 2592001\r\nset b 0 0 1\r\nx\r\ngets a b\r\n",
        "STORED\r\nOK\r\nSTORED\r\nVALUE a 0 1 1\r\nx\r\nVALUE b 0 1 3\r\nx\r\nEND\r\n",
    )],
    // The first fetch leaves the time of the last access as it is; `incr` is an access.
    &[
        (0.0, "set a 0 0 1\r\n5\r\n", "STORED\r\n"),
        (2.0, "mg a l h\r\nmg a l h\r\n", "HD l2 h0\r\nHD l2 h1\r\n"),
        (2.0, "incr a 1\r\nmg a l\r\n", "6\r\nHD l0\r\n"),
    ],
    // What is stored as expired has ended when memcached's own count of seconds began.
    &[
        (0.0, "ma a N-1 t\r\n", "HD t4294967235\r\n"),
        (2.0, "ma b N-1 t\r\nma c N0 T-1 t\r\n", "HD t4294967233\r\nHD t4294967233\r\n"),
    ],
    &[(0.0, "ms a 2\r\n99\r\nma a T-1 t\r\nmg a t v\r\n", "HD\r\nHD t4294967235\r\nVA 3 t-1\r\n100\r\n")],
    // While it swallows a value it says nothing.
    &[(0.0, "set a 0 0 2000000\r\n", ""), (0.0, "ms a 2 x\r\n", "")],
    &[(0.0, "ms a 2 x\r\n", ""), (0.0, "ab\r\n", "CLIENT_ERROR invalid flag\r\n")],
    // An opaque that is too long is found late.
    &[(
        0.0,
        "ma a N0 J5 O01234567890123456789012345678901\r\nma a v\r\n",
        "CLIENT_ERROR opaque token too long\r\nVA 1\r\n6\r\n",
    )],
    &[(
        0.0,
        "mg a N0 O01234567890123456789012345678901\r\nmg a s\r\n",
        "CLIENT_ERROR opaque token too long\r\nHD s0\r\n",
    )],
    &[(
        0.0,
        "ms a 1 O01234567890123456789012345678901 Mx\r\nx\r\n",
        "CLIENT_ERROR invalid mode for ms M token\r\n",
    )],
    &[(0.0, "me a x x\r\nme a b\r\n", "EN\r\nCLIENT_ERROR bad command line format\r\n")],
    &[(0.0, "bget a\r\n", "END\r\n")],
    &[(0.0, "a HTTP/1.1\r\nHTTP/1.1\r\n", "")],
    &[(0.0, "mn\r\nset a 0 0 1\r\nx\r\nGET / HTTP/1.1\r\n", "MN\r\n")],
];

#[test]
fn the_engine_answers_what_nobody_had_thought_of_as_memcached_did() {
    for row in ROWS {
        let mut server = Server::new(EngineConfig::default(), None, 1.7e9);
        for (wait, asked, answered) in *row {
            server.now += wait;
            let answer = server.ask(asked.as_bytes(), usize::MAX);
            assert_eq!(String::from_utf8(answer).as_deref(), Ok(*answered), "{asked:?}");
        }
    }
}

#[test]
fn replies_that_came_together_with_what_breaks_off_are_lost() {
    // As memcached 1.6.18 does: it has not written them yet.
    let mut server = Server::new(EngineConfig::default(), None, 1.7e9);
    let get = [b"set a 0 0 1\r\nx\r\nget ", &[b'k'; 251][..], b"\r\n"].concat();
    assert_eq!(server.ask(&get, usize::MAX), b"CLIENT_ERROR bad command line format\r\n");
    assert_eq!(server.ask(&get, 1), b"STORED\r\nCLIENT_ERROR bad command line format\r\n");
    // It writes what it has to say of a value of which it had to wait for a part.
    assert_eq!(server.ask(b"set a 0 0 2\r\nx", usize::MAX), b"");
    let get = [&b"y\r\n"[..], &get].concat();
    assert_eq!(server.ask(&get, usize::MAX), b"STORED\r\nCLIENT_ERROR bad command line format\r\n");
}

#[test]
fn a_line_of_more_than_2048_bytes_is_taken_where_it_comes_whole() {
    for (spaces, word, answer) in [
        (0, "x", "ERROR\r\n"),
        (0, "get ", "CLIENT_ERROR bad command line format\r\n"),
        (100, "get ", "CLIENT_ERROR bad command line format\r\n"),
    ] {
        let line = [&vec![b' '; spaces], word.as_bytes(), &[b'k'; 3000], b"\r\n"].concat();
        let mut server = Server::new(EngineConfig::default(), None, 1.7e9);
        assert_eq!(server.ask(&line, usize::MAX), answer.as_bytes());
        server.ask(&line, 1);
        assert_eq!(server.closed, word == "x");
    }
}
