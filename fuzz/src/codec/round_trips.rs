//! What a client writes, and what a server makes of it.

use arbitrary::Arbitrary;
use memring_text::{
    Exchange, Key,
    exchange::{ExchangeState, Progress},
    request::ReplyShape,
    server::{Next, Reading, Session},
};

use super::{AnyKey, AnyRequest, NOW, engine, exchanges::Asked, requests::requests};

/// What a client writes is read back as what it meant, strictly and as memcached reads; many requests like one.
pub fn requests_round_trip(list: &[AnyRequest]) {
    let (mut bytes, mut meant) = (Vec::new(), Vec::new());
    for request in list {
        request.send(|sent| {
            bytes.extend_from_slice(&sent.bytes);
            meant.extend(sent.read);
        });
        if matches!(request, AnyRequest::Quit) {
            break;
        }
    }
    for reading in [Reading::Strict, Reading::AsMemcached] {
        let (read, error) = requests(&bytes, &[bytes.len()], reading);
        assert_eq!((&read, error), (&meant, None));
    }
}

/// Our client and our server understand each other: every request has the reply it waits for, and no other.
pub fn client_and_server_agree(list: &[AnyRequest]) {
    let (mut engine, mut session) = (engine(), Session::new(Vec::new()));
    let mut exchange = Exchange::default();
    for request in list {
        let closed = request.send(|sent| {
            let mut out = Vec::new();
            let fed = session.feed(&sent.bytes, &mut engine, &mut out, NOW);
            let shape = Asked::Shape(sent.shape);
            if sent.shape != ReplyShape::Nothing {
                exchange.sent();
            }
            let mut rest = &out[..];
            while exchange.owed() > 0 {
                let progress = match &sent.keys {
                    Some(keys) => exchange.decode(rest, keys),
                    None => exchange.decode(rest, &shape),
                };
                match progress {
                    Ok(Progress::Event { consumed, .. }) => rest = &rest[consumed..],
                    other => panic!("{other:?} instead of the reply to {request:?}"),
                }
            }
            assert_eq!(rest, b"", "bytes nobody asked for");
            // Our server does not know every kind of statistics, and after an unknown command a client starts anew.
            match &out[..] {
                b"ERROR\r\n" if matches!(request, AnyRequest::Stats(_)) => exchange = Exchange::default(),
                _ => assert_eq!(exchange.state(), ExchangeState::Idle, "after {request:?}"),
            }
            fed.next == Next::Close
        });
        assert_eq!(closed, matches!(request, AnyRequest::Quit));
        if closed {
            break;
        }
    }
}

/// Bytes that want to be a key, and a value for it.
#[derive(Arbitrary, Debug)]
pub struct Smuggled<'a> {
    request: AnyRequest,
    key: &'a [u8],
}

/// Bytes that are accepted as a key make exactly one request, whatever they are and whatever the value is.
pub fn accepted_keys_make_one_request(smuggled: &Smuggled<'_>) {
    let bad = |byte: &u8| *byte <= b' ' || *byte == 0x7f;
    let valid = (1..=250).contains(&smuggled.key.len()) && !smuggled.key.iter().any(bad);
    assert_eq!(Key::new(smuggled.key).is_ok(), valid);
    if !valid {
        return;
    }
    let mut request = smuggled.request.clone();
    match &mut request {
        AnyRequest::Get { keys, .. } => keys.insert(0, AnyKey(smuggled.key.to_vec())),
        AnyRequest::Store { key, .. }
        | AnyRequest::Delete { key, .. }
        | AnyRequest::Arith { key, .. }
        | AnyRequest::Touch { key, .. } => *key = AnyKey(smuggled.key.to_vec()),
        _ => {}
    }
    if !matches!(request, AnyRequest::Quit) {
        requests_round_trip(&[request, AnyRequest::Version]);
    }
}
