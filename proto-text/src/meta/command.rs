//! The meta commands, each flag declared once.
//!
//! Each command has two builders. [`MetaGet`] and its relatives are requests: they have a key, take times to live as
//! numbers on the wire, and keep their flags in the order of the calls. [`MetaGetOptions`] and its relatives are for
//! callers of a client: they have no key, and take a time to live as a [`Ttl`], which becomes a number when the request
//! is sent. They lack the flags `b` `k` `O` `q`, which pair replies with requests: those are the client's.

use super::{ArithMode, MetaKey, MetaRequest, MetaVerb, Opaque, SetMode};
use crate::{
    ttl::{Ttl, UnixTime, ZeroTtl},
    value::Value,
};

/// Declares a command: the flags that are there or not, those with a time to live, and those with another token.
macro_rules! command {
    (
        $(#[$doc:meta])* $name:ident($verb:ident $(, $value:ident: $value_kind:ty)?);
        $(#[$options_doc:meta])* $options:ident;
        $(#[$quiet_doc:meta])* quiet;
        bare { $($(#[$bare_doc:meta])* $bare:ident => $bare_letter:literal;)* }
        times { $($(#[$time_doc:meta])* $ttl:ident, $exptime:ident => $time_letter:literal;)* }
        tokens { $($(#[$token_doc:meta])* $token:ident($arg:ident: $kind:ty) => $token_letter:literal;)* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name<'a>(pub(crate) MetaRequest<'a>);

        impl $name<'_> {
            /// The letters of the flags that the command has.
            const LETTERS: &'static [u8] =
                &[b'b', b'k', b'q', b'L', b'O', b'P', $($bare_letter,)* $($time_letter,)* $($token_letter,)*];
        }

        impl<'a> $name<'a> {
            /// The command without flags.
            pub fn new(key: impl Into<MetaKey<'a>> $(, $value: $value_kind)?) -> Self {
                Self(MetaRequest::new(MetaVerb::$verb, key.into(), command!(@value $($value)?)))
            }

            $(
                $(#[$bare_doc])*
                #[must_use]
                pub fn $bare(mut self) -> Self {
                    self.0.put($bare_letter, ());
                    self
                }
            )*

            $(
                $(#[$time_doc])*
                ///
                /// The number is one for the wire: see [`Ttl::exptime`].
                #[must_use]
                pub fn $exptime(mut self, exptime: i32) -> Self {
                    self.0.put($time_letter, exptime);
                    self
                }
            )*

            $(
                $(#[$token_doc])*
                #[must_use]
                pub fn $token(mut self, $arg: $kind) -> Self {
                    self.0.put($token_letter, $arg);
                    self
                }
            )*

            /// `P`: a token for a proxy on the way. Servers ignore it, and send it back no more than they do anything else.
            #[must_use]
            pub fn proxy(mut self, token: Opaque) -> Self {
                self.0.put(b'P', token);
                self
            }

            /// `L`: the path that a proxy is to take. Servers ignore it as they do [`proxy`](Self::proxy).
            #[must_use]
            pub fn path(mut self, token: Opaque) -> Self {
                self.0.put(b'L', token);
                self
            }

            /// `k`: return the key, which [`Exchange`](crate::Exchange) then checks.
            #[must_use]
            pub fn key(mut self) -> Self {
                self.0.put(b'k', ());
                self
            }

            /// `O`: a token to be sent back, which [`Exchange`](crate::Exchange) then checks.
            #[must_use]
            pub fn opaque(mut self, opaque: Opaque) -> Self {
                self.0.put(b'O', opaque);
                self
            }

            $(#[$quiet_doc])*
            #[must_use]
            pub fn quiet(mut self) -> Self {
                self.0.put(b'q', ());
                self
            }
        }

        $(#[$options_doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[must_use]
        pub struct $options {
            $($bare: bool,)*
            $($ttl: Option<Ttl>,)*
            $($token: Option<$kind>,)*
            proxy: Option<Opaque>,
            path: Option<Opaque>,
        }

        impl $options {
            /// No options.
            pub const fn new() -> Self {
                Self { $($bare: false,)* $($ttl: None,)* $($token: None,)* proxy: None, path: None }
            }

            $(
                $(#[$bare_doc])*
                pub const fn $bare(mut self) -> Self {
                    self.$bare = true;
                    self
                }
            )*

            $(
                $(#[$time_doc])*
                pub const fn $ttl(mut self, ttl: Ttl) -> Self {
                    self.$ttl = Some(ttl);
                    self
                }
            )*

            $(
                $(#[$token_doc])*
                pub const fn $token(mut self, $arg: $kind) -> Self {
                    self.$token = Some($arg);
                    self
                }
            )*

            /// `P`: a token for a proxy on the way. Servers ignore it.
            pub const fn proxy(mut self, token: Opaque) -> Self {
                self.proxy = Some(token);
                self
            }

            /// `L`: the path that a proxy is to take. Servers ignore it.
            pub const fn path(mut self, token: Opaque) -> Self {
                self.path = Some(token);
                self
            }

            /// The request for `key`, if it is sent at `now`.
            ///
            /// # Errors
            /// Refuses times to live of zero.
            pub fn request<'a>(
                &self,
                key: MetaKey<'a>,
                $($value: $value_kind,)?
                now: UnixTime,
            ) -> Result<$name<'a>, ZeroTtl> {
                let mut request = $name::new(key $(, $value)?);
                // What changes the item first, so that what comes back is what it is then.
                $(if let Some(ttl) = self.$ttl {
                    request = request.$exptime(ttl.exptime(now)?);
                })*
                $(if let Some(token) = self.$token {
                    request = request.$token(token);
                })*
                if let Some(token) = self.proxy {
                    request = request.proxy(token);
                }
                if let Some(token) = self.path {
                    request = request.path(token);
                }
                $(if self.$bare {
                    request = request.$bare();
                })*
                Ok(request)
            }
        }
    };
    (@value) => { Value::EMPTY };
    (@value $value:ident) => { $value };
}

command! {
    /// `mg`: get, touch, and be told what to do about an item that is missing or getting old.
    ///
    /// Nothing comes back that was not asked for, the value included. The flags are sent, and answered, in the
    /// order of the calls; that of `T` and `t` decides whether the old time is told or the new one. memcached refuses more
    /// than 17 flags.
    ///
    /// ```
    /// use memring_text::{
    ///     Key, Operation,
    ///     key::KeyError,
    ///     meta::{MetaGet, Opaque},
    /// };
    ///
    /// let get = MetaGet::new(Key::new(b"k")?).value().ttl().opaque(Opaque::number(7));
    /// assert_eq!(get.request().parts().as_slices()[0], b"mg k v t O7\r\n");
    /// # Ok::<(), KeyError>(())
    /// ```
    MetaGet(Get);
    /// What an `mg` asks for. Nothing comes back that was not asked for, the value included.
    ///
    /// ```
    /// use memring_text::{Key, Operation, Ttl, meta::MetaGetOptions, ttl::UnixTime};
    ///
    /// let options = MetaGetOptions::new().value().ttl().recache(Ttl::seconds(60));
    /// let get = options.request(Key::new(b"k")?.into(), UnixTime::default())?;
    /// assert_eq!(get.request().parts().as_slices()[0], b"mg k R60 v t\r\n");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    MetaGetOptions;
    /// `q`: say nothing of a miss. See [`MetaNoop`].
    quiet;
    bare {
        /// `v`: return the value.
        value => b'v';
        /// `c`: return the cas unique.
        cas => b'c';
        /// `f`: return the client's flags.
        flags => b'f';
        /// `h`: return whether the item was fetched before.
        hit => b'h';
        /// `l`: return the seconds since the item was last used.
        last_access => b'l';
        /// `s`: return the value's length.
        size => b's';
        /// `t`: return the seconds that the item has left.
        ttl => b't';
        /// `u`: do not count this as a use of the item.
        no_bump => b'u';
    }
    times {
        /// `N`: of a missing item make an empty one that lives so long, and let one reader win.
        vivify, vivify => b'N';
        /// `R`: of an item that has less time left than this, let one reader win.
        recache, recache => b'R';
        /// `T`: give the item so long to live from now on.
        touch, touch => b'T';
    }
    tokens {
        /// `C`: leave the value out when the item still has this cas unique
        /// ([`Feature::MetaGetCompare`](crate::capabilities::Feature::MetaGetCompare); older servers take the flag and
        /// ignore it).
        unless_cas(cas: u64) => b'C';
        /// `E`: the cas unique of an item made by `N`
        /// ([`Feature::MetaNewCas`](crate::capabilities::Feature::MetaNewCas)).
        new_cas(cas: u64) => b'E';
    }
}

command! {
    /// `ms`: store a value.
    ///
    /// ```
    /// use memring_text::{
    ///     Key, Operation, Value,
    ///     meta::{MetaSet, SetMode},
    /// };
    ///
    /// let set = MetaSet::new(Key::new(b"k")?, Value::new(b"hi")?).exptime(60).mode(SetMode::Add);
    /// assert_eq!(set.request().parts().as_slices(), [&b"ms k 2 T60 ME\r\n"[..], b"hi", b"\r\n"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    MetaSet(Set, value: Value<'a>);
    /// How an `ms` stores, and what it asks for.
    MetaSetOptions;
    /// `q`: say nothing of a success. See [`MetaNoop`].
    quiet;
    bare {
        /// `I`: with [`if_cas`](Self::if_cas), store also over an item with a newer cas unique, but mark it stale.
        invalidate => b'I';
        /// `c`: return the new cas unique.
        cas => b'c';
        /// `s`: return the value's length ([`Feature::MetaSetSize`](crate::capabilities::Feature::MetaSetSize); older
        /// servers take the flag and ignore it).
        size => b's';
    }
    times {
        /// `T`: how long the item lives; for ever if nothing is said.
        ttl, exptime => b'T';
        /// `N`: with [`SetMode::Append`] and [`SetMode::Prepend`], make a missing item, which lives so long
        /// ([`Feature::MetaAppendVivify`](crate::capabilities::Feature::MetaAppendVivify)).
        vivify, vivify => b'N';
    }
    tokens {
        /// `F`: the client's own number, kept beside the value; 0 if nothing is said.
        flags(flags: u32) => b'F';
        /// `M`: when to store, and where; [`SetMode::Set`] if nothing is said.
        mode(mode: SetMode) => b'M';
        /// `C`: only over an item with this cas unique.
        if_cas(cas: u64) => b'C';
        /// `E`: the item's cas unique ([`Feature::MetaNewCas`](crate::capabilities::Feature::MetaNewCas)).
        new_cas(cas: u64) => b'E';
    }
}

command! {
    /// `md`: delete an item, or mark it stale.
    MetaDelete(Delete);
    /// How an `md` deletes.
    MetaDeleteOptions;
    /// `q`: say nothing of a success; that there was no such item is said. See [`MetaNoop`].
    quiet;
    bare {
        /// `I`: keep the item, but mark it stale: the next reader wins.
        mark_stale => b'I';
        /// `x`: keep the item, but take its value and flags
        /// ([`Feature::MetaDeleteValue`](crate::capabilities::Feature::MetaDeleteValue)).
        value_only => b'x';
    }
    times {
        /// `T`: with [`mark_stale`](Self::mark_stale), how long the item lives from now on.
        ttl, exptime => b'T';
    }
    tokens {
        /// `C`: only an item with this cas unique.
        if_cas(cas: u64) => b'C';
        /// `E`: the cas unique of an item that stays
        /// ([`Feature::MetaNewCas`](crate::capabilities::Feature::MetaNewCas)).
        new_cas(cas: u64) => b'E';
    }
}

command! {
    /// `ma`: count up or down.
    MetaArith(Arith);
    /// How an `ma` counts, and what it asks for.
    MetaArithOptions;
    /// `q`: say nothing of a success; that there was no such item is said. See [`MetaNoop`].
    quiet;
    bare {
        /// `v`: return the new number.
        value => b'v';
        /// `c`: return the new cas unique.
        cas => b'c';
        /// `t`: return the seconds that the item has left.
        ttl => b't';
    }
    times {
        /// `N`: make a missing item, which lives so long.
        vivify, vivify => b'N';
        /// `T`: give the item so long to live from now on.
        touch, exptime => b'T';
    }
    tokens {
        /// `M`: which way; [`ArithMode::Incr`] if nothing is said.
        mode(mode: ArithMode) => b'M';
        /// `D`: by how much; 1 if nothing is said.
        delta(delta: u64) => b'D';
        /// `J`: with [`vivify`](Self::vivify), the number it begins with; 0 if nothing is said.
        initial(number: u64) => b'J';
        /// `C`: only an item with this cas unique.
        if_cas(cas: u64) => b'C';
        /// `E`: the item's new cas unique ([`Feature::MetaNewCas`](crate::capabilities::Feature::MetaNewCas)).
        new_cas(cas: u64) => b'E';
    }
}

impl MetaVerb {
    /// The letters of the flags that the command has.
    pub(crate) const fn letters(self) -> &'static [u8] {
        match self {
            Self::Get => MetaGet::LETTERS,
            Self::Set => MetaSet::LETTERS,
            Self::Delete => MetaDelete::LETTERS,
            Self::Arith => MetaArith::LETTERS,
            Self::Debug => b"b",
            Self::Noop => b"",
        }
    }
}

/// `me`: asks what the server knows about an item, for people to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetaDebug<'a>(pub(crate) MetaRequest<'a>);

impl<'a> MetaDebug<'a> {
    /// `me` of this key.
    pub fn new(key: impl Into<MetaKey<'a>>) -> Self {
        Self(MetaRequest::new(MetaVerb::Debug, key.into(), Value::EMPTY))
    }
}

impl<'a> AsRef<MetaRequest<'a>> for MetaGet<'a> {
    fn as_ref(&self) -> &MetaRequest<'a> {
        &self.0
    }
}

impl<'a> AsRef<MetaRequest<'a>> for MetaSet<'a> {
    fn as_ref(&self) -> &MetaRequest<'a> {
        &self.0
    }
}

impl<'a> AsRef<MetaRequest<'a>> for MetaDelete<'a> {
    fn as_ref(&self) -> &MetaRequest<'a> {
        &self.0
    }
}

impl<'a> AsRef<MetaRequest<'a>> for MetaArith<'a> {
    fn as_ref(&self) -> &MetaRequest<'a> {
        &self.0
    }
}

impl<'a> AsRef<MetaRequest<'a>> for MetaDebug<'a> {
    fn as_ref(&self) -> &MetaRequest<'a> {
        &self.0
    }
}

/// `mn`: does nothing, and is answered by `MN`. It ends a run of quiet requests.
///
/// A quiet request is answered only when there is something to report, so the reply to a later request shows that it
/// was silent. Send a run of quiet requests, then an `mn`. Give each an opaque of its own (or ask for the key back): an
/// answer that may belong to several of them is a
/// [`ProtocolError::Unidentified`](crate::exchange::ProtocolError::Unidentified). An error line has no opaque; it is
/// given to the first request of the run that is still open, and the silent ones behind that are
/// [`ReplyError::Unsure`](crate::operation::ReplyError::Unsure).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MetaNoop;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        key::Key,
        meta::BinaryKey,
        request::{MAX_HEAD_LEN, Request},
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
                assert!(Request::Meta(request).parts().head.as_bytes().len() <= MAX_HEAD_LEN);
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
