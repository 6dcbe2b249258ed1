//! Changes of the source, told to the cache.

use super::*;

impl Simulation {
    /// The source is changed, then the cache is told, in one go: what matters here is what others do around it.
    pub(super) fn write(&mut self, process: usize, kind: u64) {
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
                let write = Write { flags: 0, value, ttl, condition: Condition::None };
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

    pub(super) fn converse(&mut self, server: usize, writer: Writer, version: u64) {
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
