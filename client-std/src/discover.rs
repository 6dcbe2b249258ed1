//! Finding out the servers: a thread asks the source, and ends with the client.

use core::time::Duration;
use std::{
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Instant,
};

use memring_client::{
    Clock, Common, Config, WeakCommon,
    discovery::{ClusterSource, Discovery, Local, Source},
    failure::{Cause, Error},
    roster::{Answer, Why},
    spec::ServerSpec,
};

use crate::{deadline::Deadline, pool::Pool};

mod cluster;

/// Asks the source of `config` for the servers, and has it asked again for as long as the client is there.
pub(crate) fn start(config: Config) -> Result<Common<Pool>, Error> {
    let discovery = config.discovery.clone();
    let mut asking = discovery.map(|discovery| Asking::new(discovery, config.clone()));
    let asked = asking.as_mut().map_or(Err(Why::Empty), Asking::ask);
    let (wake, woken) = mpsc::channel();
    // The thread may have ended.
    let wake = move || {
        let _ = wake.send(());
    };
    let common = Common::discover(config, Clock::SYSTEM, asked, wake, Pool::new)?;
    if let Some(mut asking) = asking {
        asking.known = common.known_servers();
        let (client, next) = (common.downgrade(), common.next_poll());
        let thread = thread::Builder::new().name("memring-discover".into());
        let spawned = thread.spawn(move || asking.follow(&client, &woken, next));
        spawned.map_err(|error| Error::new("discover", Cause::from(error)))?;
    }
    Ok(common)
}

/// The source, with what is needed to ask it.
struct Asking {
    source: Source,
    timeout: Duration,
    config: Config,
    /// The servers that are there, of which any may know the others.
    known: Vec<ServerSpec>,
    /// A question that took too long. There is no other before it is answered.
    late: Option<Receiver<Result<Answer, Why>>>,
}

impl Asking {
    fn new(discovery: Discovery, config: Config) -> Self {
        let Discovery { source, pace, .. } = discovery;
        Self { source, timeout: pace.timeout, config, known: Vec::new(), late: None }
    }

    /// Asks whenever it is time, or when it is woken, until the client is gone.
    fn follow(mut self, client: &WeakCommon<Pool>, woken: &Receiver<()>, mut next: Instant) {
        loop {
            match woken.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Ok(()) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let asked = self.ask();
            let Some(client) = client.upgrade() else { return };
            match client.asked(asked, Pool::new) {
                Some(at) => next = at,
                None => return,
            }
            self.known = client.known_servers();
        }
    }

    fn ask(&mut self) -> Result<Answer, Why> {
        match self.source.clone() {
            Source::Local(local) => self.call(local),
            Source::Cluster(cluster) => self.command(&cluster),
        }
    }

    /// Asks for the servers of a cluster, until somebody knows them. Only the endpoint itself may say that there is none.
    fn command(&self, source: &ClusterSource) -> Result<Answer, Why> {
        let servers = source.candidates(&self.known);
        let end = Deadline::after(self.timeout);
        let mut first = None;
        let to_go = (1..=u32::try_from(servers.len()).unwrap_or(u32::MAX)).rev();
        for (server, to_go) in servers.iter().zip(to_go) {
            let part = end.left() / to_go;
            let why = match cluster::ask(server, &self.config, Deadline::after(part)) {
                Ok(Ok(cluster)) => return Ok(source.answer(&cluster, &self.config)),
                Ok(Err(error)) if first.is_none() && error.is_no_cluster() => return source.failed(&error),
                Ok(Err(error)) => Why::Source(format!("{}: {error}", server.address())),
                Err(cause) => Why::Source(format!("{}: {cause}", server.address())),
            };
            first.get_or_insert(why);
        }
        Err(first.unwrap_or(Why::Empty))
    }

    /// Asks by a call, which can hang for longer than any deadline and cannot be interrupted, so it has a thread of its own.
    fn call(&mut self, source: Local) -> Result<Answer, Why> {
        let answer = match self.late.take() {
            Some(late) => late,
            None => {
                let (said, answer) = mpsc::channel();
                let thread = thread::Builder::new().name("memring-source".into());
                // Nobody may wait any more.
                let spawned = thread.spawn(move || drop(said.send(source.ask())));
                spawned.map_err(|error| Why::Source(Cause::from(error).to_string()))?;
                answer
            }
        };
        match answer.recv_timeout(self.timeout) {
            Ok(asked) => asked,
            Err(RecvTimeoutError::Timeout) => {
                self.late = Some(answer);
                Err(Why::Late(self.timeout))
            }
            Err(RecvTimeoutError::Disconnected) => Err(Why::Source("the function panicked".into())),
        }
    }
}
