//! The law of the blocking connection.

use std::convert::Infallible;

use embedded_io::{ErrorType, Read, Write};
use memring_text::{
    Connection, Get, Key, Reply, Request, Store, Value,
    reply::Event,
    request::{Delete, GetVerb, Keys, StoreVerb},
};

use crate::codec::{Stream, item_keys};

/// Bytes of a server, which come up to each of `ends`.
struct Wire<'a> {
    bytes: &'a [u8],
    ends: &'a [usize],
    at: usize,
}

impl ErrorType for Wire<'_> {
    type Error = Infallible;
}

impl Read for Wire<'_> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Infallible> {
        let end = self.ends.iter().find(|end| **end > self.at).copied().unwrap_or(self.at);
        let len = buf.len().min(end - self.at);
        buf[..len].copy_from_slice(&self.bytes[self.at..][..len]);
        self.at += len;
        Ok(len)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, buf: &[u8]) -> Result<usize, Infallible> {
        Ok(buf.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// However a reply is cut, a call comes to the same, in one step and event by event; and so do the items of a line of
/// keys.
pub fn calls_agree(stream: &Stream<'_>) {
    let names = item_keys(stream.bytes);
    let keys: Vec<_> = names.iter().map(|name| Key::new(name).unwrap()).collect();
    let key = keys.first().copied().unwrap_or(Key::new(b"k").unwrap());
    let store = |verb| Store::new(verb, key, Value::EMPTY);
    let request = match stream.asked[0] % 6 {
        0 => Request::Get(Get::new(key)),
        1 => Request::Get(Get::gats(key, 0)),
        2 => Request::Store(store(StoreVerb::Set)),
        3 => Request::Store(store(StoreVerb::Cas(1))),
        4 => Request::Delete(Delete::new(key)),
        _ => Request::Version,
    };
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

fn connect<'a>(bytes: &'a [u8], ends: &'a [usize]) -> Connection<Wire<'a>, [u8; 2100]> {
    Connection::new(Wire { bytes, ends, at: 0 }, [0; 2100])
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

fn items(bytes: &[u8], ends: &[usize], verb: GetVerb, keys: &[Key<'_>]) -> (Vec<Came>, String) {
    let mut connection = connect(bytes, ends);
    let count = connection.send_get(verb, keys).unwrap();
    let expected = Keys { keys: &keys[..count], cas: verb.has_cas() };
    let mut came = Vec::new();
    let result = connection.receive_items(&expected, &mut Vec::new(), |index, item| {
        let item = item.unwrap();
        came.push((index, item.flags, item.cas, item.value.as_slice().to_vec()));
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
