//! What can be seen of a client: events, and how often they happened.

use std::sync::{Arc, Mutex, mpsc};

use memring_std::{Batch, ErrorKind, Event, FailurePolicy, ServerCounts, Ttl, testing::Server};
use memring_suite::{Memcached, refusing};

use crate::{
    client::Client,
    health::{DEADLINE, LONG, TOUCHY, builder},
    run::promises,
};

promises! {
    events_tell_what_happens_in_its_order
    what_happens_is_counted
    a_batch_tells_of_each_server_that_stands_in
}

async fn events_tell_what_happens_in_its_order<C: Client>() {
    let mut server = Memcached::start();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let builder = builder::<C>(&[server.name()]).timeout(LONG).on_event({
        let (seen, name) = (Arc::clone(&seen), server.name());
        move |event| {
            assert_eq!(event.server(), Some(&*name));
            let text = format!("{event:?}");
            assert!(!text.contains("secret"), "{text}");
            seen.lock().unwrap().push(text.split([' ', '(']).next().unwrap().to_owned());
        }
    });
    let client = builder.build().unwrap();
    client.set("secret-key", "secret-value", Ttl::NEVER).await.unwrap();
    server.kill();
    C::until("it is down", async || {
        client.get("secret-key").await.err().filter(|error| error.kind() == ErrorKind::Down)
    })
    .await;
    let _server = Memcached::start_on(server.port());
    C::until("it is up", async || client.get("secret-key").await.ok()).await;
    let seen = seen.lock().unwrap();
    let mut order = ["Connected", "Disconnected", "Failed", "ServerDown", "Connected", "ServerUp"].iter();
    let mut next = order.next();
    for event in &*seen {
        if next.is_some_and(|next| next == event) {
            next = order.next();
        }
    }
    assert_eq!(next, None, "{seen:?}");
}

async fn what_happens_is_counted<C: Client>() {
    let mut server = Memcached::start();
    let client = builder::<C>(&[server.name()]).timeout(DEADLINE).build().unwrap();
    let counts = || client.servers()[0].counts;
    assert_eq!(counts(), ServerCounts::default());
    client.set("k", "v", Ttl::NEVER).await.unwrap();
    client.get_many(&["k", "l"]).await.unwrap().all().unwrap();
    assert!(client.get("no key").await.is_err());
    assert_eq!((counts().hits, counts().misses), (1, 1));
    let mut batch = Batch::new();
    let _ = (batch.get("k"), batch.gets("k"), batch.get("missing"), batch.delete("missing"));
    client.run(batch).await.unwrap();
    assert_eq!((counts().hits, counts().misses), (3, 2));
    assert_eq!((counts().operations, counts().connected, counts().errors), (3, 1, 0));
    server.signal("STOP");
    client.get("k").await.unwrap_err();
    server.signal("CONT");
    assert_eq!((counts().errors, counts().timeouts, counts().disconnected), (1, 1, 1));
    client.get("k").await.unwrap();
    server.kill();
    let mut errors = 1;
    let mut is_left_alone = async || {
        errors += 1;
        client.get("k").await.unwrap_err().kind() == ErrorKind::Down
    };
    C::until("it is left alone", async || is_left_alone().await.then_some(())).await;
    let last = counts();
    assert_eq!((last.operations, last.errors, last.timeouts, last.downs), (3 + errors, errors, 1, 1));
    // Who is down is not asked for a share of a batch, either.
    let down = client.get_many(&["k", "l"]).await.unwrap();
    assert_eq!((down.errors()[0].kind(), counts().errors), (ErrorKind::Down, errors + 1));
    assert_eq!((counts().operations, counts().connected), (last.operations, 2));
}

async fn a_batch_tells_of_each_server_that_stands_in<C: Client>() {
    let good = [Server::start().unwrap(), Server::start().unwrap()];
    let gone = refusing();
    let names = [gone.clone(), good[0].addr().to_string(), good[1].addr().to_string()];
    let builder = builder::<C>(&names).failure_policy(FailurePolicy::Fallback).health_policy(TOUCHY);
    let builder = builder.scheme_named("libmemcached-ketama-weighted", [("auto_eject_hosts", "1")]);
    let (tell, told) = mpsc::channel();
    let builder = builder.on_event(move |event| {
        if let Event::Rerouted { server, to, operation, .. } = event {
            tell.send((server.to_string(), to.to_string(), *operation)).unwrap();
        }
    });
    let client = builder.build().unwrap();
    let keys: Vec<_> = (0..60).map(|number| format!("key:{number}")).collect();
    let lost = keys.iter().find(|key| *client.server_of(key) == *gone).unwrap();
    // It is found out on the way.
    client.get(lost).await.unwrap();
    assert_eq!(told.try_iter().count(), 1);
    let mut batch = Batch::new();
    for key in &keys {
        batch.delete(key);
    }
    for name in ["get_many", "run"] {
        match name {
            "run" => assert!(client.run(batch.clone()).await.unwrap().errors().is_empty()),
            _ => drop(client.get_many(&keys).await.unwrap().all().unwrap()),
        }
        let mut told: Vec<_> = told.try_iter().collect();
        told.sort();
        let mut right = [&names[1], &names[2]].map(|to| (gone.clone(), to.clone(), name));
        right.sort();
        assert_eq!(told, right);
    }
    assert_eq!(client.servers()[0].counts.rerouted, 5);
}
