//! Asks for a key, reads the reply as a serial line might bring it, and prints the value.
//!
//! ```text
//! cargo build --release --target thumbv7em-none-eabihf
//! qemu-system-arm -machine mps2-an386 -display none -monitor none -serial null \
//!     -semihosting-config enable=on,target=native -kernel target/thumbv7em-none-eabihf/release/print
//! ```
#![no_std]
#![no_main]

use memring_text::{
    Key,
    exchange::{ProtocolError, SmallGet},
    reply::{Event, Step},
};

weighed::program!(main);

fn main() -> ! {
    let Ok(key) = Key::new(b"tokyo") else { weighed::exit(false) };
    let mut get = SmallGet::new(key);
    get.request().iter().for_each(|piece| weighed::send(piece));
    let read = receive(&mut get, weighed::REPLY, weighed::print);
    weighed::print(b"\n");
    weighed::exit(read == Ok(true))
}

/// Gives `take` the value, piece by piece, and says whether the reply ended.
fn receive(get: &mut SmallGet<'_>, wire: &[u8], mut take: impl FnMut(&[u8])) -> Result<bool, ProtocolError> {
    // As many bytes as the longest line of a reply to this get.
    let mut buffer = [0; 64];
    let mut len = 0;
    for &byte in wire {
        let Some(place) = buffer.get_mut(len) else { return Ok(false) };
        *place = byte;
        len += 1;
        while let Step::Event { consumed, event } = get.decode(buffer.get(..len).unwrap_or_default())? {
            match event {
                Event::Data(piece) => take(piece),
                Event::End => return Ok(true),
                _ => {}
            }
            buffer.copy_within(consumed..len, 0);
            len -= consumed;
        }
    }
    Ok(false)
}
