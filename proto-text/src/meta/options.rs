//! What a caller may ask of a meta command: the flags that are hers to choose, with times to live as she says them.
//!
//! Not among them are the flags that hold a conversation together, `b` `k` `O` `q`: those are the client's.

use super::{ArithMode, MetaArith, MetaDelete, MetaGet, MetaKey, MetaSet, Opaque, SetMode};
use crate::{
    ttl::{Ttl, UnixTime, ZeroTtl},
    value::Value,
};

/// What stands behind a flag's letter, as the caller says it.
trait Token {
    type Wire;

    fn on_wire(self, now: UnixTime) -> Result<Self::Wire, ZeroTtl>;
}

impl Token for Ttl {
    type Wire = i32;

    fn on_wire(self, now: UnixTime) -> Result<i32, ZeroTtl> {
        self.exptime(now)
    }
}

macro_rules! as_they_are {
    ($($kind:ty)*) => {
        $(impl Token for $kind {
            type Wire = Self;

            fn on_wire(self, _: UnixTime) -> Result<Self, ZeroTtl> {
                Ok(self)
            }
        })*
    };
}

as_they_are! { u32 u64 SetMode ArithMode Opaque }

/// Declares the options of one command: those that are asked for or not, and those with a token.
macro_rules! options {
    (
        $(#[$doc:meta])*
        $name:ident => $request:ident($($value:ident: $value_kind:ty)?):
        $($(#[$bare_doc:meta])* $bare:ident;)*
        ---
        $($(#[$token_doc:meta])* $token:ident($arg:ident: $kind:ty) => $method:ident;)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[must_use]
        pub struct $name {
            $($bare: bool,)*
            $($token: Option<$kind>,)*
        }

        impl $name {
            /// Nothing asked for.
            pub const fn new() -> Self {
                Self { $($bare: false,)* $($token: None,)* }
            }

            $(
                $(#[$bare_doc])*
                pub const fn $bare(mut self) -> Self {
                    self.$bare = true;
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

            /// The request for `key`, when it is sent at `now`.
            ///
            /// # Errors
            /// Refuses times to live of zero.
            pub fn request<'a>(
                &self,
                key: MetaKey<'a>,
                $($value: $value_kind,)?
                now: UnixTime,
            ) -> Result<$request<'a>, ZeroTtl> {
                let mut request = $request::new(key $(, $value)?);
                // What changes the item first, so that what comes back is what it is then.
                $(if let Some(token) = self.$token {
                    request = request.$method(token.on_wire(now)?);
                })*
                $(if self.$bare {
                    request = request.$bare();
                })*
                Ok(request)
            }
        }
    };
}

options! {
    /// What an `mg` asks for. Nothing comes back that was not asked for, the value included.
    ///
    /// ```
    /// use memring_text::{Key, Ttl, meta::MetaGetOptions, ttl::UnixTime};
    ///
    /// let options = MetaGetOptions::new().value().ttl().recache(Ttl::seconds(60));
    /// let get = options.request(Key::new(b"k")?.into(), UnixTime::default())?;
    /// assert_eq!(get.parts().as_slices()[0], b"mg k R60 v t\r\n");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    MetaGetOptions => MetaGet():
    /// `v`: the value.
    value;
    /// `c`: the cas unique.
    cas;
    /// `f`: the flags.
    flags;
    /// `h`: whether the item was fetched before.
    hit;
    /// `l`: the seconds since the item was last used.
    last_access;
    /// `s`: the value's length.
    size;
    /// `t`: the seconds that the item has left.
    ttl;
    /// `u`: do not count this as a use of the item.
    no_bump;
    ---
    /// `N`: of a missing item make an empty one that lives so long, and let one reader win.
    vivify(ttl: Ttl) => vivify;
    /// `R`: of an item that has less time left than this, let one reader win.
    recache(ttl: Ttl) => recache;
    /// `T`: give the item so long to live from now on.
    touch(ttl: Ttl) => touch;
    /// `C`: leave the value out when the item still has this cas unique
    /// ([`Feature::MetaGetCompare`](crate::capabilities::Feature::MetaGetCompare)).
    unless_cas(cas: u64) => unless_cas;
    /// `E`: the cas unique of an item made by `N` ([`Feature::MetaNewCas`](crate::capabilities::Feature::MetaNewCas)).
    new_cas(cas: u64) => new_cas;
    /// `P`: a token for a proxy on the way. Servers ignore it.
    proxy(token: Opaque) => proxy;
    /// `L`: the path that a proxy is to take. Servers ignore it.
    path(token: Opaque) => path;
}

options! {
    /// How an `ms` stores, and what it asks for.
    MetaSetOptions => MetaSet(value: Value<'a>):
    /// `I`: with [`if_cas`](Self::if_cas), store also over an item with a newer cas unique, but mark it stale.
    invalidate;
    /// `c`: return the new cas unique.
    cas;
    /// `s`: return the value's length ([`Feature::MetaSetSize`](crate::capabilities::Feature::MetaSetSize)).
    size;
    ---
    /// `F`: the caller's own number; 0 if nothing is said.
    flags(flags: u32) => flags;
    /// `T`: how long the item lives; for ever if nothing is said.
    ttl(ttl: Ttl) => exptime;
    /// `M`: when to store, and where; [`SetMode::Set`] if nothing is said.
    mode(mode: SetMode) => mode;
    /// `C`: only over an item with this cas unique.
    if_cas(cas: u64) => if_cas;
    /// `E`: the item's cas unique ([`Feature::MetaNewCas`](crate::capabilities::Feature::MetaNewCas)).
    new_cas(cas: u64) => new_cas;
    /// `N`: with [`SetMode::Append`] and [`SetMode::Prepend`], make a missing item, which lives so long
    /// ([`Feature::MetaAppendVivify`](crate::capabilities::Feature::MetaAppendVivify)).
    vivify(ttl: Ttl) => vivify;
    /// `P`: a token for a proxy on the way. Servers ignore it.
    proxy(token: Opaque) => proxy;
    /// `L`: the path that a proxy is to take. Servers ignore it.
    path(token: Opaque) => path;
}

options! {
    /// How an `md` deletes.
    MetaDeleteOptions => MetaDelete():
    /// `I`: keep the item, but mark it stale: the next reader wins.
    mark_stale;
    /// `x`: keep the item, but take its value and flags
    /// ([`Feature::MetaDeleteValue`](crate::capabilities::Feature::MetaDeleteValue)).
    value_only;
    ---
    /// `C`: only an item with this cas unique.
    if_cas(cas: u64) => if_cas;
    /// `E`: the cas unique of an item that stays ([`Feature::MetaNewCas`](crate::capabilities::Feature::MetaNewCas)).
    new_cas(cas: u64) => new_cas;
    /// `T`: with [`mark_stale`](Self::mark_stale), how long the item lives from now on.
    ttl(ttl: Ttl) => exptime;
    /// `P`: a token for a proxy on the way. Servers ignore it.
    proxy(token: Opaque) => proxy;
    /// `L`: the path that a proxy is to take. Servers ignore it.
    path(token: Opaque) => path;
}

options! {
    /// How an `ma` counts, and what it asks for.
    MetaArithOptions => MetaArith():
    /// `v`: return the new number.
    value;
    /// `c`: return the new cas unique.
    cas;
    /// `t`: return the seconds that the item has left.
    ttl;
    ---
    /// `M`: which way; [`ArithMode::Incr`] if nothing is said.
    mode(mode: ArithMode) => mode;
    /// `D`: by how much; 1 if nothing is said.
    delta(delta: u64) => delta;
    /// `N`: make a missing item, which lives so long.
    vivify(ttl: Ttl) => vivify;
    /// `J`: with [`vivify`](Self::vivify), the number it begins with; 0 if nothing is said.
    initial(number: u64) => initial;
    /// `T`: give the item so long to live from now on.
    touch(ttl: Ttl) => exptime;
    /// `C`: only an item with this cas unique.
    if_cas(cas: u64) => if_cas;
    /// `E`: the item's new cas unique ([`Feature::MetaNewCas`](crate::capabilities::Feature::MetaNewCas)).
    new_cas(cas: u64) => new_cas;
    /// `P`: a token for a proxy on the way. Servers ignore it.
    proxy(token: Opaque) => proxy;
    /// `L`: the path that a proxy is to take. Servers ignore it.
    path(token: Opaque) => path;
}
