//! A client in fixed memory, whose server is this same program, or whatever the input says.

use core::{
    convert::Infallible,
    fmt::{self, Display},
};

use memring_text::{
    Connection, Get, Key, Limits, Request, Store, Value,
    buffer::{ArrayBuffer, Buffer},
    connection::ConnectionError,
    exchange::ExchangeState,
    request::{Arith, Delete, GetVerb, Keys, StatsKind, Touch},
};

use crate::{NOW, digest::Digest, served::Server, shelf::VALUE_LEN};

/// A client in fixed memory gets back what it stored; what the input says in the server's place does no harm.
pub(crate) fn connections(input: &[u8]) -> Option<()> {
    let mut room = [0; 700];
    let limits = Limits { line: 600, ..Limits::DEFAULT };
    let mut connection = Connection::with_limits(Loop::new(), &mut room[..], limits);
    let key = Key::new(b"tokyo").ok()?;
    let value = Value::new(input.get(..VALUE_LEN).unwrap_or(input)).ok()?;
    let store = Store::set(key, value).flags(1);
    connection.call(&store, ArrayBuffer::<0>::new()).ok()?;
    let item = connection.call(&Get::gets(key), ArrayBuffer::<VALUE_LEN>::new()).ok()??;
    (item.value.as_slice() == value.as_bytes()).then_some(())?;
    connection.send(&Request::Version).ok()?;
    let keys = [key, Key::new(b"foo").ok()?];
    (connection.send_get(GetVerb::Get, &keys).ok()? == 2).then_some(())?;
    connection.receive(&Request::Version, |_, _| {}).ok()?;
    let mut found = 0_usize;
    let expected = Keys { keys: &keys, cas: false };
    connection.receive(&expected, |_, index| found = found.saturating_add(usize::from(index == 0))).ok()?;
    (connection.state() == ExchangeState::Idle && found > 2 && !connection.io().out.is_empty())
        .then_some(())?;
    (connection.call(&Touch::new(key, 60), ArrayBuffer::<0>::new()) == Ok(true)).then_some(())?;
    // The value may be no number.
    let _ = connection.call(&Arith::incr(key, 1), ArrayBuffer::<0>::new());
    (connection.call(&Delete::new(key), ArrayBuffer::<0>::new()) == Ok(true)).then_some(())?;
    connection.io_mut().input.truncate(0);
    connection.reopened();
    (connection.state() == ExchangeState::Idle).then_some(())?;
    let (_, room) = connection.into_inner();

    let mut hostile = Connection::new(Said { bytes: input }, room);
    let mut digest = Digest::new();
    if let Err(error) = hostile.call(&StatsKind::General, ArrayBuffer::<99>::new()) {
        digest.debug(&(&error, hostile.may_retry(&Request::Version)));
        digest.display(&ShowError(error));
    }
    Some(())
}

pub(crate) struct ShowError(ConnectionError<Infallible>);

impl Display for ShowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.0, f)
    }
}

/// Both ends of a wire.
pub(crate) struct Loop {
    server: Server,
    input: ArrayBuffer<4096>,
    out: ArrayBuffer<4096>,
    read: usize,
}

impl Loop {
    fn new() -> Self {
        Self { server: Server::new(), input: ArrayBuffer::new(), out: ArrayBuffer::new(), read: 0 }
    }
}

pub(crate) trait IsEmpty {
    fn is_empty(&self) -> bool;
}

impl<B: Buffer> IsEmpty for B {
    fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }
}

impl embedded_io::ErrorType for Loop {
    type Error = Infallible;
}

impl embedded_io::Write for Loop {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        let piece = bytes.get(..7).unwrap_or(bytes);
        Ok(if self.input.put(piece).is_ok() { piece.len() } else { 0 })
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl embedded_io::Read for Loop {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        if self.read == self.out.as_slice().len() {
            (self.read, self.out) = (0, ArrayBuffer::new());
            let server = &mut self.server;
            server.session.feed(self.input.as_slice(), &mut server.engine, &mut self.out, NOW);
            self.input.truncate(0);
        }
        let unread = self.out.as_slice().get(self.read..).unwrap_or_default();
        let len = unread.iter().zip(bytes).map(|(byte, place)| *place = *byte).count();
        self.read = self.read.saturating_add(len);
        Ok(len)
    }
}

/// A server that says what it says.
pub(crate) struct Said<'a> {
    pub(crate) bytes: &'a [u8],
}

impl embedded_io::ErrorType for Said<'_> {
    type Error = Infallible;
}

impl embedded_io::Write for Said<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl embedded_io::Read for Said<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        let len = self.bytes.iter().zip(bytes).map(|(byte, place)| *place = *byte).count();
        self.bytes = self.bytes.get(len..).unwrap_or_default();
        Ok(len)
    }
}
