//! Values that pass piece by piece, on the server of the process and on a real memcached.

use core::{
    ops::ControlFlow,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use std::{
    io::{self, Read, Write},
    thread,
};

use memring_std::{Attributes, ErrorKind, Limits, StatsKind, Ttl, WatchKinds};
use memring_suite::Scripted;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    client::Client,
    run::promises,
    support::{Fleet, ends_at, fleet_promises},
};

promises! {
    as_long_as_bytes_move_it_goes_on
    a_server_that_hangs_costs_one_timeout
    the_short_patience_of_a_caller_says_nothing_of_a_server
    statistics_of_any_number_of_lines_pass_one_by_one
    a_dump_passes_line_by_line_until_it_is_enough
    a_log_goes_on_until_it_is_enough
}

fleet_promises! {
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

async fn values_of_any_length_pass_both_ways<C: Client>(fleet: &Fleet<C>) {
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

async fn a_source_that_ends_early_stores_nothing<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    client.set("k", "old", hour()).await.unwrap();
    for given in [0, 10, 100_000] {
        let error = client.set_from("k", 200_000, &bytes(given)[..], hour()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Stream);
        assert!(!error.is_ambiguous(), "{error:?}");
    }
    assert_eq!(client.get("k").await.unwrap().unwrap().value, b"old"[..]);
}

/// Gives and takes a few bytes, then fails.
struct Failing(usize);

impl Read for Failing {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let len = self.0.min(room.len());
        self.0 -= len;
        if len > 0 { Ok(len) } else { Err(io::ErrorKind::Other.into()) }
    }
}

impl Write for Failing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = self.0.min(bytes.len());
        self.0 -= len;
        if len > 0 { Ok(len) } else { Err(io::ErrorKind::Other.into()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Failing {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let len = self.read(room.initialize_unfilled())?;
        room.advance(len);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Failing {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write(bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

async fn a_source_that_fails_stores_nothing<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    client.set("k", "old", hour()).await.unwrap();
    let error = client.set_from("k", 200_000, Failing(70_000), hour()).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Stream, "set_from"));
    assert_eq!(client.get("k").await.unwrap().unwrap().value, b"old"[..]);
}

async fn a_sink_that_fails_is_said_so<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    client.set("k", bytes(500_000), hour()).await.unwrap();
    let error = client.get_to("k", Failing(70_000)).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Stream, "get_to"));
    assert_eq!(client.get("k").await.unwrap().unwrap().value.len(), 500_000);
}

