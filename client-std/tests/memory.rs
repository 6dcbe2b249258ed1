//! What a server can make the client allocate: no more than the limits, and a little. And how often a hit allocates.
//!
//! A program of its own, because it counts what is allocated; by this thread only, so the servers do not count.

use core::{net::Ipv4Addr, time::Duration};
use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    thread,
};

use allocation_counter::measure;
use memring_std::{Client, Error, ErrorKind, Limits, StatsKind, Ttl, testing::Server};

/// What a connection needs by itself, and a call besides its value: buffers, the reply, an error.
const LITTLE: u64 = 64 * 1024;

const VALUE: usize = 256 * 1024;

const STATS: u32 = 64;

/// A client of a server that reads something, sends `head`, then `rest` again and again, as often as `times`, and hangs
/// up.
fn client(head: &'static str, rest: &'static [u8], times: usize) -> Client {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let name = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1000]);
            let mut is_there = stream.write_all(head.as_bytes()).is_ok();
            for _ in 0..times {
                is_there = is_there && stream.write_all(rest).is_ok();
            }
        }
    });
    let limits = Limits { value: VALUE, stats: STATS, ..Limits::DEFAULT };
    let builder = Client::builder().servers([name]).limits(limits).timeout(Duration::from_secs(10));
    builder.health_policy(None).build().unwrap()
}

/// The most that `call` has allocated at a time, in bytes, and what went wrong.
fn most<T>(call: impl FnOnce() -> Result<T, Error>) -> (u64, Option<ErrorKind>) {
    let mut kind = None;
    let info = measure(|| kind = call().err().map(|error| error.kind()));
    (info.bytes_max, kind)
}

#[test]
fn a_long_value_that_is_only_announced_costs_what_has_come_of_it() {
    let client = client("VALUE k 0 262144\r\n", b"some", 1);
    let (bytes, kind) = most(|| client.get("k"));
    assert_eq!(kind, Some(ErrorKind::Closed));
    assert!(bytes <= 2 * LITTLE, "{bytes}");
}

#[test]
fn a_value_beyond_the_limit_is_not_begun() {
    for head in ["VALUE k 0 262145\r\n", "VALUE k 0 1073741824\r\n", "VALUE k 0 4294967296\r\n"] {
        let client = client(head, &[b'v'; 4096], 1000);
        let (bytes, kind) = most(|| client.get("k"));
        assert!(kind.is_some(), "{head}");
        assert!(bytes <= LITTLE, "{head}: {bytes}");
    }
}

#[test]
fn an_endless_line_is_cut() {
    for head in ["", "SERVER_ERROR ", "VALUE "] {
        let client = client(head, &[b'x'; 4096], 1000);
        let (bytes, kind) = most(|| client.get("k"));
        assert!(kind.is_some(), "{head}");
        assert!(bytes <= LITTLE, "{head}: {bytes}");
    }
}

#[test]
fn items_that_nobody_asked_for_are_not_kept() {
    let item = b"VALUE k 0 4\r\nsome\r\n";
    let client = client("", item, 100_000);
    let (bytes, kind) = most(|| client.get_many(&["k", "l"]).unwrap().all());
    assert_eq!(kind, Some(ErrorKind::Protocol));
    assert!(bytes <= LITTLE, "{bytes}");
}

#[test]
fn endless_statistics_end_at_their_limit() {
    let client = client("", b"STAT a_name_of_some_length and_a_value_of_some_length\r\n", 100_000);
    let (bytes, kind) = most(|| client.stats(StatsKind::General).remove(0).result);
    assert_eq!(kind, Some(ErrorKind::Protocol));
    assert!(bytes <= LITTLE + u64::from(STATS) * 200, "{bytes}");
}

#[test]
fn a_value_of_the_limit_costs_itself() {
    let reply = [b"VALUE k 0 262144\r\n", &[b'v'; VALUE][..], b"\r\nEND\r\n"].concat();
    let client = client("", reply.leak(), 1);
    let (bytes, kind) = most(|| client.get("k"));
    assert_eq!(kind, None);
    assert!(bytes <= VALUE as u64 + LITTLE, "{bytes}");
    let (bytes, kind) = most(|| client.get_many(&["k"]).unwrap().all());
    assert_eq!(kind, None);
    assert!(bytes <= VALUE as u64 + LITTLE, "{bytes}");
}

#[test]
fn a_value_that_is_there_is_allocated_and_nothing_else_is() {
    let server = Server::start().unwrap();
    let client = Client::connect([server.addr()]).unwrap();
    let (key, mut buffer) = ("a:key:of:some:length", Vec::with_capacity(200));
    client.set(key, [b'v'; 100], Ttl::NEVER).unwrap();
    let fetch = || client.fetch(key, Ttl::NEVER, || -> Result<Vec<u8>, ()> { unreachable!("it is there") });
    let counted = |call: &mut dyn FnMut()| {
        // The server tells its version first, and the connection has its buffers.
        call();
        measure(call).count_total
    };
    let into_buffer = counted(&mut || assert!(client.get_into(key, &mut buffer).unwrap().is_some()));
    let get = counted(&mut || assert!(client.get(key).unwrap().is_some()));
    let fetched = counted(&mut || assert_eq!(fetch().unwrap().len(), 100));
    // The labels of each figure are allocated: of every operation, and of what `fetch` came to.
    let (operation, outcome) = if cfg!(feature = "metrics") { (8, 4) } else { (0, 0) };
    assert_eq!((into_buffer, get, fetched), (operation, operation + 1, operation + outcome + 1));
}
