//! A get and a set over a connection, and their replies, whatever those are.
#![no_std]
#![no_main]

use core::convert::Infallible;

use embedded_io::{ErrorType, Read, Write};
use memring_text::{
    Connection, Get, Key, Limits, Store, StoreOutcome, Value,
    buffer::{ArrayBuffer, Buffer as _},
};

weighed::program!(main);

fn main() -> ! {
    weighed::converse(|key, reply| {
        let (Ok(key), Ok(value)) = (Key::new(key), Value::new(weighed::answers(b"hello"))) else { return 0 };
        let limits = Limits { line: 128, ..Limits::DEFAULT };
        let stream = Stream(weighed::answers(b"STORED\r\n"));
        let mut connection = Connection::with_limits(stream, [0; 128], limits);
        let store = Store::set(key, value).exptime(60);
        if connection.call(&store, ArrayBuffer::<0>::new()) != Ok(StoreOutcome::Stored) {
            return 0;
        }
        connection.io_mut().0 = reply;
        match connection.call(&Get::new(key), ArrayBuffer::<64>::new()) {
            Ok(Some(item)) => item.value.as_slice().len(),
            _ => 0,
        }
    })
}

/// A stream of these bytes.
struct Stream<'b>(&'b [u8]);

impl ErrorType for Stream<'_> {
    type Error = Infallible;
}

impl Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        let len = self.0.len().min(buffer.len());
        let (Some((piece, rest)), Some(place)) = (self.0.split_at_checked(len), buffer.get_mut(..len)) else {
            return Ok(0);
        };
        place.copy_from_slice(piece);
        self.0 = rest;
        Ok(len)
    }
}

impl Write for Stream<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        weighed::send(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
