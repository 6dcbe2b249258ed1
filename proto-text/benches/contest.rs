//! Times libraries that read replies, side by side.
//!
//! On a shared machine times move by a factor of two from run to run, ratios within a run by a few per cent. So
//! nothing is timed alone: each round times every contestant, in small pieces because long ones are interrupted, and
//! what counts is the time that a quarter of the pieces stays below.

use core::hint::black_box;

use memring_text::{Exchange, reply::Event, request::Keys};

/// A library that reads replies.
pub(crate) struct Contestant {
    pub(crate) name: &'static str,
    /// Makes it ready to read one reply, again and again.
    pub(crate) new: fn(&Reply) -> Box<dyn Decoder + '_>,
}

/// A library that is ready.
pub(crate) trait Decoder {
    /// Reads the reply that it was made for, and says how many bytes its values have together.
    fn decode(&mut self) -> usize;

    /// The same so many times; the loop is in here so that the call counts once.
    fn decode_often(&mut self, times: usize) -> usize {
        (0..times).map(|_| self.decode()).sum()
    }
}

/// The reply to a get, and what was asked for.
pub(crate) struct Reply {
    pub(crate) bytes: Vec<u8>,
    pub(crate) keys: Vec<String>,
    pub(crate) value_len: usize,
}

impl Reply {
    pub(crate) fn new(values: usize, value_len: usize, cas: bool) -> Self {
        let keys: Vec<_> =
            (0..values).map(|number| format!("{:x<32}", format!("key:{:05}:", number * 7919))).collect();
        let mut bytes = Vec::new();
        for (number, key) in keys.iter().enumerate() {
            let cas = if cas { format!(" {}", 1000 + number) } else { String::new() };
            bytes.extend_from_slice(format!("VALUE {key} 0 {value_len}{cas}\r\n").as_bytes());
            bytes.resize(bytes.len() + value_len, b'v');
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"END\r\n");
        Self { bytes, keys, value_len }
    }
}

/// Finds the line ends, reads lengths and skips values: what nobody who reads the protocol can do without.
pub(crate) const LIMIT: Contestant =
    Contestant { name: "line ends alone", new: |reply| Box::new(LineEnds(reply)) };
/// Every key of a reply is held against what was asked.
pub(crate) const OURS: Contestant = Contestant { name: "memring", new: |reply| Box::new(Ours::new(reply)) };

/// Most that `ours` may take, as a share of what `theirs` takes.
pub(crate) struct Goal {
    pub(crate) ours: &'static str,
    pub(crate) theirs: &'static str,
    pub(crate) most: f64,
}

pub(crate) const GOALS_LIMIT: &[Goal] = &[Goal { ours: OURS.name, theirs: LIMIT.name, most: 2.2 }];

/// Most that a value of 4096 bytes may take, as a share of what one of 10 bytes takes.
const GOAL_LONG: f64 = 1.25;

/// Values in a reply, and the length of each.
const SHAPES: [(usize, usize); 4] = [(1, 10), (1, 100), (1, 4096), (100, 100)];

const ROUNDS: usize = 301;

/// Values that are read in one piece of time.
const PIECE: usize = 2000;

/// Prints a table for each shape of reply, and which goals are missed.
pub(crate) fn run(clock: fn() -> u64, contestants: &[Contestant], goals: &[&[Goal]], thorough: bool) {
    let rounds = if thorough { ROUNDS } else { 1 };
    let mut missed = 0;
    let mut short = Vec::new();
    for (values, value_len) in SHAPES {
        println!("{values} x {value_len} bytes, keys of 32 bytes");
        let times = compare(clock, contestants, values, value_len, rounds);
        let time = |name| contestants.iter().zip(&times).find(|(contestant, _)| contestant.name == name);
        let base = times[0];
        for (contestant, time) in contestants.iter().zip(&times) {
            println!("  {:32} {time:8.1} ns a value   x{:.2}", contestant.name, time / base);
        }
        for goal in goals.iter().copied().flatten() {
            let (Some((_, ours)), Some((_, theirs))) = (time(goal.ours), time(goal.theirs)) else { continue };
            missed += verdict(&format!("{} to {}", goal.ours, goal.theirs), ours / theirs, goal.most);
        }
        match (values, value_len) {
            (1, 10) => short = times,
            (1, 4096) => {
                for ((contestant, long), short) in contestants.iter().zip(&times).zip(&short) {
                    if contestant.name.starts_with("memring") {
                        let what = format!("{}, 4096 bytes to 10", contestant.name);
                        missed += verdict(&what, long / short, GOAL_LONG);
                    }
                }
            }
            _ => {}
        }
    }
    println!("{missed} goals missed");
}

/// What a value takes each of them, in nanoseconds.
fn compare(
    clock: fn() -> u64,
    contestants: &[Contestant],
    values: usize,
    value_len: usize,
    rounds: usize,
) -> Vec<f64> {
    let reply = Reply::new(values, value_len, false);
    let mut decoders: Vec<_> = contestants.iter().map(|contestant| (contestant.new)(&reply)).collect();
    let mut times = vec![Vec::with_capacity(rounds); contestants.len()];
    let replies = PIECE / values;
    for _ in 0..rounds {
        for (decoder, times) in decoders.iter_mut().zip(&mut times) {
            // The others have just been in the cache.
            decoder.decode();
            let start = clock();
            let len = decoder.decode_often(black_box(replies));
            times.push((clock() - start) as f64 / (replies * values) as f64);
            assert_eq!(len, replies * values * value_len);
        }
    }
    times.into_iter().map(quartile).collect()
}

pub(crate) fn verdict(what: &str, reached: f64, most: f64) -> usize {
    let met = reached <= most;
    println!("    {}: {what} {reached:.2}, goal {most:.2}", if met { "pass" } else { "MISS" });
    usize::from(!met)
}

/// What a quarter of the times stays below.
pub(crate) fn quartile(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 4]
}

struct LineEnds<'r>(&'r Reply);

impl Decoder for LineEnds<'_> {
    fn decode(&mut self) -> usize {
        let mut rest = black_box(&self.0.bytes[..]);
        let mut sum = 0;
        while let Some(at) = memchr::memchr(b'\n', rest) {
            if at < 5 {
                break;
            }
            sum += self.0.value_len;
            rest = &rest[at + 1 + self.0.value_len + 2..];
        }
        sum
    }
}

struct Ours<'r> {
    reply: &'r Reply,
    exchange: Exchange,
}

impl<'r> Ours<'r> {
    fn new(reply: &'r Reply) -> Self {
        Self { reply, exchange: Exchange::default() }
    }
}

impl Decoder for Ours<'_> {
    fn decode(&mut self) -> usize {
        let keys = Keys { keys: &self.reply.keys, cas: false };
        let mut sum = 0;
        self.exchange.sent();
        let read = self.exchange.decode_each(black_box(&self.reply.bytes), &keys, |event, _| match event {
            Event::Value(head) => {
                black_box(head);
            }
            Event::Data(piece) => sum += black_box(piece).len(),
            _ => {}
        });
        read.map_or(0, |_| sum)
    }
}
