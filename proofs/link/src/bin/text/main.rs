//! Takes standard input for what a server says, for what a client asks, and for keys and values; whole and byte by
//! byte, on both sides of the wire, and through a connection whose server is this same program.
//!
//! The exit status is 0 when all ways agree.
//!
//! `AsyncConnection` is not here: every `async fn` panics when it is polled after its end. But for its reads and writes
//! it is the blocking one.
#![no_std]
#![no_main]

use memring_text::ttl::UnixTime;

mod admin;
mod alone;
mod connections;
mod digest;
mod exchanges;
mod feed;
mod meta;
mod operations;
mod options;
mod replies;
mod requests;
mod served;
mod shelf;
mod streamed;
mod words;

freestanding::program!(main);

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

/// What must hold, whatever the input is.
const LAWS: [fn(&[u8]) -> Option<()>; 15] = [
    replies::replies,
    replies::small_gets,
    exchanges::exchanges,
    operations::operations,
    requests::requests,
    admin::admin,
    words::words,
    words::doors,
    options::options,
    served::served,
    served::engine,
    connections::connections,
    served::guarded,
    streamed::streamed,
    alone::alone,
];

fn main(input: &[u8]) -> u8 {
    let broken = LAWS.iter().position(|law| law(input).is_none());
    broken.map_or(0, |law| (law as u8).wrapping_add(1))
}
