//! Values that pass piece by piece, on the server of the process and on a real memcached.

use core::time::Duration;
use core::{
    pin::Pin,
    task::{Context, Poll},
};
use std::io;

use memring_tokio::{Attributes, Client, Error, ErrorKind, Limits, StatsKind, Ttl};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf},
    task::JoinHandle,
};

use crate::health::until;
use crate::support::{Fleet, Scripted, client_of, on_both};

on_both! {
    values_of_any_length_pass_both_ways
    a_source_that_ends_early_stores_nothing
    a_source_that_fails_stores_nothing
    a_sink_that_fails_is_said_so
    what_is_too_large_is_refused
    a_miss_writes_nothing
}

fn hour() -> Ttl {
    Ttl::seconds(3600)
}

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|index| (index % 251) as u8).collect()
}

async fn values_of_any_length_pass_both_ways(fleet: &Fleet) {
    let client = &fleet.client;
    for len in [0, 1, 16_000, 32 * 1024, 32 * 1024 + 1, 1_000_000] {
        let value = bytes(len);
        let attributes = Attributes { flags: 7, ttl: hour() };
        // What the source has beyond the value is left there.
        let longer = [&value[..], b"more"].concat();
        let mut source = &longer[..];
        client.set_from("k", len, &mut source, attributes).await.unwrap();
        assert_eq!(source, b"more");
        assert_eq!(client.get("k").await.unwrap().unwrap().value, value);
        let mut sink = Vec::new();
        let item = client.get_to("k", &mut sink).await.unwrap().unwrap();
        assert_eq!((item.flags, item.value), (7, len));
        assert!(sink == value);
    }
}

async fn a_source_that_ends_early_stores_nothing(fleet: &Fleet) {
    let client = &fleet.client;
    client.set("k", "old", hour()).await.unwrap();
    for given in [0, 10, 100_000] {
        let error = client.set_from("k", 200_000, &bytes(given)[..], hour()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Stream);
        assert!(!error.is_ambiguous(), "{error:?}");
    }
    assert_eq!(client.get("k").await.unwrap().unwrap().value, "old");
}

/// Gives and takes a few bytes, then fails.
struct Failing(usize);

impl AsyncRead for Failing {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let len = self.0.min(room.remaining());
        self.0 -= len;
        room.put_slice(&vec![0; len]);
        Poll::Ready(if len > 0 { Ok(()) } else { Err(io::ErrorKind::Other.into()) })
    }
}

impl AsyncWrite for Failing {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let len = self.0.min(bytes.len());
        self.0 -= len;
        Poll::Ready(if len > 0 { Ok(len) } else { Err(io::ErrorKind::Other.into()) })
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

async fn a_source_that_fails_stores_nothing(fleet: &Fleet) {
    let client = &fleet.client;
    client.set("k", "old", hour()).await.unwrap();
    let error = client.set_from("k", 200_000, Failing(70_000), hour()).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Stream, "set_from"));
    assert_eq!(client.get("k").await.unwrap().unwrap().value, "old");
}

async fn a_sink_that_fails_is_said_so(fleet: &Fleet) {
    let client = &fleet.client;
    client.set("k", bytes(500_000), hour()).await.unwrap();
    let error = client.get_to("k", Failing(70_000)).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Stream, "get_to"));
    assert_eq!(client.get("k").await.unwrap().unwrap().value.len(), 500_000);
}

