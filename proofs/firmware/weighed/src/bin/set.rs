//! A get and a set of one key and their replies, whatever those are.
#![no_std]
#![no_main]

use memring_text::{
    Key, Store, Value,
    reply::{Event, Status},
};

weighed::program!(main);

fn main() -> ! {
    weighed::converse(|key, reply| {
        let (Ok(key), Ok(value)) = (Key::new(key), Value::new(weighed::answers(b"hello"))) else { return 0 };
        let stored =
            weighed::small::change(Store::set(key, value).exptime(60), weighed::answers(b"STORED\r\n"));
        if matches!(stored, Some(Event::Status(Status::Stored))) {
            weighed::small::get(key, reply)
        } else {
            0
        }
    })
}
