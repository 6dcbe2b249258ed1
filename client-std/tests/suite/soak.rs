//! Many threads, servers that are killed at random: no caller ever gets another key's value.

use core::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};
use std::{thread, time::Instant};

use memring_std::{Client, Error, ErrorKind, Ttl};

use crate::support::Memcached;

const THREADS: u64 = 16;
const TIME: Duration = Duration::from_secs(3);

/// A value tells whose it is, which one it is, and whether it is whole.
fn value(key: &str, count: u64) -> Vec<u8> {
    let mut text = format!("{key}/{count}/");
    let filler = text.bytes().map(u64::from).sum::<u64>();
    text.extend(core::iter::repeat_n('x', usize::try_from(filler % 3000).unwrap()));
    format!("{text}/{}", text.len()).into_bytes()
}

fn belongs_to(key: &str, bytes: &[u8]) -> bool {
    let text = str::from_utf8(bytes).unwrap();
    let mut parts = text.split('/');
    let (owner, count) = (parts.next().unwrap(), parts.next().unwrap().parse().unwrap());
    owner == key && value(key, count) == bytes
}

#[test]
fn no_value_ever_reaches_another_key() {
    let mut servers: Vec<_> = (0..4).map(|_| Memcached::start()).collect();
    let names: Vec<_> = servers.iter().map(Memcached::name).collect();
    let timeout = Duration::from_millis(500);
    let client = Client::builder().servers(&names).pool_size(4).timeout(timeout).build().unwrap();
    let (is_over, hits, errors) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let fine = |error: Error| {
        errors.fetch_add(1, Ordering::Relaxed);
        // A server that dies may break off, and one that is away refuses. What would be a reply to someone else is a
        // protocol error, and there is none.
        use ErrorKind::{Closed, Connect, Down, Io, Timeout};
        let passing = [Connect, Closed, Down, Io, Timeout];
        assert!(passing.contains(&error.kind()), "{error:?}");
    };
    let hit = |key: &str, bytes: &[u8]| {
        hits.fetch_add(1, Ordering::Relaxed);
        assert!(belongs_to(key, bytes), "{key}: {}", bytes.escape_ascii());
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (client, is_over, fine, hit) = (client.clone(), &is_over, &fine, &hit);
                scope.spawn(move || {
                    let mut random = fastrand::Rng::with_seed(seed ^ thread);
                    let mut count = 0;
                    while !is_over.load(Ordering::Relaxed) {
                        count += 1;
                        let keys: Vec<_> = (0..10).map(|_| format!("key:{}", random.u32(..500))).collect();
                        let key = &keys[0];
                        let done = match random.u32(..10) {
                            0..4 => client.set(key, value(key, count), Ttl::NEVER),
                            4..8 => client.get(key).map(|item| {
                                if let Some(item) = item {
                                    hit(key, &item.value);
                                }
                            }),
                            8 => client.delete(key).map(drop),
                            _ => client.get_many(&keys).map(|found| {
                                for (position, item) in found.hits() {
                                    hit(&keys[position], &item.value);
                                }
                                found.errors().iter().cloned().for_each(fine);
                            }),
                        };
                        done.unwrap_or_else(fine);
                    }
                })
            })
            .collect();
        let begin = Instant::now();
        while begin.elapsed() < TIME {
            let server = fastrand::choice(&mut servers).unwrap();
            server.kill();
            thread::sleep(Duration::from_millis(20));
            *server = Memcached::start_on(server.port());
            thread::sleep(Duration::from_millis(50));
        }
        is_over.store(true, Ordering::Relaxed);
        for thread in threads {
            thread.join().unwrap();
        }
    });
    println!("{} hits, {} errors", hits.load(Ordering::Relaxed), errors.load(Ordering::Relaxed));
    assert!(hits.into_inner() > 1000);
}
