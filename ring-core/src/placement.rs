//! Placements: a scheme built for a list of servers, which finds the server of a key.

use core::fmt;

#[cfg(feature = "alloc")]
use crate::storage::Boxed;
use crate::{
    groups::Groups,
    live::Live,
    mechanism::{Division, View},
    order::Order,
    scheme::{BuildError, Options, Scheme},
    server::{Server, ServerIndex, Servers},
    storage::{Needs, Storage, StorageMut},
};

/// A [`Scheme`] built for a list of servers, in the caller's storage: finds the server that holds a key.
///
/// ```
/// use memring_core::{peers::libmemcached::KETAMA_WEIGHTED, storage::Fixed, Placement, Server, ServerIndex};
///
/// let servers = [Server::new("10.0.1.1:11211"), Server::new("10.0.1.2:11211"), Server::new("10.0.1.3:11211")];
/// let placement = Placement::build(KETAMA_WEIGHTED, servers, Fixed::<480, 256>::new())?;
/// assert_eq!(placement.primary(b"tokyo"), ServerIndex::new(0));
/// # Ok::<(), memring_core::BuildError>(())
/// ```
#[derive(Clone)]
pub struct Placement<'a, L, S> {
    scheme: Scheme<'a>,
    servers: L,
    storage: S,
}

impl<'a, L: Servers, S: Storage> Placement<'a, L, S> {
    /// Builds `scheme` for `servers` into `storage`.
    ///
    /// # Errors
    /// [`BuildError`]; the storage is untouched when it is too small.
    pub fn build(scheme: Scheme<'a>, servers: L, mut storage: S) -> Result<Self, BuildError>
    where
        S: StorageMut,
    {
        fill(&scheme, &servers, &mut storage)?;
        Ok(Self { scheme, servers, storage })
    }

    /// Builds the scheme for other servers, in the same storage.
    ///
    /// To place keys meanwhile, build a second placement in other storage and swap the two when it is done.
    ///
    /// ```
    /// use memring_core::{peers::libketama::LIBKETAMA, storage::Fixed, Placement, Server};
    ///
    /// let names = ["10.0.1.1:11211", "10.0.1.2:11211", "10.0.1.3:11211"].map(Server::new);
    /// let mut placement = Placement::build(LIBKETAMA, &names[..2], Fixed::<480>::new())?;
    /// placement.rebuild(&names[..])?;
    /// assert_eq!(placement.primary(b"tokyo").get(), 2);
    /// # Ok::<(), memring_core::BuildError>(())
    /// ```
    ///
    /// # Errors
    /// [`BuildError`]; the placement then stays as it was.
    pub fn rebuild(&mut self, servers: L) -> Result<(), BuildError>
    where
        S: StorageMut,
    {
        fill(&self.scheme, &servers, &mut self.storage)?;
        self.servers = servers;
        Ok(())
    }

    /// A placement whose storage was built before, for example by a build script for flash.
    ///
    /// `storage` must hold exactly what [`build`](Self::build) made of the same scheme and servers.
    pub const fn prebuilt(scheme: Scheme<'a>, servers: L, storage: S) -> Self {
        Self { scheme, servers, storage }
    }

    /// The server that holds `key`.
    ///
    /// `key` may be any bytes, even those that memcached refuses as a key.
    #[inline]
    pub fn primary(&self, key: &[u8]) -> ServerIndex {
        self.scheme.mechanism.primary(&self.view(), key)
    }

    /// The server that holds `key`, with its name and weight; [`primary`](Self::primary) gives its index in the list.
    pub fn server(&self, key: &[u8]) -> Server<'_> {
        // If the list got shorter after it was placed, the server has no name.
        self.servers.server(self.primary(key).get()).unwrap_or(Server::new(""))
    }

