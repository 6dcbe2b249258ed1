//! A client that is closed: what is under way comes to its end, or the time for it does.

use core::time::Duration;
use std::thread;

use memring_std::testing::Server;
use memring_suite::{Scripted, Stopwatch};
use memring_tokio::{Client, ErrorKind, Ttl};
use tokio::io::AsyncWriteExt as _;

use crate::support::{client_of, ends_at, until, upload};

#[tokio::test]
async fn a_closed_client_has_answered_what_was_under_way() {
    let server = Scripted::new(|mut peer| {
        while peer.line().is_some() {
            thread::sleep(Duration::from_millis(100));
            peer.write("END\r\n");
        }
    });
    let client = client_of(&server, Duration::from_secs(9));
    let get = tokio::spawn({
        let client = client.clone();
        async move { client.get("k").await }
    });
    while server.received().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    client.close().await;
    assert!(get.await.unwrap().unwrap().is_none());
    assert_eq!(client.servers()[0].connections, 0);
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
    for error in [client.get("k").await.unwrap_err(), client.set_servers(["a"]).unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
    }
    client.close().await;
}

#[tokio::test]
async fn to_close_takes_no_longer_than_the_timeout() {
    let server = Scripted::silent();
    let deadline = Duration::from_millis(300);
    let client = client_of(&server, deadline);
    let get = tokio::spawn({
        let client = client.clone();
        async move { client.get("k").await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let watch = Stopwatch::start();
    client.close().await;
    assert!(watch.took() < deadline);
    assert_eq!(get.await.unwrap().unwrap_err().kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn nothing_is_streamed_after_the_client_is_closed() {
    let server = Scripted::silent();
    let client = client_of(&server, Duration::from_secs(10));
    client.close().await;
    let value = [b'v'; 1000];
    let stored = client.set_from("k", 1000, &value[..], Ttl::NEVER).await;
    let read = client.get_to("k", &mut Vec::new()).await;
    assert_eq!(stored.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(read.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_closed_client_has_streamed_what_was_under_way() {
    let server = Server::start().unwrap();
    let client = Client::connect([server.addr()]).unwrap();
    let (stored, mut source) = upload(&client, "k");
    until("it has its connection", async || (client.servers()[0].counts.connected == 1).then_some(())).await;
    assert_eq!(client.servers()[0].connections, 1);
    let closed = tokio::spawn({
        let client = client.clone();
        async move { client.close().await }
    });
    until("nothing more is streamed", async || client.get_to("k", &mut Vec::new()).await.err()).await;
    assert!(!closed.is_finished());
    source.write_all(b"0123456789").await.unwrap();
    stored.await.unwrap().unwrap();
    closed.await.unwrap();
    assert_eq!(client.servers()[0].connections, 0);
    let item = Client::connect([server.addr()]).unwrap().get("k").await.unwrap();
    assert_eq!(item.unwrap().value, "0123456789");
}

#[tokio::test]
async fn what_is_not_through_when_the_time_is_over_is_broken_off() {
    let (server, deadline) = (Scripted::silent(), Duration::from_millis(300));
    let client = client_of(&server, deadline);
    // Its source takes its time, for which there is no limit otherwise.
    let (stored, _source) = upload(&client, "k");
    until("the head of it has left", async || server.received().ends_with("10\r\n").then_some(())).await;
    ends_at(deadline, client.close()).await;
    let error = stored.await.unwrap().unwrap_err();
    assert!(error.kind() == ErrorKind::Closed && error.is_ambiguous(), "{error:?}");
    assert_eq!(client.servers()[0].connections, 0);
}
