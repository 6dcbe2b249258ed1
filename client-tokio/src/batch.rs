//! Many requests at once: every server has its share before the reply of any is waited for.

use core::{
    future::poll_fn,
    task::{Context, Poll, ready},
};
use std::collections::VecDeque;

use memring_text::{Operation, ProtocolError, Request};
use tokio::time::Instant;

use crate::{
    call::read,
    deadline::Timer,
    error::{Cause, Error},
    many::Many,
    mux::Mux,
    pool::Pool,
    slots::{Failure, SlotId},
    waiting::Entering,
};

mod plan;

pub(crate) use plan::{Plan, wire_keys};

/// One server's share of a batch: the operations for it, and their positions in the batch.
pub(crate) struct Share<'b, O> {
    pub(crate) pool: &'b Pool,
    pub(crate) positions: &'b [usize],
    pub(crate) operations: &'b [O],
}

/// Works off `shares` until all `count` positions of the batch have come to something. `to` reads what an operation
/// comes to.
pub(crate) async fn run<'b, O: Operation<Vec<u8>> + 'b, T>(
    name: &'static str,
    shares: impl Iterator<Item = Share<'b, O>>,
    count: usize,
    deadline: Instant,
    to: impl Fn(O::Output) -> Result<T, Cause>,
) -> Many<T> {
    let mut results = Results { name, slots: Vec::new(), errors: Vec::new() };
    results.slots.resize_with(count, || None);
    let mut legs: Vec<_> = shares.map(Leg::new).collect();
    let mut timer = None;
    poll_fn(|cx| {
        let mut is_over = true;
        for leg in &mut legs {
            is_over &= leg.poll(cx, &mut results, deadline, &mut timer, &to).is_ready();
        }
        if is_over { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    results.into_many()
}

/// One server's way through a batch. Dropping it leaves the replies to be read and thrown away.
struct Leg<'b, O> {
    share: Share<'b, O>,
    mux: &'b Mux,
    entering: Entering<'b>,
    /// How many operations are queued, and how many of them have their outcome.
    queued: usize,
    done: usize,
    /// Where the outcomes of the others will be.
    slots: VecDeque<SlotId>,
    /// The last thing that went wrong with the server.
    error: Option<Error>,
}

impl<O> Drop for Leg<'_, O> {
    fn drop(&mut self) {
        if !self.slots.is_empty() {
            self.mux.abandon(self.slots.drain(..));
        }
    }
}

impl<'b, O: Operation<Vec<u8>>> Leg<'b, O> {
    fn new(share: Share<'b, O>) -> Self {
        let mux = share.pool.mux();
        let (entering, slots) = (Entering::new(mux), VecDeque::with_capacity(share.operations.len()));
        Self { share, mux, entering, queued: 0, done: 0, slots, error: None }
    }

    /// Queues what there is room for, and takes outcomes in their order. Ready when all are taken.
    fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        results: &mut Results<T>,
        deadline: Instant,
        timer: &mut Option<Timer>,
        to: &impl Fn(O::Output) -> Result<T, Cause>,
    ) -> Poll<()> {
        if self.queued < self.share.operations.len() {
            match self.poll_queue(cx, deadline) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(cause)) => self.refuse(results, &cause),
                Poll::Pending => {
                    if timer.get_or_insert_with(Timer::new).poll(cx, deadline).is_ready() {
                        self.refuse(results, &Cause::Busy);
                    }
                }
            }
        }
        while let Some(&slot) = self.slots.front() {
            let outcome = ready!(self.mux.poll_outcome(slot, cx.waker()));
            self.slots.pop_front();
            self.done += 1;
            self.put(results, self.done - 1, |operation| {
                let output = read(operation, outcome)?;
                to(output).map_err(|cause| Box::new(Failure { cause, sent: true }))
            });
        }
        if self.queued < self.share.operations.len() { Poll::Pending } else { Poll::Ready(()) }
    }

    fn poll_queue(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<Result<(), Cause>> {
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

    /// Notes what operation number `index` has come to.
    fn put<T>(
        &mut self,
        results: &mut Results<T>,
        index: usize,
        result: impl FnOnce(&O) -> Result<T, Box<Failure>>,
    ) {
        let Share { pool, positions, operations } = self.share;
        let (Some(&position), Some(operation)) = (positions.get(index), operations.get(index)) else {
            return;
        };
        let result = result(operation).map_err(|failure| {
            let Failure { cause, sent } = *failure;
            let request = operation.request();
            // A line of keys is refused as a whole, any other request by itself.
            let is_own = matches!(cause, Cause::Server(_)) && !matches!(request, Request::Get(_));
            let error = Error::on(pool.name(), results.name, cause, !request.may_retry(usize::from(sent)));
            match &self.error {
                Some(known) if !is_own && known.says_what(&error) => known.clone(),
                _ => {
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
