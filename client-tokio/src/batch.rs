//! Many requests at once: every server has its share before the reply of any is waited for.

use core::{
    future::poll_fn,
    mem,
    task::{Context, Poll},
};
use std::{collections::VecDeque, sync::Arc};

use memring_client::{
    failure::{Cause, Error, Evidence, Many},
    shares::Share,
    watch::Attempt,
};
use memring_core::health::Verdict;
use memring_text::{Operation, Request, exchange::ProtocolError};
use tokio::time::Instant;

use crate::{
    call::read,
    deadline::Deadline,
    pool::{
        Pool,
        growth::TurnedAway,
        mux::{MustWatch, Mux},
        slots::{Failure, SlotId},
        vigil::Vigil,
        waiting::Admission,
    },
};

pub(crate) mod together;

/// Works off `shares` until all `count` positions of the batch have a result, which `to` makes of an operation's output.
pub(crate) async fn run<'b, O: Operation + 'b, T>(
    name: &'static str,
    shares: impl Iterator<Item = Share<'b, Pool, O>>,
    count: usize,
    deadline: Deadline,
    to: impl Fn(O::Output<Vec<u8>>) -> Result<T, Cause>,
) -> Many<T> {
    let mut results = Results { name, slots: Vec::new(), errors: Vec::new() };
    results.slots.resize_with(count, || None);
    let mut legs: Vec<_> = shares.map(|share| Leg::new(name, share, deadline)).collect();
    poll_fn(|cx| {
        for leg in &mut legs {
            leg.poll(cx, &mut results, deadline, &to);
            leg.watch(cx, &mut results, deadline);
            leg.settle();
        }
        if legs.iter().all(Leg::is_over) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    results.into_many()
}

/// One server's way through a batch. Dropping it leaves the replies to be read and thrown away.
struct Leg<'b, O> {
    share: Share<'b, Pool, O>,
    mux: &'b Arc<Mux>,
    admission: Admission<'b>,
    /// How many operations are queued, and how many of them have their outcome.
    queued: usize,
    done: usize,
    must_watch: MustWatch,
    vigil: Option<Vigil>,
    /// Where the outcomes of the others will be.
    slots: VecDeque<SlotId>,
    /// Which operations these are about, by their index; all of them, unless the server has turned a connection away.
    order: Option<Vec<usize>>,
    /// What is to be sent over another connection, because the server turned this one away.
    again: Vec<usize>,
    /// What has gone wrong with the server: each thing is told once.
    told: Vec<Error>,
    /// What the server's health is told of; taken when the leg is over, with what speaks against the server, if anything.
    /// A server that is down is not asked.
    attempt: Option<Attempt<'b>>,
    fault: Option<Cause>,
    has_answer: bool,
    /// Whether an answer has come since that was last looked at; and when that was, or the beginning.
    has_moved: bool,
    moved_at: Instant,
}

impl<O> Drop for Leg<'_, O> {
    fn drop(&mut self) {
        if !self.slots.is_empty() {
            self.mux.abandon(self.slots.drain(..));
        }
    }
}

impl<'b, O: Operation> Leg<'b, O> {
    fn new(name: &'static str, share: Share<'b, Pool, O>, deadline: Deadline) -> Self {
        let attempt = match share.verdict {
            Verdict::Down { .. } => None,
            verdict => {
                Some(share.pool.watch().attempt(name, deadline.began().into_std(), verdict == Verdict::Probe))
            }
        };
        let mux = share.pool.mux();
        let (admission, slots) = (Admission::new(mux), VecDeque::with_capacity(share.items.len()));
        Self {
            share,
            mux,
            admission,
            queued: 0,
            done: 0,
            must_watch: MustWatch(false),
            vigil: None,
            slots,
            order: None,
            again: Vec::new(),
            told: Vec::new(),
            attempt,
            fault: None,
            has_answer: false,
            has_moved: false,
            moved_at: Instant::now(),
        }
    }

    /// Whether it waits for quota.
    fn is_entering(&self) -> bool {
        self.queued < self.count()
    }

    fn count(&self) -> usize {
        self.order.as_ref().map_or(self.share.items.len(), Vec::len)
    }

