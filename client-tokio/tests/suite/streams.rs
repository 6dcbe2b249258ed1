//! Values that are streamed: each over a connection of its own, a few at a time.

use core::time::Duration;

use memring_std::testing::Server;
use memring_suite::{Memcached, Scripted};
use memring_tokio::{Client, ErrorKind, Ttl};
use tokio::{io::AsyncWriteExt as _, time::sleep};

use crate::support::{LONG, TOUCHY, builder, client_of, until, upload};

#[tokio::test]
async fn small_values_do_not_wait_for_a_large_one() {
    let server = Server::start().unwrap();
    let client = &Client::connect([server.addr()]).unwrap();
    client.set("small", "v", Ttl::NEVER).await.unwrap();
    let (mut near, far) = tokio::io::duplex(16);
    let upload = client.set_from("large", 10, far, Ttl::NEVER);
    let small = async {
        assert!(client.get("small").await.unwrap().is_some());
        near.write_all(b"0123456789").await.unwrap();
    };
    let (stored, ()) = tokio::join!(upload, small);
    stored.unwrap();
    assert_eq!(client.get("large").await.unwrap().unwrap().value, "0123456789");
}

#[tokio::test]
async fn more_than_a_few_take_turns() {
    let server = Server::start().unwrap();
    let client = &Client::connect([server.addr()]).unwrap();
    let uploads: Vec<_> = (0..40).map(|number| upload(client, &number.to_string())).collect();
    until("there is no room left", async || (client.servers()[0].counts.connected == 16).then_some(())).await;
    let error =
        client.with_timeout(Duration::from_millis(50)).get_to("0", &mut Vec::new()).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Timeout && error.is_retryable(), "{error:?}");
    assert_eq!((client.servers()[0].connections, client.servers()[0].counts.connected), (16, 16));
    for (stored, mut source) in uploads {
        source.write_all(b"0123456789").await.unwrap();
        stored.await.unwrap().unwrap();
    }
    assert_eq!((client.servers()[0].connections, client.servers()[0].counts.connected), (0, 40));
}

#[tokio::test]
async fn the_connections_of_streams_are_seen_too() {
    let server = Scripted::answering("END\r\n");
    let client = client_of(&server, Duration::from_secs(10));
    let counts = || client.servers()[0].counts;
    assert!(client.get_to("k", &mut Vec::new()).await.unwrap().is_none());
    assert_eq!((counts().operations, counts().connected, counts().disconnected), (1, 1, 0));
    client.get_to("k", &mut Vec::new()).await.unwrap();
    assert_eq!((counts().connected, counts().disconnected, counts().errors), (2, 0, 0));
    client.set_from("k", 10, &b"short"[..], Ttl::NEVER).await.unwrap_err();
    assert_eq!((counts().connected, counts().disconnected, counts().errors), (3, 1, 1));
}

#[tokio::test]
async fn who_streams_waits_for_a_turn_at_a_server_that_is_full() {
    let server = Memcached::start_with(&["-c", "40"]);
    let client =
        builder(&[server.name()]).timeout(Duration::from_secs(1)).health_policy(TOUCHY).build().unwrap();
    client.set("k", "v", Ttl::NEVER).await.unwrap();
    let peers = server.peers(1000);
    let error = client.get_to("k", &mut tokio::io::sink()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(client.get("k").await.unwrap().is_some(), "nothing is held against the server");
    let patient = client.with_timeout(LONG);
    let stored = tokio::spawn(async move { patient.set_from("s", 5, &b"value"[..], Ttl::NEVER).await });
    sleep(Duration::from_millis(200)).await;
    drop(peers);
    stored.await.unwrap().unwrap();
    assert_eq!(client.get("s").await.unwrap().unwrap().value, "value");
}
