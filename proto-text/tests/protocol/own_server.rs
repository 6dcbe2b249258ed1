//! The engine answers what was asked of memcached as memcached did, byte for byte.

use std::collections::BTreeMap;

use memring_text::{
    Credentials, UnixTime,
    server::{Engine, EngineConfig, Guard, MemoryStore, Next, RequestDecoder, Session},
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
fn without_ttl(reply: &[u8]) -> Vec<u8> {
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

struct Server {
    engine: Engine<MemoryStore>,
    guard: Option<Guard>,
    session: Session<Vec<u8>>,
    inbox: Vec<u8>,
    now: f64,
    closed: bool,
}

impl Server {
    fn new(block: &Block) -> Self {
        let engine = Engine::with_config(MemoryStore::new(64 << 20), config(block).unwrap());
        let guard = block.args.iter().any(|arg| arg == "-Y").then(Guard::new);
        let session = Session::new(Vec::new());
        Self { engine, guard, session, inbox: Vec::new(), now: 1.7e9, closed: false }
    }

    /// Sends in pieces of `step` bytes; gives what comes back.
    fn ask(&mut self, bytes: &[u8], step: usize) -> Vec<u8> {
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
            assert!(self.inbox.len() <= RequestDecoder::MIN_BUFFER);
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
            let mut server = Server::new(&block);
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
