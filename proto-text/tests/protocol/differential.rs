//! Sessions that nobody thought of, asked of the memcached of this machine and of our engine: both answer alike.
//!
//! They come from a seed, always the same one; `MEMRING_SEED` sets another, and `MEMRING_SESSIONS` how many there are.
//! Left out is what memcached itself does in one way and another: what its threads do to items in the background,
//! numbers read beyond the end of a value of blanks, and what a flush with a delay brings back that an earlier one took.

use std::{
    env,
    net::{Shutdown, TcpStream},
    time::{Duration, SystemTime},
};

use memring_text::server::EngineConfig;
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, RngSeed, TestRunner},
};

use crate::{
    live::{Memcached, ask, is_reference},
    own_server::{Server, without_ttl},
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
}

impl Pair {
    /// Asks both, and reads until memcached has said as much as ours, or so many bytes more. Is the last that ours says
    /// the answer to an `mn`?
    fn ask(&mut self, write: &[u8], more: usize, patience: Duration) -> Result<bool, String> {
        let said = self.own.ask(write, READ);
        let in_step = said.ends_with(b"MN\r\n");
        self.owed.extend(said);
        let got = ask(&mut self.stream, write, self.owed.len() + more, patience);
        if without_ttl(&got) == without_ttl(&self.owed) {
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

/// Asks both; `Err` tells where they differ.
fn compare(session: &Session) -> Result<(), String> {
    let live = Memcached::start(&["-o".into(), "no_lru_maintainer,no_lru_crawler".into()]);
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
    let own = Server::new(EngineConfig::default(), None, now);
    let mut pair = Pair { own, stream: live.connect(), owed: Vec::new() };
    for write in session.0.iter().map(Vec::as_slice).chain([EPILOGUE]) {
        let asked = pair.ask(write, 0, SHORT);
        if pair.own.is_closed() && write.len() > READ {
            // Closed before everything was read, so that replies can be lost on their way.
            return Ok(());
        }
        asked?;
        if pair.own.is_closed() {
            pair.end(false)?;
            return pair.ask(b"mn\r\n", 4, SHORT).map(drop);
        }
    }
    let in_step = pair.ask(b"mn\r\n", 0, SHORT)?;
    if in_step && !pair.owed.is_empty() {
        pair.ask(b"", 0, LONG)?;
    }
    pair.stream.shutdown(Shutdown::Write).map_err(|error| error.to_string())?;
    pair.end(!in_step)
}

#[test]
fn sessions_nobody_thought_of_are_answered_alike() {
    if !is_reference() {
        return;
    }
    let number = |name, usual| env::var(name).map_or(usual, |number| number.parse().unwrap());
    let seed = number("MEMRING_SEED", 1);
    let config = Config {
        cases: number("MEMRING_SESSIONS", 150) as u32,
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let result = runner.run(&session(), |session| {
        // The clock of the one may tick while that of the other does not.
        let differences: Vec<_> = (0..2).map_while(|_| compare(&session).err()).collect();
        match differences.last().filter(|_| differences.len() == 2) {
            Some(difference) => Err(TestCaseError::fail(difference.clone())),
            None => Ok(()),
        }
    });
    if let Err(error) = result {
        panic!("seed {seed}: {error}");
    }
}