    /// Finds the servers that hold `keys` and puts them into `out`; the shorter of the two slices decides how many.
    ///
    /// Each server is the [`primary`](Self::primary) of its key. With MD5 as hash, this is faster than one call a key,
    /// from about eight keys on.
    ///
    /// ```
    /// use memring_core::{peers::libketama::LIBKETAMA, storage::Fixed, Placement, Server, ServerIndex};
    ///
    /// let servers = ["10.0.1.1:11211", "10.0.1.2:11211", "10.0.1.3:11211"].map(Server::new);
    /// let placement = Placement::build(LIBKETAMA, servers, Fixed::<480>::new())?;
    /// let mut out = [ServerIndex::default(); 3];
    /// placement.place_many(&[b"tokyo", b"foo", b"test"], &mut out);
    /// assert_eq!(out.map(ServerIndex::get), [2, 1, 2]);
    /// # Ok::<(), memring_core::BuildError>(())
    /// ```
    pub fn place_many(&self, keys: &[&[u8]], out: &mut [ServerIndex]) {
        self.scheme.mechanism.place_many(&self.view(), keys, out);
    }

    /// Groups `keys` by the server that holds them, without any memory but the caller's: a multi-get of each server is a slice.
    ///
    /// `keys` are put in another order; `servers` is scratch, and the shorter of the two slices decides how many keys there are.
    /// What must be known of a key beside its bytes, such as its position, is part of `K`.
    ///
    /// ```
    /// use memring_core::{peers::libketama::LIBKETAMA, storage::{points_for, Fixed}, Placement, Server, ServerIndex};
    ///
    /// let servers = ["10.0.1.1:11211", "10.0.1.2:11211", "10.0.1.3:11211"].map(Server::new);
    /// let placement = Placement::build(LIBKETAMA, servers, Fixed::<{ points_for(3) }>::new())?;
    /// let (mut keys, mut scratch) = (["tokyo", "foo", "test"], [ServerIndex::default(); 3]);
    /// let mut groups = placement.group(&mut keys, &mut scratch);
    /// assert_eq!(groups.next(), Some((ServerIndex::new(2), &["tokyo", "test"][..])));
    /// assert_eq!(groups.next(), Some((ServerIndex::new(1), &["foo"][..])));
    /// assert_eq!(groups.next(), None);
    /// # Ok::<(), memring_core::BuildError>(())
    /// ```
    pub fn group<'g, K: AsRef<[u8]>>(
        &self,
        keys: &'g mut [K],
        servers: &'g mut [ServerIndex],
    ) -> Groups<'g, K> {
        let len = keys.len().min(servers.len());
        let (keys, servers) =
            (keys.get_mut(..len).unwrap_or_default(), servers.get_mut(..len).unwrap_or_default());
        for (keys, servers) in keys.chunks(AT_ONCE).zip(servers.chunks_mut(AT_ONCE)) {
            let mut names = [&[][..]; AT_ONCE];
            names.iter_mut().zip(keys).for_each(|(name, key)| *name = key.as_ref());
            self.place_many(&names, servers);
        }
        Groups::new(keys, servers)
    }

    /// The servers to ask for `key`, each once: the primary, then those that the peer tries when the earlier ones are
    /// down, in its order, as many as fit into `out`. If the peer, as configured, tries no other server, there is only
    /// the primary.
    ///
    /// ```
    /// use memring_core::{peers::libmemcached, storage::Fixed, Placement, Server, ServerIndex};
    ///
    /// let servers = [Server::new("10.0.1.1:11211"), Server::new("10.0.1.2:11211"), Server::new("10.0.1.3:11211")];
    /// let scheme = libmemcached::KETAMA_WEIGHTED.with_option("auto_eject_hosts", "1").unwrap();
    /// let placement = Placement::build(scheme, servers, Fixed::<480>::new())?;
    /// let mut out = [ServerIndex::default(); 2];
    /// assert_eq!(placement.order(b"tokyo", &mut out).len(), 2);
    /// # Ok::<(), memring_core::BuildError>(())
    /// ```
    pub fn order<'o>(&self, key: &[u8], out: &'o mut [ServerIndex]) -> &'o [ServerIndex] {
        // No other server is looked for when all are noted.
        let len = out.len().min(self.servers.count());
        let mut order = Order::new(out.get_mut(..len).unwrap_or_default());
        let view = self.view();
        if order.push(self.scheme.mechanism.primary(&view, key)) {
            (self.scheme.fallback)(&view, key, &mut order);
        }
        order.into_slice()
    }

    /// The server that owns the arc of the circle in which `hash` lies; `None` unless the scheme has a ring of 32-bit
    /// points.
    pub fn owner_on_ring(&self, hash: u32) -> Option<ServerIndex> {
        let view = self.view();
        let mechanism = self.scheme.mechanism;
        matches!(mechanism.division(&view), Division::Arcs(_)).then(|| mechanism.at(&view, hash))
    }

    /// The scheme that was built.
    pub const fn scheme(&self) -> &Scheme<'a> {
        &self.scheme
    }

    /// The servers that the placement was built for.
    pub const fn servers(&self) -> &L {
        &self.servers
    }

    /// The storage that the placement was built in.
    pub const fn storage(&self) -> &S {
        &self.storage
    }

    /// The number of entries in use; 0 for schemes that store nothing.
    pub fn len(&self) -> usize {
        self.storage.entries().owners.len()
    }

    /// Whether the scheme stores nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the servers and the storage.
    pub fn into_parts(self) -> (L, S) {
        (self.servers, self.storage)
    }

    /// What mechanisms and fallbacks see.
    #[inline]
    pub(crate) fn view(&self) -> View<'_> {
        View { scheme: &self.scheme, servers: &self.servers, entries: self.storage.entries() }
    }
}

