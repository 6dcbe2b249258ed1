//! The driver: the task that drives a connection, on the runtime of one of the callers. It ends with that runtime, or
//! another driver takes its place.

use core::{
    future::poll_fn,
    task::{Context, Poll},
};
use std::sync::{Arc, PoisonError, TryLockError};
#[cfg(not(all(test, memring_loom)))]
use std::sync::{Mutex, MutexGuard};

#[cfg(all(test, memring_loom))]
use loom::sync::{Mutex, MutexGuard};

#[cfg(all(test, memring_loom))]
mod interleavings;
#[cfg(test)]
mod simulation;

use super::{link::Link, mux::Mux};
use crate::deadline::Timer;

#[cfg(all(test, memring_loom))]
pub(crate) use interleavings::start;

/// Spawns a driver on `runtime`.
#[cfg(not(all(test, memring_loom)))]
pub(crate) fn start(runtime: &tokio::runtime::Handle, driver: Driver) {
    drop(runtime.spawn(drive(driver)));
}

#[cfg_attr(all(test, memring_loom), expect(dead_code, reason = "a model has other tasks"))]
async fn drive(mut driver: Driver) {
    poll_fn(|cx| driver.poll(cx)).await;
}

/// The state of the task. However the task ends, with its runtime or in a panic, dropping this leaves the link to
/// another driver.
pub(crate) struct Driver {
    mux: Arc<Mux>,
    seat: Arc<Seat>,
    /// The timer of the runtime that polls, made at the first poll.
    timer: Option<Timer>,
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.mux.vacate(&self.seat);
    }
}

impl Driver {
    /// A driver for the link in the `seat` of `mux`.
    pub(crate) const fn new(mux: Arc<Mux>, seat: Arc<Seat>) -> Self {
        Self { mux, seat, timer: None }
    }

    /// Drives the link for as long as it is needed and not taken away.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Self { mux, seat, timer } = self;
        if timer.is_none() {
            // The caller that started the driver has seen to it that there is a clock.
            *timer = Timer::new().ok();
        }
        let Some(timer) = timer else { return Poll::Ready(()) };
        seat.drive(|link| link.poll(cx, mux, timer))
    }
}

/// The place where a driver finds its link, unless another driver has taken it.
///
/// Each driver has a seat of its own, and locks it whenever it is polled. So a caller that finds it locked knows that the driver
/// lives.
pub(crate) struct Seat(Mutex<Option<Box<Link>>>);

impl Seat {
    /// A seat with nothing in it.
    pub(crate) fn empty() -> Self {
        Self(Mutex::new(None))
    }

    /// A seat with `link` in it.
    pub(crate) fn new(link: Box<Link>) -> Self {
        Self(Mutex::new(Some(link)))
    }

    /// Runs `drive` on the link; ready when `drive` is, or when there is no link.
    fn drive(&self, drive: impl FnOnce(&mut Link) -> Poll<()>) -> Poll<()> {
        let mut link = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let driven = link.as_deref_mut().map_or(Poll::Ready(()), drive);
        let done = if driven.is_ready() { link.take() } else { None };
        drop(link);
        drop(done);
        driven
    }

    /// Holds the seat, unless its driver is at work at this moment. Code that also takes other locks must lock the seat
    /// first.
    pub(crate) fn hold(&self) -> Held<'_> {
        match self.0.try_lock() {
            Ok(link) => Held { link: Some(link), is_sound: true },
            Err(TryLockError::Poisoned(link)) => Held { link: Some(link.into_inner()), is_sound: false },
            Err(TryLockError::WouldBlock) => Held { link: None, is_sound: true },
        }
    }

    /// Holds the seat as soon as it is free. For its own driver, when that is not at work.
    pub(crate) fn lock(&self) -> Held<'_> {
        let (link, is_sound) = match self.0.lock() {
            Ok(link) => (link, true),
            Err(poisoned) => (poisoned.into_inner(), false),
        };
        Held { link: Some(link), is_sound }
    }
}

/// A locked [`Seat`], whose driver does not run meanwhile; or one whose driver is at work.
pub(crate) struct Held<'s> {
    link: Option<MutexGuard<'s, Option<Box<Link>>>>,
    is_sound: bool,
}

impl Held<'_> {
    /// Takes the link away.
    pub(crate) fn take(&mut self) -> Result<Option<Taken>, AtWork> {
        let link = self.link.as_mut().ok_or(AtWork)?.take();
        Ok(link.map(|link| if self.is_sound { Taken::Sound(link) } else { Taken::Broken(link) }))
    }
}

/// The content of a [`Seat`]. A link whose driver panicked is in disorder, and can only be dropped.
pub(crate) enum Taken {
    Sound(Box<Link>),
    Broken(#[expect(dead_code, reason = "it is dropped, later")] Box<Link>),
}

/// The driver is being polled.
pub(crate) struct AtWork;
