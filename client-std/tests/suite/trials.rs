//! A server that was left alone is tried by one caller, and whatever becomes of that, by another one next.

use core::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};
use std::{sync::Arc, thread};

use memring_std::{Batch, Client, ErrorKind, HealthPolicy, Limits, MetaSetOptions, Ttl};

use crate::health::{DEADLINE, LONG, builder};
use crate::support::{Memcached, Scripted, until};

#[test]
fn a_server_is_tried_by_one_caller_at_a_time() {
    let (accepted, is_good) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let server = Scripted::new({
        let (accepted, is_good) = (Arc::clone(&accepted), Arc::clone(&is_good));
        move |mut peer| {
            while peer.line().is_some() {
                accepted.fetch_add(1, Ordering::SeqCst);
                if is_good.load(Ordering::SeqCst) {
                    peer.write("END\r\n");
                }
            }
        }
    });
    let wait = Duration::from_millis(1);
    let policy = HealthPolicy { failures: 1, min_wait: wait, max_wait: LONG, ..HealthPolicy::DEFAULT };
    let client = builder(&[server.name()]).health_policy(policy).timeout(DEADLINE).build().unwrap();
    client.get("k").unwrap_err();
    let asked = accepted.load(Ordering::SeqCst);
    thread::sleep(10 * wait);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| client.get("k").unwrap_err());
        }
    });
    assert!(accepted.load(Ordering::SeqCst) <= asked + 1, "one probe for all");
    is_good.store(true, Ordering::SeqCst);
    until("it is back", || client.get("k").ok());
    client.get("k").unwrap();
}

#[test]
fn a_probe_that_panics_leaves_the_server_to_the_next_caller() {
    struct Trap;
    impl memring_std::Buffer for Trap {
        fn as_slice(&self) -> &[u8] {
            &[]
        }
        fn room(&self) -> usize {
            usize::MAX
        }
        fn put(&mut self, _: &[u8]) -> Result<(), memring_std::Full> {
            panic!("the trap is sprung")
        }
        fn truncate(&mut self, _: usize) {}
    }
    let mut server = Memcached::start();
    let wait = Duration::from_millis(1);
    let policy = HealthPolicy { failures: 1, min_wait: wait, max_wait: wait, ..HealthPolicy::DEFAULT };
    let client = builder(&[server.name()]).health_policy(policy).timeout(LONG).build().unwrap();
    server.kill();
    client.get("k").unwrap_err();
    server = Memcached::start_on(server.port());
    Client::connect([server.name()]).unwrap().set("k", "v", Ttl::NEVER).unwrap();
    thread::sleep(5 * wait);
    std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| client.get_into("k", Trap))).unwrap_err();
    until("the next caller tries", || client.get("k").ok());
}

#[test]
fn what_is_refused_here_is_no_trial() {
    // A server that hangs up, until it is good.
    let is_good = Arc::new(AtomicBool::new(false));
    let server = Scripted::new({
        let is_good = Arc::clone(&is_good);
        move |mut peer| {
            while peer.line().is_some() && is_good.load(Ordering::SeqCst) {
                peer.write("END\r\n");
            }
        }
    });
    let (value, wait) = (vec![b'v'; Limits::DEFAULT.value + 1], Duration::from_millis(1));
    // Who waits for a trial that nobody makes waits for long.
    let policy = HealthPolicy { failures: 1, min_wait: wait, max_wait: LONG, ..HealthPolicy::DEFAULT };
    for refusal in 0..8 {
        is_good.store(false, Ordering::SeqCst);
        let client = builder(&[server.name()]).health_policy(policy).timeout(LONG).build().unwrap();
        client.get("k").unwrap_err();
        is_good.store(true, Ordering::SeqCst);
        thread::sleep(10 * wait);
        let mut batch = Batch::new();
        batch.get("k");
        batch.set(if refusal == 0 { "no key" } else { "k" }, &value, Ttl::NEVER);
        let refused = match refusal {
            0 | 1 => client.run(batch).map(drop),
            2 => client.set_many(&[("k", &value)], Ttl::NEVER).map(drop),
            3 => client.get_many(&["k", "no key"]).map(drop),
            4 => client.set("k", &value, Ttl::NEVER),
            5 => client.get("no key").map(drop),
            6 => client.set_from("k", value.len(), &value[..], Ttl::NEVER),
            _ => client.meta().set("k", &value, MetaSetOptions::new()).map(drop),
        };
        let kind = refused.unwrap_err().kind();
        assert!(matches!(kind, ErrorKind::Key | ErrorKind::TooLarge), "{refusal}: {kind:?}");
        assert!(client.get("k").unwrap().is_none(), "{refusal}: the trial is the next one's");
    }
}