#[cfg(feature = "alloc")]
impl<'a, L: Servers> Placement<'a, L, Boxed> {
    /// Builds `scheme` for `servers` on the heap.
    ///
    /// ```
    /// use memring_core::{peers::libmemcached::KETAMA_WEIGHTED, Placement, Server};
    ///
    /// let servers = ["10.0.1.1:11211", "10.0.1.2:11211", "10.0.1.3:11211"].map(Server::new);
    /// let placement = Placement::owned(KETAMA_WEIGHTED, servers)?;
    /// assert_eq!(placement.server(b"tokyo").name, "10.0.1.1:11211");
    /// # Ok::<(), memring_core::BuildError>(())
    /// ```
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn owned(scheme: Scheme<'a>, servers: L) -> Result<Self, BuildError> {
        Self::build(scheme, servers, Boxed::new())
    }
}

/// How many keys are placed together, at most, while they are grouped.
const AT_ONCE: usize = 16;

/// Builds `scheme` for `servers` into `storage`, which is untouched on errors.
fn fill(scheme: &Scheme<'_>, servers: &dyn Servers, storage: &mut impl StorageMut) -> Result<(), BuildError> {
    let live = Live::checked(scheme, servers)?;
    let needs = scheme.checked_needs(&live)?;
    let built = scheme.mechanism.build(scheme, &live, storage.prepare(needs)?);
    storage.trim(built);
    Ok(())
}

impl<L, S> fmt::Debug for Placement<'_, L, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Placement").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

impl Scheme<'_> {
    /// The storage that a placement of this scheme for `servers` needs.
    ///
    /// # Errors
    /// [`BuildError`] when the scheme cannot be built for these servers.
    ///
    /// ```
    /// use memring_core::{peers::libketama::LIBKETAMA, Server};
    ///
    /// let servers = [Server::new("10.0.1.1:11211"), Server::new("10.0.1.2:11211")];
    /// assert_eq!(LIBKETAMA.needs(&servers)?.entries, 320);
    /// # Ok::<(), memring_core::BuildError>(())
    /// ```
    pub fn needs(&self, servers: &(impl Servers + ?Sized)) -> Result<Needs, BuildError> {
        self.checked_needs(&Live::checked(self, &servers)?)
    }

    /// What a placement stores for servers that were checked. Here the points are counted against the configuration.
    fn checked_needs(&self, live: &Live<'_>) -> Result<Needs, BuildError> {
        let needs = self.mechanism.needs(self, live)?;
        match self.options {
            Options::PointsInRing(expected) if expected != needs.entries => {
                Err(BuildError::PointsInRing { expected, built: needs.entries })
            }
            _ => Ok(needs),
        }
    }

    /// The server of `key`, computed from the names alone, without any storage.
    ///
    /// The result is that of [`Placement::primary`], but each call hashes every point of the ring.
    ///
    /// # Errors
    /// [`BuildError`] as for building.
    pub fn choose(&self, servers: &(impl Servers + ?Sized), key: &[u8]) -> Result<ServerIndex, BuildError> {
        let live = Live::checked(self, &servers)?;
        self.checked_needs(&live)?;
        self.mechanism.choose(self, &live, key).ok_or(BuildError::NothingToPlaceOn)
    }
}
