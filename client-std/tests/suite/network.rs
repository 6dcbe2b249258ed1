//! A peer that vanishes, and a host that has no port left: each in a network of its own.

use core::time::Duration;
use std::{fs, net::TcpStream, thread, time::Instant};

use memring_std::{Client, ErrorKind, Event, HealthPolicy, Ttl};
use socket2::SockRef;

use crate::support::{Memcached, alone_in_a_network, ends_at, has_own_network, link, until};

const DEADLINE: Duration = Duration::from_millis(500);

/// Long enough never to be reached.
const LONG: Duration = Duration::from_secs(60);

/// One failure is enough, and the next trial is not within the test of what comes of that.
const TOUCHY: HealthPolicy = HealthPolicy {
    failures: 1,
    min_wait: Duration::from_secs(2),
    max_wait: Duration::from_secs(2),
    ..HealthPolicy::DEFAULT
};

#[test]
fn a_peer_that_vanishes_costs_one_deadline_and_its_connection() {
    alone_in_a_network("network::where_a_peer_vanishes");
}

#[test]
#[ignore = "takes its network down: the test above runs it in one of its own"]
fn where_a_peer_vanishes() {
    let (server, (_unix, path)) = (Memcached::start(), Memcached::start_unix());
    let names = [server.name(), path.to_str().unwrap().to_owned()];
    let client = Client::builder().servers(&names).timeout(DEADLINE).health_policy(TOUCHY).build().unwrap();
    let items: Vec<_> = (0..60).map(|number| format!("key:{number}")).map(|key| (key.clone(), key)).collect();
    let keys: Vec<_> = items.iter().map(|(key, _)| key).collect();
    let (lost, found): (Vec<&String>, Vec<_>) =
        keys.iter().partition(|key| *client.server_of(key) == *names[0]);
    for is_busy in [false, true] {
        client.set_many(&items, Ttl::NEVER).unwrap().all().unwrap();
        assert_eq!(client.servers()[0].idle, 1);
        if is_busy {
            server.signal("STOP");
        }
        thread::scope(|scope| {
            let get = || ends_at(DEADLINE, || client.get(lost[0]).unwrap_err());
            let busy = is_busy.then(|| scope.spawn(get));
            if is_busy {
                until("it has asked", || (client.servers()[0].waiting == 1).then_some(()));
            }
            link("down");
            let error = busy.map_or_else(get, |busy| busy.join().unwrap());
            assert_eq!((error.kind(), error.server()), (ErrorKind::Timeout, Some(&*names[0])));
        });
        let status = &client.servers()[0];
        assert_eq!((status.idle, status.waiting, status.health.is_down()), (0, 0, true));
        // From now on it costs nothing, and the other server has noticed nothing.
        let begin = Instant::now();
        for key in &lost {
            assert_eq!(client.get(key).unwrap_err().kind(), ErrorKind::Down);
        }
        let many = client.get_many(&keys).unwrap();
        assert_eq!((many.hits().count(), many.errors().len()), (found.len(), 1));
        assert!(begin.elapsed() < DEADLINE, "{:?}", begin.elapsed());
        link("up");
        server.signal("CONT");
        let item = until("it is back", || client.get(lost[0]).ok());
        assert_eq!(item.unwrap().value, lost[0].as_bytes());
    }
}

#[test]
fn a_peer_that_acknowledges_nothing_is_given_up_before_a_long_timeout() {
    alone_in_a_network("network::where_nothing_is_acknowledged");
}

/// The system does that, as it was told (`TCP_USER_TIMEOUT`).
#[test]
#[ignore = "takes its network down: the test above runs it in one of its own"]
fn where_nothing_is_acknowledged() {
    let server = Memcached::start();
    let client = Client::builder().servers([server.name()]).timeout(DEADLINE).build().unwrap();
    client.set("k", "v", Ttl::NEVER).unwrap();
    link("down");
    let begin = Instant::now();
    let error = client.with_timeout(LONG).set("k", "v", Ttl::NEVER).unwrap_err();
    assert!(error.kind() == ErrorKind::Closed && error.is_ambiguous(), "{error:?}");
    assert!(error.to_string().ends_with(": connection closed: timed out"), "{error}");
    assert!(begin.elapsed() < LONG / 2, "{:?}", begin.elapsed());
    assert_eq!(client.servers()[0].idle, 0);
    link("up");
    client.set("k", "v", Ttl::NEVER).unwrap();
}

#[test]
fn without_a_local_port_there_is_a_connect_error_until_there_is_one() {
    alone_in_a_network("network::where_four_ports_are_all");
}

#[test]
#[ignore = "changes the ports of its network: the test above runs it in one of its own"]
fn where_four_ports_are_all() {
    let (full, other) = (Memcached::start(), Memcached::start());
    assert!(has_own_network());
    fs::write("/proc/sys/net/ipv4/ip_local_port_range", "40000 40003").unwrap();
    let take = || TcpStream::connect(full.addr()).ok();
    // So that its port is free at once when it is closed.
    let linger = |stream: &TcpStream| SockRef::from(stream).set_linger(Some(Duration::ZERO)).unwrap();
    let mut taken: Vec<_> = (0..).map_while(|_| take()).inspect(linger).collect();
    assert_eq!(taken.len(), 4);
    let (tell, told) = std::sync::mpsc::channel();
    let builder = Client::builder().servers([full.name(), other.name()]).timeout(LONG).health_policy(None);
    let builder = builder.on_event(move |event| {
        if let Event::Disconnected { .. } = event {
            tell.send(()).unwrap();
        }
    });
    let client = builder.build().unwrap();
    let keys: Vec<_> = (0..60).map(|number| format!("key:{number}")).collect();
    let (lost, found): (Vec<_>, Vec<_>) = keys.iter().partition(|key| *client.server_of(key) == *full.name());
    let begin = Instant::now();
    for key in &lost {
        let error = client.set(key, "v", Ttl::NEVER).unwrap_err();
        assert!(error.kind() == ErrorKind::Connect && !error.is_ambiguous(), "{error:?}");
        let text = format!("set on {}: not connected: address not available", full.name());
        assert_eq!(error.to_string(), text);
    }
    // Each has tried once.
    assert_eq!(told.try_iter().count(), lost.len());
    assert!(begin.elapsed() < LONG / 2, "{:?}", begin.elapsed());
    // The same ports lead to other servers.
    let many = client.get_many(&keys).unwrap();
    assert_eq!((many.errors().len(), many.hits().count()), (1, 0));
    assert_eq!(many.results().iter().filter(|result| result.is_ok()).count(), found.len());
    taken.pop();
    for key in &lost {
        client.set(key, "v", Ttl::NEVER).unwrap();
        assert_eq!(client.get(key).unwrap().unwrap().value, b"v");
    }
}