async fn what_is_too_large_is_refused<C: Client>(fleet: &Fleet<C>) {
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
    let strict = C::builder().servers(&fleet.names).limits(limits).build().unwrap();
    let error = strict.get_to("k", &mut Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

async fn a_miss_writes_nothing<C: Client>(fleet: &Fleet<C>) {
    let mut sink = Vec::new();
    assert!(fleet.client.get_to("k", &mut sink).await.unwrap().is_none());
    assert!(sink.is_empty());
    assert_eq!(fleet.client.get_to("a b", &mut sink).await.unwrap_err().kind(), ErrorKind::Key);
}

/// The timeout is for each piece, not for all of them.
async fn as_long_as_bytes_move_it_goes_on<C: Client>() {
    let server = Scripted::new(|mut peer| {
        while peer.line().is_some() {
            peer.write("VALUE k 0 10\r\n");
            for _ in 0..10 {
                thread::sleep(Duration::from_millis(80));
                peer.write("v");
            }
            peer.write("\r\nEND\r\n");
        }
    });
    let client = C::of(&server, Duration::from_millis(500));
    let mut sink = Vec::new();
    assert_eq!(client.get_to("k", &mut sink).await.unwrap().unwrap().value, 10);
    assert_eq!(client.get("k").await.unwrap_err().kind(), ErrorKind::Timeout);
}

async fn a_server_that_hangs_costs_one_timeout<C: Client>() {
    let client = C::of(&Scripted::silent(), Duration::from_millis(200));
    let value = bytes(1000);
    ends_at(Duration::from_millis(200), async {
        assert!(client.get_to("k", &mut Vec::new()).await.unwrap_err().is_timeout());
    })
    .await;
    let error = client.set_from("k", 1000, &value[..], hour()).await.unwrap_err();
    assert!(error.is_timeout() && error.is_ambiguous(), "{error:?}");
}

/// As many lines as `stats conns` has of 17,000 connections, slower than the timeout is; then an error, and silence.
async fn statistics_of_any_number_of_lines_pass_one_by_one<C: Client>() {
    let server = Scripted::new(|mut peer| {
        let lines: String =
            (0..10_000).map(|number| format!("STAT {number}:state listening now\r\n")).collect();
        while let Some(line) = peer.line() {
            match &*line {
                "stats conns" => {
                    for _ in 0..10 {
                        thread::sleep(Duration::from_millis(80));
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
    let client = C::of(&server, Duration::from_millis(500));
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

async fn a_dump_passes_line_by_line_until_it_is_enough<C: Client>() {
    let dumping = |name: &'static str| {
        Scripted::new(move |mut peer| {
            while let Some(line) = peer.line() {
                if line.trim_end() != "lru_crawler metadump all" {
                    peer.write("END\r\n");
                    continue;
                }
                for number in 0..10_000 {
                    peer.write(format!(
                        "key={name}%20{number} exp=-1 la=5 cas={number} fetch=no cls=1 size=64\n"
                    ));
                }
                peer.write("END\r\n");
            }
        })
    };
    let (one, two) = (dumping("one"), dumping("two"));
    let busy = Scripted::new(|mut peer| {
        while peer.line().is_some() {
            peer.write("BUSY currently processing crawler request\r\n");
        }
    });
    let timeout = Duration::from_secs(5);
    let builder = C::builder().servers([one.name(), two.name(), busy.name()]).timeout(timeout);
    let client = builder.build().unwrap();
    let (mut counts, mut size) = ([0, 0], 0);
    let answers = client
        .metadump_with(|server, line| {
            let key: Vec<u8> = line.unescape().collect();
            let at = usize::from(server == two.name());
            assert_eq!(key, format!("{} {}", ["one", "two"][at], counts[at]).as_bytes());
            counts[at] += 1;
            size += line.size().unwrap();
            ControlFlow::Continue(())
        })
        .await;
    assert_eq!((counts, size), ([10_000, 10_000], 20_000 * 64));
    assert!(answers[0].result.is_ok() && answers[1].result.is_ok());
    let error = answers[2].result.as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server);
    assert!(error.to_string().ends_with("server answered BUSY"), "{error}");
    let mut count = 0;
    let answers = client
        .metadump_with(|_, _| {
            count += 1;
            if count == 17 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .await;
    assert_eq!((count, answers.len()), (17, 3));
    assert!(answers[0].result.is_ok() && answers[1].result.is_ok());
}

/// A server may be silent for longer than the timeout, and others may never say anything.
async fn a_log_goes_on_until_it_is_enough<C: Client>() {
    let logging = Scripted::new(|mut peer| {
        assert_eq!(peer.line().unwrap().trim_end(), "watch mutations evictions");
        peer.write("OK\r\nts=1796068207.5754 gid=1 type=item_store key=k status=stored\n");
        thread::sleep(Duration::from_millis(400));
        peer.write("[skipped: 17]\n");
        peer.write("ts=1796068208.1 gid=2 type=eviction key=l\nts=1796068209.1 gid=3 type=eviction key=m\n");
        peer.line();
    });
    let silent = Scripted::new(|mut peer| {
        peer.line();
        peer.write("OK\r\n");
        peer.line();
    });
    let refusing = Scripted::new(|mut peer| {
        peer.line();
        peer.write("CLIENT_ERROR watch commands not allowed\r\n");
    });
    let servers = [logging.name(), silent.name(), refusing.name()];
    let client = C::builder().servers(servers).timeout(Duration::from_millis(150)).build().unwrap();
    let kinds = WatchKinds { mutations: true, evictions: true, ..WatchKinds::default() };
    let mut told = Vec::new();
    let answers = client
        .watch_with(kinds, |server, line| {
            assert_eq!(server, logging.name());
            told.push((line.kind().map(<[u8]>::to_vec), line.skipped()));
            if told.len() == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .await;
    let kind = |kind: &str| (Some(kind.as_bytes().to_vec()), None);
    assert_eq!(told, [kind("item_store"), (None, Some(17)), kind("eviction")]);
    assert!(answers[0].result.is_ok() && answers[1].result.is_ok());
    assert_eq!(answers[2].result.as_ref().unwrap_err().kind(), ErrorKind::Client);
}

/// However long the pieces before have taken.
async fn the_short_patience_of_a_caller_says_nothing_of_a_server<C: Client>() {
    let server = Scripted::new(|mut peer| {
        while peer.line().is_some() {
            peer.write("VALUE k 0 1000\r\n");
            for _ in 0..30 {
                thread::sleep(Duration::from_millis(20));
                peer.write("v");
            }
        }
    });
    let builder = C::builder().servers([server.name()]).timeout(Duration::from_millis(400));
    let client = builder.build().unwrap();
    let hasty = client.with_timeout(Duration::from_millis(150));
    for _ in 0..4 {
        let error = hasty.get_to("k", &mut Vec::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
    }
    assert!(!client.servers()[0].health.is_down());
}
