//! Connections shared by threads.

use core::{panic::AssertUnwindSafe, time::Duration};
use std::{panic::catch_unwind, sync::Barrier, thread};

use memring_std::{Buffer, Client, ErrorKind, Ttl, testing::Server};

use crate::support::Scripted;

#[test]
fn more_threads_than_connections_take_turns() {
    let servers = [Server::start().unwrap(), Server::start().unwrap(), Server::start().unwrap()];
    let names = servers.iter().map(|server| server.addr().to_string());
    let builder = Client::builder().servers(names).pool_size(2).timeout(Duration::from_secs(60));
    let client = builder.build().unwrap();
    thread::scope(|scope| {
        for thread in 0..64 {
            let client = &client;
            scope.spawn(move || {
                let keys: Vec<_> = (0..20).map(|number| format!("{thread}:{number}")).collect();
                let items: Vec<_> = keys.iter().map(|key| (key, key)).collect();
                for key in &keys {
                    client.set(key, key, Ttl::NEVER).unwrap();
                    assert_eq!(client.get(key).unwrap().unwrap().value, key.as_bytes());
                }
                client.set_many(&items, Ttl::NEVER).unwrap().all().unwrap();
                let found = client.get_many(&keys).unwrap().all().unwrap();
                assert!(keys.iter().zip(found).all(|(key, item)| item.unwrap().value == key.as_bytes()));
            });
        }
    });
    for (status, server) in client.servers().iter().zip(&servers) {
        assert_eq!((status.idle, status.waiting), (2, 0));
        assert_eq!(server.connections(), 2);
    }
}

#[test]
fn who_gets_no_connection_in_time_is_told_so() {
    let server = Scripted::silent();
    let deadline = Duration::from_millis(400);
    let client = Client::builder().servers([server.name()]).pool_size(1).timeout(deadline).build().unwrap();
    let barrier = Barrier::new(2);
    let errors: Vec<_> = thread::scope(|scope| {
        let run = || {
            barrier.wait();
            client.set("k", "v", Ttl::NEVER).unwrap_err()
        };
        let threads = [scope.spawn(run), scope.spawn(run)];
        threads.map(|thread| thread.join().unwrap()).into()
    });
    assert!(errors.iter().all(|error| error.kind() == ErrorKind::Timeout), "{errors:?}");
    // One was sent and not answered; the other one never left, or left when the first one's time was over.
    assert!(errors.iter().any(|error| error.is_ambiguous()), "{errors:?}");
    assert!(server.connections() <= 2);
}

/// Room that falls in when the first byte comes.
struct Trap;

impl Buffer for Trap {
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
fn a_stopped_server_leaves_nothing_behind() {
    let server = Server::start().unwrap();
    let addr = server.addr();
    let client = Client::connect([addr.to_string()]).unwrap();
    client.set("k", "v", Ttl::NEVER).unwrap();
    assert_eq!(server.connections(), 1);
    server.stop();
    assert!(matches!(client.get("k").unwrap_err().kind(), ErrorKind::Connect | ErrorKind::Closed));
    // The port is free again.
    let server = Server::bind(addr).unwrap();
    assert!(client.get("k").unwrap().is_none());
    drop(server);
}
