//! Many futures at once, in one task.

use core::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

/// Waits for all of `futures`, and gives what they come to, in their order.
pub(crate) async fn all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut parts: Vec<_> = futures.map(|future| Part::Waiting(Box::pin(future))).collect();
    poll_fn(|cx| {
        // Every part is polled.
        let are_done =
            parts.iter_mut().map(|part| part.poll(cx)).fold(true, |all, part| all & part.is_ready());
        if are_done { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    let output = |part| match part {
        Part::Done(output) => Some(output),
        Part::Waiting(_) => None,
    };
    parts.into_iter().filter_map(output).collect()
}

enum Part<F: Future> {
    Waiting(Pin<Box<F>>),
    Done(F::Output),
}

/// What a future has come to is moved, and never pinned.
impl<F: Future> Unpin for Part<F> {}

impl<F: Future> Part<F> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Self::Waiting(future) = self {
            match future.as_mut().poll(cx) {
                Poll::Ready(output) => *self = Self::Done(output),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }
}