    /// The index of the operation that is number `number` on this connection.
    fn index(&self, number: usize) -> usize {
        self.order.as_ref().map_or(number, |order| order.get(number).copied().unwrap_or(usize::MAX))
    }

    /// Watches the time and the driver, if the caller must do that itself.
    fn watch<T>(&mut self, cx: &mut Context<'_>, results: &mut Results<T>, deadline: Deadline) {
        let must_watch = self.must_watch.0 && !self.slots.is_empty();
        if !self.is_entering() && !must_watch {
            return;
        }
        let vigil = match self.vigil.take() {
            Some(vigil) => Ok(vigil),
            None => Vigil::new(self.mux, deadline),
        };
        let (overdue, no_room) = match vigil {
            Ok(mut vigil) => {
                if vigil.poll(cx, self.mux).is_pending() {
                    self.vigil = Some(vigil);
                    return;
                }
                (Cause::Timeout, Cause::OverQuota)
            }
            Err(cause) => (cause.clone(), cause),
        };
        if must_watch {
            self.give_up(results, &overdue);
        }
        self.refuse(results, &no_room);
    }

    fn is_over(&self) -> bool {
        !self.is_entering() && self.slots.is_empty()
    }

    /// Once it is over, says what it has found out about the server.
    fn settle(&mut self) {
        if !self.is_over() {
            return;
        }
        let Some(mut attempt) = self.attempt.take() else { return };
        match &self.fault {
            Some(cause) => {
                attempt.was_silent_for(self.moved_at.elapsed());
                attempt.ended(Err::<(), _>(cause));
            }
            None if self.has_answer => attempt.ended(Ok(())),
            None => {}
        }
    }

