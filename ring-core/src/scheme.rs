//! Schemes: how peers place keys, as data.
//!
//! # A scheme of one's own
//!
//! Take a scheme and change what differs: each part is a field.
//!
//! ```
//! use memring_core::{hash, peers::libmemcached, Scheme};
//!
//! const CRC: Scheme<'static> = {
//!     let mut scheme = libmemcached::MODULA;
//!     scheme.hash = hash::CRC15;
//!     scheme
//! };
//! let named = Scheme::from_name("libmemcached-modula").unwrap().with_option("hash", "crc")?;
//! assert_eq!(CRC.hash_key(b"tokyo"), named.hash_key(b"tokyo"));
//! # Ok::<(), memring_core::scheme::OptionError>(())
//! ```
//!
//! Or begin with [`Scheme::new`] and a [mechanism](crate::mechanism). Here servers have a hundred points for each unit of
//! their weight, each the hash of `name-0`, `name-1` and so on, and the keys of a dead server go to the owners of the next
//! points:
//!
//! ```
//! use memring_core::{
//!     hash,
//!     mechanism::{ketama, Continuum, Label},
//!     scheme::{fallback, Weights},
//!     storage::Fixed,
//!     Placement, Scheme, Server,
//! };
//!
//! const RING: Continuum<u32> = Continuum {
//!     count: |_, _, member| member.weight.saturating_mul(100),
//!     points: |scheme, _, label, count, sink| ketama::hashed_points(label, &scheme.hash, count, sink),
//!     ..ketama::ring(Label::verbatim)
//! };
//!
//! const OURS: Scheme<'static> = {
//!     let mut ours = Scheme::new("ours", &RING);
//!     ours.hash = hash::FNV1A_32;
//!     ours.weights = Weights::Whole;
//!     ours.fallback = fallback::walk;
//!     ours
//! };
//!
//! let servers = [Server::new("a"), Server::new("b"), Server::new("c").weighing(2)];
//! let placement = Placement::build(OURS, servers, Fixed::<400>::new())?;
//! assert_eq!(Ok(placement.primary(b"tokyo")), OURS.choose(&servers, b"tokyo"));
//! let mut order = [Default::default(); 3];
//! assert_eq!(placement.order(b"tokyo", &mut order).len(), 3);
//! # Ok::<(), memring_core::BuildError>(())
//! ```

use core::{cmp::Ordering, fmt};

use crate::{
    hash::{self, Hash},
    mechanism::{Mechanism, Slots},
};

pub mod fallback;

pub use crate::{
    error::{BuildError, OptionError},
    key::{Form, KeyText},
    list::List,
    peers::options::{Extra, Login, Options, Points, Pool, PoolKeys, PoolPoints, RingOptions, Settings},
    weights::Weights,
};

/// How one peer places keys: which bytes of the key are hashed, by which function, how a hash becomes a server, and
/// which server is asked next when that one is down.
///
/// A scheme is plain data. Take a constant of [`peers`](crate::peers), find one by its name with
/// [`from_name`](Self::from_name), or build [one of your own](self). [`with_option`](Self::with_option) sets an option
/// by its name.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Scheme<'a> {
    /// The name that the command line, the documentation and the vector files share.
    pub name: &'static str,
    /// The clients that place keys this way, in one line.
    pub used_by: &'static str,
    /// Which bytes are hashed for a key.
    pub key: KeyText<'a>,
    /// The function that hashes them.
    pub hash: Hash,
    /// Which weights the peer takes and what they mean.
    pub weights: Weights,
    /// The order in which the peer keeps its servers, by name; `None` = as configured.
    pub roster: Option<fn(&str, &str) -> Ordering>,
    /// How a hash becomes a server.
    pub mechanism: &'static dyn Mechanism,
    /// Which servers are asked when the primary is down.
    pub fallback: fallback::Fallback,
    /// How many servers are tried for one key before the peer gives up, with the primary; a server that is tried again
    /// counts again.
    pub tries: u32,
    /// The options that only this scheme has.
    pub options: Options<'a>,
}

impl Scheme<'static> {
    /// The scheme `name`, which places keys by `mechanism`: the whole key is hashed, with MD5, weights are ignored,
    /// servers are in the order of the list, and when a server is down, no other is asked.
    ///
    /// The [module](self) shows how to go on. A name that no peer has keeps [`with_option`](Self::with_option) from taking
    /// options of that peer.
    #[must_use]
    pub const fn new(name: &'static str, mechanism: &'static dyn Mechanism) -> Self {
        Self {
            name,
            used_by: "",
            key: KeyText::WHOLE,
            hash: hash::MD5,
            weights: Weights::Ignored,
            roster: None,
            mechanism,
            fallback: fallback::none,
            tries: u32::MAX,
            options: Options::None,
        }
    }

    /// What the constants of the peers leave out.
    pub(crate) const BASE: Self = Self::new("", &Slots::BY_HASH);
}

impl Scheme<'_> {
    /// The hash of `key`, by the scheme's function.
    #[inline]
    pub fn hash_key(&self, key: &[u8]) -> u32 {
        self.key.hash(&self.hash, key)
    }

    /// Puts the hashes of `keys` into `out`; the shorter of the two slices decides how many.
    pub fn hash_keys(&self, keys: &[&[u8]], out: &mut [u32]) {
        self.key.hash_many(&self.hash, keys, out);
    }

    /// Whether keys have the same hash under `other`.
    pub(crate) fn hashes_as(&self, other: &Scheme<'_>) -> bool {
        self.hash.name() == other.hash.name() && self.key.reads_as(&other.key)
    }
}

impl fmt::Debug for Scheme<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheme").field("name", &self.name).field("hash", &self.hash).finish_non_exhaustive()
    }
}
