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
    Answer, Call, Condition, Content, Dialect, Errand, Found, Freshness, Invalidate, Life, NoAnswer, Place,
    Shared, Step, Update,
    freshness::seconds_of,
    random::Random,
    talk::{Next, Talk},
};
use crate::failure::Observer;

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

impl Server {
    fn second(&self, now: Duration) -> u64 {
        (now + self.phase).as_secs()
    }

    fn find(&mut self, now: Duration) -> Option<&mut Item> {
        let second = self.second(now);
        if self.item.as_ref().is_some_and(|item| item.expires <= second) {
            self.item = None;
        }
        self.item.as_mut()
    }

    fn put(&mut self, flags: u32, value: Bytes, ttl: Ttl, now: Duration) {
        self.cas += 1;
        // memcached takes -1, which is how a time of nothing reads, for expired.
        let expires = match seconds_of(ttl, DATE) {
            Ok(Some(seconds)) => self.second(now) + seconds,
            Ok(None) => u64::MAX,
            Err(_) => 0,
        };
        self.item = Some(Item { flags, value, cas: self.cas, expires, stale: false, won: false });
    }

    fn told_of(&mut self, item: &Item, now: Duration, win: bool) -> Found {
        let left = if item.expires == u64::MAX { -1 } else { (item.expires - self.second(now)) as i64 };
        Found {
            value: item.value.clone(),
            len: item.value.len() as u64,
            flags: item.flags,
            cas: item.cas,
            left,
            win,
            stale: item.stale,
            taken: item.won && !win,
        }
    }

    /// `mg`: with `N` and `R`, or without.
    fn meta_get(&mut self, times: Option<(u64, u64)>, now: Duration) -> Answer {
        let mut win = false;
        if self.find(now).is_none() {
            let Some((vivify, _)) = times else { return Answer::Found(None) };
            self.put(0, Bytes::new(), super::times::after(vivify), now);
            win = true;
        }
        let second = self.second(now);
        let Some(mut item) = self.item.clone() else { return Answer::Found(None) };
        let is_old = times.is_some_and(|(_, recache)| item.expires < second + recache);
        win |= !item.won && (item.stale || is_old);
        let found = self.told_of(&item, now, win);
        item.won |= win;
        self.item = Some(item);
        Answer::Found(Some(found))
    }

    fn check(&mut self, cas: u64, now: Duration) -> StoreOutcome {
        match self.find(now) {
            None => StoreOutcome::NotFound,
            Some(item) if item.cas != cas => StoreOutcome::Exists,
            Some(_) => StoreOutcome::Stored,
        }
    }

