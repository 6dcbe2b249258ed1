//! One server's way through a batch.

use core::{mem, time::Duration};
use std::time::Instant;

use memring_client::{failure::Cause, watch::Attempt};
use memring_core::health::Verdict;
use rustix::event::PollFd;

use super::{Results, Share, Site};
use crate::{
    deadline::Deadline,
    dial::Opening,
    pool::{Lease, Pool, Wire},
    socket::Socket,
};

/// One server's way through a batch.
pub(super) struct Leg<'b, S> {
    name: &'static str,
    pool: &'b Pool,
    share: S,
    verdict: Verdict,
    deadline: Deadline,
    /// Tells the server's health how the leg ends; taken when the leg is over. It is absent where the server is down, which is not
    /// asked.
    attempt: Option<Attempt<'b>>,
    stage: Stage,
    lease: Option<Lease<'b>>,
    /// The lease's connection while it is being opened.
    opening: Option<Box<Opening<'b>>>,
    /// Whether this leg is the only one, so that its connection may wait for bytes.
    is_alone: bool,
    /// Whether requests have left. Where there are other legs, they send theirs before a reply is read.
    is_asked: bool,
    /// Whether all requests written so far were answered at some time.
    is_answered: bool,
    /// Whether the leg can go on without waiting.
    has_turn: bool,
    /// When bytes moved last; before the first, when they could have.
    moved_at: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The leg has no part of the pool yet.
    Outside,
    /// The leg has a part of the pool; its connection may not be open yet.
    Inside,
    Over,
}

impl<'b, S: Share> Leg<'b, S> {
    pub(super) fn new(name: &'static str, site: Site<'b>, share: S, deadline: Deadline) -> Self {
        let Site { pool, verdict } = site;
        let attempt = match verdict {
            Verdict::Down { .. } => None,
            verdict => Some(pool.watch().attempt(name, deadline.began(), verdict == Verdict::Probe)),
        };
        Self {
            name,
            pool,
            share,
            verdict,
            deadline,
            attempt,
            stage: Stage::Outside,
            lease: None,
            opening: None,
            is_alone: false,
            is_asked: false,
            is_answered: false,
            has_turn: false,
            moved_at: deadline.began(),
        }
    }

    /// Runs the leg to its end, where it is the only one.
    pub(super) fn run_alone(&mut self, results: &mut Results<S::Output>) {
        self.is_alone = true;
        while self.stage != Stage::Over {
            match self.stage {
                Stage::Outside => self.enter(results),
                _ => self.turn(results),
            }
        }
    }

    /// Takes part of the pool if there is one left, and gives up when it has waited for that for too long.
    pub(super) fn enter(&mut self, results: &mut Results<S::Output>) {
        if let Verdict::Down { retry_at } = self.verdict {
            return self.fail(results, &self.pool.watch().down(retry_at));
        }
        let lease = if self.is_alone {
            self.pool.lease(&self.deadline).map(Some)
        } else {
            Ok(self.pool.try_lease(&self.deadline))
        };
        match lease {
            Ok(Some(lease)) => {
                self.has_turn = true;
                self.lease = Some(lease);
                self.stage = Stage::Inside;
            }
            Ok(None) if self.deadline.is_half_over() => self.fail(results, &Cause::PoolBusy),
            Ok(None) => {}
            Err(cause) => self.fail(results, &cause),
        }
    }

    pub(super) fn is_outside(&self) -> bool {
        self.stage == Stage::Outside
    }

    pub(super) fn is_inside(&self) -> bool {
        self.stage == Stage::Inside
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.stage != Stage::Over
    }

    /// Whether there is a connection.
    pub(super) fn is_open(&self) -> bool {
        self.lease.as_ref().is_some_and(|lease| lease.opened().is_some())
    }

    /// Whether the leg can go on without waiting.
    pub(super) const fn has_turn(&self) -> bool {
        self.has_turn
    }

