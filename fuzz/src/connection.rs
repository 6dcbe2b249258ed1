//! Laws of connections: the blocking one, and the one that waits beside it.

mod drops;
mod wire;

use memring_text::{
    Connection, Get, Key, Reply, Request, Store, Value,
    buffer::Buffer,
    connection::Lent,
    operation::Item,
    reply::Event,
    request::{Delete, GetVerb, Keys, StoreVerb},
};

pub use self::drops::drops_agree;
pub(crate) use self::wire::Wire;
use crate::codec::{Stream, item_keys};

/// However a reply is cut, a call comes to the same, in one step and event by event; and so do the items of a line of
/// keys.
pub fn calls_agree(stream: &Stream<'_>) {
    let names = item_keys(stream.bytes);
    let keys: Vec<_> = names.iter().map(|name| Key::new(name).unwrap()).collect();
    let request = request(stream.asked[0], &keys);
    let ways = stream.ways();
    let [whole, bytewise, cut] = ways.each_ref().map(|ends| one_reply(stream.bytes, ends, &request));
    assert_eq!(bytewise, whole);
    assert_eq!(cut, whole);

    let verb = if stream.asked[1].is_multiple_of(2) { GetVerb::Get } else { GetVerb::Gets };
    if !keys.is_empty() {
        let [whole, bytewise, cut] = ways.each_ref().map(|ends| items(stream.bytes, ends, verb, &keys));
        assert_eq!(bytewise, whole);
        assert_eq!(cut, whole);
    }
}

/// One of some requests, about the first of the keys.
fn request<'k>(which: u8, keys: &[Key<'k>]) -> Request<'k> {
    let key = keys.first().copied().unwrap_or(Key::new(b"k").unwrap());
    let store = |verb| Store::new(verb, key, Value::EMPTY);
    match which % 6 {
        0 => Request::Get(Get::new(key)),
        1 => Request::Get(Get::gats(key, 0)),
        2 => Request::Store(store(StoreVerb::Set)),
        3 => Request::Store(store(StoreVerb::Cas(1))),
        4 => Request::Delete(Delete::new(key)),
        _ => Request::Version,
    }
}

pub(crate) fn connect<'a>(bytes: &'a [u8], ends: &'a [usize]) -> Connection<Wire<'a>, [u8; 2100]> {
    Connection::new(Wire::new(bytes, ends), [0; 2100])
}

fn one_reply(bytes: &[u8], ends: &[usize], request: &Request<'_>) -> String {
    let mut reply = Reply::new(Vec::new());
    let mut connection = connect(bytes, ends);
    connection.send(request).unwrap();
    let result = connection.receive_reply(request, &mut reply);
    let at_once = format!("{result:?} {reply:?}");

    let mut reply = Reply::new(Vec::new());
    let mut connection = connect(bytes, ends);
    connection.send(request).unwrap();
    let result = connection.receive(request, |event, _| reply.take(event));
    assert_eq!(format!("{result:?} {reply:?}"), at_once);
    at_once
}

/// An item as it came: which of the keys, flags, cas unique and value.
type Came = (usize, u32, Option<u64>, Vec<u8>);

fn came<V: Buffer>(index: usize, item: Item<Lent<'_, V>>) -> Came {
    (index, item.flags, item.cas, item.value.as_slice().to_vec())
}

fn items(bytes: &[u8], ends: &[usize], verb: GetVerb, keys: &[Key<'_>]) -> (Vec<Came>, String) {
    let mut connection = connect(bytes, ends);
    let count = connection.send_get(verb, keys).unwrap();
    let expected = Keys { keys: &keys[..count], cas: verb.has_cas() };
    let mut came = Vec::new();
    let result = connection.receive_items(&expected, &mut Vec::new(), |index, item| {
        came.push(self::came(index, item.unwrap()));
    });

    let mut connection = connect(bytes, ends);
    connection.send_get(verb, keys).unwrap();
    let (mut by_events, mut head) = (Vec::new(), None);
    let _ = connection.receive(&expected, |event, index| match *event {
        Event::Value(item) => head = Some((index, item.flags, item.cas, Vec::new())),
        Event::Data(piece) => head.as_mut().unwrap().3.extend_from_slice(piece),
        Event::ValueEnd => by_events.extend(head.take()),
        _ => {}
    });
    assert_eq!(by_events, came);
    (came, format!("{result:?}"))
}
