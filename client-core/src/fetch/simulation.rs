//! Callers in several processes, three servers, and all that can go wrong between them: by chance, and again by its seed.
//!
//! The servers do what memcached was measured to do. The source of truth has a version; a loader reads it when it
//! begins, and the value is that number. What must hold is checked at each step, and named by [`Broken`].
//! `MEMRING_SEEDS=5000` in the environment runs as many seeds as that.

use core::{
    cmp::Reverse,
    task::{Context, Poll, Waker},
    time::Duration,
};
use std::{
    collections::{BTreeMap, BinaryHeap},
    env,
    sync::{Arc, Mutex},
    task::Wake,
    time::Instant,
};

use bytes::Bytes;
use memring_text::{StoreOutcome, Ttl, ttl::UnixTime};

use super::{
    Answer, Call, Condition, Content, Dialect, Errand, Found, Freshness, Invalidate, Life, NoAnswer,
    PLACEHOLDER, Place, Shared, Step, Update, Write,
    freshness::seconds_of,
    give_back_of,
    random::Random,
    talk::{Next, Talk},
    times::after,
};
use crate::failure::Observer;

mod callers;
mod events;
mod server;
mod writers;

/// What is broken, by the number of the promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Broken {
    /// I1: two loaders within a lease whose holder lives and whose server lives.
    TwoLoaders,
    /// I2: something was handed out that nobody stored or loaded.
    NoValue,
    /// I3: a value was stored that was read before a change that the server has seen.
    OlderStored,
    /// I4: a value was handed out for too long.
    TooStale,
    /// I5: a caller did not see the change that its own client had made before.
    OwnChangeNotSeen,
    /// I6: giving back took what was another's.
    TookAnothers,
    /// I7: a caller waited for others for too long.
    WaitedTooLong,
    /// I8: a caller waited although the value was there.
    WaitedInVain,
    /// I9: the lease of a process that was killed was not taken over in time.
    DeadHolder,
    /// I10: a lease was kept by a caller whose loader has failed or that has gone.
    LeaseKept,
    /// I12: a call sent too many requests.
    TooManyRequests,
    /// I14: a flight was left behind, or a caller never ended.
    LeftBehind,
    /// I16: an update was lost, or made twice.
    UpdateLost,
}

const STALE: u64 = 5;
const LEASE: u64 = 3;
const WAIT: Duration = Duration::from_millis(2500);
const TIMEOUT: Duration = Duration::from_millis(500);
const END: Duration = Duration::from_secs(40);
const SERVERS: usize = 3;
const PROCESSES: usize = 3;
const KEY: &[u8] = b"k";
const DATE: UnixTime = UnixTime::from_secs(1_700_000_000);

fn freshness() -> Freshness {
    let seconds = Duration::from_secs;
    let times = Freshness::new(seconds(6)).refresh_before(seconds(2)).stale_for(seconds(STALE));
    times.lease(seconds(LEASE)).wait(WAIT)
}

/// One item of the only key, as a server has it.
#[derive(Clone, Debug)]
struct Item {
    flags: u32,
    value: Bytes,
    cas: u64,
    /// By the server's own count of seconds.
    expires: u64,
    stale: bool,
    won: bool,
}

struct Server {
    item: Option<Item>,
    cas: u64,
    phase: Duration,
    life: u32,
    is_up: bool,
    dialect: Dialect,
    /// The newest version that it has been told of.
    told: u64,
    /// When it was first told of something newer than this version, and for how long that may still be handed out.
    changes: Vec<(Duration, u64, u64)>,
    /// When the item was last changed other than by a lease.
    broken_at: Option<Duration>,
    stored_at: Vec<Duration>,
}

/// A caller of `fetch`.
struct Caller {
    call: Call<&'static str>,
    process: usize,
    /// The process begins anew when it is killed.
    generation: u32,
    began: Duration,
    target: Option<(usize, u32)>,
    /// How its own client had changed the source before.
    changed: Option<(u64, bool)>,
    sent: u32,
    asked_at: Duration,
    lease: Option<usize>,
    /// The lease that it has won last.
    won: Option<u64>,
    /// Version, beginning, and whether it holds no lease.
    loading: Option<(u64, Duration, bool)>,
    /// For its own loader, and for that of others that load for themselves.
    loaded_for: Duration,
    joined_own_at: Option<Duration>,
    polls: Option<Duration>,
    step: u64,
    is_over: bool,
}

type Change = Box<dyn FnMut(Option<&Content>) -> Option<Content>>;

/// A change of the source, told to the cache.
enum Writer {
    Invalidate(Invalidate),
    Update(Update<Change>),
    Plain(Errand),
}

struct Lease {
    server: usize,
    life: u32,
    process: usize,
    sent: Duration,
    is_on: bool,
    is_running: bool,
    is_dead: bool,
}

