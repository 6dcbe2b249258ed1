//! Values that are longer than the limit: read over, in any cut, and the connection goes on.

use core::mem::take;

use memring_text::{
    Exchange, Get, Key, Limits, Operation, Reply, Request,
    exchange::{ExchangeState, Progress, ProtocolError},
    meta::MetaGet,
    operation::{Assembly, ReplyError, ValueError},
    reply::{DecodeError, Event},
    request::{Expected, Keys},
    value::ValueTooLarge,
};

const LIMITS: Limits = Limits { value: 4, ..Limits::DEFAULT };
const TOO_LARGE: ValueTooLarge = ValueTooLarge { len: 9, limit: 4 };

/// Feeds `reply` in pieces that end at `cuts`, event by event or all that is there; all of it is one reply.
fn feed(
    reply: &[u8],
    cuts: &[usize],
    at_once: bool,
    oldest: &impl Expected,
    mut take: impl FnMut(&Event<'_>, usize),
) {
    let mut exchange = Exchange::new(LIMITS);
    exchange.sent();
    let mut from = 0;
    for &to in cuts.iter().chain([&reply.len()]) {
        while from < to && at_once {
            let taken = exchange.decode_each(&reply[from..to], oldest, &mut take).unwrap();
            from += taken.consumed;
            if taken.consumed == 0 || taken.complete {
                break;
            }
        }
        while let Progress::Event { consumed, event, index, .. } =
            exchange.decode(&reply[from..to], oldest).unwrap()
        {
            from += consumed;
            take(&event, index);
        }
    }
    assert_eq!((from, exchange.state()), (reply.len(), ExchangeState::Idle));
}

/// Every way to cut `len` bytes in two and in three, and byte by byte.
fn ways(len: usize) -> Vec<Vec<usize>> {
    let twice = (0..=len).flat_map(|first| (first..=len).map(move |second| vec![first, second]));
    twice.chain([(0..len).collect()]).collect()
}

#[test]
fn in_a_multi_get_the_others_are_there() {
    let reply = b"VALUE a 0 4\r\nfour\r\nVALUE b 7 9\r\nEND\r\nEND\r\r\nVALUE c 0 0\r\n\r\nEND\r\n";
    let keys = Keys { keys: &["a", "b", "x", "c"], cas: false };
    for cuts in ways(reply.len()) {
        for at_once in [false, true] {
            let (mut coming, mut value, mut came) = (Assembly::default(), Vec::new(), Vec::new());
            feed(reply, &cuts, at_once, &keys, |event, index| {
                coming.take(event, &mut value);
                if *event == Event::ValueEnd {
                    let item = take(&mut coming).item(take(&mut value));
                    came.push((index, item.map(|item| item.value)));
                }
            });
            let right =
                [(0, Ok(b"four".to_vec())), (1, Err(ValueError::TooLarge(TOO_LARGE))), (3, Ok(Vec::new()))];
            assert_eq!(came, right, "{cuts:?}");
        }
    }
}

#[test]
fn alone_it_is_an_error_and_no_item() {
    let key = Key::new(b"k").unwrap();
    let meta = MetaGet::new(key).value();
    let gets = Get::gets(key);
    for (reply, is_meta) in
        [(&b"VALUE k 0 9 5\r\n123456789\r\nEND\r\n"[..], false), (b"VA 9\r\n123456789\r\n", true)]
    {
        for cuts in ways(reply.len()) {
            for at_once in [false, true] {
                let mut come = Reply::new(Vec::new());
                let request: Request<'_> =
                    if is_meta { Operation::request(&meta) } else { Request::Get(gets) };
                feed(reply, &cuts, at_once, &request, |event, _| come.take(event));
                let error = match is_meta {
                    true => meta.output(come).unwrap_err(),
                    false => gets.output(come).unwrap_err(),
                };
                assert_eq!(error, ReplyError::TooLarge(TOO_LARGE), "{cuts:?}");
            }
        }
    }
}

#[test]
fn what_no_server_can_have_is_an_error_of_the_connection() {
    let key = Key::new(b"k").unwrap();
    let get = Request::Get(Get::new(key));
    let head = |len: u64| format!("VALUE k 0 {len}\r\n");
    let mut exchange = Exchange::new(LIMITS);
    exchange.sent();
    assert!(matches!(exchange.decode(head(1 << 30).as_bytes(), &get), Ok(Progress::Event { .. })));
    let mut exchange = Exchange::new(LIMITS);
    exchange.sent();
    let too_large = DecodeError::ValueTooLarge { len: (1 << 30) + 1, limit: 1 << 30 };
    let head = head((1 << 30) + 1);
    assert_eq!(exchange.decode(head.as_bytes(), &get), Err(ProtocolError::Decode(too_large)));
}
