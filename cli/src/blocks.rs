//! Work on blocks on all cores, whose results are handed on in the order of the blocks: what is in memory is a block and a
//! result for each core, whatever the length of the whole.

use core::{
    num::NonZero,
    ops::ControlFlow,
    sync::atomic::{AtomicBool, Ordering},
};
use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use crate::failure::Failure;

/// Fills blocks by `next` until there is none, makes a result of each by `work`, and hands the results on by `hand_on`, one
/// after the other in the order of the blocks.
///
/// `next` says whether there was a block. `hand_on` leaves the result empty for the next block, and may end the work.
///
/// # Errors
/// The first failure in the order of the blocks. What `work` had made of its block by then is handed on before.
pub(crate) fn in_order<B: Default, R: Default>(
    next: impl FnMut(&mut B) -> Result<bool, Failure> + Send,
    work: impl Fn(&B, &mut R) -> Result<(), Failure> + Sync,
    hand_on: impl FnMut(&mut R) -> Result<ControlFlow<()>, Failure> + Send,
) -> Result<(), Failure> {
    let source = Mutex::new(Source { next, blocks: 0, is_empty: false });
    let sink = Mutex::new(Sink { hand_on, turn: 0, failure: None });
    let (stopped, turn_over) = (AtomicBool::new(false), Condvar::new());
    let worker = || {
        let (mut block, mut result) = (B::default(), R::default());
        while !stopped.load(Ordering::Relaxed) {
            let Some((number, filled)) = lock(&source).take(&mut block) else { return };
            let worked = filled.and_then(|()| work(&block, &mut result));
            let before = |sink: &mut Sink<_>| sink.turn != number;
            let mut sink = turn_over.wait_while(lock(&sink), before).unwrap_or_else(PoisonError::into_inner);
            if !stopped.load(Ordering::Relaxed) && sink.hand_on(&mut result, worked).is_break() {
                stopped.store(true, Ordering::Relaxed);
            }
            sink.turn += 1;
            drop(sink);
            turn_over.notify_all();
        }
    };
    thread::scope(|scope| {
        for _ in 1..cores() {
            scope.spawn(worker);
        }
        worker();
    });
    let sink = sink.into_inner().unwrap_or_else(PoisonError::into_inner);
    sink.failure.map_or(Ok(()), Err)
}

/// How many blocks are worked on at once. A few cores are enough for any disk, and memory stays small.
fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get).min(8)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where blocks come from.
struct Source<N> {
    next: N,
    blocks: u64,
    is_empty: bool,
}

impl<N> Source<N> {
    /// Fills `block` and gives its number, or the failure that stands in its place; `None` behind the last.
    fn take<B>(&mut self, block: &mut B) -> Option<(u64, Result<(), Failure>)>
    where
        N: FnMut(&mut B) -> Result<bool, Failure>,
    {
        if self.is_empty {
            return None;
        }
        let filled = (self.next)(block);
        self.is_empty = !matches!(filled, Ok(true));
        let number = self.blocks;
        self.blocks += 1;
        match filled {
            Ok(true) => Some((number, Ok(()))),
            Ok(false) => None,
            Err(failure) => Some((number, Err(failure))),
        }
    }
}

/// Where results go.
struct Sink<H> {
    hand_on: H,
    /// The number of the block whose result is next.
    turn: u64,
    failure: Option<Failure>,
}

impl<H> Sink<H> {
    fn hand_on<R>(&mut self, result: &mut R, worked: Result<(), Failure>) -> ControlFlow<()>
    where
        H: FnMut(&mut R) -> Result<ControlFlow<()>, Failure>,
    {
        let handed = (self.hand_on)(result).and_then(|flow| worked.map(|()| flow));
        handed.unwrap_or_else(|failure| {
            self.failure = Some(failure);
            ControlFlow::Break(())
        })
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    /// Numbers up to `last`, of which the even ones take longer; those from `bad` on fail.
    fn run(last: u32, bad: u32, most: usize) -> (Vec<u32>, Option<String>) {
        let (mut number, mut seen) = (0, Vec::new());
        let next = |block: &mut u32| {
            *block = number;
            number += 1;
            Ok(*block < last)
        };
        let work = |block: &u32, result: &mut Vec<u32>| {
            if block.is_multiple_of(2) {
                thread::sleep(Duration::from_micros(50));
            }
            result.push(*block);
            if *block >= bad { Err(Failure::usage(block)) } else { Ok(()) }
        };
        let hand_on = |result: &mut Vec<u32>| {
            seen.append(result);
            Ok(if seen.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        };
        let failure = in_order(next, work, hand_on).err();
        let reason = failure.map(|failure| match failure {
            Failure::Usage(reason) => reason,
            other => panic!("{other:?}"),
        });
        (seen, reason)
    }

    #[test]
    fn results_come_in_the_order_of_the_blocks() {
        assert_eq!(run(0, 1, 1), (vec![], None));
        assert_eq!(run(200, 200, 1000), ((0..200).collect(), None));
    }

    #[test]
    fn the_first_failure_ends_the_work_behind_what_came_before_it() {
        assert_eq!(run(200, 77, 1000), ((0..=77).collect(), Some("77".to_owned())));
    }

    #[test]
    fn whoever_wants_no_more_ends_the_work() {
        assert_eq!(run(200, 200, 5), ((0..5).collect(), None));
    }

    #[test]
    fn a_failure_to_read_stands_in_its_block_s_place() {
        let mut number = 0;
        let next = |_: &mut ()| {
            number += 1;
            if number > 3 { Err(Failure::usage("gone")) } else { Ok(true) }
        };
        let mut seen = 0;
        let work = |(): &(), result: &mut u32| {
            *result = 1;
            Ok(())
        };
        let hand_on = |result: &mut u32| {
            seen += core::mem::take(result);
            Ok(ControlFlow::Continue(()))
        };
        assert!(matches!(in_order(next, work, hand_on), Err(Failure::Usage(_))));
        assert_eq!(seen, 3);
    }
}
