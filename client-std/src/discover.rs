//! Finding out the servers: a thread asks the source, and ends with the client.

use core::time::Duration;
use std::{
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Instant,
};

use memring_client::{
    Clock, Common, Config, WeakCommon,
    discovery::{Discovery, Source},
    failure::{Cause, Error},
    roster::{Answer, Why},
};

use crate::pool::Pool;

/// Asks the source of `config` for the servers, and has it asked again for as long as the client is there.
pub(crate) fn start(config: Config) -> Result<Common<Pool>, Error> {
    let mut asking = config.discovery.as_ref().map(Asking::new);
    let asked = asking.as_mut().map_or(Err(Why::Empty), Asking::ask);
    let (wake, woken) = mpsc::channel();
    // The thread may have ended.
    let wake = move || {
        let _ = wake.send(());
    };
    let common = Common::discover(config, Clock::SYSTEM, asked, wake, Pool::new)?;
    if let Some(asking) = asking {
        let (client, next) = (common.downgrade(), common.next_poll());
        let thread = thread::Builder::new().name("memring-discover".into());
        let spawned = thread.spawn(move || asking.follow(&client, &woken, next));
        spawned.map_err(|error| Error::new("discover", Cause::from(error)))?;
    }
    Ok(common)
}

/// The source, with the question that is under way.
struct Asking {
    source: Source,
    timeout: Duration,
    /// A question that took too long. There is no other before it is answered.
    late: Option<Receiver<Result<Answer, Why>>>,
}

impl Asking {
    fn new(discovery: &Discovery) -> Self {
        Self { source: discovery.source.clone(), timeout: discovery.pace.timeout, late: None }
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
        }
    }

    /// Asks once. A file or a function can hang for longer than any deadline, and cannot be interrupted, so it is asked in a
    /// thread of its own.
    fn ask(&mut self) -> Result<Answer, Why> {
        let answer = match self.late.take() {
            Some(late) => late,
            None => {
                let (said, answer) = mpsc::channel();
                let source = self.source.clone();
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