    fn answer(&mut self, errand: &Errand, dialect: Dialect, now: Duration) -> Result<Answer, NoAnswer> {
        if dialect == Dialect::Meta && self.dialect == Dialect::Classic {
            return Err(NoAnswer::UnknownCommand);
        }
        let changed = |outcome| Ok(Answer::Changed(outcome));
        match errand {
            Errand::Ask(times) => {
                Ok(self.meta_get(Some((times.vivify() as u64, times.recache() as u64)), now))
            }
            Errand::Read | Errand::Look if dialect == Dialect::Meta => Ok(self.meta_get(None, now)),
            Errand::Read | Errand::Look => {
                let item = self.find(now).cloned();
                Ok(Answer::Found(item.map(|item| Found {
                    len: item.value.len() as u64,
                    value: item.value,
                    flags: item.flags,
                    cas: item.cas,
                    left: -1,
                    ..Found::default()
                })))
            }
            Errand::Extend(times) => {
                let expires = self.second(now) + times.vivify() as u64;
                let item = self.find(now).map(|item| {
                    item.expires = expires;
                    item.clone()
                });
                Ok(Answer::Found(item.map(|item| self.told_of(&item, now, false))))
            }
            Errand::Write(write) => {
                let outcome = match write.condition {
                    Condition::None => StoreOutcome::Stored,
                    Condition::Missing if self.find(now).is_some() => StoreOutcome::NotStored,
                    Condition::Missing => StoreOutcome::Stored,
                    Condition::Unchanged(cas) => self.check(cas, now),
                };
                if outcome == StoreOutcome::Stored {
                    self.put(write.flags, write.value.clone(), write.ttl, now);
                }
                changed(outcome)
            }
            Errand::MarkStale(cas, ttl) if dialect == Dialect::Meta => {
                let outcome = self.check(*cas, now);
                if outcome == StoreOutcome::Stored {
                    self.cas += 1;
                    let (cas, second) = (self.cas, self.second(now));
                    if let Some(item) = &mut self.item {
                        (item.cas, item.stale, item.won) = (cas, true, false);
                        if let Some(Ok(Some(seconds))) = ttl.map(|ttl| seconds_of(ttl, DATE)) {
                            item.expires = second + seconds;
                        }
                    }
                }
                changed(outcome)
            }
            Errand::MarkStale(cas, _) | Errand::Discard(cas) => {
                let outcome = self.check(*cas, now);
                if outcome == StoreOutcome::Stored {
                    self.item = None;
                }
                changed(outcome)
            }
            Errand::Delete => {
                let was_there = self.find(now).is_some();
                self.item = None;
                changed(if was_there { StoreOutcome::Stored } else { StoreOutcome::NotFound })
            }
            Errand::Count(_) => Ok(Answer::Number(None)),
            Errand::Mark(_) => unreachable!("it belongs to transitions"),
        }
    }
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

impl Simulation {
    fn new(seed: u64, weather: Weather) -> Self {
        let mut random = Random::new(seed);
        let dialect = if weather.is_classic { Dialect::Classic } else { Dialect::Meta };
        let servers = (0..SERVERS).map(|_| Server {
            item: None,
            cas: 100,
            phase: Duration::from_millis(random.next() % 1000),
            life: 0,
            is_up: true,
            dialect,
            told: 0,
            changes: Vec::new(),
            broken_at: None,
            stored_at: Vec::new(),
        });
        Self {
            servers: servers.collect(),
            now: Duration::ZERO,
            begin: Instant::now(),
            queue: BinaryHeap::new(),
            events: BTreeMap::new(),
            next: 0,
            weather,
            holder: 0,
            processes: (0..PROCESSES).map(|_| (Arc::new(Shared::new(Observer::NONE)), 0)).collect(),
            changed: vec![None; PROCESSES],
            version: 1,
            callers: Vec::new(),
            woken: Arc::default(),
            leases: Vec::new(),
            freed: Vec::new(),
            asks: Vec::new(),
            news: Vec::new(),
            kills: Vec::new(),
            broken: Vec::new(),
            counts: Counts::default(),
            random,
        }
    }

    fn at(&mut self, time: Duration, event: Event) {
        self.next += 1;
        self.queue.push(Reverse((time, self.next)));
        self.events.insert(self.next, event);
    }

    fn soon(&mut self, event: Event) {
        self.at(self.now, event);
    }

    fn below(&mut self, most: u64) -> u64 {
        self.random.next() % most.max(1)
    }

    fn chance(&mut self, of_thousand: u64) -> bool {
        self.below(1000) < of_thousand
    }

    fn trip(&mut self) -> Duration {
        Duration::from_micros(200 + self.below(3800))
    }

    fn instant(&self) -> Instant {
        self.begin + self.now
    }

    /// Callers, half of them in bursts, and what the weather brings.
    fn fill(&mut self, callers: u64) {
        let end = END.as_millis() as u64;
        for _ in 0..callers {
            let time =
                if self.chance(600) { self.below(end) } else { self.below(10) * 3500 + self.below(50) };
            let process = self.below(PROCESSES as u64) as usize;
            self.at(Duration::from_millis(time), Event::Begin(process));
        }
        let weather = self.weather;
        type Make = fn(&mut Simulation) -> Event;
        let events: [(u64, Make); 6] = [
            (weather.writes, |sim| Event::Write(sim.below(PROCESSES as u64) as usize, sim.below(6))),
            (weather.evictions, |_| Event::Evict),
            (weather.kills, |sim| Event::Kill(sim.below(PROCESSES as u64) as usize)),
            (weather.restarts, |sim| Event::Restart(sim.below(SERVERS as u64) as usize)),
            (weather.downs, |sim| Event::Down(sim.below(SERVERS as u64) as usize, false)),
            (weather.moves, |sim| Event::Move(sim.below(SERVERS as u64) as usize)),
        ];
        for (count, make) in events {
            for _ in 0..count {
                let time = Duration::from_millis(self.below(end));
                let event = make(self);
                self.at(time, event);
            }
        }
    }

