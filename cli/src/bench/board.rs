//! Where workers note what they have seen.

use core::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use hdrhistogram::Histogram;
use memring_std::Error;

use super::Kind;

/// What all workers have seen, by server.
pub(super) struct Board {
    servers: Vec<Mutex<Seen>>,
    indexes: HashMap<String, usize>,
    errors: Mutex<Vec<Error>>,
    done: AtomicU64,
    is_stopped: AtomicBool,
}

/// What was seen of one server.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) name: String,
    pub(super) reads: u64,
    pub(super) writes: u64,
    pub(super) misses: u64,
    pub(super) errors: u64,
    /// Of the operations that did not fail, in nanoseconds.
    pub(super) latency: Histogram<u64>,
}

impl Seen {
    pub(super) fn new(name: &str) -> Self {
        // Bounds as of the crate's default, and three digits: 12.3 ms.
        let latency = Histogram::new_with_bounds(1, HOUR, 3);
        let latency = latency.unwrap_or_else(|_| unreachable!("these bounds are right"));
        Self { name: name.to_owned(), reads: 0, writes: 0, misses: 0, errors: 0, latency }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.reads += other.reads;
        self.writes += other.writes;
        self.misses += other.misses;
        self.errors += other.errors;
        // Both have the same bounds.
        let _ = self.latency.add(&other.latency);
    }
}

/// The longest latency that is told apart, in nanoseconds.
const HOUR: u64 = 3_600_000_000_000;

impl Board {
    pub(super) fn new(names: &[String]) -> Self {
        Self {
            servers: names.iter().map(|name| Mutex::new(Seen::new(name))).collect(),
            indexes: names.iter().cloned().zip(0..).collect(),
            errors: Mutex::default(),
            done: AtomicU64::new(0),
            is_stopped: AtomicBool::new(false),
        }
    }

    /// Notes an operation on `server` that took `latency`; a read has found something or not.
    pub(super) fn note(&self, server: &str, kind: Kind, latency: Duration, result: Result<bool, Error>) {
        self.done.fetch_add(1, Ordering::Relaxed);
        let Some(seen) = self.indexes.get(server).and_then(|index| self.servers.get(*index)) else { return };
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        match kind {
            Kind::Read => seen.reads += 1,
            Kind::Write => seen.writes += 1,
        }
        match result {
            Ok(found) => {
                seen.misses += u64::from(kind == Kind::Read && !found);
                seen.latency.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
            }
            Err(error) => {
                seen.errors += 1;
                drop(seen);
                let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
                if errors.len() < TOLD && !errors.iter().any(|known| error.says_what(known)) {
                    errors.push(error);
                }
            }
        }
    }

    /// How many operations have ended.
    pub(super) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// No operation begins from now on.
    pub(super) fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Relaxed)
    }

    /// What was seen of each server.
    pub(super) fn seen(&self) -> Vec<Seen> {
        let seen = |seen: &Mutex<Seen>| seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.servers.iter().map(seen).collect()
    }

    /// What failed, each kind of failure once.
    pub(super) fn errors(&self) -> Vec<Error> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How many different errors are told of.
const TOLD: usize = 20;
