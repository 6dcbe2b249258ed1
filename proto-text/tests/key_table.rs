//! Every byte at every position of a key, in every verb: what is refused, and that what is accepted is read as one
//! request for that key.

#![allow(missing_docs)]

use memring_text::{
    Get, Key, Operation as _, Request, Store, Value,
    meta::{BinaryKey, MetaArith, MetaDebug, MetaDelete, MetaGet, MetaKey, MetaSet, Opaque},
    reply::Step,
    request::{Arith, ArithVerb, Delete, GetVerb, StoreVerb, Touch},
    server::{Reading, RequestDecoder, RequestEvent},
};

/// A value that would do harm, if it were read as a request.
const VALUE: &[u8] = b"flush_all";

fn classic<'a>(key: Key<'a>) -> Vec<Request<'a>> {
    let value = Value::new(VALUE).unwrap();
    let verbs = [
        StoreVerb::Set,
        StoreVerb::Add,
        StoreVerb::Replace,
        StoreVerb::Append,
        StoreVerb::Prepend,
        StoreVerb::Cas(1),
    ];
    let stores = verbs.map(|verb| Store::new(verb, key, value));
    let gets = [GetVerb::Get, GetVerb::Gets, GetVerb::Gat(1), GetVerb::Gats(1)].map(|verb| Get { verb, key });
    let ariths = [ArithVerb::Incr, ArithVerb::Decr].map(|verb| Arith { verb, key, delta: 1, noreply: false });
    let mut all: Vec<_> = stores.map(Request::Store).into();
    all.extend(gets.map(Request::Get));
    all.extend(ariths.map(Request::Arith));
    all.push(Request::Delete(Delete::new(key)));
    all.push(Request::Touch(Touch::new(key, 1)));
    all
}

/// Reads the request back, as strictly as we do and as leniently as memcached does; gives the keys found.
fn keys_read(request: &Request<'_>) -> Vec<Vec<u8>> {
    let mut bytes = Vec::new();
    request.encode(&mut bytes).unwrap();
    let mut keys = Vec::new();
    for reading in [Reading::Strict, Reading::AsMemcached] {
        let mut decoder = RequestDecoder::new(reading);
        let mut rest = &bytes[..];
        while let Step::Event { consumed, event } = decoder.decode(rest).unwrap() {
            match event {
                RequestEvent::Key(key)
                | RequestEvent::Delete { key, .. }
                | RequestEvent::Arith { key, .. }
                | RequestEvent::Touch { key, .. } => keys.push(key.to_vec()),
                RequestEvent::Store(head) => keys.push(head.key.to_vec()),
                RequestEvent::Meta(line) | RequestEvent::MetaStore(line) => {
                    keys.push(line.key(&mut [0; 250]).to_vec());
                }
                RequestEvent::Data(data) => assert_eq!(data, VALUE),
                RequestEvent::Get(_) | RequestEvent::GetEnd | RequestEvent::StoreEnd => {}
                other => panic!("{other:?}"),
            }
            rest = &rest[consumed..];
        }
        assert!(rest.is_empty());
    }
    keys
}

fn check_meta(key: MetaKey<'_>) -> usize {
    let (get, set) = (MetaGet::new(key).value().key(), MetaSet::new(key, Value::new(VALUE).unwrap()).key());
    let (delete, arith, debug) = (MetaDelete::new(key).quiet(), MetaArith::new(key), MetaDebug::new(key));
    let requests = [get.request(), set.request(), delete.request(), arith.request(), debug.request()];
    for request in requests {
        let twice = [key.as_bytes().to_vec(), key.as_bytes().to_vec()];
        assert_eq!(keys_read(&request), twice, "{request:?}");
    }
    requests.len()
}

#[test]
fn every_byte_at_every_position_in_every_verb() {
    let (mut accepted, mut refused) = (0, 0);
    for byte in 0..=u8::MAX {
        for len in [1, 3, 250] {
            for at in [0, len / 2, len - 1] {
                let mut bytes = vec![b'k'; len];
                bytes[at] = byte;
                if byte <= 0x20 || byte == 0x7f {
                    assert!(Key::new(&bytes).is_err());
                    refused += 1;
                } else {
                    let key = Key::new(&bytes).unwrap();
                    for request in classic(key) {
                        assert_eq!(keys_read(&request), [bytes.clone(), bytes.clone()], "{request:?}");
                        accepted += 1;
                    }
                    accepted += check_meta(key.into());
                }
                // As base64 any byte goes.
                let bytes = &bytes[..len.min(186)];
                accepted += check_meta(BinaryKey::new(bytes).unwrap().into());
            }
        }
    }
    assert_eq!((accepted, refused), (222 * 9 * (14 + 5) + 256 * 9 * 5, 34 * 9));
}

#[test]
fn lengths_end_where_the_server_ends_them() {
    let bytes = [b'k'; 251];
    assert!(Key::new(&[]).is_err() && Key::new(&bytes).is_err());
    assert!(BinaryKey::new(&[]).is_err() && BinaryKey::new(&bytes[..187]).is_err());
    check_meta(Key::new(&bytes[..250]).unwrap().into());
    check_meta(BinaryKey::new(&bytes[..186]).unwrap().into());
}

#[test]
fn every_byte_of_an_opaque() {
    for byte in 0..=u8::MAX {
        for at in [0, 15, 30] {
            let mut bytes = [b'o'; 31];
            bytes[at] = byte;
            let Ok(opaque) = Opaque::new(&bytes) else {
                assert!(byte <= 0x20 || byte == 0x7f);
                continue;
            };
            let get = MetaGet::new(Key::new(b"k").unwrap()).opaque(opaque);
            assert_eq!(keys_read(&get.request()), [b"k", b"k"]);
        }
    }
}
