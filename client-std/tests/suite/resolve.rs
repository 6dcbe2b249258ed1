//! Servers by their names: one that leads to another address, or nowhere, and a name server that does not answer. Each
//! in a process of its own, which has files of its own in the place of the system's.

use core::time::Duration;
use std::{fs, net::UdpSocket, thread};

use memring_std::{Client, ErrorKind, Ttl, testing::Server};

use crate::support::{Stopwatch, alone_in_a_network, ends_at, in_place_of, until};

const DEADLINE: Duration = Duration::from_millis(500);

/// Long enough never to be reached.
const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_name_leads_wherever_it_leads_when_a_connection_is_opened() {
    alone_in_a_network("resolve::where_a_name_moves");
}

#[test]
#[ignore = "changes the names of its system: the test above runs it in one of its own"]
fn where_a_name_moves() {
    let _order = in_place_of("/etc/nsswitch.conf", "hosts: files\n");
    let hosts = in_place_of("/etc/hosts", "127.0.0.2 cache.test\n");
    let [old, new] = ["127.0.0.2:11211", "127.0.0.3:11211"].map(|addr| Server::bind(addr).unwrap());
    let client = Client::builder().servers(["cache.test"]).timeout(LONG).build().unwrap();
    client.set("k", "v", Ttl::NEVER).unwrap();
    fs::write(hosts.path(), "").unwrap();
    // Who has a connection does not ask.
    assert_eq!(client.get("k").unwrap().unwrap().value, b"v");
    old.stop();
    let error = until("the name is asked for", || {
        client.get("k").err().filter(|error| error.kind() == ErrorKind::Resolve)
    });
    assert!(error.is_retryable() && !error.is_timeout());
    assert_eq!(error.to_string(), "get on cache.test: name not resolved");
    fs::write(hosts.path(), "127.0.0.3 cache.test\n").unwrap();
    assert!(until("it leads to another server", || client.get("k").ok()).is_none());
    assert_eq!(new.connections(), 1);
}

#[test]
fn a_name_server_that_does_not_answer_costs_the_connect_timeout() {
    alone_in_a_network("resolve::where_no_name_server_answers");
}

#[test]
#[ignore = "changes the names of its system: the test above runs it in one of its own"]
fn where_no_name_server_answers() {
    let _order = in_place_of("/etc/nsswitch.conf", "hosts: dns\n");
    let _silent = in_place_of("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:30 attempts:1\n");
    let name_server = UdpSocket::bind("127.0.0.1:53").unwrap();
    name_server.set_nonblocking(true).unwrap();
    let is_asked = || name_server.recv(&mut [0; 512]).ok().map(drop);
    let good = Server::start().unwrap();
    let builder = Client::builder().servers(["cache.test".to_owned(), good.addr().to_string()]);
    let builder = builder.connect_timeout(DEADLINE).timeout(LONG).health_policy(None);
    let client = builder.build().unwrap();
    let keys: Vec<_> = (0..60).map(|number| format!("key:{number}")).collect();
    let (lost, found): (Vec<_>, Vec<_>) =
        keys.iter().partition(|key| *client.server_of(key) == *"cache.test");
    thread::scope(|scope| {
        for key in &lost[..5] {
            let client = &client;
            scope.spawn(move || {
                let error = ends_at(DEADLINE, || client.set(key, "v", Ttl::NEVER).unwrap_err());
                assert!(error.kind() == ErrorKind::Resolve && error.is_timeout() && !error.is_ambiguous());
                assert_eq!(error.to_string(), "set on cache.test: name not resolved in time");
            });
        }
        until("the name is asked for", is_asked);
        // Meanwhile, the other server is there as ever.
        let watch = Stopwatch::start();
        for key in &found {
            client.set(key, "v", Ttl::NEVER).unwrap();
        }
        assert!(watch.took() < DEADLINE / 2);
    });
    let many = ends_at(DEADLINE, || client.get_many(&keys).unwrap());
    assert_eq!((many.hits().count(), many.errors().len()), (found.len(), 1));
    // All that have waited have waited for one look-up, which is two questions: for either kind of address.
    assert!(is_asked().is_none_or(|()| is_asked().is_none()));
}