    /// What the system has to report of the leg's socket.
    pub(super) fn awaited(&self) -> Option<PollFd<'_>> {
        match &self.opening {
            Some(opening) => opening.awaited(),
            None => self.lease.as_ref()?.opened().map(|wire| wire.io().awaited()),
        }
    }

    /// For how long the leg need not be looked at unless the system reports its socket; at most `left`.
    pub(super) fn patience(&self, left: Duration) -> Duration {
        match &self.opening {
            _ if self.has_turn => Duration::ZERO,
            Some(opening) => opening.patience().min(left),
            None if self.is_outside() => left.min(LOOK_AGAIN),
            None => left,
        }
    }

    /// Takes note of a wait that ended at `now`. `is_ready`: the system has reported the leg's socket. `is_late`: the batch has no
    /// time left but to read what has come; `is_over`: not even that.
    pub(super) fn waited(
        &mut self,
        results: &mut Results<S::Output>,
        now: Instant,
        is_ready: bool,
        (is_late, is_over): (bool, bool),
    ) {
        if self.opening.is_some() {
            // An opening connection keeps its own time.
            self.has_turn |= is_ready || self.awaited().is_none() || self.patience(LOOK_AGAIN).is_zero();
        } else if is_over || (is_late && !is_ready && !self.has_turn) {
            self.fail_in_time(results, now, is_ready);
        } else if is_ready {
            self.has_turn = true;
        }
    }

    /// Goes on as far as it can without waiting, but not so long that other legs wait for it.
    pub(super) fn turn(&mut self, results: &mut Results<S::Output>) {
        self.has_turn = false;
        let Some(mut lease) = self.lease.take() else { return };
        match self.try_turn(&mut lease, results) {
            Ok(false) => self.lease = Some(lease),
            // The lease ends here, and others may have the connection while this batch goes on.
            Ok(true) => {
                self.stage = Stage::Over;
                if let Some(attempt) = self.attempt.take() {
                    attempt.ended(Ok(()));
                }
            }
            Err(cause) => self.fall(results, lease, &cause),
        }
    }

    /// Returns whether the leg is over. It begins again over a fresh connection when the pool's one turns out dead.
    fn try_turn(&mut self, lease: &mut Lease<'b>, results: &mut Results<S::Output>) -> Result<bool, Cause> {
        match self.go_on(lease, results) {
            Err(cause) if cause.is_closed() && lease.is_used() && self.may_retry(lease) => {
                lease.replace(&cause);
                self.share.forget();
                self.go_on(lease, results)
            }
            done => done,
        }
    }

    fn may_retry(&self, lease: &Lease<'_>) -> bool {
        self.share.request().is_some_and(|request| lease.may_retry(&request))
    }

    fn go_on(&mut self, lease: &mut Lease<'b>, results: &mut Results<S::Output>) -> Result<bool, Cause> {
        let Some(wire) = self.open(lease)? else { return Ok(false) };
        for _ in 0..TURN {
            if self.share.owed() == 0 {
                // A request that is answered before all its bytes have left must be written to its end.
                if !wire.io_mut().push()? {
                    return Ok(false);
                }
                if self.share.request().is_none() {
                    return wire.io_mut().end_turns().map(|()| true).map_err(Cause::from);
                }
                if self.deadline.left().is_zero() {
                    // The server was not asked for more, so it owes nothing.
                    self.moved_at = Instant::now();
                    return Err(Cause::Timeout);
                }
                wire.io_mut().begin(self.deadline);
            }
            let sent = wire.io().sent();
            while self.share.send(wire)? && wire.io_mut().push()? {}
            wire.io_mut().push()?;
            let has_sent = wire.io().sent() != sent;
            if !mem::replace(&mut self.is_asked, true) && !self.is_alone {
                self.moved_at = Instant::now();
                return Ok(false);
            }
            if self.receive(wire, results)? {
                self.is_answered = true;
                continue;
            }
            let has_come = wire.fill(Socket::pull)?;
            if has_sent || has_come {
                self.moved_at = Instant::now();
            }
            if !has_come {
                return Ok(false);
            }
        }
        self.has_turn = true;
        Ok(false)
    }

    /// The connection, once it is open.
    fn open<'l>(&mut self, lease: &'l mut Lease<'b>) -> Result<Option<&'l mut Wire>, Cause> {
        if self.is_alone {
            return lease.wire(self.deadline).map(Some);
        }
        if lease.opened().is_none() && self.opening.is_none() {
            self.moved_at = Instant::now();
        }
        let Some(wire) = lease.wire_in_turns(&mut self.opening, self.deadline)? else { return Ok(None) };
        if !wire.io().is_in_turns() {
            wire.io_mut().begin_turns()?;
        }
        Ok(Some(wire))
    }

    fn receive(&mut self, wire: &mut Wire, results: &mut Results<S::Output>) -> Result<bool, Cause> {
        let Self { name, pool, share, .. } = self;
        share.receive(wire, |position, result| {
            results.put(position, result.map_err(|cause| pool.watch().failed(name, cause, false)));
        })
    }

    /// Ends the leg at `now`, because its time is over. `is_ready`: there are bytes to read, which nobody had the time for.
    fn fail_in_time(&mut self, results: &mut Results<S::Output>, now: Instant, is_ready: bool) {
        if is_ready {
            self.moved_at = now;
        }
        match self.lease.take() {
            Some(lease) => self.fail_with(results, &lease, &Cause::Timeout),
            None => self.fail(results, &Cause::Timeout),
        }
    }

    /// Ends the leg because of `cause`, or goes on over another connection where the server only had one too many.
    fn fall(&mut self, results: &mut Results<S::Output>, mut lease: Lease<'b>, cause: &Cause) {
        if !self.is_answered && lease.is_turned_away(cause) {
            if self.share.request().is_some_and(|request| lease.may_take_turns(&request, cause)) {
                lease.ends(cause);
                self.share.forget();
                self.stage = Stage::Outside;
                return;
            }
            if let Some(attempt) = &mut self.attempt {
                attempt.says_nothing();
            }
        }
        self.fail_with(results, &lease, cause);
    }

    fn fail_with(&mut self, results: &mut Results<S::Output>, lease: &Lease<'_>, cause: &Cause) {
        lease.ends(cause);
        self.end(results, cause, lease.has_sent());
    }

    /// Ends the leg before anything was sent.
    pub(super) fn fail(&mut self, results: &mut Results<S::Output>, cause: &Cause) {
        self.end(results, cause, false);
    }

    fn end(&mut self, results: &mut Results<S::Output>, cause: &Cause, has_sent: bool) {
        self.stage = Stage::Over;
        self.opening = None;
        if let Some(mut attempt) = self.attempt.take() {
            attempt.was_silent_for(self.moved_at.elapsed());
            attempt.ended(Err::<(), _>(cause));
        }
        if let Some(position) = self.share.unproven() {
            results.take_back(position);
        }
        let Self { share, pool, name, .. } = self;
        let error = |is_open| pool.watch().failed(name, cause.clone(), is_open);
        results.fail(share.positions(), |index| has_sent && share.is_open(index), error);
    }
}

/// How soon a pool without a free part is asked again while there are other servers to wait for.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// How often a leg reads before another leg has its turn.
const TURN: usize = 16;
