//! Times libraries that place keys, side by side.
//!
//! On a shared machine times move by a factor of two from run to run, ratios within a run by a few per cent. So
//! nothing is timed alone: each round times every contestant, in small pieces because whole passes are interrupted,
//! and what counts is the time that a quarter of the pieces stays below.

use core::{hint::black_box, mem::size_of_val};

use md5::{Digest as _, Md5};
use memring_core::{
    Placement, Server, ServerIndex,
    peers::libmemcached::KETAMA_WEIGHTED,
    storage::{Boxed, Storage as _},
};

/// A library.
pub(crate) struct Contestant {
    pub(crate) name: &'static str,
    /// Makes it ready to place on servers of these names; `None` when it cannot.
    pub(crate) build: for<'n> fn(&'n [String]) -> Option<Box<dyn Placer + 'n>>,
}

/// A library that is ready.
pub(crate) trait Placer {
    /// Places every key by itself, unless the library takes many at once.
    fn place(&self, keys: &[&[u8]], out: &mut [ServerIndex]);

    /// Points of its ring, if building one is its affair.
    fn points(&self) -> Option<usize> {
        None
    }

    /// Bytes that the ring takes, if it is known.
    fn bytes(&self) -> Option<usize> {
        None
    }
}

/// The time since some moment, in nanoseconds.
pub(crate) type Clock = fn() -> u64;

/// Most that `ours` may take, as a share of what `theirs` takes.
pub(crate) struct Goal {
    pub(crate) ours: &'static str,
    pub(crate) theirs: &'static str,
    pub(crate) most: f64,
    /// For these numbers of servers.
    pub(crate) servers: &'static [usize],
    /// For lookups of keys of this length; for building when `None`.
    pub(crate) key_len: Option<usize>,
}

pub(crate) const MD5: Contestant =
    Contestant { name: "md-5, the hash alone", build: |_| Some(Box::new(BareMd5)) };
pub(crate) const OURS: Contestant =
    Contestant { name: "memring", build: |names| Some(Box::new(Ours::new(names))) };
pub(crate) const OURS_MANY: Contestant =
    Contestant { name: "memring, place_many", build: |names| Some(Box::new(Many(Ours::new(names)))) };

/// What is hoped for against the hash that a ketama lookup cannot do without.
pub(crate) const GOALS_MD5: &[Goal] = &[
    goal(OURS, MD5, 0.72, &[3, 8], 32),
    goal(OURS, MD5, 0.80, &[100], 32),
    goal(OURS, MD5, 1.20, &[1000], 32),
    goal(OURS, MD5, 0.88, &[3, 8, 100], 250),
    goal(OURS_MANY, MD5, 0.35, &[3, 8, 100], 32),
];

/// A goal for lookups.
pub(crate) const fn goal(
    ours: Contestant,
    theirs: Contestant,
    most: f64,
    servers: &'static [usize],
    key_len: usize,
) -> Goal {
    Goal { ours: ours.name, theirs: theirs.name, most, servers, key_len: Some(key_len) }
}

/// Most bytes that a point may take, its part of the index included.
const GOAL_BYTES: f64 = 8.0;

const SERVERS: [usize; 4] = [3, 8, 100, 1000];
const KEY_LENS: [usize; 3] = [8, 32, 250];
const KEYS: usize = 4096;

/// Keys that are timed together.
const PIECE: usize = 32;

const ROUNDS: usize = 51;
const BUILD_ROUNDS: usize = 41;

/// How long one contestant may build, in nanoseconds; what takes longer is built less often.
const BUILD_TIME: f64 = 1e9;

