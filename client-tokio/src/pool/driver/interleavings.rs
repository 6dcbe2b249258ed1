//! Callers and their driver in every order in which threads can take turns: loom runs a model again and again, until it
//! has tried them all. Where somebody waits and is never woken, it says so.
//!
//! ```text
//! bash .ci/interleavings
//! ```
//!
//! All is real but the threads, the lock, and the server.

use core::{
    cell::Cell,
    future::poll_fn,
    pin::{Pin, pin},
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll, Waker},
};
use std::{io, sync::Arc, task::Wake};

use loom::{
    sync::{Condvar, Mutex},
    thread::{self, JoinHandle},
};
use memring_client::{
    config::UnderWay,
    failure::{Error, ErrorKind},
};
use memring_text::{
    Get, Key,
    request::{Arith, ArithVerb, GetVerb},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    runtime::{self, Handle},
};

use super::{
    Driver,
    simulation::{TIMEOUT, call, pool_with},
};
use crate::{
    deadline::Deadline,
    pool::{Pool, mux::Closing},
    socket::{Stream, Transport},
};

#[test]
fn every_caller_gets_its_own() {
    explore(3, Plan { quota: 10, ..Plan::default() }, |pool| {
        let other = spawn(pool, |pool| async move { own(get(&pool, "12").await) });
        block_on(async { own(incr(pool, "3").await) });
        block_on(async { own(get(pool, "1").await) });
        other.join().unwrap();
    });
}

#[test]
fn a_caller_may_move_to_another_task() {
    explore(3, Plan::default(), |pool| {
        let other = spawn(pool, |pool| async move { own(get(&pool, "12").await) });
        let mut moved = pin!(get(pool, "1"));
        let got = block_on(polled_once(moved.as_mut()));
        // The waker is another one now.
        own(got.unwrap_or_else(|| block_on(moved)));
        other.join().unwrap();
    });
}

#[test]
fn room_is_handed_on() {
    explore(1, Plan::default(), |pool| {
        let others =
            ["12", "123"].map(|key| spawn(pool, move |pool| async move { own(get(&pool, key).await) }));
        block_on(async { own(get(pool, "1").await) });
        others.into_iter().for_each(|other| other.join().unwrap());
    });
}

#[test]
fn who_goes_away_leaves_nothing_but_room() {
    explore(2, Plan::default(), |pool| {
        let other = spawn(pool, |pool| async move {
            polled_once(get(&pool, "12")).await.map(own);
            own(get(&pool, "123").await);
        });
        block_on(polled_once(get(pool, "1"))).map(own);
        block_on(async { own(get(pool, "1").await) });
        other.join().unwrap();
    });
}

#[test]
fn whoever_waits_for_room_may_go_away() {
    explore(2, Plan::default(), |pool| {
        let impatient = spawn(pool, |pool| async move { polled_once(get(&pool, "12")).await.map(own) });
        let patient = spawn(pool, |pool| async move { own(get(&pool, "123").await) });
        block_on(async { own(get(pool, "1").await) });
        impatient.join().unwrap();
        patient.join().unwrap();
    });
}

#[test]
fn a_close_is_told_to_everybody() {
    for closing in [Closing::Gently, Closing::Now] {
        explore(2, Plan::default(), move |pool| {
            let others = ["12", "123"].map(|key| {
                spawn(pool, move |pool| async move { own_or(ErrorKind::Closed, get(&pool, key).await) })
            });
            pool.mux().close(closing);
            block_on(poll_fn(|cx| pool.mux().poll_closed(cx.waker())));
            others.into_iter().for_each(|other| other.join().unwrap());
        });
    }
}

#[test]
fn a_connection_that_ends_is_replaced() {
    // The first connection hangs up within the second reply, or before it.
    for replies in [REPLY_LEN, REPLY_LEN + 3] {
        explore(2, Plan { quota: 2, first_connection: replies, ..Plan::default() }, |pool| {
            let other = spawn(pool, |pool| async move { own_or(ErrorKind::Closed, incr(&pool, "12").await) });
            block_on(async { own_or(ErrorKind::Closed, get(pool, "1").await) });
            block_on(polled_once(get(pool, "3"))).map(|got| own_or(ErrorKind::Closed, got));
            other.join().unwrap();
        });
    }
}

#[test]
fn a_driver_that_dies_leaves_what_is_under_way_to_another() {
    for polls in 0..3 {
        explore(2, Plan { first_driver: polls, ..Plan::default() }, |pool| {
            let other = spawn(pool, |pool| async move { own(get(&pool, "12").await) });
            block_on(async { own(incr(pool, "1").await) });
            block_on(async { own(get(pool, "1").await) });
            other.join().unwrap();
        });
    }
}

#[test]
fn a_driver_that_is_slow_may_be_replaced_at_any_moment() {
    explore(2, Plan { quota: 2, ..Plan::default() }, |pool| {
        let other = spawn(pool, |pool| async move {
            let mux = pool.mux();
            mux.look_after(mux.call_driver());
            own(get(&pool, "12").await);
        });
        block_on(async { own(incr(pool, "1").await) });
        other.join().unwrap();
    });
}

/// What a model is about.
#[derive(Clone, Copy)]
struct Plan {
    /// How many requests are under way at most.
    quota: usize,
    /// After how many bytes the first connection hangs up.
    first_connection: usize,
    /// How often the first driver is polled before it is dropped, as a runtime does that shuts down.
    first_driver: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Self { quota: 1, first_connection: usize::MAX, first_driver: usize::MAX }
    }
}

thread_local! {
    /// The plan of the connections and drivers to come. (loom's threads are one of the system's.)
    static PLAN: Cell<Plan> = const { Cell::new(Plan { quota: 1, first_connection: 0, first_driver: 0 }) };
}