    /// Queues what the quota suffices for, and takes outcomes in their order.
    fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        results: &mut Results<T>,
        deadline: Deadline,
        to: &impl Fn(O::Output<Vec<u8>>) -> Result<T, Cause>,
    ) {
        if let Verdict::Down { retry_at } = self.share.verdict {
            self.refuse(results, &self.share.pool.watch().down(retry_at));
        }
        loop {
            self.enter(cx, results, deadline);
            if !self.take_outcomes(cx, results, deadline, to) || !self.turn_to_another() {
                break;
            }
        }
        if mem::take(&mut self.has_moved) {
            self.moved_at = Instant::now();
        }
    }

    fn enter<T>(&mut self, cx: &mut Context<'_>, results: &mut Results<T>, deadline: Deadline) {
        if self.is_entering() {
            match self.poll_queue(cx, deadline) {
                Poll::Ready(Ok(((), must_watch))) => self.must_watch = must_watch,
                Poll::Ready(Err(cause)) => self.refuse(results, &cause),
                Poll::Pending => {}
            }
        }
    }

    /// Takes outcomes in their order; says whether that are all, of what is queued.
    fn take_outcomes<T>(
        &mut self,
        cx: &mut Context<'_>,
        results: &mut Results<T>,
        deadline: Deadline,
        to: &impl Fn(O::Output<Vec<u8>>) -> Result<T, Cause>,
    ) -> bool {
        let operations = self.share.items;
        while let Some(&slot) = self.slots.front() {
            let outcome = match self.mux.poll_outcome(slot, cx.waker(), self.must_watch) {
                Poll::Ready(Ok(outcome)) => outcome,
                Poll::Ready(Err(must_watch)) => {
                    self.must_watch = must_watch;
                    return false;
                }
                Poll::Pending => return false,
            };
            self.slots.pop_front();
            let index = self.index(self.done);
            self.done += 1;
            let Some(operation) = operations.get(index) else { continue };
            let output = read(operation, outcome);
            if let Err(failure) = &output {
                match self.share.pool.turned_away(failure) {
                    TurnedAway::No => {}
                    TurnedAway::Again if Instant::now() < deadline.at() => {
                        self.again.push(index);
                        continue;
                    }
                    TurnedAway::Again | TurnedAway::Sent => {
                        self.attempt.iter_mut().for_each(Attempt::says_nothing);
                    }
                }
            }
            let result =
                output.and_then(|output| to(output).map_err(|cause| Box::new(Failure::new(cause, true))));
            self.put(results, index, result);
        }
        true
    }

    /// Sends over another connection what is to be sent again, and what is not queued yet. Says whether there is any.
    fn turn_to_another(&mut self) -> bool {
        if self.again.is_empty() {
            return false;
        }
        let rest = (self.queued..self.count()).map(|number| self.index(number));
        let order = self.again.iter().copied().chain(rest).collect();
        self.order = Some(order);
        self.again.clear();
        (self.queued, self.done, self.must_watch, self.vigil) = (0, 0, MustWatch(false), None);
        self.mux = self.share.pool.mux();
        self.admission = Admission::new(self.mux);
        true
    }

    fn poll_queue(
        &mut self,
        cx: &mut Context<'_>,
        deadline: Deadline,
    ) -> Poll<Result<((), MustWatch), Cause>> {
        let (operations, order, count) = (self.share.items, self.order.as_deref(), self.count());
        // Every index is of an operation.
        let index = |number| order.map_or(number, |order: &[usize]| order[number]);
        let mut requests = (self.queued..count).map(|number| operations[index(number)].request());
        let polled = self.admission.poll_submit_all(cx, &mut requests, deadline, &mut self.slots);
        self.queued = count.saturating_sub(requests.len());
        polled
    }

    /// What is not queued yet never will be.
    fn refuse<T>(&mut self, results: &mut Results<T>, cause: &Cause) {
        for number in self.queued..self.count() {
            self.put(results, self.index(number), Err(Box::new(Failure::new(cause.clone(), false))));
        }
        self.queued = self.count();
    }

    /// What is not answered yet is waited for no longer.
    fn give_up<T>(&mut self, results: &mut Results<T>, cause: &Cause) {
        let is_sent = !self.slots.is_empty() && self.mux.abandon(self.slots.drain(..));
        for number in self.done..self.queued {
            self.put(results, self.index(number), Err(Box::new(Failure::new(cause.clone(), is_sent))));
        }
        for index in mem::take(&mut self.again) {
            self.put(results, index, Err(Box::new(Failure::new(cause.clone(), true))));
        }
        self.done = self.queued;
    }

    /// Notes the result of operation number `index`.
    fn put<T>(&mut self, results: &mut Results<T>, index: usize, result: Result<T, Box<Failure>>) {
        let Share { pool, positions, items: operations, .. } = self.share;
        let (Some(&position), Some(operation)) = (positions.get(index), operations.get(index)) else {
            return;
        };
        match result.as_ref().map_or_else(|failure| failure.cause.evidence(), |_| Evidence::Up) {
            Evidence::Up => (self.has_answer, self.has_moved) = (true, true),
            Evidence::Failed | Evidence::Lost if self.fault.is_none() => {
                self.fault = result.as_ref().err().map(|failure| failure.cause.clone());
            }
            Evidence::Failed | Evidence::Lost | Evidence::None => {}
        }
        let result = result.map_err(|failure| {
            let Failure { cause, sent, .. } = *failure;
            let request = operation.request();
            // A line of keys is refused as a whole, any other request by itself.
            let is_own = matches!(cause, Cause::Server(_)) && !matches!(request, Request::Get(_));
            let is_open = !request.may_retry(usize::from(sent));
            let error = Error::on(pool.name(), results.name, cause, is_open);
            let told = if is_own { None } else { self.told.iter().find(|told| told.says_what(&error)) };
            told.cloned().unwrap_or_else(|| {
                pool.watch().report(&error);
                results.errors.push(error.clone());
                if !is_own {
                    self.told.push(error.clone());
                }
                error
            })
        });
        if let Some(slot) = results.slots.get_mut(position) {
            *slot = Some(result);
        }
    }
}

/// The results of a batch's positions so far.
struct Results<T> {
    name: &'static str,
    slots: Vec<Option<Result<T, Error>>>,
    errors: Vec<Error>,
}

impl<T> Results<T> {
    fn into_many(self) -> Many<T> {
        let name = self.name;
        // This is never reached: every position is on one server's way.
        let missing = || Err(Error::new(name, Cause::Protocol(ProtocolError::Broken)));
        let results = self.slots.into_iter().map(|slot| slot.unwrap_or_else(missing)).collect();
        Many::new(results, self.errors)
    }
}