/// Prints one table for each number of servers, and which goals are missed.
pub(crate) fn run(clock: Clock, contestants: &[Contestant], goals: &[&[Goal]], thorough: bool) {
    let mut missed = 0;
    let stopwatch = Stopwatch::new(clock);
    for servers in SERVERS {
        println!("{servers} servers");
        let names = names(servers);
        for key_len in KEY_LENS {
            let rounds = if thorough { ROUNDS } else { 1 };
            let times = lookups(&stopwatch, contestants, &names, key_len, rounds);
            print_table(&format!("a key of {key_len} bytes"), contestants, &times);
            missed += judge(contestants, goals, servers, Some(key_len), &times);
        }
        let times = builds(&stopwatch, contestants, &names, if thorough { BUILD_ROUNDS } else { 1 });
        print_table("building, a point", contestants, &times);
        missed += judge(contestants, goals, servers, None, &times);
        missed += memory(contestants, &names);
        println!();
    }
    println!("{missed} goals missed");
}

/// Times for a key, in nanoseconds.
fn lookups(
    stopwatch: &Stopwatch,
    contestants: &[Contestant],
    names: &[String],
    key_len: usize,
    rounds: usize,
) -> Vec<Option<f64>> {
    let keys = Keys::new(KEYS, key_len);
    let keys = keys.slices();
    let mut out = [ServerIndex::default(); PIECE];
    let placers: Vec<_> = contestants.iter().map(|contestant| (contestant.build)(names)).collect();
    let mut times = vec![Vec::new(); placers.len()];
    for _ in 0..rounds {
        for (placer, times) in placers.iter().zip(&mut times) {
            let Some(placer) = placer else { continue };
            // A client that is busy has its ring in the cache; here the others have just been there.
            for keys in keys.chunks(PIECE) {
                placer.place(black_box(keys), black_box(&mut out));
            }
            for keys in keys.chunks(PIECE) {
                let (time, ()) = stopwatch.time(|| placer.place(black_box(keys), black_box(&mut out)));
                times.push(time / keys.len() as f64);
            }
        }
    }
    times.into_iter().map(quartile).collect()
}

/// Times for a point, in nanoseconds.
fn builds(
    stopwatch: &Stopwatch,
    contestants: &[Contestant],
    names: &[String],
    rounds: usize,
) -> Vec<Option<f64>> {
    let mut times = vec![Vec::new(); contestants.len()];
    let mut spent = vec![0.0; contestants.len()];
    for _ in 0..rounds {
        for ((contestant, times), spent) in contestants.iter().zip(&mut times).zip(&mut spent) {
            if *spent > BUILD_TIME {
                continue;
            }
            let (time, placer) = stopwatch.time(|| (contestant.build)(black_box(names)));
            if let Some(points) = placer.and_then(|placer| placer.points()) {
                *spent += time;
                times.push(time / points as f64);
            }
        }
    }
    times.into_iter().map(quartile).collect()
}

fn print_table(title: &str, contestants: &[Contestant], times: &[Option<f64>]) {
    println!("  {title}");
    let ours = contestants.iter().position(|contestant| contestant.name == OURS.name);
    let ours = ours.and_then(|at| times[at]);
    for (contestant, time) in contestants.iter().zip(times) {
        if let (Some(time), Some(ours)) = (time, ours) {
            println!("    {:28} {time:9.1} ns   memring takes x{:.2}", contestant.name, ours / time);
        }
    }
}

/// Prints how the goals of one table are met and returns how many are not.
fn judge(
    contestants: &[Contestant],
    goals: &[&[Goal]],
    servers: usize,
    key_len: Option<usize>,
    times: &[Option<f64>],
) -> usize {
    let time =
        |name| contestants.iter().zip(times).find(|(contestant, _)| contestant.name == name)?.1.as_ref();
    let mut missed = 0;
    for goal in goals.iter().copied().flatten() {
        let (Some(ours), Some(theirs)) = (time(goal.ours), time(goal.theirs)) else { continue };
        if goal.key_len == key_len && goal.servers.contains(&servers) {
            missed += verdict(&format!("{} to {}", goal.ours, goal.theirs), ours / theirs, goal.most);
        }
    }
    missed
}

