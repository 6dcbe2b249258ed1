//! How much memory a server can make a client take.

use core::convert::Infallible;

use memring_text::{
    Connection, Exchange, Get, Key, Limits, Request, Store, Value,
    buffer::{ArrayBuffer, Buffer, SliceBuffer},
    connection::ConnectionError,
    exchange::{Progress, ProtocolError},
    operation::ReplyError,
    reply::{DecodeError, Event},
    request::Keys,
    server::{Engine, MemoryStore, Session},
    ttl::UnixTime,
    value::ValueTooLarge,
};

/// Says these bytes, and then one byte for ever, or nothing more.
struct Server {
    says: Vec<u8>,
    at: usize,
    for_ever: bool,
}

impl embedded_io::ErrorType for Server {
    type Error = Infallible;
}

impl embedded_io::Read for Server {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Infallible> {
        if self.at == self.says.len() && self.for_ever {
            buf.fill(b'x');
            return Ok(buf.len());
        }
        let len = buf.len().min(self.says.len() - self.at);
        buf[..len].copy_from_slice(&self.says[self.at..][..len]);
        self.at += len;
        Ok(len)
    }
}

impl embedded_io::Write for Server {
    fn write(&mut self, buf: &[u8]) -> Result<usize, Infallible> {
        Ok(buf.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

fn get() -> Get<'static> {
    Get::new(Key::new(b"k").unwrap())
}

/// What a get takes of memory at its peak, its buffer of 16 KiB included, in bytes; and its error.
fn call(server: Server, limits: Limits) -> (u64, ConnectionError<Infallible>) {
    let mut error = None;
    let info = allocation_counter::measure(|| {
        let mut connection = Connection::with_limits(server, vec![0; 16 << 10], limits);
        error = connection.call(&get(), Vec::new()).err();
    });
    (info.bytes_max, error.unwrap())
}

const GIB: usize = 1 << 30;

#[test]
fn announcing_a_gibibyte_costs_nothing_when_that_is_too_much() {
    let server = Server { says: b"VALUE k 0 1073741825\r\n".to_vec(), at: 0, for_ever: true };
    let (bytes, error) = call(server, Limits::DEFAULT);
    let too_large = DecodeError::ValueTooLarge { len: GIB as u64 + 1, limit: GIB };
    assert_eq!(error, ConnectionError::Protocol(ProtocolError::Decode(too_large)));
    assert!(bytes < 128 << 10, "{bytes} bytes");
}

#[test]
fn a_value_beyond_our_limit_costs_nothing() {
    let len = 64 << 20;
    let says = [format!("VALUE k 0 {len}\r\n").as_bytes(), &vec![b'v'; len], b"\r\nEND\r\n"].concat();
    let (bytes, error) = call(Server { says, at: 0, for_ever: false }, Limits::DEFAULT);
    let too_large = ReplyError::TooLarge(ValueTooLarge { len, limit: 1 << 20 });
    assert_eq!(error, ConnectionError::Reply(too_large));
    assert!(bytes < 128 << 10, "{bytes} bytes");
}

#[test]
fn announcing_a_gibibyte_costs_what_has_come_of_it() {
    let mut says = b"VALUE k 0 1073741824\r\n".to_vec();
    says.resize(says.len() + 20_000, b'v');
    let server = Server { says, at: 0, for_ever: false };
    let (bytes, error) = call(server, Limits { value: GIB, ..Limits::DEFAULT });
    assert_eq!(error, ConnectionError::Protocol(ProtocolError::Eof));
    assert!(bytes < 128 << 10, "{bytes} bytes");
}

#[test]
fn a_line_or_a_list_without_end_costs_nothing() {
    let line = Server { says: b"VERSION ".to_vec(), at: 0, for_ever: true };
    let (bytes, error) = call(line, Limits::DEFAULT);
    let too_long = DecodeError::LineTooLong { limit: 2048 };
    assert_eq!(error, ConnectionError::Protocol(ProtocolError::Decode(too_long)));
    assert!(bytes < 128 << 10, "{bytes} bytes");
    let list = Server { says: b"VALUE k 0 1\r\nv\r\n".repeat(1000), at: 0, for_ever: false };
    let (bytes, error) = call(list, Limits::DEFAULT);
    assert_eq!(error, ConnectionError::Protocol(ProtocolError::WrongKey));
    assert!(bytes < 128 << 10, "{bytes} bytes");
}

#[test]
fn a_codec_allocates_nothing() {
    let reply = b"VALUE a 0 5\r\nhello\r\nVALUE b 4294967295 3\r\nabc\r\nEND\r\n";
    let keys = ["a", "b"];
    let value = vec![b'v'; 100_000];
    let mut out = vec![0; 200_000];
    let info = allocation_counter::measure(|| {
        let key = Key::new(b"a").unwrap();
        let value = Value::new(&value).unwrap();
        let store = Store::set(key, value).flags(7).exptime(60);
        let mut out = SliceBuffer::new(&mut out);
        Request::Store(store).encode(&mut out).unwrap();
        Request::Get(get()).encode(&mut out).unwrap();

        let mut exchange = Exchange::default();
        let mut values = 0;
        for _ in 0..100 {
            exchange.sent();
            let oldest = Keys { keys: &keys, cas: false };
            let mut count = |event: &Event<'_>, _| values += usize::from(*event == Event::ValueEnd);
            let taken = exchange.decode_each(reply, &oldest, &mut count).unwrap();
            assert!(taken.complete && taken.consumed == reply.len());
            exchange.sent();
            let mut rest = &reply[..];
            while exchange.owed() > 0 {
                let progress = exchange.decode(rest, &oldest).unwrap();
                let Progress::Event { consumed, .. } = progress else { panic!("all is there") };
                rest = &rest[consumed..];
            }
        }
        assert_eq!(values, 200);
    });
    assert_eq!(info.count_total, 0);
}

#[test]
fn a_session_keeps_nothing_of_a_value_that_is_too_large() {
    let mut engine = Engine::new(MemoryStore::new(1 << 20));
    let piece = vec![b'x'; 4096];
    let mut out = ArrayBuffer::<256>::new();
    let info = allocation_counter::measure(|| {
        let mut session = Session::new(Vec::new());
        let now = UnixTime::from_secs(1_700_000_000);
        session.feed(b"set k 0 0 4096000\r\n", &mut engine, &mut out, now);
        for _ in 0..1000 {
            assert_eq!(session.feed(&piece, &mut engine, &mut out, now).consumed, piece.len());
        }
        session.feed(b"\r\n", &mut engine, &mut out, now);
    });
    assert_eq!(out.as_slice(), b"SERVER_ERROR object too large for cache\r\n");
    assert_eq!(info.bytes_max, 0);
}
