//! Many requests at once: every server has its share before the reply of any is waited for.

use core::{
    future::poll_fn,
    task::{Context, Poll},
};
use std::{collections::VecDeque, sync::Arc};

use memring_client::{
    failure::{Cause, Error, Evidence, Many},
    watch::{self, Attempt},
};
use memring_core::health::Verdict;
use memring_text::{Operation, ProtocolError, Request};

use crate::{
    call::{read, tell},
    deadline::Deadline,
    fleet,
    pool::{
        Pool,
        mux::{MustWatch, Mux},
        slots::{Failure, SlotId},
        vigil::Vigil,
        waiting::Entering,
    },
};

mod plan;

pub(crate) use plan::Plan;

/// One server's share of a batch: the operations for it, and their positions in the batch.
pub(crate) struct Share<'b, O> {
    pub(crate) pool: &'b Pool,
    /// Whether the server may be asked.
    pub(crate) verdict: Verdict,
    pub(crate) positions: &'b [usize],
    pub(crate) operations: &'b [O],
}

/// Works off `shares` until all `count` positions of the batch have come to something. `to` reads what an operation
/// comes to.
pub(crate) async fn run<'b, O: Operation<Vec<u8>> + 'b, T>(
    name: &'static str,
    shares: impl Iterator<Item = Share<'b, O>>,
    count: usize,
    deadline: Deadline,
    to: impl Fn(O::Output) -> Result<T, Cause>,
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
    share: Share<'b, O>,
    mux: &'b Arc<Mux>,
    entering: Entering<'b>,
    /// How many operations are queued, and how many of them have their outcome.
    queued: usize,
    done: usize,
    must_watch: MustWatch,
    vigil: Option<Vigil>,
    /// Where the outcomes of the others will be.
    slots: VecDeque<SlotId>,
    /// The last thing that went wrong with the server.
    error: Option<Error>,
    /// What the server's health is told of; taken when the leg is over, with what speaks against the server, if anything.
    /// A server that is down is not asked.
    attempt: Option<Attempt<'b>>,
    fault: Option<Cause>,
    has_answer: bool,
}

impl<O> Drop for Leg<'_, O> {
    fn drop(&mut self) {
        if !self.slots.is_empty() {
            self.mux.abandon(self.slots.drain(..));
        }
    }
}

impl<'b, O: Operation<Vec<u8>>> Leg<'b, O> {
    fn new(name: &'static str, share: Share<'b, O>, deadline: Deadline) -> Self {
        let attempt = match share.verdict {
            Verdict::Down { .. } => None,
            verdict => Some(share.pool.watch().attempt(name, deadline.begun(), verdict == Verdict::Probe)),
        };
        let mux = share.pool.mux();
        let (entering, slots) = (Entering::new(mux), VecDeque::with_capacity(share.operations.len()));
        Self {
            share,
            mux,
            entering,
            queued: 0,
            done: 0,
            must_watch: MustWatch(false),
            vigil: None,
            slots,
            error: None,
            attempt,
            fault: None,
            has_answer: false,
        }
    }

    /// Whether it waits for room.
    fn is_entering(&self) -> bool {
        self.queued < self.share.operations.len()
    }