async fn what_is_too_large_is_refused(fleet: &Fleet) {
    let client = &fleet.client;
    let large = bytes((1 << 20) + 1);
    let mut source = &large[..];
    let error = client.set_from("k", large.len(), &mut source, hour()).await.unwrap_err();
    assert_eq!((error.kind(), source.len()), (ErrorKind::TooLarge, large.len()));
    // The server's own limit is a little less than the client's.
    let error = client.set_from("k", 1 << 20, &large[..], hour()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.server_error().is_some());
    let limits = Limits { value: 1000, ..Limits::DEFAULT };
    client.set("k", bytes(1001), hour()).await.unwrap();
    let strict = Client::builder().servers(&fleet.names).limits(limits).build().unwrap();
    let error = strict.get_to("k", &mut Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

async fn a_miss_writes_nothing(fleet: &Fleet) {
    let mut sink = Vec::new();
    assert!(fleet.client.get_to("k", &mut sink).await.unwrap().is_none());
    assert!(sink.is_empty());
    assert_eq!(fleet.client.get_to("a b", &mut sink).await.unwrap_err().kind(), ErrorKind::Key);
}

#[tokio::test]
async fn small_values_do_not_wait_for_a_large_one() {
    let fleet = Fleet::embedded(1);
    let client = &fleet.client;
    client.set("small", "v", hour()).await.unwrap();
    let (mut near, far) = tokio::io::duplex(16);
    let upload = client.set_from("large", 10, far, hour());
    let small = async {
        assert!(client.get("small").await.unwrap().is_some());
        near.write_all(b"0123456789").await.unwrap();
    };
    let (stored, ()) = tokio::join!(upload, small);
    stored.unwrap();
    assert_eq!(client.get("large").await.unwrap().unwrap().value, "0123456789");
}

/// The timeout is for each piece, not for all of them.
#[tokio::test]
async fn as_long_as_bytes_move_it_goes_on() {
    let server = Scripted::new(|mut peer| {
        while peer.line().is_some() {
            peer.write("VALUE k 0 10\r\n");
            for _ in 0..10 {
                std::thread::sleep(Duration::from_millis(80));
                peer.write("v");
            }
            peer.write("\r\nEND\r\n");
        }
    });
    let client = client_of(&server, Duration::from_millis(500));
    let mut sink = Vec::new();
    assert_eq!(client.get_to("k", &mut sink).await.unwrap().unwrap().value, 10);
    assert_eq!(client.get("k").await.unwrap_err().kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn a_server_that_hangs_costs_one_timeout() {
    let client = client_of(&Scripted::silent(), Duration::from_millis(200));
    let value = bytes(1000);
    crate::support::ends_at(Duration::from_millis(200), async {
        assert!(client.get_to("k", &mut Vec::new()).await.unwrap_err().is_timeout());
    })
    .await;
    let error = client.set_from("k", 1000, &value[..], hour()).await.unwrap_err();
    assert!(error.is_timeout() && error.is_ambiguous(), "{error:?}");
}

#[tokio::test]
async fn nothing_is_streamed_after_the_client_is_closed() {
    let server = Scripted::silent();
    let client = client_of(&server, Duration::from_secs(10));
    client.close().await;
    let value = bytes(1000);
    let stored = client.set_from("k", 1000, &value[..], hour()).await;
    let read = client.get_to("k", &mut Vec::new()).await;
    assert_eq!(stored.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(read.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(server.connections(), 0);
}

/// A value that is being stored, as long as nothing comes of its source; and the source's other end.
fn upload(client: &Client, key: &str) -> (JoinHandle<Result<(), Error>>, DuplexStream) {
    let (near, far) = tokio::io::duplex(16);
    let (client, key) = (client.clone(), key.to_owned());
    (tokio::spawn(async move { client.set_from(key, 10, far, hour()).await }), near)
}

#[tokio::test]
async fn a_closed_client_has_streamed_what_was_under_way() {
    let fleet = Fleet::embedded(1);
    let client = fleet.client.clone();
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
    let item = fleet.alone(&fleet.names[0]).get("k").await.unwrap();
    assert_eq!(item.unwrap().value, "0123456789");
}

#[tokio::test]
async fn what_is_not_through_when_the_time_is_over_is_broken_off() {
    let (server, deadline) = (Scripted::silent(), Duration::from_millis(300));
    let client = client_of(&server, deadline);
    // Its source takes its time, for which there is no limit otherwise.
    let (stored, _source) = upload(&client, "k");
    until("the head of it has left", async || server.received().ends_with("10\r\n").then_some(())).await;
    crate::support::ends_at(deadline, client.close()).await;
    let error = stored.await.unwrap().unwrap_err();
    assert!(error.kind() == ErrorKind::Closed && error.is_ambiguous(), "{error:?}");
    assert_eq!(client.servers()[0].connections, 0);
}

#[tokio::test]
async fn more_than_a_few_take_turns() {
    let fleet = Fleet::embedded(1);
    let client = &fleet.client;
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
    client.set_from("k", 10, &b"short"[..], hour()).await.unwrap_err();
    assert_eq!((counts().connected, counts().disconnected, counts().errors), (3, 1, 1));
}

/// As many lines as `stats conns` has of 17,000 connections, slower than the timeout is; then an error, and silence.
#[tokio::test]
async fn statistics_of_any_number_of_lines_pass_one_by_one() {
    let server = Scripted::new(|mut peer| {
        let lines: String =
            (0..10_000).map(|number| format!("STAT {number}:state listening now\r\n")).collect();
        while let Some(line) = peer.line() {
            match &*line {
                "stats conns" => {
                    for _ in 0..10 {
                        std::thread::sleep(Duration::from_millis(80));
                        peer.write(&lines);
                    }
                    peer.write("END\r\n");
                }
                "stats sizes" => peer.write("SERVER_ERROR no such thing\r\n"),
                "stats" => peer.write("STAT pid 1\r\nSTAT"),
                _ => peer.write("END\r\n"),
            }
        }
    });
    let client = client_of(&server, Duration::from_millis(500));
    client.get("k").await.unwrap();
    let (mut lines, mut last) = (0, None);
    let answers = client
        .stats_with(StatsKind::Conns, |name, stat, value| {
            lines += 1;
            last = Some((name.to_owned(), stat.to_vec(), value.to_vec()));
        })
        .await;
    assert!(matches!(&answers[..], [answer] if answer.result.is_ok() && *answer.server == *server.name()));
    assert_eq!(lines, 100_000);
    assert_eq!(last.unwrap(), (server.name(), b"9999:state".to_vec(), b"listening now".to_vec()));
    // What is gathered has a limit, and takes no longer than the timeout.
    let gathered = client.stats(StatsKind::Conns).await.remove(0).result.unwrap_err();
    assert!([ErrorKind::Protocol, ErrorKind::Timeout].contains(&gathered.kind()), "{gathered}");
    for (kind, expected, seen) in
        [(StatsKind::Sizes, ErrorKind::Server, 0), (StatsKind::General, ErrorKind::Timeout, 1)]
    {
        let mut lines = 0;
        let error = client.stats_with(kind, |_, _, _| lines += 1).await.remove(0).result.unwrap_err();
        assert_eq!((error.kind(), lines), (expected, seen), "{error}");
    }
    client.get("k").await.unwrap();
}
