//! Servers as placements see them, with a name, a weight and an index.

use core::fmt;

use crate::number;

/// A server's index: its position in the configured list, from 0.
///
/// The index does not change when a peer sorts its servers internally or takes dead ones out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerIndex(u16);

impl ServerIndex {
    /// Most servers that one placement can have.
    pub const MAX_SERVERS: usize = u16::MAX as usize;

    /// The index `index`.
    #[must_use]
    pub const fn new(index: u16) -> Self {
        Self(index)
    }

    /// The index as a subscript into the list of servers.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0 as usize
    }

    pub(crate) const fn raw(self) -> u16 {
        self.0
    }
}

impl fmt::Display for ServerIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A server's weight: how many keys it should get, relative to the others.
///
/// The scheme decides what a weight means: most peers take whole numbers, a few ignore weights, Cache::Memcached::Fast
/// takes any positive number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Weight {
    /// A whole number, zero included.
    Whole(u32),
    /// Any finite number from zero up.
    Real(f64),
}

impl Weight {
    /// The weight as a number.
    #[must_use]
    pub fn real(self) -> f64 {
        match self {
            Self::Whole(weight) => f64::from(weight),
            Self::Real(weight) => weight,
        }
    }

    /// Reads a weight as operators write it: `600`, `1.5`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        if text.contains(&b'.') {
            return number::decimal(text).map(Self::Real);
        }
        number::whole(text)?.try_into().ok().map(Self::Whole)
    }
}

impl Default for Weight {
    fn default() -> Self {
        Self::Whole(1)
    }
}

impl From<u32> for Weight {
    fn from(weight: u32) -> Self {
        Self::Whole(weight)
    }
}

/// One server of a list.
///
/// The *name* decides placement. It is the text in the peer's configuration, usually `host:port`. This crate does not
/// know where to connect.
///
/// ```
/// use memring_core::Server;
///
/// let plain = Server::new("10.0.1.1:11211");
/// let heavy = Server::new("10.0.1.2:11211").weighing(600);
/// assert_eq!((plain.weight.real(), heavy.weight.real()), (1.0, 600.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Server<'a> {
    /// The name, as the peer's configuration spells it.
    pub name: &'a str,
    /// The weight; 1 by default.
    pub weight: Weight,
}

impl<'a> Server<'a> {
    /// The server `name` with weight 1.
    #[must_use]
    pub const fn new(name: &'a str) -> Self {
        Self { name, weight: Weight::Whole(1) }
    }

    /// This server with another `weight`.
    #[must_use]
    pub const fn weighing(self, weight: u32) -> Self {
        Self { weight: Weight::Whole(weight), ..self }
    }
}

/// A name as host and port, cut at its last colon; no port when there is no colon.
///
/// The standard library's search for the last colon can panic as far as a linker sees; this cannot.
pub(crate) fn host_and_port(name: &str) -> (&str, Option<&str>) {
    let cut = name.bytes().rposition(|byte| byte == b':').and_then(|colon| name.split_at_checked(colon));
    match cut {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => (name, None),
    }
}

/// A list of servers: an array, a slice, a vector, or a type of the program's own.
///
/// A device that learns of servers as it runs can keep their names in a type of its own:
///
/// ```
/// use memring_core::{peers::libketama::LIBKETAMA, storage::{points_for, Fixed}, Placement, Server, Servers};
///
/// /// Up to eight names, each of which ends at its first NUL.
/// #[derive(Clone, Default)]
/// struct Fleet {
///     names: [[u8; 21]; 8],
///     count: usize,
/// }
///
/// impl Fleet {
///     fn add(&mut self, name: &str) {
///         self.names[self.count][..name.len()].copy_from_slice(name.as_bytes());
///         self.count += 1;
///     }
/// }
///
/// impl Servers for Fleet {
///     fn count(&self) -> usize {
///         self.count
///     }
///
///     fn server(&self, index: usize) -> Option<Server<'_>> {
///         let name = self.names[..self.count].get(index)?.split(|&byte| byte == 0).next()?;
///         str::from_utf8(name).ok().map(Server::new)
///     }
/// }
///
/// let mut fleet = Fleet::default();
/// fleet.add("10.0.1.1:11211");
/// fleet.add("10.0.1.2:11211");
/// let mut placement = Placement::build(LIBKETAMA, fleet, Fixed::<{ points_for(8) }>::new())?;
/// let mut fleet = placement.servers().clone();
/// fleet.add("10.0.1.3:11211");
/// placement.rebuild(fleet)?;
/// assert_eq!(placement.server(b"tokyo").name, "10.0.1.3:11211");
/// # Ok::<(), memring_core::BuildError>(())
/// ```
pub trait Servers {
    /// The number of servers.
    fn count(&self) -> usize;

    /// The server at `index`, or `None` from [`count`](Self::count) on.
    fn server(&self, index: usize) -> Option<Server<'_>>;
}

/// An element of a list of servers: a [`Server`], or a type of the caller's own that has a name and a weight. Slices,
/// arrays and vectors of such elements are [`Servers`].
pub trait AsServer {
    /// The server as placements see it.
    fn as_server(&self) -> Server<'_>;
}

impl AsServer for Server<'_> {
    fn as_server(&self) -> Server<'_> {
        *self
    }
}

impl<S: AsServer> Servers for [S] {
    fn count(&self) -> usize {
        self.len()
    }

    fn server(&self, index: usize) -> Option<Server<'_>> {
        self.get(index).map(S::as_server)
    }
}

impl<S: AsServer, const N: usize> Servers for [S; N] {
    fn count(&self) -> usize {
        N
    }

    fn server(&self, index: usize) -> Option<Server<'_>> {
        self.get(index).map(S::as_server)
    }
}

impl<S: Servers + ?Sized> Servers for &S {
    fn count(&self) -> usize {
        (**self).count()
    }

    fn server(&self, index: usize) -> Option<Server<'_>> {
        (**self).server(index)
    }
}

#[cfg(feature = "alloc")]
mod owned {
    use alloc::{boxed::Box, sync::Arc, vec::Vec};

    use super::{Server, Servers};

    impl<S: Servers + ?Sized> Servers for Box<S> {
        fn count(&self) -> usize {
            (**self).count()
        }

        fn server(&self, index: usize) -> Option<Server<'_>> {
            (**self).server(index)
        }
    }

    impl<S: Servers + ?Sized> Servers for Arc<S> {
        fn count(&self) -> usize {
            (**self).count()
        }

        fn server(&self, index: usize) -> Option<Server<'_>> {
            (**self).server(index)
        }
    }

    impl<S> Servers for Vec<S>
    where
        [S]: Servers,
    {
        fn count(&self) -> usize {
            self.as_slice().count()
        }

        fn server(&self, index: usize) -> Option<Server<'_>> {
            self.as_slice().server(index)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_behind_the_last_colon() {
        assert_eq!(host_and_port("2001:db8::3:11211"), ("2001:db8::3", Some("11211")));
        assert_eq!(host_and_port("a:"), ("a", Some("")));
        assert_eq!(host_and_port("/a.sock"), ("/a.sock", None));
    }

    #[test]
    fn invalid_weights_are_refused() {
        assert_eq!(Weight::parse("4294967295"), Some(Weight::Whole(u32::MAX)));
        assert_eq!(Weight::parse("2.5"), Some(Weight::Real(2.5)));
        for weight in ["", "-1", "+1", "x", "4294967296", "1e3", "inf", "NaN", ".", "1.2.3"] {
            assert_eq!(Weight::parse(weight), None, "{weight}");
        }
    }
}
