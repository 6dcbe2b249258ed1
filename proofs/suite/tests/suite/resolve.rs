//! Servers by their names: one that leads to another address, or nowhere, and a name server that does not answer. Each
//! in a process of its own, which has files of its own in the place of the system's.

use core::time::Duration;
use std::{fs, net::UdpSocket};

use memring_std::{ErrorKind, Ttl, discovery::Discovery, testing::Server};
use memring_suite::{Stopwatch, alone_in_a_network, in_place_of};

use crate::{
    client::Client,
    run::{join_all, promises},
    support::{ends_at, named},
};

promises! {
    #[ignore = "changes the names of its system: the test above runs it in one of its own"] where_a_name_moves
    #[ignore = "changes the names of its system: the test above runs it in one of its own"] where_no_name_server_answers
    #[ignore = "changes the names of its system: the test above runs it in one of its own"] where_a_name_has_several_servers
    a_name_leads_wherever_it_leads_when_a_connection_is_opened
    all_addresses_of_a_name_are_servers_if_told_so
    a_name_server_that_does_not_answer_costs_the_connect_timeout
}

const DEADLINE: Duration = Duration::from_millis(500);

/// Long enough never to be reached.
const LONG: Duration = Duration::from_secs(60);

async fn a_name_leads_wherever_it_leads_when_a_connection_is_opened<C: Client>() {
    alone_in_a_network(&named::<C>("resolve", "where_a_name_moves"));
}

async fn where_a_name_moves<C: Client>() {
    let _order = in_place_of("/etc/nsswitch.conf", "hosts: files\n");
    let hosts = in_place_of("/etc/hosts", "127.0.0.2 cache.test\n");
    let old = Server::bind("127.0.0.2:11211").unwrap();
    let new = Server::bind("127.0.0.3:11211").unwrap();
    let client = C::builder().servers(["cache.test"]).timeout(LONG).build().unwrap();
    client.set("k", "v", Ttl::NEVER).await.unwrap();
    fs::write(hosts.path(), "").unwrap();
    // Who has a connection does not ask.
    assert_eq!(client.get("k").await.unwrap().unwrap().value, b"v"[..]);
    old.stop();
    let error = C::until("the name is asked for", async || {
        client.get("k").await.err().filter(|error| error.kind() == ErrorKind::Resolve)
    })
    .await;
    assert!(error.is_retryable() && !error.is_timeout());
    assert_eq!(error.to_string(), "get on cache.test: name not resolved");
    fs::write(hosts.path(), "127.0.0.3 cache.test\n").unwrap();
    assert!(C::until("it leads to another server", async || client.get("k").await.ok()).await.is_none());
    assert_eq!(new.connections(), 1);
}

async fn all_addresses_of_a_name_are_servers_if_told_so<C: Client>() {
    alone_in_a_network(&named::<C>("resolve", "where_a_name_has_several_servers"));
}

async fn where_a_name_has_several_servers<C: Client>() {
    let _order = in_place_of("/etc/nsswitch.conf", "hosts: files\n");
    let hosts = in_place_of("/etc/hosts", "127.0.0.3 pods.test\n127.0.0.2 pods.test\n");
    let _multi = in_place_of("/etc/host.conf", "multi on\n");
    let servers: Vec<_> =
        (2..5).map(|number| Server::bind(format!("127.0.0.{number}:11211")).unwrap()).collect();
    let mut discovery = Discovery::new("dns+pods.test".parse().unwrap());
    discovery.pace.interval = Some(Duration::from_millis(5));
    let client = C::discover(C::builder().discovery(discovery).config().unwrap()).await.unwrap();
    let addresses =
        || client.servers().iter().map(|server| server.spec.address().to_string()).collect::<Vec<_>>();
    assert_eq!(addresses(), ["127.0.0.2:11211", "127.0.0.3:11211"]);
    for number in 0..20 {
        client.set(format!("k{number}"), "v", Ttl::NEVER).await.unwrap();
    }
    assert!(servers[..2].iter().all(|server| server.connections() == 1));
    // The pod at the first address is replaced, and the other one keeps its slot and its keys.
    fs::write(hosts.path(), "127.0.0.4 pods.test\n127.0.0.3 pods.test\n").unwrap();
    let moved = ["127.0.0.4:11211", "127.0.0.3:11211"];
    C::until("the new pod is used", async || (addresses() == moved).then_some(())).await;
    for number in 0..20 {
        let key = format!("k{number}");
        assert_eq!(client.get(&key).await.unwrap().is_some(), *client.server_of(&key) == *"s1");
    }
    // While no pod is ready, the name has no address.
    fs::write(hosts.path(), "").unwrap();
    C::until("the name is gone", async || client.roster().unwrap().failing_since().map(drop)).await;
    assert_eq!(addresses(), moved);
}

async fn a_name_server_that_does_not_answer_costs_the_connect_timeout<C: Client>() {
    alone_in_a_network(&named::<C>("resolve", "where_no_name_server_answers"));
}

async fn where_no_name_server_answers<C: Client>() {
    let _order = in_place_of("/etc/nsswitch.conf", "hosts: dns\n");
    let _silent = in_place_of("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:30 attempts:1\n");
    let name_server = UdpSocket::bind("127.0.0.1:53").unwrap();
    name_server.set_nonblocking(true).unwrap();
    let is_asked = || name_server.recv(&mut [0; 512]).ok().map(drop);
    let good = Server::start().unwrap();
    let builder = C::builder().servers(["cache.test".to_owned(), good.addr().to_string()]);
    let builder = builder.connect_timeout(DEADLINE).timeout(LONG).health_policy(None);
    let client = builder.build().unwrap();
    let keys: Vec<_> = (0..60).map(|number| format!("key:{number}")).collect();
    let (lost, found): (Vec<_>, Vec<_>) =
        keys.iter().partition(|key| *client.server_of(key) == *"cache.test");
    let mut tasks = Vec::new();
    for &key in &lost[..5] {
        let (client, key) = (client.clone(), key.clone());
        tasks.push(C::spawn(async move || {
            let error = ends_at(DEADLINE, client.set(key, "v", Ttl::NEVER)).await.unwrap_err();
            assert!(error.kind() == ErrorKind::Resolve && error.is_timeout() && !error.is_ambiguous());
            assert_eq!(error.to_string(), "set on cache.test: name not resolved in time");
        }));
    }
    C::until("the name is asked for", async || is_asked()).await;
    // Meanwhile, the other server is there as ever: a thread that all take turns on is free.
    let watch = Stopwatch::start();
    for key in &found {
        client.set(key, "v", Ttl::NEVER).await.unwrap();
    }
    assert!(watch.took() < DEADLINE / 2);
    join_all(tasks).await;
    let many = ends_at(DEADLINE, client.get_many(&keys)).await.unwrap();
    assert_eq!((many.hits().count(), many.errors().len()), (found.len(), 1));
    // All that have waited have waited for one look-up, which is two questions: for either kind of address.
    assert!(is_asked().is_none_or(|()| is_asked().is_none()));
}
