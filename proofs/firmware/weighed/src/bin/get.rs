//! A get of one key and its reply, whatever that is.
#![no_std]
#![no_main]

use memring_text::Key;

weighed::program!(main);

fn main() -> ! {
    weighed::converse(|key, reply| Key::new(key).map_or(0, |key| weighed::small::get(key, reply)))
}
