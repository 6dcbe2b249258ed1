//! remcached, Ruby's client for EventMachine: the key itself is the number.
//!
//! - The bytes of the key are one big-endian number, modulo the number of servers. (The peer means to hash, but `-` and
//!   `%` bind the other way.) So with 256 servers the last byte decides, and with 2, 4, 8 … its last bits.
//! - Only as many bytes count as the key has *characters*: of `tōkyō`, 7 bytes, the first five.
//! - No weights, no options. A dead server is taken out of the list, and the number is taken modulo the rest.
//!
//! Source: remcached 0.4.1 `lib/remcached.rb`, `hash_key` and `client_for_key`.

use super::{Peer, ruby};
use crate::{
    mechanism::Slots,
    scheme::{Scheme, fallback},
};

/// remcached.
pub const REMCACHED: Scheme<'static> = Scheme {
    name: "remcached",
    used_by: "Ruby's remcached, for EventMachine",
    mechanism: &Slots { slot: Some(|_, key, total| modulo(key, total)) },
    fallback: fallback::rebuild,
    ..Scheme::BASE
};

fn modulo(key: &[u8], total: u32) -> u32 {
    let counted = key.iter().take(ruby::count(key));
    let rest =
        counted.fold(0, |rest, &byte| (rest << 8 | u64::from(byte)).checked_rem(total.into()).unwrap_or(0));
    rest as u32
}

pub(super) const PEERS: &[Peer] = &[Peer { scheme: REMCACHED, options: &[], set: |scheme, _, _| Ok(scheme) }];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_number() {
        assert_eq!(modulo(b"", 3), 0);
        assert_eq!(modulo(&[1, 0, 2], 7), (1 << 16 | 2) % 7);
        assert_eq!(modulo(b"any key!", 256), u32::from(b'!'));
        assert_eq!(modulo(&[0xff; 250], u32::MAX), 0x0000_ffff);
        assert_eq!(modulo(b"a", 0), 0);
    }

    #[test]
    fn as_many_bytes_count_as_there_are_characters() {
        let [t, o, macron, k, y, ..] = *"tōkyō".as_bytes() else { panic!() };
        let five = u64::from_be_bytes([0, 0, 0, t, o, macron, k, y]);
        assert_eq!(modulo("tōkyō".as_bytes(), 1 << 30), (five % (1 << 30)) as u32);
        // No UTF-8 at all: every byte is a character.
        assert_eq!(modulo(&[0xff, 0x80, 0x01], 256), 1);
    }
}
