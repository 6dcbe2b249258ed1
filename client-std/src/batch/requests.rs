//! A server's share of a batch in which each request has a line of its own: of `set_many`, of `delete_many`, of a `Batch`, and
//! of what is sent to every server.

use core::mem;

use memring_client::failure::Cause;
use memring_text::{Operation, Reply, Request, key::MAX_KEY_LEN};

use super::Share;
use crate::pool::Wire;

/// The operations for one server, pipelined.
pub(crate) struct Requests<'b, O, R> {
    operations: &'b [O],
    positions: &'b [usize],
    /// Makes the result of an operation's output.
    read: R,
    /// How many operations have their reply, and how many are written behind them.
    done: usize,
    asked: usize,
    /// What has arrived of the reply to the oldest operation without one.
    reply: Reply<Vec<u8>>,
}

impl<'b, O, R> Requests<'b, O, R> {
    /// The share of `operations`, which have these `positions` in the batch.
    pub(crate) fn new(operations: &'b [O], positions: &'b [usize], read: R) -> Self {
        Self { operations, positions, read, done: 0, asked: 0, reply: Reply::new(Vec::new()) }
    }

    fn to_do(&self) -> &'b [O] {
        self.operations.get(self.done..).unwrap_or(&[])
    }
}

impl<T, O, R> Share for Requests<'_, O, R>
where
    O: Operation,
    R: Fn(O::Output<Vec<u8>>) -> Result<T, Cause>,
{
    type Output = T;

    /// A connection that does not block is written the next operations while replies come. On one that blocks, a round is
    /// written and then read, so the server must take the whole round while nobody reads.
    fn send(&mut self, wire: &mut Wire) -> Result<bool, Cause> {
        let waits = !wire.io().is_in_turns();
        if self.asked > if waits { 0 } else { ROUND / 2 } {
            return Ok(false);
        }
        let mut unread = None;
        let behind = self.to_do().get(self.asked..).unwrap_or(&[]);
        for operation in behind.iter().take(ROUND.saturating_sub(self.asked)) {
            let request = operation.request();
            if waits && !is_safe(&request, &mut unread) {
                break;
            }
            if !waits && wire.io().is_full() {
                return Ok(true);
            }
            wire.send(&request)?;
            wire.io_mut().request_ends();
            self.asked += 1;
        }
        Ok(false)
    }

    fn receive(
        &mut self,
        wire: &mut Wire,
        mut put: impl FnMut(usize, Result<T, Cause>),
    ) -> Result<bool, Cause> {
        while self.asked > 0 {
            let next = self.operations.get(self.done).zip(self.positions.get(self.done));
            let Some((operation, position)) = next else { break };
            let reply = &mut self.reply;
            if !wire.receive_filled(&operation.request(), |event, _| reply.take(event))? {
                return Ok(false);
            }
            // The line answers no request: it is the end of the connection.
            if let Some(error) = reply.turned_away() {
                return Err(Cause::Server(error));
            }
            let reply = mem::replace(reply, Reply::new(Vec::new()));
            put(*position, operation.output(reply).map_err(Cause::from).and_then(&self.read));
            self.done += 1;
            self.asked -= 1;
        }
        Ok(true)
    }

    fn owed(&self) -> usize {
        self.asked
    }

    fn forget(&mut self) {
        self.asked = 0;
        self.reply = Reply::new(Vec::new());
    }

    /// A request that must not be sent twice, if there is any.
    fn request(&self) -> Option<Request<'_>> {
        let mut requests = self.to_do().iter().take(ROUND).map(Operation::request);
        let first = requests.next()?;
        if !first.may_retry(1) {
            return Some(first);
        }
        requests.find(|request| !request.may_retry(1)).or(Some(first))
    }

    fn positions(&self) -> &[usize] {
        self.positions
    }

    fn is_open(&self, index: usize) -> bool {
        let is_written = index < self.done.saturating_add(self.asked);
        is_written && self.operations.get(index).is_some_and(|operation| !operation.request().may_retry(1))
    }
}

/// Whether `request` may be written although nobody reads its reply yet. `unread` counts the bytes behind the first get,
/// whose reply can be long: a server that cannot get rid of it reads no more than what its buffers hold.
fn is_safe(request: &Request<'_>, unread: &mut Option<usize>) -> bool {
    let len = match request {
        Request::Get(get) => get.key.as_bytes().len() + LINE,
        _ => request.value().map_or(0, |value| value.as_bytes().len()) + MAX_KEY_LEN + LINE,
    };
    match unread {
        Some(unread) => {
            *unread += len;
            *unread <= UNREAD
        }
        None => {
            *unread = matches!(request, Request::Get(_)).then_some(0);
            true
        }
    }
}

/// What a line has beside its key, in bytes, at most.
const LINE: usize = 64;

/// How much may be written behind a get, in bytes: any socket's buffers hold that.
const UNREAD: usize = 16 * 1024;

/// Requests in flight. On a connection that waits, their replies, some ten bytes each, fit into the buffers of any socket.
const ROUND: usize = 256;
