//! Sessions that nobody thought of, asked of the memcached of this machine and of our engine: both answer alike.
//!
//! They come from seeds, always the same four; `MEMRING_SEED` sets another first one, and `MEMRING_SESSIONS` how many
//! there are of each.
//! Left out is what memcached itself does in one way and another, and what our engine does not do after it: items that
//! its threads move in the background, numbers read beyond the end of a value of blanks, items that a second flush with a
//! delay brings back, and a number that becomes shorter while the reply to an `mg` still refers to it.

use std::{
    cell::Cell,
    env,
    net::{Shutdown, TcpStream},
    thread,
    time::{Duration, SystemTime},
};

use memring_text::{
    reply::Step,
    server::{EngineConfig, Reading, RequestDecoder, RequestEvent},
};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, RngSeed, TestRunner},
};

use crate::{
    live::{Memcached, ask, is_reference},
    own_server::{Server, without_ttl},
    pairing,
    sessions::{EPILOGUE, Session, session, shown},
};

/// How much memcached reads at a time, in bytes.
const READ: usize = 16 << 10;

/// Both servers, and what ours has said and memcached has not yet: while a value comes in, it keeps to itself what it
/// has to say.
struct Pair {
    own: Server,
    stream: TcpStream,
    owed: Vec<u8>,
    /// Ours had nothing to say to the last write.
    is_silent: bool,
    /// What stands before the next request: nothing, or the rest of one.
    reader: RequestDecoder,
    unread: Vec<u8>,
    /// How many requests a client of ours could have sent, and was right about.
    paired: usize,
}

impl Pair {
    /// Asks both, and reads until memcached has said as much as ours, or so many bytes more. Is the last that ours says
    /// the answer to an `mn`?
    fn ask(&mut self, write: &[u8], more: usize, patience: Duration) -> Result<bool, String> {
        let nothing_owed = self.owed.is_empty();
        let said = self.own.ask(write, READ);
        self.is_silent = said.is_empty();
        let in_step = said.ends_with(b"MN\r\n");
        self.owed.extend(said);
        let got = ask(&mut self.stream, write, self.owed.len() + more, patience);
        let is_fresh = self.read(write) && nothing_owed;
        if without_ttl(&got) == without_ttl(&self.owed) {
            if is_fresh {
                self.paired += pairing::check(write, &got);
            }
            self.owed.clear();
        } else if self.owed.starts_with(&got) {
            self.owed.drain(..got.len());
        } else {
            let at = got.iter().zip(&self.owed).take_while(|(a, b)| a == b).count().saturating_sub(40);
            let [got, owed] = [&got, &self.owed].map(|bytes| shown(&bytes[at.min(bytes.len())..]));
            return Err(format!("asked {}\n memcached {got}\n ours      {owed}", shown(write)));
        }
        Ok(in_step)
    }

    /// Reads the requests as memcached does. Did they begin behind the last one?
    fn read(&mut self, write: &[u8]) -> bool {
        let mut ahead = self.reader.clone();
        let next = if self.unread.is_empty() { ahead.decode(b"mn\r\n") } else { Ok(Step::NeedMore) };
        self.unread.extend_from_slice(write);
        while let Ok(Step::Event { consumed, .. }) = self.reader.decode(&self.unread) {
            self.unread.drain(..consumed);
        }
        matches!(next, Ok(Step::Event { event: RequestEvent::MetaNoop, .. }))
    }

    /// Nothing more may come; what is still owed may be.
    fn end(&mut self, may_owe: bool) -> Result<(), String> {
        self.ask(b"", 1, LONG)?;
        if may_owe || self.owed.is_empty() {
            Ok(())
        } else {
            Err(format!("never said: {}", shown(&self.owed)))
        }
    }
}

/// How long memcached may think, and how long where what it says must come.
const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(5);

/// Asks both, with a `pause` behind each write that has no answer, and says how many requests a client of ours could have
/// sent. `Err` tells where they differ.
fn compare(session: &Session, pause: Duration) -> Result<usize, String> {
    let live = Memcached::start(&["-o".into(), "no_lru_maintainer,no_lru_crawler".into()]);
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
    let own = Server::new(EngineConfig::default(), None, now);
    let (stream, reader) = (live.connect(), RequestDecoder::new(Reading::AsMemcached));
    let mut pair =
        Pair { own, stream, owed: Vec::new(), is_silent: false, reader, unread: Vec::new(), paired: 0 };
    for write in session.0.iter().map(Vec::as_slice).chain([EPILOGUE]) {
        let asked = pair.ask(write, 0, SHORT);
        if pair.is_silent {
            thread::sleep(pause);
        }
        if pair.own.is_closed() && write.len() > READ {
            // Closed before everything was read, so that replies can be lost on their way.
            return Ok(pair.paired);
        }
        asked?;
        if pair.own.is_closed() {
            pair.end(false)?;
            return pair.ask(b"mn\r\n", 4, SHORT).map(|_| pair.paired);
        }
    }
    let in_step = pair.ask(b"mn\r\n", 0, SHORT)?;
    if in_step && !pair.owed.is_empty() {
        pair.ask(b"", 0, LONG)?;
    }
    pair.stream.shutdown(Shutdown::Write).map_err(|error| error.to_string())?;
    pair.end(!in_step)?;
    Ok(pair.paired)
}

/// Asks as many sessions of both as are wanted; says how many writes they had, and how many requests that a client of
/// ours could have sent.
fn compare_many(seed: u64, sessions: u32) -> (usize, usize) {
    let config = Config {
        cases: sessions,
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..Config::default()
    };
    let (writes, paired) = (Cell::new(0), Cell::new(0));
    let result = TestRunner::new(config).run(&session(), |session| {
        // The clock of the one may tick while that of the other does not; and a server that has little time may read
        // two writes as one, where nothing is answered between them.
        let patiently = |_| compare(&session, Duration::from_millis(100));
        let count = compare(&session, Duration::ZERO).or_else(patiently).map_err(TestCaseError::fail)?;
        writes.set(writes.get() + session.0.len());
        paired.set(paired.get() + count);
        Ok(())
    });
    if let Err(error) = result {
        panic!("seed {seed}: {error}");
    }
    (writes.get(), paired.get())
}

#[test]
fn sessions_nobody_thought_of_are_answered_alike() {
    if !is_reference() {
        return;
    }
    let number = |name, usual| env::var(name).map_or(usual, |number| number.parse().unwrap());
    let (seed, sessions) = (number("MEMRING_SEED", 1), number("MEMRING_SESSIONS", 30));
    // Most of the time is waiting for another process.
    thread::scope(|scope| {
        let run = |seed| scope.spawn(move || compare_many(seed, sessions as u32));
        let runs: Vec<_> = (seed..seed + 4).map(|seed| (seed, run(seed))).collect();
        for (seed, run) in runs {
            let (writes, paired) = run.join().unwrap();
            println!("seed {seed}: {sessions} sessions, {writes} writes, {paired} requests of a client");
            assert!(paired > writes / 2);
        }
    });
}
