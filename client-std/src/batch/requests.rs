//! A server's share of a batch of requests that have a line each: `set_many`, `delete_many`, a `Batch`, what
//! goes to every server.

use memring_client::failure::Cause;
use memring_text::{MAX_KEY_LEN, Operation, Reply, Request};

use super::Share;
use crate::pool::Wire;

/// Operations for one server, pipelined. Nobody reads their replies before the round is written.
pub(crate) struct Requests<'b, O, R> {
    operations: &'b [O],
    positions: &'b [usize],
    /// What an operation's output comes to.
    read: R,
    /// How many operations have their reply, and how many are written behind them.
    done: usize,
    asked: usize,
}

impl<'b, O, R> Requests<'b, O, R> {
    /// The share of `operations`, which have these `positions` in the batch.
    pub(crate) const fn new(operations: &'b [O], positions: &'b [usize], read: R) -> Self {
        Self { operations, positions, read, done: 0, asked: 0 }
    }

    fn to_do(&self) -> &'b [O] {
        self.operations.get(self.done..).unwrap_or(&[])
    }
}

impl<T, O, R> Share for Requests<'_, O, R>
where
    O: Operation<Vec<u8>>,
    R: Fn(O::Output) -> Result<T, Cause>,
{
    type Output = T;

    fn send(&mut self, wire: &mut Wire) -> Result<(), Cause> {
        self.asked = 0;
        let mut unread = None;
        for operation in self.to_do().iter().take(ROUND) {
            let request = operation.request();
            if !is_safe(&request, &mut unread) {
                break;
            }
            wire.send(&request)?;
            self.asked += 1;
        }
        Ok(())
    }

    fn receive(
        &mut self,
        wire: &mut Wire,
        mut put: impl FnMut(usize, Result<T, Cause>),
    ) -> Result<(), Cause> {
        let end = self.done + self.asked;
        let operations = self.operations.get(self.done..end).unwrap_or(&[]);
        let positions = self.positions.get(self.done..end).unwrap_or(&[]);
        for (operation, position) in operations.iter().zip(positions) {
            let mut reply = Reply::new(Vec::new());
            wire.receive(&operation.request(), |event, _| reply.take(event))?;
            put(*position, operation.output(reply).map_err(Cause::from).and_then(&self.read));
            self.done += 1;
        }
        Ok(())
    }

    /// One that must not be sent twice, if there is any.
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

/// Requests in flight. Their replies, some ten bytes each, fit into the buffers of any socket.
const ROUND: usize = 256;
