//! Statistics of every server, line by line as they come. Each server is asked over a connection of its own, and none waits for
//! another.

use core::time::Duration;
use std::sync::Arc;

use memring_client::{
    failure::{Cause, Error},
    watch::Attempt,
};
use memring_text::{Operation as _, Reply, Request, buffer::ArrayBuffer, reply::Event, request::StatsKind};
use rustix::event::PollFd;

use crate::{
    deadline::Deadline,
    dial::Opening,
    pool::{Lease, Pool, Wire},
    socket::{Socket, wait},
};

/// Takes a line: a server's name, a statistic's name and its value.
type Take<'t> = dyn FnMut(&str, &[u8], &[u8]) + 't;

/// Asks the servers of `pools` for statistics, and hands each to `take`. `step` is how long each piece of a reply may take.
pub(crate) fn each(
    pools: &[Arc<Pool>],
    kind: StatsKind,
    take: &mut Take<'_>,
    step: Duration,
) -> Vec<Result<(), Error>> {
    let mut tellers: Vec<_> = pools.iter().map(|pool| Teller::new(pool, kind, step)).collect();
    let mut is_ready = Vec::new();
    loop {
        for teller in tellers.iter_mut().filter(|teller| teller.result.is_none()) {
            teller.turn(take);
        }
        let Some(time) = tellers.iter().filter_map(Teller::patience).min() else { break };
        if let Err(error) = wait(tellers.iter().filter_map(Teller::awaited), time, &mut is_ready) {
            let cause = Cause::from(error);
            tellers.iter_mut().for_each(|teller| teller.end(Err(cause.clone())));
        }
    }
    // Each teller is over, and has its result.
    tellers.into_iter().filter_map(|teller| teller.result).collect()
}

/// One server that tells its statistics. Its connection is one for which the pool's limit of lines does not hold, because no
/// line is kept; it does not go into the pool, but takes a part of that.
struct Teller<'p> {
    pool: &'p Pool,
    kind: StatsKind,
    step: Duration,
    /// Until when the next piece of the reply is waited for.
    deadline: Deadline,
    attempt: Option<Attempt<'p>>,
    part: Option<Lease<'p>>,
    opening: Option<Opening<'p>>,
    wire: Option<Wire>,
    reply: Reply<ArrayBuffer<0>>,
    /// Whether bytes that had come were left unread, because another server had its turn: the system need not report more.
    has_turn: bool,
    result: Option<Result<(), Error>>,
}

const NAME: &str = "stats";

impl<'p> Teller<'p> {
    fn new(pool: &'p Pool, kind: StatsKind, step: Duration) -> Self {
        let mut teller = Self {
            pool,
            kind,
            step,
            deadline: Deadline::after(step),
            attempt: None,
            part: None,
            opening: None,
            wire: None,
            reply: Reply::new(ArrayBuffer::new()),
            has_turn: false,
            result: None,
        };
        if pool.watch().hangs_up(&Request::Stats(kind)) {
            teller.end(Err(Cause::HangsUp));
        } else {
            teller.attempt = Some(pool.watch().attempt(NAME, teller.deadline.began(), false));
        }
        teller
    }

    /// What the system has to report of the connection.
    fn awaited(&self) -> Option<PollFd<'_>> {
        match &self.opening {
            Some(opening) => opening.awaited(),
            None => self.wire.as_ref().map(|wire| wire.io().awaited()),
        }
    }

    /// For how long the server need not be looked at unless the system reports its connection. `None`: it is over.
    fn patience(&self) -> Option<Duration> {
        let left = self.deadline.left();
        match (&self.result, &self.opening) {
            (Some(_), _) => None,
            _ if self.has_turn => Some(Duration::ZERO),
            (None, Some(opening)) => Some(opening.patience().min(left)),
            (None, None) if self.wire.is_none() => Some(left.min(LOOK_AGAIN)),
            (None, None) => Some(left),
        }
    }

    /// Goes on as far as it can without waiting.
    fn turn(&mut self, take: &mut Take<'_>) {
        match self.go_on(take) {
            Ok(false) => {}
            Ok(true) => {
                let reply = core::mem::replace(&mut self.reply, Reply::new(ArrayBuffer::new()));
                self.end(self.kind.output(reply).map(drop).map_err(Cause::from));
            }
            Err(cause) => {
                if self.wire.is_some() {
                    self.pool.watch().disconnected(&cause);
                }
                if self.pool.turns_away(&cause, self.wire.as_ref().map(|wire| wire.io())) {
                    self.attempt.iter_mut().for_each(Attempt::says_nothing);
                }
                self.end(Err(cause));
            }
        }
    }

    /// Returns whether all statistics were handed on.
    fn go_on(&mut self, take: &mut Take<'_>) -> Result<bool, Cause> {
        self.has_turn = false;
        let is_late = self.deadline.left().is_zero();
        if self.part.is_none() {
            self.part = self.pool.try_lease(&self.deadline);
            if self.part.is_none() {
                return if is_late { Err(Cause::PoolBusy) } else { Ok(false) };
            }
            self.opening = Some(self.pool.opening_for_lines(self.deadline));
        }
        let request = Request::Stats(self.kind);
        if let Some(mut opening) = self.opening.take() {
            let Some(mut wire) = self.pool.turn(&mut opening)? else {
                self.opening = Some(opening);
                return Ok(false);
            };
            self.deadline = Deadline::after(self.step);
            wire.io_mut().begin(self.deadline);
            let sent = wire.send(&request);
            self.wire = Some(wire);
            sent?;
        }
        let Some(wire) = &mut self.wire else { return Ok(false) };
        wire.io_mut().push()?;
        let (name, reply) = (self.pool.name(), &mut self.reply);
        let mut line = |event: &Event<'_>, _| match event.statistic() {
            Some((statistic, value)) => take(name, statistic, value),
            None => reply.take(event),
        };
        for _ in 0..TURN {
            if wire.receive_filled(&request, &mut line)? {
                return Ok(true);
            }
            if !wire.fill(Socket::pull)? {
                return if self.deadline.left().is_zero() { Err(Cause::Timeout) } else { Ok(false) };
            }
            self.deadline = Deadline::after(self.step);
        }
        self.has_turn = true;
        Ok(false)
    }

    fn end(&mut self, result: Result<(), Cause>) {
        if self.result.is_some() {
            return;
        }
        if let Some(mut attempt) = self.attempt.take() {
            attempt.was_silent_for(self.step);
            attempt.ended(result.as_ref());
        }
        self.result = Some(result.map_err(|cause| self.pool.watch().failed(NAME, cause, false)));
        (self.opening, self.wire, self.part) = (None, None, None);
    }
}

/// How soon a pool without a free part is asked again.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// How often one server is read from before another one has its turn.
const TURN: usize = 16;