    fn run(mut self) -> (Vec<Broken>, Counts) {
        while let Some(Reverse((time, number))) = self.queue.pop() {
            self.now = time;
            let Some(event) = self.events.remove(&number) else { continue };
            self.happen(event);
            let woken: Vec<usize> = self.woken.lock().unwrap().drain(..).collect();
            for caller in woken {
                self.soon(Event::Woken(caller));
            }
        }
        let is_left = |caller: &Option<Caller>| caller.as_ref().is_some_and(|caller| !caller.is_over);
        if self.callers.iter().any(is_left) {
            self.broken.push(Broken::LeftBehind);
        }
        self.callers.clear();
        if self.processes.iter().any(|(shared, _)| !shared.is_idle()) {
            self.broken.push(Broken::LeftBehind);
        }
        for (at, process) in &self.kills {
            // It counts where another process has seen the lease, and looked again when that was over; and where the next
            // one to win did not go, or lose its answer, which is another lease.
            let ms = |ms| *at + Duration::from_millis(ms);
            let looked =
                |from, to| self.asks.iter().any(|(when, who)| who != process && (from..to).contains(when));
            let has_news =
                self.news.iter().any(|when| (*at + Duration::from_nanos(1)..ms(6500)).contains(when));
            let is_seen = looked(*at, ms(1500)) && looked(ms(4600), ms(6000));
            let is_clear =
                self.weather.lost + self.weather.gone + self.weather.moves + self.weather.downs == 0;
            if is_clear && is_seen && *at + Duration::from_secs(12) < END && !has_news {
                self.broken.push(Broken::DeadHolder);
            }
        }
        self.broken.sort_unstable();
        self.broken.dedup();
        (self.broken, self.counts)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Begin(process) => self.begin_call(process),
            Event::Step(caller, step) if self.is_at(caller, step) => self.step(caller),
            Event::Woken(caller) => self.step(caller),
            Event::Arrives(caller, step, errand, dialect, place) => {
                let answer = self.serve(&errand, dialect, place, Some(caller));
                if self.chance(self.weather.lost) {
                    self.at(self.now + TIMEOUT, Event::Answered(caller, step, Err(NoAnswer::Lost)));
                } else {
                    let trip = self.trip();
                    self.at(self.now + trip, Event::Answered(caller, step, answer));
                }
            }
            Event::Answered(caller, step, answer) => self.answered(caller, step, answer),
            Event::GiveBack(errand, dialect, place) => {
                let _ = self.serve(&errand, dialect, place, None);
            }
            Event::Loaded(caller, step, is_well) if self.is_at(caller, step) => self.loaded(caller, is_well),
            Event::Gone(caller) => self.gone(caller),
            Event::Write(process, kind) => self.write(process, kind),
            Event::Kill(process) => self.kill(process),
            Event::Restart(server) => {
                let now = self.now;
                self.breaks(server);
                let server = &mut self.servers[server];
                (server.item, server.cas, server.life) = (None, 100, server.life + 1);
                server.broken_at = Some(now);
            }
            Event::Down(server, up) => {
                self.servers[server].is_up = up;
                self.breaks(server);
                if !up {
                    let time = Duration::from_millis(self.below(4000));
                    self.at(self.now + time, Event::Down(server, true));
                }
            }
            Event::Move(server) => self.holder = server,
            Event::Evict => {
                self.breaks(self.holder);
                let holder = self.holder;
                self.servers[holder].item = None;
            }
            Event::Step(..) | Event::Loaded(..) => {}
        }
    }

    fn is_at(&self, caller: usize, step: u64) -> bool {
        self.callers[caller].as_ref().is_some_and(|caller| caller.step == step && !caller.is_over)
    }

