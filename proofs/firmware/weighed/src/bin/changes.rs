//! A get, a set, a touch, a delete and a count, and their replies, whatever those are.
#![no_std]
#![no_main]

use memring_text::{
    Key, Store, Value,
    reply::{Event, Status},
    request::{Arith, Delete, Touch},
};
use weighed::{answers, small::change};

weighed::program!(main);

fn main() -> ! {
    weighed::converse(|key, reply| {
        let (Ok(key), Ok(value)) = (Key::new(key), Value::new(answers(b"hello"))) else { return 0 };
        let are_well = [
            change(Store::set(key, value).exptime(60), answers(b"STORED\r\n")),
            change(Touch::new(key, 60), answers(b"TOUCHED\r\n")),
            change(Delete::new(key), answers(b"DELETED\r\n")),
            change(Arith::incr(key, 1), answers(b"42\r\n")),
        ]
        .iter()
        .all(|event| {
            matches!(
                event,
                Some(Event::Number(42) | Event::Status(Status::Stored | Status::Touched | Status::Deleted))
            )
        });
        if are_well { weighed::small::get(key, reply) } else { 0 }
    })
}
