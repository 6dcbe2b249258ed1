//! Callers of `fetch`, carried from step to step, and what must hold at each.

use super::*;

impl Simulation {
    pub(super) fn begin_call(&mut self, process: usize) {
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

    pub(super) fn step(&mut self, number: usize) {
        let Some(mut caller) = self.callers[number].take() else { return };
        if !caller.is_over {
            self.go_on(number, &mut caller);
        }
        self.callers[number] = Some(caller);
    }

    /// Carries the call until it waits for something.
    pub(super) fn go_on(&mut self, number: usize, caller: &mut Caller) {
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

    pub(super) fn send(&mut self, number: usize, caller: &mut Caller, errand: Errand) {
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
    pub(super) fn serve(
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
        let is_refill = matches!(errand, Errand::Write(write) if write.flags != PLACEHOLDER);
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

    pub(super) fn answered(&mut self, number: usize, step: u64, answer: Result<Answer, NoAnswer>) {
        let now = self.instant();
        let is_at = self.is_at(number, step);
        let Some(caller) = self.callers[number].as_mut() else { return };
        if caller.is_over && caller.generation == self.processes[caller.process].1 {
            // The caller has gone; its client reads the answer.
            if let (Ok(answer), Some(place)) = (&answer, caller.target) {
                let dialect = caller.call.dialect();
                if let Some(errand) = give_back_of(answer).filter(|_| dialect == Dialect::Meta) {
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

    pub(super) fn load(&mut self, number: usize, caller: &mut Caller) {
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

    pub(super) fn loaded(&mut self, number: usize, is_well: bool) {
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

    pub(super) fn ends_lease(&mut self, caller: &Caller, is_free: bool) {
        let Some(lease) = caller.lease else { return };
        self.leases[lease].is_running = false;
        if let (true, Some(cas), Some(place)) = (is_free, caller.won, caller.target) {
            self.freed.push((place, cas, self.now));
        }
    }

    /// A call has ended with this; without it, by an error of the loader.
    pub(super) fn ends(&mut self, caller: &mut Caller, fetched: Option<Option<Content>>, has_joined: bool) {
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

    pub(super) fn gone(&mut self, number: usize) {
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

    pub(super) fn kill(&mut self, process: usize) {
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
}
