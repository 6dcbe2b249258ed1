//! What every server answers in lines, as they come. Each server is asked over a connection of its own, and none waits for
//! another.

use core::{cell::Cell, ops::ControlFlow, time::Duration};
use std::sync::Arc;

use memring_client::{
    Lines,
    failure::{Cause, Error},
    watch::Attempt,
};
use memring_text::{Reply, buffer::ArrayBuffer, reply::Event};
use rustix::event::PollFd;

use crate::{
    deadline::Deadline,
    dial::Opening,
    pool::{Lease, Pool, Wire},
    socket::{Socket, wait},
};

/// Takes a line, by the name of its server, and may break off.
type Take<'t> = dyn FnMut(&str, &Event<'_>) -> ControlFlow<()> + 't;

/// Asks the servers of `pools` for `lines`, and hands each line to `take`, until that breaks off. `step` is how long each
/// piece of a reply may take.
pub(crate) fn each(
    pools: &[Arc<Pool>],
    lines: Lines,
    take: &mut Take<'_>,
    step: Duration,
) -> Vec<Result<(), Error>> {
    let mut tellers: Vec<_> = pools.iter().map(|pool| Teller::new(pool, lines, step)).collect();
    let mut is_ready = Vec::new();
    loop {
        for teller in tellers.iter_mut().filter(|teller| teller.result.is_none()) {
            if teller.turn(take).is_break() {
                tellers.iter_mut().for_each(|teller| teller.end(Ok(())));
                break;
            }
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

/// One server that answers in lines. Its connection is one for which the pool's limit of lines does not hold, because no
/// line is kept; it does not go into the pool, but takes a part of that.
struct Teller<'p> {
    pool: &'p Pool,
    lines: Lines,
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

impl<'p> Teller<'p> {
    fn new(pool: &'p Pool, lines: Lines, step: Duration) -> Self {
        let mut teller = Self {
            pool,
            lines,
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
        if pool.watch().hangs_up(&lines.request()) {
            teller.end(Err(Cause::HangsUp));
        } else {
            teller.attempt = Some(pool.watch().attempt(lines.name(), teller.deadline.began(), false));
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
    fn turn(&mut self, take: &mut Take<'_>) -> ControlFlow<()> {
        match self.go_on(take) {
            Ok(Told::Part) => {}
            Ok(Told::Enough) => return ControlFlow::Break(()),
            Ok(Told::All) => {
                let reply = core::mem::replace(&mut self.reply, Reply::new(ArrayBuffer::new()));
                self.end(self.lines.end(reply));
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
        ControlFlow::Continue(())
    }

    fn go_on(&mut self, take: &mut Take<'_>) -> Result<Told, Cause> {
        self.has_turn = false;
        let is_late = self.deadline.left().is_zero();
        if self.part.is_none() {
            self.part = self.pool.try_lease(&self.deadline);
            if self.part.is_none() {
                return if is_late { Err(Cause::PoolBusy) } else { Ok(Told::Part) };
            }
            self.opening = Some(self.pool.opening_for_lines(self.deadline));
        }
        let request = self.lines.request();
        if let Some(mut opening) = self.opening.take() {
            let Some(mut wire) = self.pool.turn(&mut opening)? else {
                self.opening = Some(opening);
                return Ok(Told::Part);
            };
            self.deadline = Deadline::after(self.step);
            wire.io_mut().begin(self.deadline);
            let sent = wire.send(&request);
            self.wire = Some(wire);
            sent?;
        }
        let Some(wire) = &mut self.wire else { return Ok(Told::Part) };
        wire.io_mut().push()?;
        let (name, reply) = (self.pool.name(), &mut self.reply);
        let is_enough = Cell::new(false);
        let mut line = |event: &Event<'_>, _| {
            if !Lines::is_line(event) {
                reply.take(event);
            } else if !is_enough.get() {
                is_enough.set(take(name, event).is_break());
            }
        };
        for _ in 0..TURN {
            let is_all = wire.receive_filled(&request, &mut line)?;
            if is_enough.get() {
                return Ok(Told::Enough);
            }
            if is_all {
                return Ok(Told::All);
            }
            if !wire.fill(Socket::pull)? {
                return if self.deadline.left().is_zero() { Err(Cause::Timeout) } else { Ok(Told::Part) };
            }
            self.deadline = Deadline::after(if self.lines.is_endless() { Duration::MAX } else { self.step });
        }
        self.has_turn = true;
        Ok(Told::Part)
    }

    fn end(&mut self, result: Result<(), Cause>) {
        if self.result.is_some() {
            return;
        }
        if let Some(mut attempt) = self.attempt.take() {
            attempt.was_silent_for(self.step);
            attempt.ended(result.as_ref());
        }
        self.result = Some(result.map_err(|cause| self.pool.watch().failed(self.lines.name(), cause, false)));
        (self.opening, self.wire, self.part) = (None, None, None);
    }
}

/// How much a server has told.
enum Told {
    Part,
    All,
    /// As much as the caller wants to hear, of this server and of all others.
    Enough,
}

/// How soon a pool without a free part is asked again.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// How often one server is read from before another one has its turn.
const TURN: usize = 16;
