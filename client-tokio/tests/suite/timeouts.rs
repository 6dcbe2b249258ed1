//! Callers of one connection who have not the same patience.

use core::time::Duration;
use std::thread;

use memring_std::testing::Server;
use memring_suite::{BlackHole, Scripted};
use memring_tokio::{Client, ErrorKind, Ttl};
use tokio::task::JoinSet;

use crate::support::{LONG, builder, client_of, ends_at, until};

const MS: Duration = Duration::from_millis(1);

/// Answers each line after `delay`, with the key for a value.
fn slow(delay: Duration) -> Scripted {
    Scripted::new(move |mut peer| {
        while let Some(line) = peer.line() {
            thread::sleep(delay);
            for key in line.split(' ').skip(1) {
                peer.write(format!("VALUE {key} 0 {}\r\n{key}\r\n", key.len()));
            }
            peer.write("END\r\n");
        }
    })
}

async fn value(client: &Client, key: &str) -> Result<String, ErrorKind> {
    let item = client.get(key).await.map_err(|error| error.kind())?;
    Ok(String::from_utf8(item.expect("a hit").value.to_vec()).unwrap())
}

#[tokio::test]
async fn the_impatience_of_one_does_not_end_what_others_wait_for() {
    let server = slow(200 * MS);
    let client = client_of(&server, 5000 * MS);
    let hasty = client.with_timeout(50 * MS);
    let other = tokio::spawn({
        let client = client.clone();
        async move { value(&client, "other").await }
    });
    tokio::task::yield_now().await;
    let error = ends_at(50 * MS, hasty.get("hasty")).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Timeout && !error.is_ambiguous());
    let found = ends_at(50 * MS, hasty.get_many(&["a", "b"])).await.unwrap();
    assert_eq!(found.errors().len(), 1);
    assert!(found.results().iter().all(|result| result.as_ref().is_err_and(|e| e.is_timeout())));
    assert!(hasty.set("k", "v", Ttl::NEVER).await.unwrap_err().is_timeout());
    assert_eq!(other.await.unwrap().unwrap(), "other");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_request_that_is_given_up_before_it_leaves_is_not_ambiguous() {
    // Its connection is never accepted in time: nothing was sent, and nothing can have happened.
    let hole = BlackHole::new();
    let client = crate::support::client(&[hole.name()], 2000 * MS).with_timeout(50 * MS);
    let error = ends_at(50 * MS, client.set("k", "v", Ttl::NEVER)).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Timeout && !error.is_ambiguous(), "{error:?}");
}

#[tokio::test]
async fn who_is_patient_gets_the_reply_while_those_behind_are_told() {
    let server = slow(600 * MS);
    let client = client_of(&server, 200 * MS);
    let patient = client.with_timeout(5000 * MS);
    let first = tokio::spawn(async move { value(&patient, "first").await });
    while !server.received().contains("first") {
        tokio::time::sleep(MS).await;
    }
    let mut tasks = JoinSet::new();
    for _ in 0..10 {
        let client = client.clone();
        tasks.spawn(async move { ends_at(200 * MS, client.get("second")).await.unwrap_err().kind() });
    }
    assert!(tasks.join_all().await.into_iter().all(|kind| kind == ErrorKind::Timeout));
    assert_eq!(first.await.unwrap().unwrap(), "first");
    // Their replies come, and are thrown away.
    assert_eq!(value(&client.with_timeout(5000 * MS), "third").await.unwrap(), "third");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn what_cannot_be_written_yet_has_its_deadline_too() {
    // Reads nothing for a while: the first value fills the socket, and what is queued behind it stays queued.
    let server = Scripted::new(|peer| {
        thread::sleep(3000 * MS);
        drop(peer);
    });
    let client = client_of(&server, 200 * MS);
    let patient = client.with_timeout(5000 * MS);
    let first = tokio::spawn(async move {
        let items = vec![("k", vec![0; 1 << 20]); 4];
        patient.set_many(&items, Ttl::NEVER).await.unwrap().errors().len()
    });
    tokio::time::sleep(50 * MS).await;
    for _ in 0..2 {
        let error = ends_at(200 * MS, client.get("second")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
    }
    assert_eq!(first.await.unwrap(), 1);
}

#[test]
fn without_a_runtime_there_is_an_error_and_no_panic() {
    let client = Client::connect(["127.0.0.1:1"]).unwrap();
    let mut get = core::pin::pin!(client.get("k"));
    let mut cx = core::task::Context::from_waker(core::task::Waker::noop());
    let core::task::Poll::Ready(result) = get.as_mut().poll(&mut cx) else { panic!("it cannot wait") };
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Config);
}

#[tokio::test]
async fn connections_do_not_rest_for_ever() {
    let server = Server::start().unwrap();
    let rest = Duration::from_millis(100);
    let client = builder(&[server.addr().to_string()]).idle_timeout(rest).timeout(LONG).build().unwrap();
    for _ in 0..2 {
        client.set("k", "v", Ttl::NEVER).await.unwrap();
        until("it is closed", async || (client.servers()[0].connections == 0).then_some(())).await;
        until("the server sees it, too", async || (server.connections() == 0).then_some(())).await;
    }
    assert!(!client.servers()[0].health.is_down());
}
