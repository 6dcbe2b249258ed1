//! A get of one key and its reply, whatever that is.
#![no_std]
#![no_main]

use memring_text::{
    Key,
    exchange::SmallGet,
    reply::{Event, Step},
};

weighed::program!(main);

fn main() -> ! {
    weighed::converse(|key, reply| {
        let Ok(key) = Key::new(key) else { return 0 };
        let mut get = SmallGet::new(key);
        get.request().iter().for_each(|piece| weighed::send(piece));
        let (mut rest, mut sum) = (reply, 0);
        while let Ok(Step::Event { consumed, event }) = get.decode(rest) {
            match event {
                Event::Data(piece) => sum += piece.len(),
                Event::End => break,
                _ => {}
            }
            rest = rest.get(consumed..).unwrap_or_default();
        }
        sum
    })
}
