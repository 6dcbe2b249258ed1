//! What both stories store, and hold against what they find.

use cortex_m_semihosting::hprintln;
use memring_text::{
    Item, Key,
    buffer::{ArrayBuffer, Buffer as _},
};

use crate::board;

/// How many keys are placed.
pub const KEYS: u32 = 30;

/// Bytes of a connection's buffer: the longest line that a server may answer.
pub const BUFFER: usize = 128;

/// The key of this name.
pub fn key(name: &str) -> Key<'_> {
    Key::new(name.as_bytes()).unwrap_or_else(|_| board::fail("a key is invalid"))
}

/// Checks that the item is there, with its own name as the value and these flags.
#[track_caller]
pub fn is_as_stored<E>(item: Result<Option<Item<ArrayBuffer<64>>>, E>, name: &str, flags: u32) {
    let item = item.ok().flatten();
    let is_right = item.is_some_and(|item| item.value.as_slice() == name.as_bytes() && item.flags == flags);
    check(is_right, "an item is not as it was stored");
}

/// Ends the program where something does not hold, and says where.
#[track_caller]
pub fn check(holds: bool, otherwise: &str) {
    if !holds {
        hprintln!("at {}", core::panic::Location::caller());
        board::fail(otherwise);
    }
}
