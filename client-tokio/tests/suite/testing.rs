//! The server in the process.

use memring_tokio::{Client, ErrorKind, Ttl, testing::Server};

#[tokio::test]
async fn it_holds_what_clients_store_until_it_stops() {
    let server = Server::start().await.unwrap();
    let name = server.addr().to_string();
    let clients = [Client::connect([&*name]).unwrap(), Client::connect([&*name]).unwrap()];
    clients[0].set("k", "v", Ttl::NEVER).await.unwrap();
    assert_eq!(clients[1].get("k").await.unwrap().unwrap().value, "v");
    assert_eq!(server.connections(), 2);
    server.stop();
    assert!(clients[0].get("k").await.is_err());
    let again = loop {
        match Server::bind(&*name).await {
            Ok(server) => break server,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    assert!(clients[0].get("k").await.unwrap().is_none());
    drop(again);
}

#[tokio::test]
async fn it_takes_no_more_connections_than_it_may() {
    let server = Server::builder().connections(1).start().await.unwrap();
    let name = server.addr().to_string();
    let first = Client::connect([&*name]).unwrap();
    first.get("k").await.unwrap();
    let second = Client::connect([&*name]).unwrap();
    assert_eq!(second.get("k").await.unwrap_err().kind(), ErrorKind::TooManyConnections);
    first.close().await;
    while server.connections() > 0 {
        tokio::task::yield_now().await;
    }
    assert!(second.get("k").await.unwrap().is_none());
}

#[tokio::test]
async fn it_lets_in_only_those_who_know_the_password() {
    let server = Server::builder().auth("ada", "secret").start().await.unwrap();
    let builder = Client::builder().servers([server.addr().to_string()]);
    let stranger = builder.clone().build().unwrap();
    assert_eq!(stranger.get("k").await.unwrap_err().kind(), ErrorKind::Auth);
    let known = builder.auth("ada", "secret").build().unwrap();
    assert!(known.get("k").await.unwrap().is_none());
    assert!(Server::builder().auth("", "").memory(1 << 20).item_size_max(1000).start().await.is_err());
}

#[tokio::test]
async fn what_can_be_no_password_is_told_at_once() {
    for (user, password) in
        [("", "p"), ("u", ""), ("u v", "p"), ("u:v", "p"), ("u", "p q"), ("u", "p\r\nversion")]
    {
        assert!(Server::builder().auth(user, password).start().await.is_err());
    }
    let shown = format!("{:?}", Server::builder().auth("alice", "s3cret"));
    assert!(!shown.contains("alice") && !shown.contains("s3cret"), "{shown}");
}
