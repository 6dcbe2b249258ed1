//! A server's share of a batch of requests that have a line each: `set_many`, `delete_many`, what goes to every server.

use memring_text::failure::Cause;
use memring_text::{Operation, Reply, Request};

use super::Share;
use crate::pool::Wire;

/// Operations for one server, pipelined. If there are many, their replies must be short: nobody reads them before the
/// round is written.
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
        for operation in self.to_do().iter().take(ROUND) {
            wire.send(&operation.request())?;
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

    fn request(&self) -> Option<Request<'_>> {
        self.to_do().first().map(Operation::request)
    }

    fn positions(&self) -> &[usize] {
        self.positions
    }
}

/// Requests in flight. Their replies, some ten bytes each, fit into the buffers of any socket.
const ROUND: usize = 256;
