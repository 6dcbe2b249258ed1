//! Builders of meta requests, which know what flags their command has.

use super::{Flag, Flags, MetaKey, MetaRequest, MetaVerb, Opaque};
use crate::value::Value;

/// Declares a builder: a method for each flag.
macro_rules! builder {
    (
        $(#[$doc:meta])*
        $name:ident:
        $($(#[$flag_doc:meta])* $method:ident($($arg:ident: $kind:ty)?) => $letter:literal;)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name<'a>(pub(crate) MetaRequest<'a>);

        impl<'a> $name<'a> {
            $(
                $(#[$flag_doc])*
                #[must_use]
                pub fn $method(mut self $(, $arg: $kind)?) -> Self {
                    #[allow(unused_parens)]
                    self.0.put($letter, ($($arg)?));
                    self
                }
            )*

            /// The request.
            #[must_use]
            pub const fn request(&self) -> &MetaRequest<'a> {
                &self.0
            }

            /// Encodes the request: see [`Request::parts`](crate::Request::parts).
            #[must_use]
            pub fn parts(&self) -> crate::request::Parts<'a> {
                crate::request::meta_parts(&self.0)
            }
        }
    };
}

builder! {
    /// `mg`: get, touch, and be told what to do about an item that is missing or getting old.
    ///
    /// Nothing comes back that was not asked for, the value included. The flags are sent, and answered, in the
    /// order of the calls; that of `T` and `t` decides whether the old time is told or the new one. memcached refuses more
    /// than 17 flags.
    ///
    /// ```
    /// use memring_text::{Key, key::KeyError, meta::{MetaGet, Opaque}};
    ///
    /// let get = MetaGet::new(Key::new(b"k")?).value().ttl().opaque(Opaque::number(7));
    /// assert_eq!(get.parts().as_slices()[0], b"mg k v t O7\r\n");
    /// # Ok::<(), KeyError>(())
    /// ```
    MetaGet:
    /// `v`: return the value.
    value() => b'v';
    /// `c`: return the cas unique.
    cas() => b'c';
    /// `f`: return the client's flags.
    flags() => b'f';
    /// `h`: return whether the item was fetched before.
    hit() => b'h';
    /// `k`: return the key, which [`Exchange`](crate::Exchange) then checks.
    key() => b'k';
    /// `l`: return the seconds since the item was last used.
    last_access() => b'l';
    /// `s`: return the value's length.
    size() => b's';
    /// `t`: return the seconds that the item has left.
    ttl() => b't';
    /// `O`: a token to be sent back, which [`Exchange`](crate::Exchange) then checks.
    opaque(opaque: Opaque) => b'O';
    /// `q`: say nothing of a miss. See [`MetaNoop`].
    quiet() => b'q';
    /// `u`: do not count this as a use of the item.
    no_bump() => b'u';
    /// `N`: of a missing item make an empty one that lives so long, and let one reader win.
    vivify(exptime: i32) => b'N';
    /// `R`: of an item that has less time left than this exptime means, let one reader win.
    recache(exptime: i32) => b'R';
    /// `T`: give the item a new exptime, as on the wire: see [`Ttl`](crate::Ttl::exptime).
    touch(exptime: i32) => b'T';
    /// `C`: leave the value out when the item still has this cas unique
    /// ([`Feature::MetaGetCompare`](crate::capabilities::Feature::MetaGetCompare); older servers take the flag and ignore it).
    unless_cas(cas: u64) => b'C';
    /// `E`: the cas unique of an item made by `N` ([`Feature::MetaNewCas`](crate::capabilities::Feature::MetaNewCas)).
    new_cas(cas: u64) => b'E';
    /// `P`: for a proxy on the way. Servers ignore it, and send it back no more than they do anything else.
    proxy(token: Opaque) => b'P';
    /// `L`: the path that a proxy is to take. Servers ignore it as they do [`proxy`](Self::proxy).
    path(token: Opaque) => b'L';
}

impl<'a> MetaGet<'a> {
    /// `mg` of this key, without flags.
    pub fn new(key: impl Into<MetaKey<'a>>) -> Self {
        Self(MetaRequest::new(MetaVerb::Get, key.into(), Value::EMPTY))
    }
}

builder! {
    /// `ms`: store a value.
    ///
    /// ```
    /// use memring_text::{Key, Value, meta::{MetaSet, SetMode}};
    ///
    /// let set = MetaSet::new(Key::new(b"k")?, Value::new(b"hi")?).exptime(60).mode(SetMode::Add);
    /// assert_eq!(set.parts().as_slices(), [&b"ms k 2 T60 ME\r\n"[..], b"hi", b"\r\n"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    MetaSet:
    /// `F`: the client's own number, kept beside the value; 0 if nothing is said.
    flags(flags: u32) => b'F';
    /// `T`: how long the item lives, as on the wire: see [`Ttl`](crate::Ttl::exptime); for ever if nothing is said.
    exptime(exptime: i32) => b'T';
    /// `M`: when to store, and where; [`SetMode::Set`] if nothing is said.
    mode(mode: SetMode) => b'M';
    /// `C`: only over an item with this cas unique.
    if_cas(cas: u64) => b'C';
    /// `E`: the item's cas unique ([`Feature::MetaNewCas`](crate::capabilities::Feature::MetaNewCas)).
    new_cas(cas: u64) => b'E';
    /// `I`: with [`if_cas`](Self::if_cas), store also over an item with a newer cas unique, but mark it stale.
    invalidate() => b'I';
    /// `N`: with [`SetMode::Append`] and [`SetMode::Prepend`], make a missing item, which lives so long
    /// ([`Feature::MetaAppendVivify`](crate::capabilities::Feature::MetaAppendVivify)).
    vivify(exptime: i32) => b'N';
    /// `c`: return the cas unique.
    cas() => b'c';
    /// `k`: return the key, which [`Exchange`](crate::Exchange) then checks.
    key() => b'k';
    /// `s`: return the value's length ([`Feature::MetaSetSize`](crate::capabilities::Feature::MetaSetSize); older servers take
    /// the flag and ignore it).
    size() => b's';
    /// `O`: a token to be sent back, which [`Exchange`](crate::Exchange) then checks.
    opaque(opaque: Opaque) => b'O';
    /// `q`: say nothing of a success. See [`MetaNoop`].
    quiet() => b'q';
    /// `P`: for a proxy on the way. Servers ignore it, and send it back no more than they do anything else.
    proxy(token: Opaque) => b'P';
    /// `L`: the path that a proxy is to take. Servers ignore it as they do [`proxy`](Self::proxy).
    path(token: Opaque) => b'L';
}

impl<'a> MetaSet<'a> {
    /// `ms` of this key and value, without flags.
    pub fn new(key: impl Into<MetaKey<'a>>, value: Value<'a>) -> Self {
        Self(MetaRequest::new(MetaVerb::Set, key.into(), value))
    }
}

/// When `ms` stores a value, and where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SetMode {
    /// `S`: in any case.
    Set,
    /// `E`: only where there is none.
    Add,
    /// `R`: only where there is one.
    Replace,
    /// `A`: behind the one that is there.
    Append,
    /// `P`: before the one that is there.
    Prepend,
}

impl SetMode {
    /// Every mode with its letter.
    pub(crate) const LETTERS: [(Self, u8); 5] = [
        (Self::Set, b'S'),
        (Self::Add, b'E'),
        (Self::Replace, b'R'),
        (Self::Append, b'A'),
        (Self::Prepend, b'P'),
    ];
}

impl Flag for SetMode {
    fn put(self, letter: u8, flags: &mut Flags) {
        let mode = Self::LETTERS.iter().find(|(mode, _)| *mode == self).map_or(b'S', |(_, mode)| *mode);
        flags.put(letter, &[mode]);
    }
}

builder! {
    /// `md`: delete an item, or mark it stale.
    MetaDelete:
    /// `C`: only an item with this cas unique.
    if_cas(cas: u64) => b'C';
    /// `E`: the cas unique of an item that stays ([`Feature::MetaNewCas`](crate::capabilities::Feature::MetaNewCas)).
    new_cas(cas: u64) => b'E';
    /// `I`: keep the item, but mark it stale: the next reader wins.
    mark_stale() => b'I';
    /// `T`: with [`mark_stale`](Self::mark_stale), a new exptime: see [`Ttl`](crate::Ttl::exptime).
    exptime(exptime: i32) => b'T';
    /// `x`: keep the item, but take its value and flags
    /// ([`Feature::MetaDeleteValue`](crate::capabilities::Feature::MetaDeleteValue)).
    value_only() => b'x';
    /// `k`: return the key, which [`Exchange`](crate::Exchange) then checks.
    key() => b'k';
    /// `O`: a token to be sent back, which [`Exchange`](crate::Exchange) then checks.
    opaque(opaque: Opaque) => b'O';
    /// `q`: say nothing of a success; that there was no such item is said. See [`MetaNoop`].
    quiet() => b'q';
    /// `P`: for a proxy on the way. Servers ignore it, and send it back no more than they do anything else.
    proxy(token: Opaque) => b'P';
    /// `L`: the path that a proxy is to take. Servers ignore it as they do [`proxy`](Self::proxy).
    path(token: Opaque) => b'L';
}

impl<'a> MetaDelete<'a> {
    /// `md` of this key, without flags.
    pub fn new(key: impl Into<MetaKey<'a>>) -> Self {
        Self(MetaRequest::new(MetaVerb::Delete, key.into(), Value::EMPTY))
    }
}

builder! {
    /// `ma`: count up or down.
    MetaArith:
    /// `M`: which way; [`ArithMode::Incr`] if nothing is said.
    mode(mode: ArithMode) => b'M';
    /// `D`: by how much; 1 if nothing is said.
    delta(delta: u64) => b'D';
    /// `N`: make a missing item, which lives so long.
    vivify(exptime: i32) => b'N';
    /// `J`: with [`vivify`](Self::vivify), the number it begins with; 0 if nothing is said.
    initial(number: u64) => b'J';
    /// `T`: give the item a new exptime, as on the wire: see [`Ttl`](crate::Ttl::exptime).
    exptime(exptime: i32) => b'T';
    /// `C`: only an item with this cas unique.
    if_cas(cas: u64) => b'C';
    /// `E`: the item's new cas unique ([`Feature::MetaNewCas`](crate::capabilities::Feature::MetaNewCas)).
    new_cas(cas: u64) => b'E';
    /// `v`: return the new number.
    value() => b'v';
    /// `c`: return the cas unique.
    cas() => b'c';
    /// `k`: return the key, which [`Exchange`](crate::Exchange) then checks.
    key() => b'k';
    /// `t`: return the seconds that the item has left.
    ttl() => b't';
    /// `O`: a token to be sent back, which [`Exchange`](crate::Exchange) then checks.
    opaque(opaque: Opaque) => b'O';
    /// `q`: say nothing of a success; that there was no such item is said. See [`MetaNoop`].
    quiet() => b'q';
    /// `P`: for a proxy on the way. Servers ignore it, and send it back no more than they do anything else.
    proxy(token: Opaque) => b'P';
    /// `L`: the path that a proxy is to take. Servers ignore it as they do [`proxy`](Self::proxy).
    path(token: Opaque) => b'L';
}

impl<'a> MetaArith<'a> {
    /// `ma` of this key, without flags.
    pub fn new(key: impl Into<MetaKey<'a>>) -> Self {
        Self(MetaRequest::new(MetaVerb::Arith, key.into(), Value::EMPTY))
    }
}

/// Which way `ma` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArithMode {
    /// `I`: up; wraps at 2⁶⁴.
    Incr,
    /// `D`: down; stops at 0.
    Decr,
}

