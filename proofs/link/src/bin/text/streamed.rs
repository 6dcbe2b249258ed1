//! A connection by hand: values that pass piece by piece, requests in turns, items that are lent.

use core::{convert::Infallible, error::Error};

use memring_text::{
    Connection, Key, Request, Store, Value,
    buffer::ArrayBuffer,
    connection::{ConnectionError, Pieces},
    request::{GetVerb, Keys},
    value::ValueTooLarge,
};

use crate::{connections::Said, digest::Digest};

type Failure = ConnectionError<Infallible>;

/// Whatever the server says, every way of reading it ends.
pub(crate) fn streamed(input: &[u8]) -> Option<()> {
    let mut digest = Digest::new();
    let names = [&b"tokyo"[..], b"foo"];
    let keys = Keys { keys: &names, cas: input.len() % 2 == 1 };
    let key = Key::new(b"tokyo").ok()?;

    ask(input, &mut digest, |connection, digest| {
        let mut value = ArrayBuffer::<16>::new();
        connection.send_get(GetVerb::Get, &[key, Key::try_from(names[1]).unwrap_or(key)])?;
        connection.receive_items(&keys, &mut value, |index, item| match item {
            Ok(item) => digest.debug(&(index, item.flags, item.cas, item.value.as_slice())),
            Err(full) => digest.error(&full),
        })
    });
    ask(input, &mut digest, |connection, digest| {
        connection.send(&Request::Version)?;
        let mut waits = 0_usize;
        connection.receive_with(
            &Request::Version,
            |event, index| digest.debug(&(event, index)),
            |_| waits = waits.wrapping_add(1),
        )
    });
    ask(input, &mut digest, |connection, digest| {
        let (mut pieces, mut value) = (Pieces::default(), ArrayBuffer::<16>::new());
        connection.send_get(GetVerb::Get, &[key])?;
        while !connection.receive_filled_items(&keys, &mut pieces, &mut value, |index, item| {
            digest.debug(&(index, item.map(|item| item.flags)));
        })? {
            connection.fill(read)?;
        }
        digest.debug(&pieces.is_in_item());
        connection.send(&Request::Version)?;
        connection.fill(read)?;
        connection.receive_filled(&Request::Version, |event, index| digest.debug(&(event, index)))?;
        Ok(())
    });
    ask(input, &mut digest, |connection, _| {
        let store = Store::set(key, Value::EMPTY).flags(1);
        let fill = |_: &mut Said<'_>, piece: &mut [u8]| Ok::<_, Broken>(piece.len());
        let sent = connection.send_from(&store, input.len(), &mut [0; 9], fill);
        sent.or_else(|broken| match broken {
            Broken::Connection(error) => Err(error),
            Broken::TooLarge => Ok(()),
        })
    });
    Some(())
}

fn read(io: &mut Said<'_>, bytes: &mut [u8]) -> Option<Result<usize, Infallible>> {
    Some(embedded_io::Read::read(io, bytes))
}

enum Broken {
    Connection(Failure),
    TooLarge,
}

impl From<Failure> for Broken {
    fn from(error: Failure) -> Self {
        Self::Connection(error)
    }
}

impl From<ValueTooLarge> for Broken {
    fn from(_: ValueTooLarge) -> Self {
        Self::TooLarge
    }
}

type Hostile<'a> = Connection<Said<'a>, [u8; 300]>;

/// Connects to a server that says `input`, and tells the error that this ends in.
fn ask<'a>(
    input: &'a [u8],
    digest: &mut Digest,
    exchange: impl FnOnce(&mut Hostile<'a>, &mut Digest) -> Result<(), Failure>,
) {
    let mut connection = Connection::new(Said { bytes: input }, [0; 300]);
    if let Err(error) = exchange(&mut connection, digest) {
        digest.debug(&error);
        digest.display(&error);
        if let Some(source) = error.source() {
            digest.display(&source);
        }
    }
}