fn memory(contestants: &[Contestant], names: &[String]) -> usize {
    println!("  memory");
    let mut missed = 0;
    for contestant in contestants {
        let placer = (contestant.build)(names);
        let size = placer.and_then(|placer| Some(placer.bytes()? as f64 / placer.points()? as f64));
        match size {
            Some(size) if contestant.name == OURS.name => {
                missed += verdict("bytes a point of memring", size, GOAL_BYTES);
            }
            Some(size) => println!("    {:28} {size:9.1} bytes a point", contestant.name),
            None => {}
        }
    }
    missed
}

fn verdict(what: &str, reached: f64, most: f64) -> usize {
    let met = reached <= most;
    println!("    {}: {what} {reached:.2}, goal {most:.2}", if met { "pass" } else { "MISS" });
    usize::from(!met)
}

struct Stopwatch {
    clock: Clock,
    /// What reading the clock takes.
    cost: u64,
}

impl Stopwatch {
    fn new(clock: Clock) -> Self {
        let reading = || {
            let start = clock();
            clock() - start
        };
        Self { clock, cost: (0..1000).map(|_| reading()).min().unwrap_or(0) }
    }

    fn time<T>(&self, work: impl FnOnce() -> T) -> (f64, T) {
        let start = (self.clock)();
        let made = work();
        ((self.clock)().saturating_sub(start + self.cost) as f64, made)
    }
}

/// What a quarter of the times stays below.
fn quartile(mut times: Vec<f64>) -> Option<f64> {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 4).copied()
}

/// Names on a port that libmemcached does not drop.
pub(crate) fn names(servers: usize) -> Vec<String> {
    (0..servers).map(|server| format!("10.0.{}.{}:11212", server / 250, server % 250)).collect()
}

/// Keys of one length, one behind the other.
pub(crate) struct Keys {
    text: String,
    len: usize,
}

impl Keys {
    pub(crate) fn new(count: usize, len: usize) -> Self {
        let keys = (0..count).map(|number| format!("{:x<len$}", format!("{:08}", number * 7919)));
        Self { text: keys.collect(), len }
    }

    pub(crate) fn slices(&self) -> Vec<&[u8]> {
        self.text.as_bytes().chunks_exact(self.len).collect()
    }
}

/// The hash of a key, as every ketama client needs it.
struct BareMd5;

impl Placer for BareMd5 {
    fn place(&self, keys: &[&[u8]], out: &mut [ServerIndex]) {
        for (server, key) in out.iter_mut().zip(keys) {
            let digest = Md5::digest(key);
            *server = ServerIndex::new(u16::from_le_bytes([digest[0], digest[1]]));
        }
    }
}

struct Ours<'n>(Placement<'static, Vec<Server<'n>>, Boxed>);

impl<'n> Ours<'n> {
    fn new(names: &'n [String]) -> Self {
        let servers = names.iter().map(|name| Server::new(name)).collect();
        Self(Placement::owned(KETAMA_WEIGHTED, servers).expect("servers of weight 1"))
    }
}

impl Placer for Ours<'_> {
    fn place(&self, keys: &[&[u8]], out: &mut [ServerIndex]) {
        for (server, key) in out.iter_mut().zip(keys) {
            // As a client that does other things between two keys: nothing of the ring is kept in registers.
            *server = black_box(&self.0).primary(key);
        }
    }

    fn points(&self) -> Option<usize> {
        Some(self.0.len())
    }

    fn bytes(&self) -> Option<usize> {
        let entries = self.0.storage().entries();
        Some(size_of_val(entries.points) + size_of_val(entries.owners) + size_of_val(entries.index))
    }
}

/// The same, all keys in one call.
struct Many<'n>(Ours<'n>);

impl Placer for Many<'_> {
    fn place(&self, keys: &[&[u8]], out: &mut [ServerIndex]) {
        self.0.0.place_many(keys, out);
    }
}