    /// Ends all leases at the server, as far as two loaders are concerned.
    fn breaks(&mut self, server: usize) {
        self.servers[server].broken_at = Some(self.now);
        self.news.push(self.now);
        self.leases.iter_mut().filter(|lease| lease.server == server).for_each(|lease| lease.is_on = false);
    }

    fn begin_call(&mut self, process: usize) {
        let (shared, generation) = (&self.processes[process].0, self.processes[process].1);
        let call =
            Call::new::<Content>(shared, (KEY, KEY), &freshness(), 1000, (self.instant(), DATE)).unwrap();
        let number = self.callers.len();
        self.callers.push(Some(Caller {
            call,
            process,
            generation,
            began: self.now,
            target: None,
            changed: self.changed[process],
            sent: 0,
            asked_at: self.now,
            lease: None,
            won: None,
            loading: None,
            loaded_for: Duration::ZERO,
            joined_own_at: None,
            polls: None,
            step: 0,
            is_over: false,
        }));
        self.counts.calls += 1;
        if self.chance(self.weather.gone) {
            let time = Duration::from_millis(self.below(1500));
            self.at(self.now + time, Event::Gone(number));
        }
        self.step(number);
    }

    fn step(&mut self, number: usize) {
        let Some(mut caller) = self.callers[number].take() else { return };
        if !caller.is_over {
            self.go_on(number, &mut caller);
        }
        self.callers[number] = Some(caller);
    }

    /// Carries the call until it waits for something.
    fn go_on(&mut self, number: usize, caller: &mut Caller) {
        loop {
            let now = self.instant();
            caller.step += 1;
            match caller.call.step(now) {
                Step::Begin => {
                    let server = &self.servers[self.holder];
                    if server.is_up {
                        caller.target = Some((self.holder, server.life));
                        let is_old = self.weather.is_mixed && caller.process == 0;
                        caller.call.begin(if is_old { Dialect::Classic } else { Dialect::Meta }, now);
                    } else {
                        caller.call.unreachable();
                    }
                }
                Step::Join(until) => {
                    let waker = Waker::from(Arc::new(Woken(number, Arc::clone(&self.woken))));
                    let joined = caller.call.poll_joined(&Context::from_waker(&waker), now);
                    match (joined, until) {
                        (Poll::Ready(Some(result)), _) => {
                            self.ends(caller, result.ok(), true);
                            return;
                        }
                        (Poll::Ready(None), _) => caller.joined_own_at = None,
                        (Poll::Pending, Some(until)) => {
                            self.at(until - self.begin, Event::Step(number, caller.step));
                            return;
                        }
                        (Poll::Pending, None) => {
                            caller.joined_own_at.get_or_insert(self.now);
                            return;
                        }
                    }
                }
                Step::Wait(until) => {
                    let until = until - self.begin;
                    caller.polls = Some(self.now);
                    self.at(until, Event::Step(number, caller.step));
                    return;
                }
                Step::Send(errand) => {
                    self.send(number, caller, errand);
                    return;
                }
                Step::Load => {
                    self.load(number, caller);
                    return;
                }
                Step::Done(result) => {
                    self.ends(caller, result.ok(), false);
                    return;
                }
            }
        }
    }

    fn send(&mut self, number: usize, caller: &mut Caller, errand: Errand) {
        caller.sent += 1;
        if matches!(errand, Errand::Ask(_)) {
            self.asks.push((self.now, caller.process));
        }
        if caller.sent > 60 {
            self.broken.push(Broken::TooManyRequests);
        }
        let place = caller.target.unwrap_or_default();
        let server = &self.servers[place.0];
        let is_lost = errand.is_bound() && server.life != place.1;
        if is_lost || !server.is_up {
            self.soon(Event::Answered(number, caller.step, Err(NoAnswer::NotDone)));
            return;
        }
        if !errand.is_bound() {
            (caller.asked_at, caller.target) = (self.now, Some((place.0, server.life)));
        }
        let trip = self.trip();
        let (dialect, place) = (caller.call.dialect(), caller.target.unwrap_or_default());
        self.at(self.now + trip, Event::Arrives(number, caller.step, errand, dialect, place));
    }