/// Takes a number from the plan; whoever comes later is not limited.
fn planned(number: impl FnOnce(&mut Plan) -> &mut usize) -> usize {
    let mut plan = PLAN.get();
    let taken = core::mem::replace(number(&mut plan), usize::MAX);
    PLAN.set(plan);
    taken
}

/// Runs `model` in every order that has as many preemptions at most (or `LOOM_MAX_PREEMPTIONS`). Behind it, everything
/// is given back.
fn explore(preemptions: usize, plan: Plan, model: impl Fn(&Arc<Pool>) + Send + Sync + 'static) {
    let runtime = runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let _entered = runtime.enter();
    let mut explorer = loom::model::Builder::new();
    explorer.preemption_bound = explorer.preemption_bound.or(Some(preemptions));
    explorer.max_branches = 10_000;
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    explorer.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        PLAN.set(plan);
        let under_way = UnderWay { requests: plan.quota, bytes: 1000 };
        let pool = Arc::new(pool_with(under_way, true, || Ok(Stream::Memory(Box::new(Echo::new())))));
        model(&pool);
        let mux = Arc::clone(pool.mux());
        mux.close(Closing::Gently);
        block_on(poll_fn(|cx| mux.poll_closed(cx.waker())));
        assert_eq!(mux.usage(), (false, 0));
        assert!(mux.is_empty());
    });
    println!("{} orders", count.load(Ordering::Relaxed));
}

/// In the place of a runtime's task.
pub(crate) fn start(_: &Handle, mut driver: Driver) {
    let mut polls = planned(|plan| &mut plan.first_driver);
    thread::spawn(move || {
        block_on(poll_fn(|cx| {
            if polls == 0 {
                return Poll::Ready(());
            }
            polls -= 1;
            driver.poll(cx)
        }));
    });
}

fn spawn<F: Future>(pool: &Arc<Pool>, caller: impl FnOnce(Arc<Pool>) -> F + 'static) -> JoinHandle<()> {
    let pool = Arc::clone(pool);
    thread::spawn(move || drop(block_on(caller(pool))))
}

/// Runs `future`, while the thread sleeps whenever there is nothing to do. (loom's own also tries what happens when a
/// thread wakes for no reason, and every order in which wakers are cloned: too much for these models.)
fn block_on<F: Future>(future: F) -> F::Output {
    let signal = Arc::new(Signal::default());
    let waker = Waker::from(Arc::clone(&signal));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        let mut is_set = signal.is_set.lock().unwrap();
        while !*is_set {
            is_set = signal.changed.wait(is_set).unwrap();
        }
        *is_set = false;
    }
}

#[derive(Default)]
struct Signal {
    is_set: Mutex<bool>,
    changed: Condvar,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        *self.is_set.lock().unwrap() = true;
        self.changed.notify_one();
    }
}

/// Polls `future`, and drops it if it is not ready.
async fn polled_once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        Poll::Ready(match future.as_mut().poll(cx) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    })
    .await
}

/// A key and what came for it.
type Got = (&'static str, Result<String, Error>);

async fn get(pool: &Pool, name: &'static str) -> Got {
    let operation = Get { verb: GetVerb::Get, key: Key::new(name.as_bytes()).unwrap() };
    let item = call(pool, "get", &operation, deadline()).await;
    (name, item.map(|item| String::from_utf8(item.unwrap().value).unwrap()))
}

async fn incr(pool: &Pool, name: &'static str) -> Got {
    let key = Key::new(name.as_bytes()).unwrap();
    let operation = Arith { verb: ArithVerb::Incr, key, delta: 1, noreply: false };
    let number = call(pool, "incr", &operation, deadline()).await;
    (name, number.map(|number| number.unwrap().to_string()))
}

/// Time stands still.
fn deadline() -> Deadline {
    Deadline::after(TIMEOUT)
}

fn own((name, got): Got) {
    assert_eq!(got.unwrap(), name);
}

fn own_or(kind: ErrorKind, (name, got): Got) {
    match got {
        Ok(value) => assert_eq!(value, name),
        Err(error) => assert_eq!(error.kind(), kind),
    }
}

/// A server at the other end, for whom the value of every key is that key.
struct Echo {
    said: Vec<u8>,
    /// How much it says before it hangs up.
    left: usize,
    reader: Option<Waker>,
}

impl Echo {
    fn new() -> Self {
        Self { said: Vec::new(), left: planned(|plan| &mut plan.first_connection), reader: None }
    }

    fn answer(&mut self, line: &str) {
        let mut words = line.split(' ');
        match words.next() {
            Some("get") => {
                for key in words {
                    self.said.extend(format!("VALUE {key} 0 {}\r\n{key}\r\n", key.len()).bytes());
                }
                self.said.extend(b"END\r\n");
            }
            Some("incr") => self.said.extend(format!("{}\r\n", words.next().unwrap()).bytes()),
            _ => panic!("{line}"),
        }
    }
}

/// The length of the reply to a get of a key of one byte.
const REPLY_LEN: usize = b"VALUE 1 0 1\r\n1\r\nEND\r\n".len();

impl Transport for Echo {
    fn is_silent(&mut self) -> bool {
        true
    }
}

impl AsyncRead for Echo {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let echo = self.get_mut();
        let len = echo.said.len().min(echo.left);
        if len == 0 && echo.left > 0 {
            echo.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        buf.put_slice(&echo.said[..len]);
        echo.said.drain(..len);
        echo.left -= len;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Echo {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let echo = self.get_mut();
        // It is given whole lines.
        str::from_utf8(bytes).unwrap().lines().for_each(|line| echo.answer(line));
        echo.reader.take().into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
