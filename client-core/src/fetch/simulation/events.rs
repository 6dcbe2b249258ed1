//! What happens when, and what must hold at the end.

use super::*;

impl Simulation {
    pub(super) fn new(seed: u64, weather: Weather) -> Self {
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

    pub(super) fn at(&mut self, time: Duration, event: Event) {
        self.next += 1;
        self.queue.push(Reverse((time, self.next)));
        self.events.insert(self.next, event);
    }

    pub(super) fn soon(&mut self, event: Event) {
        self.at(self.now, event);
    }

    pub(super) fn below(&mut self, most: u64) -> u64 {
        self.random.next() % most.max(1)
    }

    pub(super) fn chance(&mut self, of_thousand: u64) -> bool {
        self.below(1000) < of_thousand
    }

    pub(super) fn trip(&mut self) -> Duration {
        Duration::from_micros(200 + self.below(3800))
    }

    pub(super) fn instant(&self) -> Instant {
        self.begin + self.now
    }

    /// Callers, half of them in bursts, and what the weather brings.
    pub(super) fn fill(&mut self, callers: u64) {
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

    pub(super) fn run(mut self) -> (Vec<Broken>, Counts) {
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

    pub(super) fn happen(&mut self, event: Event) {
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

    pub(super) fn is_at(&self, caller: usize, step: u64) -> bool {
        self.callers[caller].as_ref().is_some_and(|caller| caller.step == step && !caller.is_over)
    }

    /// Ends all leases at the server, as far as two loaders are concerned.
    pub(super) fn breaks(&mut self, server: usize) {
        self.servers[server].broken_at = Some(self.now);
        self.news.push(self.now);
        self.leases.iter_mut().filter(|lease| lease.server == server).for_each(|lease| lease.is_on = false);
    }
}