    /// An errand arrives at its server, and is looked at.
    fn serve(
        &mut self,
        errand: &Errand,
        dialect: Dialect,
        (at, life): (usize, u32),
        caller: Option<usize>,
    ) -> Result<Answer, NoAnswer> {
        if !self.servers[at].is_up || (errand.is_bound() && self.servers[at].life != life) {
            return Err(NoAnswer::NotDone);
        }
        let now = self.now;
        let before = self.servers[at].find(now).cloned();
        let answer = self.servers[at].answer(errand, dialect, now);
        let is_refill = matches!(errand, Errand::Write(write) if write.flags != super::PLACEHOLDER);
        if is_refill && caller.is_some() && answer == Ok(Answer::Changed(StoreOutcome::Stored)) {
            let server = &mut self.servers[at];
            let version = server.item.as_ref().and_then(|item| number(&item.value)).unwrap_or(0);
            if version < server.told {
                self.broken.push(Broken::OlderStored);
            }
            server.stored_at.push(now);
        }
        if let (Errand::Discard(cas), Some(before)) = (errand, &before) {
            let is_gone = self.servers[at].item.is_none();
            if is_gone && (before.cas != *cas || number(&before.value).is_some()) {
                self.broken.push(Broken::TookAnothers);
            }
        }
        answer
    }

    fn answered(&mut self, number: usize, step: u64, answer: Result<Answer, NoAnswer>) {
        let now = self.instant();
        let is_at = self.is_at(number, step);
        let Some(caller) = self.callers[number].as_mut() else { return };
        if caller.is_over && caller.generation == self.processes[caller.process].1 {
            // The caller has gone; its client reads the answer.
            if let (Ok(answer), Some(place)) = (&answer, caller.target) {
                let dialect = caller.call.dialect();
                if let Some(errand) = super::give_back_of(answer).filter(|_| dialect == Dialect::Meta) {
                    let trip = self.trip();
                    self.at(self.now + trip, Event::GiveBack(errand, dialect, place));
                }
            }
        }
        let Some(caller) = self.callers[number].as_mut() else { return };
        if let (true, Ok(Answer::Found(Some(found)))) = (is_at, &answer) {
            let place = caller.target.unwrap_or_default();
            caller.won = if found.win { Some(found.cas) } else { caller.won };
            let late = |at: Duration| self.now > at + Duration::from_millis(300);
            let is_kept = |(at, cas, since): &((usize, u32), u64, Duration)| {
                *at == place && *cas == found.cas && late(*since)
            };
            if found.taken && self.weather.downs == 0 && self.freed.iter().any(is_kept) {
                self.broken.push(Broken::LeaseKept);
            }
        }
        if is_at {
            if let Some(caller) = self.callers[number].as_mut() {
                let (server, life) = caller.target.unwrap_or_default();
                let place = Place { server, ends: life.into() };
                caller.call.answered(answer, place, None, now);
            }
            self.step(number);
        }
    }

    fn load(&mut self, number: usize, caller: &mut Caller) {
        let is_own = !caller.call.is_leased();
        caller.loading = Some((self.version, self.now, is_own));
        if is_own {
            self.counts.own += 1;
        } else {
            self.counts.loads += 1;
            self.news.push(self.now);
            let (server, life) = caller.target.unwrap_or_default();
            let lease = Duration::from_secs(LEASE);
            let broken_at = self.servers[server].broken_at;
            let is_whole = |sent: Duration| broken_at.is_none_or(|at| at < sent);
            let is_two = self.leases.iter().any(|other| {
                let is_same = (other.server, other.life) == (server, life);
                let holds = other.is_on && other.is_running && !other.is_dead;
                is_same && holds && is_whole(caller.asked_at) && self.now < other.sent + lease
            });
            if is_two {
                self.broken.push(Broken::TwoLoaders);
            }
            caller.lease = Some(self.leases.len());
            self.leases.push(Lease {
                server,
                life,
                process: caller.process,
                sent: caller.asked_at,
                is_on: is_whole(caller.asked_at),
                is_running: true,
                is_dead: false,
            });
        }
        let takes = if self.chance(100) { 2000 + self.below(5000) } else { 10 + self.below(490) };
        let is_well = !self.chance(self.weather.failing);
        self.at(self.now + Duration::from_millis(takes), Event::Loaded(number, caller.step, is_well));
    }

