//! A caller that panics in the middle of a reply: nobody reads the rest of it, and nobody waits for that caller.

use core::{panic::AssertUnwindSafe, time::Duration};
use std::{panic::catch_unwind, thread};

use memring_std::{Buffer, Client, HealthPolicy, Ttl, testing::Server};
use memring_suite::{Memcached, until};

use crate::support::builder;

/// Room that falls in when the first byte comes.
struct Trap;

impl Buffer for Trap {
    fn as_slice(&self) -> &[u8] {
        &[]
    }

    fn free(&self) -> usize {
        usize::MAX
    }

    fn put(&mut self, _: &[u8]) -> Result<(), memring_std::Full> {
        panic!("the trap is sprung")
    }

    fn truncate(&mut self, _: usize) {}
}

#[test]
fn a_panic_in_the_middle_of_a_reply_closes_the_connection() {
    let server = Server::start().unwrap();
    let client = Client::builder().servers([server.addr().to_string()]).pool_size(1).build().unwrap();
    client.set("k", "v", Ttl::NEVER).unwrap();
    for _ in 0..3 {
        catch_unwind(AssertUnwindSafe(|| client.get_into("k", Trap))).unwrap_err();
        let status = &client.servers()[0];
        assert_eq!((status.idle, status.waiting), (0, 0));
        assert_eq!(client.get("k").unwrap().unwrap().value, b"v");
    }
}

#[test]
fn a_probe_that_panics_leaves_the_server_to_the_next_caller() {
    let mut server = Memcached::start();
    let wait = Duration::from_millis(1);
    let policy = HealthPolicy { failures: 1, min_wait: wait, max_wait: wait, ..HealthPolicy::DEFAULT };
    let client = builder(&[server.name()]).health_policy(policy).build().unwrap();
    server.kill();
    client.get("k").unwrap_err();
    server = Memcached::start_on(server.port());
    Client::connect([server.name()]).unwrap().set("k", "v", Ttl::NEVER).unwrap();
    thread::sleep(5 * wait);
    catch_unwind(AssertUnwindSafe(|| client.get_into("k", Trap))).unwrap_err();
    until("the next caller tries", || client.get("k").ok());
}
