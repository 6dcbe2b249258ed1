//! Futures that are dropped.

use core::{
    convert::Infallible,
    pin::pin,
    task::{Context, Poll, Waker},
};

use memring_text::{
    AsyncConnection, Connection, Get, Key, Reply, Request,
    connection::ConnectionError,
    exchange::ExchangeState,
    reply::Event,
    request::{GetVerb, Keys},
};

use super::{Came, request, wire::Wire};
use crate::codec::{Stream, item_keys};

type Blocking<'a> = Connection<Wire<'a>, [u8; 2100]>;
type Waiting<'a> = AsyncConnection<Wire<'a>, [u8; 2100]>;

/// A connection that waits comes to what the blocking one does, whether its futures are waited for to the end or dropped
/// each time they have to wait and begun anew; where a future may not be dropped, the connection is closed by that, and
/// nobody gets anything any more.
pub fn drops_agree(stream: &Stream<'_>) {
    let names = item_keys(stream.bytes);
    let keys: Vec<_> = names.iter().map(|name| Key::new(name).unwrap()).collect();
    let requests = stream.asked.map(|which| request(which, &keys));
    let verb = if stream.asked[1].is_multiple_of(2) { GetVerb::Get } else { GetVerb::Gets };
    for ends in stream.ways() {
        let blocking = || Blocking::new(Wire::new(stream.bytes, &ends), [0; 2100]);
        let waiting = || Waiting::new(Wire::new(stream.bytes, &ends), [0; 2100]);
        let expected = replies(blocking(), &requests);
        for patience in [Patience::Endless, Patience::None] {
            assert_eq!(replies_waited_for(waiting(), &requests, patience), expected, "{patience:?}");
            assert_eq!(events(waiting(), &requests[0], patience), events_at_once(blocking(), &requests[0]));
        }
        calls(waiting(), blocking(), &keys);
        if !keys.is_empty() {
            items(waiting(), blocking(), verb, &keys);
        }
    }
}

/// When a future is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    /// Never.
    Endless,
    /// As soon as it has to wait.
    None,
}

/// Waits for what `$begin` gives; or drops it each time it has to wait, and begins anew.
macro_rules! finish {
    ($patience:expr, $begin:expr) => {
        match $patience {
            Patience::Endless => wait($begin),
            Patience::None => loop {
                let polled = pin!($begin).poll(&mut Context::from_waker(Waker::noop()));
                if let Poll::Ready(output) = polled {
                    break output;
                }
            },
        }
    };
}

/// What two requests that leave together come to, and how the connection is then.
type Replies = (Vec<String>, ExchangeState);

fn replies(mut connection: Blocking<'_>, requests: &[Request<'_>]) -> Replies {
    requests.iter().for_each(|request| connection.send(request).unwrap());
    let each = requests.iter().map(|request| {
        let mut reply = Reply::new(Vec::new());
        let result = connection.receive_reply(request, &mut reply);
        format!("{result:?} {reply:?}")
    });
    (each.collect(), connection.state())
}

fn replies_waited_for(mut connection: Waiting<'_>, requests: &[Request<'_>], patience: Patience) -> Replies {
    requests.iter().for_each(|request| wait(connection.send(request)).unwrap());
    let each = requests.iter().map(|request| {
        let mut reply = Reply::new(Vec::new());
        let result = finish!(patience, connection.receive_reply(request, &mut reply));
        format!("{result:?} {reply:?}")
    });
    (each.collect(), connection.state())
}

/// What a reply's events are, written as a server writes them, and how it ended.
type Events = (Vec<u8>, Result<(), ConnectionError<Infallible>>);

fn events_at_once(mut connection: Blocking<'_>, request: &Request<'_>) -> Events {
    let mut written = Vec::new();
    connection.send(request).unwrap();
    let result = connection.receive(request, |event, _| event.encode(&mut written).unwrap());
    (written, result)
}

fn events(mut connection: Waiting<'_>, request: &Request<'_>, patience: Patience) -> Events {
    let mut written = Vec::new();
    wait(connection.send(request)).unwrap();
    let mut take = |event: &Event<'_>, _: usize| event.encode(&mut written).unwrap();
    let result = finish!(patience, connection.receive(request, &mut take));
    (written, result)
}

/// One get, by one call.
fn calls(mut waiting: Waiting<'_>, mut blocking: Blocking<'_>, keys: &[Key<'_>]) {
    let get = Get::new(keys.first().copied().unwrap_or(Key::new(b"k").unwrap()));
    let mut context = Context::from_waker(Waker::noop());
    let is_ready = pin!(waiting.call(&get, Vec::new())).poll(&mut context).is_ready();
    assert!(!is_ready, "the wire lets everybody wait once");
    assert_eq!(waiting.state(), ExchangeState::MustClose);
    let after = wait(waiting.call(&get, Vec::new()));
    assert!(after.is_err(), "{after:?} after a call that was dropped");

    let (io, _) = waiting.into_inner();
    let mut fresh = Waiting::new(io.again(), [0; 2100]);
    let waited = wait(fresh.call(&get, Vec::new()));
    assert_eq!(format!("{waited:?}"), format!("{:?}", blocking.call(&get, Vec::new())));
    assert_eq!(fresh.state(), blocking.state());
}

/// The items of a line of keys, by one call.
fn items(mut waiting: Waiting<'_>, mut blocking: Blocking<'_>, verb: GetVerb, keys: &[Key<'_>]) {
    let count = blocking.send_get(verb, keys).unwrap();
    assert_eq!(wait(waiting.send_get(verb, keys)).unwrap(), count);
    let expected = Keys { keys: &keys[..count], cas: verb.has_cas() };
    let (mut came, mut waited_for): (Vec<Came>, Vec<Came>) = (Vec::new(), Vec::new());
    let result = blocking.receive_items(&expected, &mut Vec::new(), |index, item| {
        came.push(super::came(index, item.unwrap()));
    });
    let mut dropped: Vec<Came> = Vec::new();
    {
        let mut scratch = Vec::new();
        let future = waiting.receive_items(&expected, &mut scratch, |index, item| {
            dropped.push(super::came(index, item.unwrap()));
        });
        let polled = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending(), "the wire lets everybody wait once");
    }
    assert_eq!(waiting.state(), ExchangeState::MustClose);
    assert!(dropped.is_empty());

    let (io, _) = waiting.into_inner();
    let mut fresh = Waiting::new(io.again(), [0; 2100]);
    wait(fresh.send_get(verb, keys)).unwrap();
    let waited = {
        let mut scratch = Vec::new();
        wait(fresh.receive_items(&expected, &mut scratch, |index, item| {
            waited_for.push(super::came(index, item.unwrap()));
        }))
    };
    assert_eq!((waited_for, waited), (came, result));
}

/// Polls a future until it is ready.
fn wait<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}