    fn loaded(&mut self, number: usize, is_well: bool) {
        let now = self.instant();
        let Some(mut caller) = self.callers[number].take() else { return };
        let (version, begun, _) = caller.loading.unwrap_or_default();
        caller.loaded_for += self.now - begun;
        self.ends_lease(&caller, !is_well);
        if is_well {
            let content = Content { flags: 0, value: Bytes::from(version.to_string()) };
            match caller.call.loaded(Some(content), now) {
                Some(fetched) => self.ends(&mut caller, Some(fetched), false),
                None => self.go_on(number, &mut caller),
            }
        } else {
            let mut settling = caller.call.failed("no", now);
            let errand = settling.errand();
            let result = settling.settle();
            if let (Some((errand, dialect)), Some(place)) = (errand, caller.target) {
                let trip = self.trip();
                self.at(self.now + trip, Event::GiveBack(errand, dialect, place));
            }
            self.ends(&mut caller, result.ok(), false);
        }
        self.callers[number] = Some(caller);
    }

    fn ends_lease(&mut self, caller: &Caller, is_free: bool) {
        let Some(lease) = caller.lease else { return };
        self.leases[lease].is_running = false;
        if let (true, Some(cas), Some(place)) = (is_free, caller.won, caller.target) {
            self.freed.push((place, cas, self.now));
        }
    }

    /// A call has ended with this; without it, by an error of the loader.
    fn ends(&mut self, caller: &mut Caller, fetched: Option<Option<Content>>, has_joined: bool) {
        caller.is_over = true;
        self.counts.ended += 1;
        let own = caller.joined_own_at.map_or(Duration::ZERO, |at| self.now - at);
        let waited = self.now - caller.began - caller.loaded_for.min(self.now - caller.began) - own;
        // Requests that have nothing to do with others' loads: the question, and the store.
        if waited > WAIT + 3 * TIMEOUT {
            self.broken.push(Broken::WaitedTooLong);
        }
        let Some(content) = fetched else { return };
        let version = content.as_ref().and_then(|content| number(&content.value));
        let Some(version) = version.filter(|version| (1..=self.version).contains(version)) else {
            self.broken.push(Broken::NoValue);
            return;
        };
        if let Some((changed, true)) = caller.changed {
            if version < changed && self.weather.moves + self.weather.downs + self.weather.restarts == 0 {
                self.broken.push(Broken::OwnChangeNotSeen);
            }
        }
        if caller.loading.is_some() || has_joined {
            return;
        }
        if let Some((server, _)) = caller.target {
            let server = &self.servers[server];
            let allowed = server.changes.iter().filter(|(_, newer, _)| *newer > version);
            let until = allowed.map(|(at, _, keep)| *at + Duration::from_secs(*keep)).min();
            if until.is_some_and(|until| caller.asked_at > until + Duration::from_millis(1200)) {
                self.broken.push(Broken::TooStale);
            }
        }
        if caller.polls.is_some() {
            let (server, _) = caller.target.unwrap_or_default();
            let late = Duration::from_millis(250) + TIMEOUT;
            let stored = self.servers[server].stored_at.iter().find(|at| **at > caller.began);
            if stored.is_some_and(|at| self.now > *at + late && self.weather.writes == 0) {
                self.broken.push(Broken::WaitedInVain);
            }
        }
    }

