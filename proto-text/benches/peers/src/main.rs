//! Our decoder against the parsers of other libraries.
//!
//! ```text
//! cargo run --release --manifest-path proto-text/benches/peers/Cargo.toml
//! ```
//!
//! All but ours copy keys and values: that is what they offer. `memcache-proto` is called by its public function.
//! `async-memcached`'s parser is private and is compiled here from its own source, so that it runs without a socket.
//! `mtop-client`'s is private too, and is driven through the client over a stream in memory that always has bytes; it
//! asks with `gets`, so its replies have cas uniques.

#[path = "../../contest.rs"]
mod contest;
#[path = "../../../../ring-core/benches/peers/src/thread_time.rs"]
mod thread_time;

use std::{
    io,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use contest::{Contestant, Decoder, GOALS_LIMIT, Goal, LIMIT, OURS, Reply};
use mtop_client::{Key, Memcached};
use thread_time::thread_time;
use tokio::io::{AsyncRead, ReadBuf};

/// The parser of async-memcached 0.9.0, by its own source.
#[allow(dead_code, unused_imports, clippy::all)]
mod async_memcached_parser {
    include!(concat!(env!("OUT_DIR"), "/async_memcached_parser.rs"));
}

use async_memcached_parser::{Response as AsyncMemcachedResponse, parse_ascii_response};

fn main() {
    let contestants = [ASYNC_MEMCACHED, MEMCACHE_PROTO, MEMCACHE_PROTO_BYTES, MTOP, LIMIT, OURS];
    contest::run(thread_time, &contestants, &[GOALS_LIMIT, GOALS], true);
}

const GOALS: &[Goal] = &[Goal { ours: OURS.name, theirs: ASYNC_MEMCACHED.name, most: 0.15 }];

const ASYNC_MEMCACHED: Contestant =
    Contestant { name: "async-memcached 0.9.0", new: |reply| Box::new(AsyncMemcached(reply)) };
const MEMCACHE_PROTO: Contestant =
    Contestant { name: "memcache-proto 0.0.5", new: |reply| Box::new(MemcacheProto(reply)) };
const MEMCACHE_PROTO_BYTES: Contestant =
    Contestant { name: "memcache-proto 0.0.5, Bytes", new: |reply| Box::new(MemcacheProtoBytes::new(reply)) };
const MTOP: Contestant =
    Contestant { name: "mtop-client 0.17, as a client", new: |reply| Box::new(Mtop::new(reply)) };

struct AsyncMemcached<'r>(&'r Reply);

impl Decoder for AsyncMemcached<'_> {
    fn decode(&mut self) -> usize {
        match parse_ascii_response(std::hint::black_box(&self.0.bytes)) {
            Ok(Some((_, AsyncMemcachedResponse::Data(Some(values))))) => {
                values.iter().filter_map(|value| value.data.as_ref()).map(Vec::len).sum()
            }
            _ => 0,
        }
    }
}

struct MemcacheProto<'r>(&'r Reply);

impl Decoder for MemcacheProto<'_> {
    fn decode(&mut self) -> usize {
        match memcache_proto::Response::parse(std::hint::black_box(&self.0.bytes)) {
            Ok((memcache_proto::Response::Values(values), _)) => {
                values.iter().map(|value| value.data.len()).sum()
            }
            _ => 0,
        }
    }
}

/// The same library, values as slices that share ownership of the reply.
struct MemcacheProtoBytes(bytes::Bytes);

impl MemcacheProtoBytes {
    fn new(reply: &Reply) -> Self {
        Self(bytes::Bytes::copy_from_slice(&reply.bytes))
    }
}

impl Decoder for MemcacheProtoBytes {
    fn decode(&mut self) -> usize {
        match memcache_proto::ResponseBytes::parse(std::hint::black_box(&self.0).clone()) {
            Ok((memcache_proto::ResponseBytes::Values(values), _)) => {
                values.iter().map(|value| value.data.len()).sum()
            }
            _ => 0,
        }
    }
}

struct Mtop {
    client: Memcached,
    keys: Vec<Key>,
}

impl Mtop {
    fn new(reply: &Reply) -> Self {
        let bytes = Reply::new(reply.keys.len(), reply.value_len, true).bytes;
        let client = Memcached::new(Replay { bytes, at: 0 }, tokio::io::sink());
        Self { client, keys: Key::parse_all(&reply.keys).expect("valid keys") }
    }
}

impl Decoder for Mtop {
    fn decode(&mut self) -> usize {
        let get = pin!(self.client.get(&self.keys));
        match get.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(values)) => values.values().map(|value| value.data.len()).sum(),
            Poll::Ready(Err(error)) => panic!("{error}"),
            Poll::Pending => panic!("the stream always has bytes"),
        }
    }
}

/// A reply that comes again and again.
struct Replay {
    bytes: Vec<u8>,
    at: usize,
}

impl AsyncRead for Replay {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let len = buf.remaining().min(self.bytes.len() - self.at);
        buf.put_slice(&self.bytes[self.at..][..len]);
        self.at = (self.at + len) % self.bytes.len();
        Poll::Ready(Ok(()))
    }
}
