//! Servers that want to know who asks, and servers that do not.

use core::time::Duration;

use memring_std::{ErrorKind, Ttl, testing::Server};
use memring_suite::{File, Memcached, Scripted};

use crate::{
    client::{Builder, Client},
    run::promises,
    support::ends_at,
};

promises! {
    who_says_the_right_password_is_let_in
    who_says_a_wrong_password_or_none_is_told
    one_operation_asks_once
    every_connection_says_it_once_and_first
    a_server_that_does_not_ask_keeps_nothing
    a_server_that_says_nothing_to_a_password_costs_the_connect_timeout
    what_can_be_no_password_is_told_at_once
    who_is_somebody_else_from_now_on_says_so_on_another_connection
}

const DEADLINE: Duration = Duration::from_millis(500);

/// Long enough never to be reached.
const LONG: Duration = Duration::from_secs(20);

/// A memcached and our own server, both of which know `alice`; their names.
fn servers() -> (Memcached, Server, [String; 2]) {
    let file = File::new("bob:hunter2\nalice:s3cret\n");
    let memcached = Memcached::start_with(&["-Y", file.path()]);
    let ours = Server::builder().auth("bob", "hunter2").auth("alice", "s3cret").start().unwrap();
    let names = [memcached.name(), ours.addr().to_string()];
    (memcached, ours, names)
}

fn builder<C: Client>(name: &str) -> Builder<C> {
    C::builder().servers([name]).timeout(LONG).connect_timeout(LONG)
}

async fn who_says_the_right_password_is_let_in<C: Client>() {
    let (_memcached, _ours, names) = servers();
    for name in &names {
        let client = builder::<C>(name).auth("alice", "s3cret").build().unwrap();
        client.set("k", "v", Ttl::NEVER).await.unwrap();
        assert_eq!(client.get("k").await.unwrap().unwrap().value, b"v"[..]);
        let many = client.get_many(&["k", "l"]).await.unwrap();
        assert_eq!((many.hits().count(), many.errors().len()), (1, 0));
        assert!(client.version().await.iter().all(|answer| answer.result.is_ok()));
        assert_eq!((client.servers()[0].connections, client.servers()[0].waiting), (1, 0));
    }
}

async fn who_says_a_wrong_password_or_none_is_told<C: Client>() {
    let (_memcached, _ours, names) = servers();
    for name in &names {
        let wrong = [
            builder::<C>(name).auth("alice", "hunter2"),
            builder::<C>(name).auth("carol", "s3cret"),
            builder::<C>(name),
        ];
        for client in wrong.map(|builder| builder.build().unwrap()) {
            for error in
                [client.get("k").await.unwrap_err(), client.set("k", "v", Ttl::NEVER).await.unwrap_err()]
            {
                assert_eq!(error.kind(), ErrorKind::Auth);
                assert!(!error.is_retryable() && !error.is_timeout());
                let shown = format!("{error} {error:?} {client:?}");
                assert!(
                    ["alice", "hunter2", "carol"].iter().all(|secret| !shown.contains(secret)),
                    "{shown}"
                );
            }
            let many = client.get_many(&["k", "l"]).await.unwrap();
            assert_eq!((many.hits().count(), many.errors().len()), (0, 1));
            assert_eq!(many.errors()[0].kind(), ErrorKind::Auth);
            assert_eq!(client.servers()[0].connections, 0, "never used again");
        }
    }
}

async fn one_operation_asks_once<C: Client>() {
    let server = Scripted::answering("CLIENT_ERROR authentication failure\r\n");
    let client = builder::<C>(&server.name()).auth("alice", "s3cret").build().unwrap();
    for asked in 1..4 {
        let error = client.set("k", "v", Ttl::NEVER).await.unwrap_err();
        assert_eq!((error.kind(), error.is_ambiguous()), (ErrorKind::Auth, false));
        assert_eq!(server.connections(), asked);
    }
    assert!(!server.received().contains(" k "), "nothing else is said");
}

async fn every_connection_says_it_once_and_first<C: Client>() {
    // On the first connection, it answers both lines of the password, one request, and hangs up.
    let server = Scripted::new(|mut peer| {
        let (_, _) = (peer.line(), peer.line());
        peer.write("STORED\r\n");
        while peer.line().is_some() {
            peer.write("END\r\n");
            if peer.number == 0 {
                return;
            }
        }
    });
    let client = builder::<C>(&server.name()).auth("alice", "s3cret").build().unwrap();
    for _ in 0..4 {
        assert!(client.get("k").await.unwrap().is_none());
    }
    let password = "set x 0 -1 12\r\nalice s3cret\r\n";
    let requests = |count| "get k\r\n".repeat(count);
    assert_eq!(server.received(), format!("{password}{}{password}{}", requests(1), requests(3)));
}

async fn a_server_that_does_not_ask_keeps_nothing<C: Client>() {
    let memcached = Memcached::start();
    let client = builder::<C>(&memcached.name()).auth("alice", "s3cret").build().unwrap();
    assert!(client.get("k").await.unwrap().is_none());
    assert!(client.get("x").await.unwrap().is_none(), "the key under which a password is said");
}

async fn a_server_that_says_nothing_to_a_password_costs_the_connect_timeout<C: Client>() {
    let server = Scripted::silent();
    let client =
        builder::<C>(&server.name()).auth("alice", "s3cret").connect_timeout(DEADLINE).build().unwrap();
    let error = ends_at(DEADLINE, client.get("k")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.is_timeout() && error.is_retryable());
}

async fn what_can_be_no_password_is_told_at_once<C: Client>() {
    for (user, password) in
        [("", "p"), ("u", ""), ("u v", "p"), ("u:v", "p"), ("u", "p q"), ("u", "p\r\nversion")]
    {
        let error = builder::<C>("localhost").auth(user, password).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(!error.to_string().contains("version"));
        assert!(Server::builder().auth(user, password).start().is_err());
    }
    let shown = format!(
        "{:?} {:?}",
        builder::<C>("localhost").auth("alice", "s3cret"),
        Server::builder().auth("alice", "s3cret")
    );
    assert!(!shown.contains("alice") && !shown.contains("s3cret"), "{shown}");
}

async fn who_is_somebody_else_from_now_on_says_so_on_another_connection<C: Client>() {
    let (_memcached, ours, _) = servers();
    let named = |user: &str| format!("one=memcached://{user}@{}", ours.addr());
    let client =
        C::builder().servers([named("alice:s3cret")]).timeout(LONG).connect_timeout(LONG).build().unwrap();
    client.set("k", "v", Ttl::NEVER).await.unwrap();
    for (user, kept) in [("alice:s3cret", 1), ("bob:hunter2", 0), ("bob:hunter2", 1), ("alice:s3cret", 0)] {
        client.set_servers([named(user)]).unwrap();
        assert_eq!(client.servers()[0].connections, kept, "{user}");
        assert_eq!(client.get("k").await.unwrap().unwrap().value, b"v"[..]);
    }
    // No connection of who was let in before answers for who is not.
    client.set_servers([named("alice:hunter2")]).unwrap();
    assert_eq!(client.get("k").await.unwrap_err().kind(), ErrorKind::Auth);
}
