//! A peer that vanishes, and a host that has no port left: each in a network of its own.

use core::time::Duration;
use std::{fs, net::TcpStream, time::Instant};

use memring_std::{ErrorKind, Event, HealthPolicy, Ttl};
use memring_suite::{Memcached, alone_in_a_network, has_own_network, link};

use crate::{
    client::Client,
    run::promises,
    support::{ends_at, named},
};

use socket2::SockRef;

promises! {
    #[ignore = "takes its network down: the test above runs it in one of its own"] where_a_peer_vanishes
    #[ignore = "takes its network down: the test above runs it in one of its own"] where_nothing_is_acknowledged
    #[ignore = "changes the ports of its network: the test above runs it in one of its own"] where_four_ports_are_all
    a_peer_that_vanishes_costs_one_deadline_and_its_connection
    a_peer_that_acknowledges_nothing_is_given_up_before_a_long_timeout
    without_a_local_port_there_is_a_connect_error_until_there_is_one
}

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

async fn a_peer_that_vanishes_costs_one_deadline_and_its_connection<C: Client>() {
    alone_in_a_network(&named::<C>("network", "where_a_peer_vanishes"));
}

async fn where_a_peer_vanishes<C: Client>() {
    let (server, (_unix, path)) = (Memcached::start(), Memcached::start_unix());
    let names = [server.name(), path.to_str().unwrap().to_owned()];
    let client = C::builder().servers(&names).timeout(DEADLINE).health_policy(TOUCHY).build().unwrap();
    let items: Vec<_> = (0..60).map(|number| format!("key:{number}")).map(|key| (key.clone(), key)).collect();
    let keys: Vec<_> = items.iter().map(|(key, _)| key).collect();
    let (lost, found): (Vec<&String>, Vec<_>) =
        keys.iter().partition(|key| *client.server_of(key) == *names[0]);
    for is_busy in [false, true] {
        client.set_many(&items, Ttl::NEVER).await.unwrap().all().unwrap();
        assert_eq!(client.servers()[0].connections, 1);
        if is_busy {
            server.signal("STOP");
        }
        let get = {
            let (client, key) = (client.clone(), lost[0].clone());
            async move || ends_at(DEADLINE, client.get(key)).await.unwrap_err()
        };
        let error = if is_busy {
            let busy = C::spawn(get);
            C::until("it has asked", async || (client.servers()[0].waiting == 1).then_some(())).await;
            link("down");
            busy.join().await
        } else {
            link("down");
            get().await
        };
        assert_eq!((error.kind(), error.server()), (ErrorKind::Timeout, Some(&*names[0])));
        let status = &client.servers()[0];
        assert_eq!((status.connections, status.waiting, status.health.is_down()), (0, 0, true));
        // From now on it costs nothing, and the other server has noticed nothing.
        let begin = Instant::now();
        for key in &lost {
            assert_eq!(client.get(key).await.unwrap_err().kind(), ErrorKind::Down);
        }
        let many = client.get_many(&keys).await.unwrap();
        assert_eq!((many.hits().count(), many.errors().len()), (found.len(), 1));
        assert!(begin.elapsed() < DEADLINE, "{:?}", begin.elapsed());
        link("up");
        server.signal("CONT");
        let item = C::until("it is back", async || client.get(lost[0]).await.ok()).await;
        assert_eq!(item.unwrap().value, lost[0].as_bytes());
    }
}

async fn a_peer_that_acknowledges_nothing_is_given_up_before_a_long_timeout<C: Client>() {
    alone_in_a_network(&named::<C>("network", "where_nothing_is_acknowledged"));
}

/// The system does that, as it was told (`TCP_USER_TIMEOUT`).
async fn where_nothing_is_acknowledged<C: Client>() {
    let server = Memcached::start();
    let client = C::builder().servers([server.name()]).timeout(DEADLINE).build().unwrap();
    client.set("k", "v", Ttl::NEVER).await.unwrap();
    link("down");
    let begin = Instant::now();
    let error = client.with_timeout(LONG).set("k", "v", Ttl::NEVER).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Closed && error.is_ambiguous(), "{error:?}");
    assert!(error.to_string().ends_with(": connection closed: timed out"), "{error}");
    assert!(begin.elapsed() < LONG / 2, "{:?}", begin.elapsed());
    assert_eq!(client.servers()[0].connections, 0);
    link("up");
    client.set("k", "v", Ttl::NEVER).await.unwrap();
}

async fn without_a_local_port_there_is_a_connect_error_until_there_is_one<C: Client>() {
    alone_in_a_network(&named::<C>("network", "where_four_ports_are_all"));
}

async fn where_four_ports_are_all<C: Client>() {
    let (full, other) = (Memcached::start(), Memcached::start());
    assert!(has_own_network());
    fs::write("/proc/sys/net/ipv4/ip_local_port_range", "40000 40003").unwrap();
    let take = || TcpStream::connect(full.addr()).ok();
    // So that its port is free at once when it is closed.
    let linger = |stream: &TcpStream| SockRef::from(stream).set_linger(Some(Duration::ZERO)).unwrap();
    let mut taken: Vec<_> = (0..).map_while(|_| take()).inspect(linger).collect();
    assert_eq!(taken.len(), 4);
    let (tell, told) = std::sync::mpsc::channel();
    let builder = C::builder().servers([full.name(), other.name()]).timeout(LONG).health_policy(None);
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
        let error = client.set(key, "v", Ttl::NEVER).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Connect && !error.is_ambiguous(), "{error:?}");
        let text = format!("set on {}: not connected: address not available", full.name());
        assert_eq!(error.to_string(), text);
    }
    // Each has tried once.
    assert_eq!(told.try_iter().count(), lost.len());
    assert!(begin.elapsed() < LONG / 2, "{:?}", begin.elapsed());
    // The same ports lead to other servers.
    let many = client.get_many(&keys).await.unwrap();
    assert_eq!((many.errors().len(), many.hits().count()), (1, 0));
    assert_eq!(many.results().iter().filter(|result| result.is_ok()).count(), found.len());
    taken.pop();
    for key in &lost {
        client.set(key, "v", Ttl::NEVER).await.unwrap();
        assert_eq!(client.get(key).await.unwrap().unwrap().value, b"v"[..]);
    }
}
