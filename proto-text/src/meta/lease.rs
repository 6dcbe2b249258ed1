//! The `mg` that reads an item and wins it if somebody must make it anew: what a cache that computes asks most.

use super::{MetaShape, MetaVerb, shape::bits};
use crate::{
    buffer::Buffer,
    key::Key,
    number::{Digits, short_digits},
    request::{Compose, Line, Usual},
    ttl::{Ttl, UnixTime},
};

/// `mg` with `N`, `R`, `v`, `c`, `t`, `f` and `O`: reads an item with all that [`MetaInfo`](super::MetaInfo) says of its
/// age, and wins it if it is missing or getting old.
///
/// It says what a [`MetaGet`](super::MetaGet) with these flags says, in a tenth of the steps: its flags are no text before
/// they stand on the line.
///
/// ```
/// use memring_text::{
///     Key, Operation,
///     meta::{MetaGet, MetaLease, Opaque},
/// };
///
/// let key = Key::new(b"k")?;
/// let lease = MetaLease::new(key, 11, 82, 7);
/// assert_eq!(lease.request().parts().as_slices()[0], b"mg k N11 R82 v c t f Ohaaaaaaa\r\n");
/// let opaque = Opaque::new(lease.opaque())?;
/// let get = MetaGet::new(key).vivify(11).recache(82).value().cas().ttl().flags().opaque(opaque);
/// assert_eq!(lease.request().parts().as_slices(), get.request().parts().as_slices());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetaLease<'a> {
    key: Key<'a>,
    vivify: i32,
    recache: i32,
    opaque: [u8; OPAQUE],
}

impl<'a> MetaLease<'a> {
    /// Reads `key`. If it is missing, a placeholder takes its place for `vivify` seconds; if it has less than `recache`
    /// seconds left, it is won. The server sends back what `number` says in [`opaque`](Self::opaque).
    #[inline]
    #[must_use]
    pub const fn new(key: Key<'a>, vivify: i32, recache: i32, number: u32) -> Self {
        Self { key, vivify, recache, opaque: letters(number) }
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> Key<'a> {
        self.key
    }

    /// What the server sends back: eight letters. The number of an [`Opaque`](super::Opaque) has none, so no two of them
    /// are alike.
    #[inline]
    #[must_use]
    pub const fn opaque(&self) -> &[u8; OPAQUE] {
        &self.opaque
    }

    /// The request with other times.
    #[must_use]
    pub const fn with_times(self, vivify: i32, recache: i32) -> Self {
        Self { vivify, recache, ..self }
    }

    /// What a complete reply looks like.
    pub(crate) const SHAPE: MetaShape =
        MetaShape { verb: MetaVerb::Get, returns: bits(b"ctfO"), value: true, ..MetaShape::NOOP };

    /// The request with the placeholder's time cut to `cap`, when it is sent at `now`. What is negative has ended already.
    pub(crate) fn with_ttl_cap(&self, cap: Ttl, now: UnixTime) -> Option<Self> {
        (self.vivify >= 0).then(|| Self { vivify: cap.cap(self.vivify, now), ..*self })
    }
}

/// Length of an opaque of letters, in bytes: read and compared as one word.
const OPAQUE: usize = 8;

/// The 32 bits as letters, `a` to `p`, four bits each, the lowest first. Decimal digits would take a division each.
const fn letters(number: u32) -> [u8; OPAQUE] {
    let word = number as u64;
    let halves = (word | (word << 16)) & 0x0000_ffff_0000_ffff;
    let bytes = (halves | (halves << 8)) & 0x00ff_00ff_00ff_00ff;
    let nibbles = (bytes | (bytes << 4)) & 0x0f0f_0f0f_0f0f_0f0f;
    nibbles.wrapping_add(u64::from_le_bytes([b'a'; OPAQUE])).to_le_bytes()
}

impl Compose for MetaLease<'_> {
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn compose<O: Buffer + ?Sized>(&self, line: &mut Line<'_, O>) {
        line.put(b"mg ");
        line.put(self.key.as_bytes());
        let mut flags = Flags { text: [0; MOST], len: 0 };
        flags.put(*b" N");
        flags.number(self.vivify);
        flags.put(*b" R");
        flags.number(self.recache);
        flags.put(*b" v c t f O");
        flags.put(self.opaque);
        flags.put(*b"\r\n");
        line.put(flags.text.get(..flags.len).unwrap_or(&[]));
    }

    #[inline(always)]
    fn usual(&self) -> Usual<'_> {
        Usual::Leased { opaque: &self.opaque }
    }
}

/// The flags and the end of the line, put together before they stand on it: a copy takes more steps than most of them.
struct Flags {
    text: [u8; MOST],
    len: usize,
}

/// The longest text: each number may have a sign and ten digits.
const MOST: usize = " N-2147483648 R-2147483648 v c t f O--------\r\n".len();

impl Flags {
    #[inline(always)]
    fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        if let Some(place) = self.text.get_mut(self.len..).and_then(<[u8]>::first_chunk_mut) {
            *place = bytes;
            self.len = self.len.wrapping_add(N);
        }
    }

    #[inline(always)]
    fn number(&mut self, number: i32) {
        match u32::try_from(number) {
            Ok(number @ ..100_000_000) if cfg!(target_pointer_width = "64") => {
                let (digits, len) = short_digits(number);
                let behind = self.len.wrapping_add(len);
                // Those behind the last digit are written over.
                self.put(digits);
                self.len = behind;
            }
            _ => self.long_number(number),
        }
    }

    #[inline(never)]
    fn long_number(&mut self, number: i32) {
        if number < 0 {
            self.put(*b"-");
        }
        let digits = Digits::of(u64::from(number.unsigned_abs()));
        digits.as_bytes().iter().for_each(|digit| self.put([*digit]));
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    #[test]
    fn each_number_has_letters_of_its_own() {
        assert_eq!(letters(0), *b"aaaaaaaa");
        assert_eq!(letters(0x1234_5678), *b"ihgfedcb");
        assert_eq!(letters(u32::MAX), *b"pppppppp");
    }

    #[test]
    fn times_of_every_length_are_written_out() {
        use crate::{buffer::ArrayBuffer, operation::Operation as _};

        for number in [0, 9, 10, 99, 100, 2_592_000, 99_999_999, 100_000_000, i32::MAX, -1, i32::MIN] {
            let lease = MetaLease::new(Key::new(b"k").unwrap(), number, number, 0);
            let mut out = ArrayBuffer::<100>::new();
            lease.request().encode(&mut out).unwrap();
            let line = std::format!("mg k N{number} R{number} v c t f Oaaaaaaaa\r\n");
            assert_eq!(out.as_slice(), line.as_bytes());
        }
    }

    #[test]
    fn a_cap_shortens_the_placeholder_and_nothing_else() {
        let (cap, now) = (Ttl::seconds(10), UnixTime::from_secs(9));
        let lease = MetaLease::new(Key::new(b"k").unwrap(), 60, 90, 1);
        assert_eq!(lease.with_ttl_cap(cap, now), Some(MetaLease { vivify: 10, ..lease }));
        assert_eq!(MetaLease { vivify: -1, ..lease }.with_ttl_cap(cap, now), None);
    }
}
