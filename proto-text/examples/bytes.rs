//! Bytes alone: a request is written, and a reply is read from pieces as they come, without a socket and without a heap.
//!
//! `cargo run -p memring-text --example bytes`

use core::error::Error;

use memring_text::{
    Key,
    buffer::{ArrayBuffer, Buffer as _},
    exchange::SmallGet,
    reply::{Event, Step},
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut get = SmallGet::new(Key::new(b"greeting")?);
    // Three pieces, of which none is copied: `get `, the key, and the end of the line.
    assert_eq!(get.request().concat(), b"get greeting\r\n");

    let mut value = ArrayBuffer::<64>::new();
    let (mut input, mut filled) = ([0; 256], 0);
    // As a slow line brings them.
    for piece in ["VALUE gree", "ting 0 5\r\nhe", "llo\r", "\nEND\r\n"] {
        input[filled..filled + piece.len()].copy_from_slice(piece.as_bytes());
        filled += piece.len();
        let mut taken = 0;
        while let Step::Event { consumed, event } = get.decode(&input[taken..filled])? {
            taken += consumed;
            match event {
                Event::Data(part) => value.put(part)?,
                Event::End => println!("{}", core::str::from_utf8(value.as_slice())?),
                _ => {}
            }
        }
        // What is not read yet goes to the front, and more comes behind it.
        input.copy_within(taken..filled, 0);
        filled -= taken;
    }
    assert_eq!(value.as_slice(), b"hello");
    Ok(())
}