#[derive(Clone)]
enum Event {
    Begin(usize),
    Step(usize, u64),
    Woken(usize),
    Arrives(usize, u64, Errand, Dialect, (usize, u32)),
    Answered(usize, u64, Result<Answer, NoAnswer>),
    GiveBack(Errand, Dialect, (usize, u32)),
    Loaded(usize, u64, bool),
    Gone(usize),
    Write(usize, u64),
    Kill(usize),
    Restart(usize),
    Down(usize, bool),
    Move(usize),
    Evict,
}

/// What may happen in a run.
#[derive(Clone, Copy, Default)]
struct Weather {
    /// Of a thousand: answers that are lost, callers that go away, loaders that fail.
    lost: u64,
    gone: u64,
    failing: u64,
    writes: u64,
    evictions: u64,
    kills: u64,
    restarts: u64,
    downs: u64,
    moves: u64,
    is_classic: bool,
    is_mixed: bool,
}

struct Simulation {
    random: Random,
    now: Duration,
    begin: Instant,
    queue: BinaryHeap<Reverse<(Duration, u64)>>,
    events: BTreeMap<u64, Event>,
    next: u64,
    weather: Weather,
    servers: Vec<Server>,
    /// The server that holds the key.
    holder: usize,
    processes: Vec<(Arc<Shared>, u32)>,
    /// What the client of a process changed last: version, and whether nothing older may be handed out.
    changed: Vec<Option<(u64, bool)>>,
    version: u64,
    callers: Vec<Option<Caller>>,
    woken: Arc<Mutex<Vec<usize>>>,
    leases: Vec<Lease>,
    /// Leases whose holders have failed or gone: where, which, and when.
    freed: Vec<((usize, u32), u64, Duration)>,
    /// Who asked when; when anything was loaded or changed; and when a process was killed that held a lease.
    asks: Vec<(Duration, usize)>,
    news: Vec<Duration>,
    kills: Vec<(Duration, usize)>,
    broken: Vec<Broken>,
    counts: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    calls: u32,
    ended: u32,
    loads: u32,
    own: u32,
}

struct Woken(usize, Arc<Mutex<Vec<usize>>>);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.1.lock().unwrap().push(self.0);
    }
}

fn number(value: &[u8]) -> Option<u64> {
    core::str::from_utf8(value).ok()?.parse().ok()
}

/// How many seeds are run of each weather.
fn seeds(few: u64) -> u64 {
    env::var("MEMRING_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(few)
}

fn holds(name: &str, weather: Weather, few: u64) {
    let mut found = BTreeMap::<Broken, (u64, u64)>::new();
    let mut loads = 0;
    for seed in 0..seeds(few) {
        let mut simulation = Simulation::new(seed, weather);
        let callers = if seed % 2 == 0 { 30 } else { 150 };
        simulation.fill(callers);
        let (broken, counts) = simulation.run();
        assert_eq!(counts.calls, counts.ended, "seed {seed}");
        loads += counts.loads;
        for broken in broken {
            found.entry(broken).or_insert((0, seed)).0 += 1;
        }
    }
    assert!(loads > 0);
    assert!(found.is_empty(), "{name}: what, in how many seeds, the first of them: {found:?}");
}

const CALM: Weather = Weather {
    lost: 0,
    gone: 0,
    failing: 0,
    writes: 0,
    evictions: 0,
    kills: 0,
    restarts: 0,
    downs: 0,
    moves: 0,
    is_classic: false,
    is_mixed: false,
};

const ROUGH: Weather = Weather { lost: 20, gone: 80, failing: 80, writes: 6, evictions: 1, kills: 1, ..CALM };

#[test]
fn in_calm_weather() {
    holds("calm", CALM, 150);
    holds("calm, classic", Weather { is_classic: true, ..CALM }, 100);
}

#[test]
fn while_loaders_fail_callers_go_and_answers_are_lost() {
    holds("rough", ROUGH, 300);
    holds("rough, no writes", Weather { writes: 0, ..ROUGH }, 150);
    holds("many writes", Weather { writes: 40, ..ROUGH }, 150);
}

#[test]
fn while_processes_are_killed() {
    holds("kills", Weather { kills: 4, ..CALM }, 400);
}

#[test]
fn on_servers_without_meta_commands() {
    holds("rough, classic", Weather { is_classic: true, ..ROUGH }, 300);
}

#[test]
fn in_a_fleet_of_both_dialects() {
    holds("rough, mixed", Weather { is_mixed: true, writes: 0, ..ROUGH }, 200);
}

#[test]
fn while_servers_restart_fail_and_change() {
    holds("restarts", Weather { restarts: 4, ..ROUGH }, 150);
    holds("downs", Weather { downs: 4, ..ROUGH }, 150);
    holds("moves", Weather { moves: 3, writes: 0, ..ROUGH }, 150);
}
