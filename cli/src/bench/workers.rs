//! Those that ask: threads with the blocking client, or tasks with the tokio client.

use core::{hint, time::Duration};
use std::{sync::Arc, thread, time::Instant};

use memring_std::{Config, Error};
use tokio::runtime::{Builder, Runtime};

use super::{
    Kind,
    board::Board,
    load::{Load, Next},
};
use crate::{failure::Failure, verbs::client};

/// The workers, and the client that they share.
pub(super) enum Workers {
    Threads { client: memring_std::Client, count: u16 },
    Tasks { client: memring_tokio::Client, runtime: Runtime, count: u16 },
}

impl Workers {
    pub(super) fn new(kind: client::Kind, config: Config, count: u16) -> Result<Self, Failure> {
        Ok(match kind {
            client::Kind::Std => Self::Threads { client: memring_std::Client::with_config(config)?, count },
            client::Kind::Tokio => {
                let runtime = Builder::new_multi_thread().enable_all().build()?;
                Self::Tasks { client: memring_tokio::Client::with_config(config)?, runtime, count }
            }
        })
    }

    /// Stores all keys of the load.
    pub(super) fn fill(&self, load: &Load) -> Result<(), Failure> {
        let mut keys = load.keys();
        loop {
            let items: Vec<_> = keys.by_ref().take(AT_ONCE).map(|key| (key, load.value())).collect();
            let stored = match self {
                _ if items.is_empty() => return Ok(()),
                Self::Threads { client, .. } => client.set_many(&items, load.attributes)?,
                Self::Tasks { client, runtime, .. } => {
                    runtime.block_on(client.set_many(&items, load.attributes))?
                }
            };
            stored.all()?;
        }
    }

    /// Works until time is up or the board says stop.
    pub(super) fn work(&self, load: &Arc<Load>, board: &Arc<Board>, begin: Instant) {
        match self {
            Self::Threads { client, count } => thread::scope(|scope| {
                for worker in 0..*count {
                    scope.spawn(move || thread_works(client, load, (worker, *count), board, begin));
                }
            }),
            Self::Tasks { client, runtime, count } => {
                let tasks: Vec<_> = (0..*count)
                    .map(|worker| {
                        let (client, load, board) = (client.clone(), Arc::clone(load), Arc::clone(board));
                        let count = *count;
                        runtime.spawn(async move {
                            task_works(&client, &load, (worker, count), &board, begin).await;
                        })
                    })
                    .collect();
                for task in tasks {
                    // One that has panicked has said so, and the others go on.
                    let _ = runtime.block_on(task);
                }
            }
        }
    }
}

fn thread_works(
    client: &memring_std::Client,
    load: &Load,
    (worker, workers): (u16, u16),
    board: &Board,
    begin: Instant,
) {
    let mut operations = load.operations(worker, workers);
    while let Some(Next { kind, due }) = operations.next(begin) {
        if let Some(due) = due {
            let left = due.saturating_duration_since(Instant::now());
            thread::sleep(left.saturating_sub(OVERSLEPT_BY_THREADS));
            while Instant::now() < due {
                hint::spin_loop();
            }
        }
        if board.is_stopped() {
            return;
        }
        let asked = due.unwrap_or_else(Instant::now);
        let key = &*operations.key;
        let result = match kind {
            Kind::Read => client.get(key).map(|item| item.is_some()),
            Kind::Write => client.set(key, operations.value, load.attributes).map(|()| true),
        };
        note(board, &client.server_of(key), kind, asked, result);
    }
}

async fn task_works(
    client: &memring_tokio::Client,
    load: &Load,
    (worker, workers): (u16, u16),
    board: &Board,
    begin: Instant,
) {
    let mut operations = load.operations(worker, workers);
    while let Some(Next { kind, due }) = operations.next(begin) {
        if let Some(due) = due {
            let left = due.saturating_duration_since(Instant::now());
            tokio::time::sleep(left.saturating_sub(OVERSLEPT_BY_TASKS)).await;
            while Instant::now() < due {
                tokio::task::yield_now().await;
            }
        }
        if board.is_stopped() {
            return;
        }
        let asked = due.unwrap_or_else(Instant::now);
        let key = &*operations.key;
        let result = match kind {
            Kind::Read => client.get(key).await.map(|item| item.is_some()),
            Kind::Write => client.set(key, operations.value, load.attributes).await.map(|()| true),
        };
        note(board, &client.server_of(key), kind, asked, result);
    }
}

fn note(board: &Board, server: &str, kind: Kind, asked: Instant, result: Result<bool, Error>) {
    board.note(server, kind, asked.elapsed(), result);
}

/// How much later than asked for a sleep may end. What is left is waited for awake: it would count as latency.
const OVERSLEPT_BY_THREADS: Duration = Duration::from_micros(100);
/// The timer of the runtime has steps of a millisecond.
const OVERSLEPT_BY_TASKS: Duration = Duration::from_millis(2);

/// How many keys are stored at once.
const AT_ONCE: usize = 256;