    /// Watches the time and the driver, where that is the caller's own affair.
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
                (Cause::Timeout, Cause::NoRoom)
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
        let Some(attempt) = self.attempt.take() else { return };
        match &self.fault {
            Some(cause) => attempt.ended(Err::<(), _>(cause)),
            None if self.has_answer => attempt.ended(Ok(())),
            None => {}
        }
    }

    /// Queues what there is room for, and takes outcomes in their order.
    fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        results: &mut Results<T>,
        deadline: Deadline,
        to: &impl Fn(O::Output) -> Result<T, Cause>,
    ) {
        if let Verdict::Down { retry_at } = self.share.verdict {
            self.refuse(results, &watch::down(retry_at, fleet::now()));
        }
        if self.is_entering() {
            match self.poll_queue(cx, deadline) {
                Poll::Ready(Ok(((), must_watch))) => self.must_watch = must_watch,
                Poll::Ready(Err(cause)) => self.refuse(results, &cause),
                Poll::Pending => {}
            }
        }
        while let Some(&slot) = self.slots.front() {
            let outcome = match self.mux.poll_outcome(slot, cx.waker(), self.must_watch) {
                Poll::Ready(Ok(outcome)) => outcome,
                Poll::Ready(Err(must_watch)) => {
                    self.must_watch = must_watch;
                    return;
                }
                Poll::Pending => return,
            };
            self.slots.pop_front();
            self.done += 1;
            self.put(results, self.done - 1, |operation| {
                let output = read(operation, outcome)?;
                to(output).map_err(|cause| Box::new(Failure { cause, sent: true }))
            });
        }
    }

    fn poll_queue(
        &mut self,
        cx: &mut Context<'_>,
        deadline: Deadline,
    ) -> Poll<Result<((), MustWatch), Cause>> {
        let rest = self.share.operations.get(self.queued..).unwrap_or(&[]);
        let mut requests = rest.iter().map(Operation::request);
        let polled = self.entering.poll_submit_all(cx, &mut requests, deadline, &mut self.slots);
        self.queued = self.share.operations.len().saturating_sub(requests.len());
        polled
    }

    /// What is not queued yet never will be.
    fn refuse<T>(&mut self, results: &mut Results<T>, cause: &Cause) {
        for index in self.queued..self.share.operations.len() {
            self.put(results, index, |_| Err(Box::new(Failure { cause: cause.clone(), sent: false })));
        }
        self.queued = self.share.operations.len();
    }

    /// What is not answered yet is waited for no longer.
    fn give_up<T>(&mut self, results: &mut Results<T>, cause: &Cause) {
        let is_sent = !self.slots.is_empty() && self.mux.abandon(self.slots.drain(..));
        for index in self.done..self.queued {
            self.put(results, index, |_| Err(Box::new(Failure { cause: cause.clone(), sent: is_sent })));
        }
        self.done = self.queued;
    }

    /// Notes what operation number `index` has come to.
    fn put<T>(
        &mut self,
        results: &mut Results<T>,
        index: usize,
        result: impl FnOnce(&O) -> Result<T, Box<Failure>>,
    ) {
        let Share { pool, positions, operations, .. } = self.share;
        let (Some(&position), Some(operation)) = (positions.get(index), operations.get(index)) else {
            return;
        };
        let result = result(operation);
        match result.as_ref().map_or_else(|failure| failure.cause.evidence(), |_| Evidence::Up) {
            Evidence::Up => self.has_answer = true,
            Evidence::Failed | Evidence::Lost if self.fault.is_none() => {
                self.fault = result.as_ref().err().map(|failure| failure.cause.clone());
            }
            Evidence::Failed | Evidence::Lost | Evidence::None => {}
        }
        let result = result.map_err(|failure| {
            let Failure { cause, sent } = *failure;
            let request = operation.request();
            // A line of keys is refused as a whole, any other request by itself.
            let is_own = matches!(cause, Cause::Server(_)) && !matches!(request, Request::Get(_));
            let is_open = !request.may_retry(usize::from(sent));
            let error = Error::on(pool.name(), results.name, cause, is_open);
            match &self.error {
                Some(known) if !is_own && known.says_what(&error) => known.clone(),
                _ => {
                    tell(pool, &error);
                    results.errors.push(error.clone());
                    self.error.insert(error).clone()
                }
            }
        });
        if let Some(slot) = results.slots.get_mut(position) {
            *slot = Some(result);
        }
    }
}

/// What the positions of a batch have come to so far.
struct Results<T> {
    name: &'static str,
    slots: Vec<Option<Result<T, Error>>>,
    errors: Vec<Error>,
}

impl<T> Results<T> {
    fn into_many(self) -> Many<T> {
        let name = self.name;
        // There is none left: every position is on one server's way.
        let missing = || Err(Error::new(name, Cause::Protocol(ProtocolError::Broken)));
        let results = self.slots.into_iter().map(|slot| slot.unwrap_or_else(missing)).collect();
        Many::new(results, self.errors)
    }
}
