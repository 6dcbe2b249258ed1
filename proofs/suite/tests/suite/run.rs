//! How promises are run: those of the blocking client by themselves, those of the tokio client in a runtime.

use core::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};
use std::{thread, time::Instant};

use tokio::{
    runtime::{Builder, Handle, RuntimeFlavor},
    task::{LocalSet, spawn_blocking, spawn_local, yield_now},
};

/// Makes a test of each function for either client; in a runtime of one thread, where there is one.
macro_rules! promises {
    ($($(#[$attribute:meta])* $name:ident)*) => {
        mod on_std {
            $($(#[$attribute])* #[test] fn $name() {
                <memring_std::Client as $crate::run::Run>::run(super::$name::<memring_std::Client>);
            })*
        }

        mod on_tokio {
            $($(#[$attribute])* #[test] fn $name() {
                <memring_tokio::Client as $crate::run::Run>::run(super::$name::<memring_tokio::Client>);
            })*
        }
    };
}

/// The same, on several threads.
macro_rules! promises_on_threads {
    ($($(#[$attribute:meta])* $name:ident)*) => {
        mod on_std_threads {
            $($(#[$attribute])* #[test] fn $name() {
                <memring_std::Client as $crate::run::Run>::run_on_threads(super::$name::<memring_std::Client>);
            })*
        }

        mod on_tokio_threads {
            $($(#[$attribute])* #[test] fn $name() {
                <memring_tokio::Client as $crate::run::Run>::run_on_threads(super::$name::<memring_tokio::Client>);
            })*
        }
    };
}

pub(crate) use {promises, promises_on_threads};

/// How the tests of a client run.
pub(crate) trait Run {
    /// The module that its tests are in.
    const MODULE: &'static str;

    /// How many calls may well be under way at once.
    const MANY: usize;

    /// Runs a test. What it spawns takes turns with it where the client lets it.
    fn run(test: impl AsyncFnOnce());

    /// Runs a test. What it spawns has threads of its own.
    fn run_on_threads(test: impl AsyncFnOnce());

    /// Begins a call beside the one that begins it.
    fn spawn<T: Send + 'static>(call: impl AsyncFnOnce() -> T + Send + 'static) -> Task<T>;

    async fn sleep(time: Duration);

    /// Drops a call after a few turns of the others, which are mostly too few for a reply, where calls can be dropped. Says
    /// whether the call came to its end.
    async fn cut_short(turns: u32, call: impl Future<Output = ()>) -> bool;

    /// Waits for something to be there, at most ten seconds.
    async fn until<T>(what: &str, mut there: impl AsyncFnMut() -> Option<T>) -> T {
        let begin = Instant::now();
        loop {
            if let Some(it) = there().await {
                return it;
            }
            assert!(begin.elapsed() < Duration::from_secs(10), "waited in vain: {what}");
            Self::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// A call under way.
pub(crate) enum Task<T> {
    Thread(thread::JoinHandle<T>),
    Tokio(tokio::task::JoinHandle<T>),
}

impl<T> Task<T> {
    /// Waits for its end, and says whether it has panicked.
    pub(crate) async fn panics(self) -> bool {
        match self {
            Self::Thread(thread) => thread.join().is_err(),
            Self::Tokio(task) => task.await.is_err(),
        }
    }

    /// Waits for its result. A call that has panicked fails the test.
    pub(crate) async fn join(self) -> T {
        match self {
            Self::Thread(thread) => thread.join().unwrap(),
            Self::Tokio(task) => task.await.unwrap(),
        }
    }
}

/// Waits for the results of all of them.
pub(crate) async fn join_all<T>(tasks: impl IntoIterator<Item = Task<T>>) -> Vec<T> {
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.join().await);
    }
    outcomes
}

impl Run for memring_std::Client {
    const MODULE: &'static str = "on_std";
    const MANY: usize = 500;

    fn run(test: impl AsyncFnOnce()) {
        at_once(test());
    }

    fn run_on_threads(test: impl AsyncFnOnce()) {
        at_once(test());
    }

    fn spawn<T: Send + 'static>(call: impl AsyncFnOnce() -> T + Send + 'static) -> Task<T> {
        Task::Thread(thread::spawn(|| at_once(call())))
    }

    async fn sleep(time: Duration) {
        thread::sleep(time);
    }

    async fn cut_short(_: u32, call: impl Future<Output = ()>) -> bool {
        call.await;
        true
    }
}

/// Runs a future that waits for nothing: the blocking client waits in the middle of a poll.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("a test of the blocking client waits for what it cannot have"),
    }
}

impl Run for memring_tokio::Client {
    const MODULE: &'static str = "on_tokio";
    const MANY: usize = 5000;

    fn run(test: impl AsyncFnOnce()) {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        LocalSet::new().block_on(&runtime, test());
    }

    fn run_on_threads(test: impl AsyncFnOnce()) {
        Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap().block_on(test());
    }

    fn spawn<T: Send + 'static>(call: impl AsyncFnOnce() -> T + Send + 'static) -> Task<T> {
        let runtime = Handle::current();
        Task::Tokio(match runtime.runtime_flavor() {
            RuntimeFlavor::CurrentThread => spawn_local(async { call().await }),
            _ => spawn_blocking(move || runtime.block_on(call())),
        })
    }

    async fn sleep(time: Duration) {
        tokio::time::sleep(time).await;
    }

    async fn cut_short(turns: u32, call: impl Future<Output = ()>) -> bool {
        let passing = async {
            for _ in 0..turns {
                yield_now().await;
            }
        };
        tokio::select! {
            biased;
            () = call => true,
            () = passing => false,
        }
    }
}
