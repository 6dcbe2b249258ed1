//! Servers that change while the client is in use.

use core::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::thread;

use memring_std::{Address, Client, ErrorKind, ServerSpec, Ttl, testing::Server};

fn names(servers: &[Server]) -> Vec<String> {
    servers.iter().map(|server| server.addr().to_string()).collect()
}

fn start(count: usize) -> Vec<Server> {
    (0..count).map(|_| Server::start().unwrap()).collect()
}

#[test]
fn a_name_is_placed_wherever_its_address_is() {
    let servers = start(2);
    let addresses: Vec<_> = servers.iter().map(|server| server.addr()).collect();
    let spec = |name: &str, at: usize| {
        ServerSpec::new(name, Address::tcp(addresses[at].ip().to_string(), addresses[at].port()))
    };
    let client = Client::connect([spec("one", 0), spec("two", 1)]).unwrap();
    client.set("k", "v", Ttl::NEVER).unwrap();
    let before = client.server_of("k");
    client.set_servers([spec("one", 1), spec("two", 0)]).unwrap();
    assert_eq!(client.server_of("k"), before);
    assert!(client.get("k").unwrap().is_none(), "it lies at the other address");
    client.set_servers([spec("one", 0), spec("two", 1)]).unwrap();
    assert!(client.get("k").unwrap().is_some());
}

#[test]
fn servers_that_stay_keep_their_connections() {
    let servers = start(3);
    let names = names(&servers);
    let client = Client::connect(&names[..2]).unwrap();
    client.version();
    let idle = |client: &Client| client.servers().iter().map(|server| server.idle).collect::<Vec<_>>();
    assert_eq!(idle(&client), [1, 1]);
    // Another order and another weight make no other server.
    client.set_servers([names[2].clone(), format!("{} 5", names[1]), names[0].clone()]).unwrap();
    assert_eq!(idle(&client), [0, 1, 1]);
    client.version();
    assert_eq!(servers.iter().map(Server::connections).collect::<Vec<_>>(), [1, 1, 1]);
    client.set_servers(&names[..1]).unwrap();
    assert_eq!(idle(&client), [1]);
}

#[test]
fn a_server_listed_twice_has_two_pools() {
    let servers = start(1);
    let name = &names(&servers)[0];
    let client = Client::builder().servers([name, name]).pool_size(1).build().unwrap();
    for _ in 0..2 {
        assert!(client.version().into_iter().all(|answer| answer.result.is_ok()));
        client.set_servers([name, name]).unwrap();
    }
    assert_eq!(servers[0].connections(), 2);
}

#[test]
fn a_bad_list_changes_nothing() {
    let servers = start(1);
    let client = Client::connect(names(&servers)).unwrap();
    for bad in [&["a:b"][..], &[]] {
        let error = client.set_servers(bad).unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Config, "set_servers"));
    }
    client.set("k", "v", Ttl::NEVER).unwrap();
}

#[test]
fn operations_under_way_do_not_notice() {
    let servers = start(5);
    let names = names(&servers);
    let client = Client::builder().servers(&names[..3]).timeout(Duration::from_secs(20)).build().unwrap();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let (client, is_over) = (client.clone(), &is_over);
                scope.spawn(move || {
                    let keys: Vec<_> = (0..50).map(|number| format!("{thread}:{number}")).collect();
                    let mut rounds = 0;
                    while !is_over.load(Ordering::Relaxed) {
                        for key in &keys {
                            client.set(key, key, Ttl::NEVER).unwrap();
                            // Gone when the servers have changed in between, but never another's.
                            if let Some(item) = client.get(key).unwrap() {
                                assert_eq!(item.value, key.as_bytes());
                            }
                        }
                        for (position, item) in client.get_many(&keys).unwrap().hits() {
                            assert_eq!(item.value, keys[position].as_bytes());
                        }
                        rounds += 1;
                    }
                    rounds
                })
            })
            .collect();
        for change in 0..200 {
            let (from, to) = if change % 2 == 0 { (1, 5) } else { (0, 3) };
            client.set_servers(&names[from..to]).unwrap();
            thread::yield_now();
        }
        is_over.store(true, Ordering::Relaxed);
        assert!(threads.into_iter().all(|thread| thread.join().is_ok()));
    });
    // What is not listed any more is not kept open.
    client.set_servers(&names[..1]).unwrap();
    crate::support::until("connections to other servers end", || {
        servers[1..].iter().all(|server| server.connections() == 0).then_some(())
    });
}