    fn gone(&mut self, number: usize) {
        let Some(mut caller) = self.callers[number].take() else { return };
        if !caller.is_over {
            self.ends_lease(&caller, true);
            caller.is_over = true;
            let dialect = caller.call.dialect();
            if let (Some(errand), Some(place)) = (caller.call.abandon(), caller.target) {
                let trip = self.trip();
                self.at(self.now + trip, Event::GiveBack(errand, dialect, place));
            }
            self.counts.ended += 1;
            // The call is dropped, but for what an answer under way needs.
            let shared = Arc::new(Shared::new(Observer::NONE));
            let instant = (self.instant(), DATE);
            let mut rest = Call::new::<Content>(&shared, (KEY, KEY), &freshness(), 1000, instant).unwrap();
            if let Step::Begin = rest.step(instant.0) {
                rest.begin(dialect, instant.0);
            }
            caller.call = rest;
        }
        self.callers[number] = Some(caller);
    }

    fn kill(&mut self, process: usize) {
        // What it had seen is forgotten.
        self.news.push(self.now);
        self.processes[process].1 += 1;
        for lease in self.leases.iter_mut().filter(|lease| lease.process == process) {
            if lease.is_on && lease.is_running && !lease.is_dead {
                self.kills.push((self.now, process));
            }
            lease.is_dead = true;
        }
        for number in 0..self.callers.len() {
            if self.callers[number]
                .as_ref()
                .is_some_and(|caller| caller.process == process && !caller.is_over)
            {
                self.callers[number] = None;
                self.counts.ended += 1;
            }
        }
        self.processes[process].0 = Arc::new(Shared::new(Observer::NONE));
    }

    /// The source is changed, then the cache is told, in one go: what matters here is what others do around it.
    fn write(&mut self, process: usize, kind: u64) {
        let is_storm = kind == 4;
        for _ in 0..if is_storm { 4 } else { 1 } {
            self.version += 1;
        }
        let version = self.version;
        let (holder, now) = (self.holder, self.now);
        if !self.servers[holder].is_up {
            return;
        }
        let shared = Arc::clone(&self.processes[process].0);
        shared.detach(KEY, KEY);
        let times = freshness().times(DATE).unwrap();
        let dialect = self.servers[holder].dialect;
        let value = Bytes::from(version.to_string());
        let (writer, keep) = match kind {
            0 => (Writer::Plain(Errand::Delete), 0),
            1 => {
                let ttl = times.kept_by(dialect, true);
                let write = super::Write { flags: 0, value, ttl, condition: Condition::None };
                (Writer::Plain(Errand::Write(write)), 0)
            }
            2 => {
                let change: Change = Box::new(move |_| Some(Content { flags: 0, value: value.clone() }));
                let until = self.instant() + TIMEOUT;
                (Writer::Update(Update::new(change, Life::Fetched(times), dialect, until, 1)), 0)
            }
            _ => {
                let keep = if dialect == Dialect::Meta { STALE } else { 0 };
                (Writer::Invalidate(Invalidate::new(times, dialect)), keep)
            }
        };
        self.converse(holder, writer, version);
        self.breaks(holder);
        let server = &mut self.servers[holder];
        server.told = version;
        server.changes.push((now, version, keep));
        shared.detach(KEY, KEY);
        self.changed[process] = Some((version, keep == 0));
    }

    fn converse(&mut self, server: usize, writer: Writer, version: u64) {
        let (now, instant) = (self.now, self.instant());
        let server = &mut self.servers[server];
        let speaks = server.dialect;
        let mut send = |errand: Errand, dialect| server.answer(&errand, dialect, now);
        match writer {
            Writer::Plain(errand) => {
                let _ = send(errand, speaks);
            }
            Writer::Invalidate(mut machine) => carry(&mut machine, instant, &mut send),
            Writer::Update(mut machine) => {
                carry(&mut machine, instant, &mut send);
                let item = server.find(now).and_then(|item| number(&item.value));
                if item != Some(version) {
                    self.broken.push(Broken::UpdateLost);
                }
            }
        }
    }
}

fn carry<T: Talk>(
    machine: &mut T,
    now: Instant,
    send: &mut dyn FnMut(Errand, Dialect) -> Result<Answer, NoAnswer>,
) {
    for _ in 0..20 {
        let Next::Send(errand) = machine.next(now) else { return };
        let answer = send(errand, machine.dialect());
        machine.answered(answer, now);
    }
    panic!("it does not end");
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