impl Flag for ArithMode {
    fn put(self, letter: u8, flags: &mut Flags) {
        flags.put(letter, if self == Self::Incr { b"I" } else { b"D" });
    }
}

builder! {
    /// `me`: what the server knows of an item, for people to read.
    MetaDebug:
}

impl<'a> MetaDebug<'a> {
    /// `me` of this key.
    pub fn new(key: impl Into<MetaKey<'a>>) -> Self {
        Self(MetaRequest::new(MetaVerb::Debug, key.into(), Value::EMPTY))
    }
}

/// `mn`: nothing, answered by `MN`. It ends a run of quiet requests.
///
/// A quiet request is answered only when there is something to say, so what is silent shows when a later request is
/// answered. Send a run of them, then an `mn`. Give each an opaque of its own (or ask for the key back): an answer
/// that cannot be told from another's is a [`ProtocolError::Unidentified`](crate::exchange::ProtocolError::Unidentified). An
/// error line has no opaque; it is given to the first request of the run that is still open, and the silent ones
/// behind that are [`ReplyError::Unsure`](crate::operation::ReplyError::Unsure).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MetaNoop;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        key::Key,
        meta::BinaryKey,
        request::MAX_HEAD_LEN,
        ttl::{Ttl, UnixTime},
    };

    #[test]
    fn all_flags_of_a_command_fit() {
        let bytes = [b'k'; 250];
        let text = Key::new(&bytes).unwrap();
        let binary = BinaryKey::new(&bytes[..186]).unwrap();
        let opaque = Opaque::new(&[b'o'; 31]).unwrap();
        for key in [MetaKey::from(text), binary.into()] {
            let value = Value::new(&bytes).unwrap();
            let get = MetaGet::new(key).value().cas().flags().hit().key().last_access().size().ttl();
            let get = get.opaque(opaque).quiet().no_bump().vivify(i32::MIN).recache(i32::MIN);
            let get = get.touch(i32::MIN).unless_cas(u64::MAX).new_cas(u64::MAX).proxy(opaque).path(opaque);
            let set = MetaSet::new(key, value).flags(u32::MAX).exptime(i32::MIN).mode(SetMode::Append);
            let set = set.if_cas(u64::MAX).new_cas(u64::MAX).invalidate().vivify(i32::MIN).cas().key().size();
            let set = set.opaque(opaque).quiet().proxy(opaque).path(opaque);
            let delete = MetaDelete::new(key).if_cas(u64::MAX).new_cas(u64::MAX).mark_stale();
            let delete = delete.exptime(i32::MIN).value_only().key().opaque(opaque).quiet();
            let delete = delete.proxy(opaque).path(opaque);
            let arith = MetaArith::new(key).mode(ArithMode::Decr).delta(u64::MAX).vivify(i32::MIN);
            let arith = arith.initial(u64::MAX).exptime(i32::MIN).if_cas(u64::MAX).new_cas(u64::MAX);
            let arith = arith.value().cas().key().ttl().opaque(opaque).quiet().proxy(opaque).path(opaque);
            for request in [&get.0, &set.0, &delete.0, &arith.0] {
                let count = request.verb().letters().len() - usize::from(!key.is_binary());
                assert_eq!(request.flags().iter().count(), count, "{request:?}");
                assert!(request.flags().iter().all(|(letter, _)| request.verb().letters().contains(&letter)));
                assert!(crate::request::meta_parts(request).head.as_bytes().len() <= MAX_HEAD_LEN);
            }
        }
    }

    #[test]
    fn debug_shows_neither_key_nor_value() {
        extern crate std;
        let key = Key::new(b"secret").unwrap();
        let set = MetaSet::new(key, Value::new(b"hidden").unwrap()).cas().exptime(5);
        assert_eq!(std::format!("{:?}", set.0), "MetaRequest(ms Text(Key(6 bytes)) Value(6 bytes) c T5)");
    }

    #[test]
    fn a_cap_shortens_what_an_item_is_given() {
        let (cap, now) = (Ttl::seconds(10), UnixTime::from_secs(9));
        let key = Key::new(b"k").unwrap();
        let value = Value::new(b"v").unwrap();
        let rows = [
            (MetaGet::new(key).touch(60).ttl().vivify(0).recache(30).0, &b" T10 t N10 R30"[..]),
            (MetaGet::new(key).touch(-1).vivify(3).0, b" T-1 N3"),
            (MetaSet::new(key, value).cas().0, b" c T10"),
            (MetaSet::new(key, value).exptime(5).flags(7).0, b" T5 F7"),
            (MetaSet::new(key, value).exptime(0).mode(SetMode::Append).vivify(60).0, b" T10 MA N10"),
            (MetaDelete::new(key).mark_stale().exptime(60).0, b" I T10"),
            (MetaArith::new(key).vivify(60).initial(5).exptime(0).0, b" N10 J5 T10"),
        ];
        for (request, flags) in rows {
            let capped = request.with_ttl_cap(cap, now).unwrap();
            assert_eq!(capped.flags().as_bytes(), flags);
            assert_eq!(
                (capped.verb(), capped.key(), capped.value()),
                (request.verb(), request.key(), request.value())
            );
        }
        for request in [MetaGet::new(key).recache(60).0, MetaDelete::new(key).0, MetaArith::new(key).0] {
            assert_eq!(request.with_ttl_cap(cap, now), None);
        }
    }
}
