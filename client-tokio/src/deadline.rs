//! Deadlines of operations.

use core::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use std::panic::catch_unwind;

use memring_client::{Clock, failure::Cause};
use tokio::time::{Instant, Sleep, sleep_until};

/// The deadline of an operation, and when the operation began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    began: Instant,
    at: Instant,
}

impl Deadline {
    /// The deadline `timeout` from now.
    pub(crate) fn after(timeout: Duration) -> Self {
        let began = Instant::now();
        Self { began, at: later(began, timeout) }
    }

    /// When the operation began.
    pub(crate) const fn began(self) -> Instant {
        self.began
    }

    /// When the operation is given up.
    pub(crate) const fn at(self) -> Instant {
        self.at
    }

    /// The later of the deadline and `timeout` from the beginning.
    pub(crate) fn or_after(self, timeout: Duration) -> Instant {
        self.at.max(later(self.began, timeout))
    }
}

impl memring_client::Deadline for Deadline {
    fn began(self) -> std::time::Instant {
        self.began.into_std()
    }

    fn is_over(self) -> bool {
        self.at <= Instant::now()
    }
}

/// The client's clock: the runtime's, which a test may have paused.
pub(crate) const CLOCK: Clock = Clock { monotonic: || Instant::now().into_std(), ..Clock::SYSTEM };

/// A timeout beyond the clock's range stands for "as long as it takes".
fn later(moment: Instant, timeout: Duration) -> Instant {
    moment.checked_add(timeout).unwrap_or_else(|| moment + FAR)
}

/// An alarm for the earliest of many deadlines.
///
/// Deadlines mostly come in ascending order, and nearly all of them are met. So the alarm is set once for many, and
/// moved on only when it has rung.
#[derive(Debug)]
pub(crate) struct Timer {
    sleep: Pin<Box<Sleep>>,
    is_set: bool,
}

impl Timer {
    /// A timer that is not set.
    ///
    /// # Errors
    /// The runtime at hand has no clock.
    pub(crate) fn new() -> Result<Self, Cause> {
        let sleep = catch_unwind(|| Box::pin(sleep_until(Instant::now()))).map_err(|_| Cause::NoDrivers)?;
        Ok(Self { sleep, is_set: false })
    }

    /// Ready when `deadline` has passed.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        loop {
            if !self.is_set || deadline < self.sleep.deadline() {
                self.sleep.as_mut().reset(deadline);
                self.is_set = true;
            }
            ready!(self.sleep.as_mut().poll(cx));
            self.is_set = false;
            if deadline <= Instant::now() {
                return Poll::Ready(());
            }
        }
    }
}

/// Checks that the current runtime has a clock and a network, which a connection needs. The only way to know is to try:
/// tokio panics where one is missing.
///
/// # Errors
/// One of them is missing.
pub(crate) fn check_runtime() -> Result<(), Cause> {
    Timer::new()?;
    // It does not matter here whether the system has a socket to give.
    #[cfg(unix)]
    let tried = catch_unwind(|| drop(tokio::net::UnixDatagram::unbound()));
    #[cfg(not(unix))]
    let tried = catch_unwind(|| {
        let socket = std::net::UdpSocket::bind((core::net::Ipv4Addr::LOCALHOST, 0))?;
        socket.set_nonblocking(true)?;
        tokio::net::UdpSocket::from_std(socket).map(drop)
    });
    tried.map(drop).map_err(|_| Cause::NoDrivers)
}

/// A year.
const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use core::future::poll_fn;

    use super::*;

    #[test]
    fn an_endless_timeout_is_far_away() {
        assert!(Deadline::after(Duration::MAX).at() > Instant::now() + FAR / 2);
    }

    #[test]
    fn the_later_of_two_times_counts() {
        let deadline = Deadline::after(Duration::from_secs(2));
        assert_eq!(deadline.or_after(Duration::from_secs(1)), deadline.at());
        assert_eq!(deadline.or_after(Duration::from_secs(3)), deadline.began() + Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_set_for_an_earlier_deadline_rings_for_the_later_one() {
        let start = Instant::now();
        let mut timer = Timer::new().unwrap();
        let ms = |ms| start + Duration::from_millis(ms);
        poll_fn(|cx| Poll::Ready(timer.poll(cx, ms(10)).is_pending())).await;
        poll_fn(|cx| timer.poll(cx, ms(70))).await;
        assert!(start.elapsed() >= Duration::from_millis(70));
        poll_fn(|cx| timer.poll(cx, ms(60))).await;
        poll_fn(|cx| Poll::Ready(timer.poll(cx, ms(9000)).is_pending())).await;
        poll_fn(|cx| timer.poll(cx, ms(200))).await;
        assert!(start.elapsed() < Duration::from_millis(300));
    }
}
