//! Schemes and placements that own all their texts, so that they live as long as the client does.

use core::fmt;
use std::sync::Arc;

use memring_core::{BuildError, Placement, Scheme, ServerIndex, peers::SchemeError, storage::Boxed};
use self_cell::self_cell;

use crate::spec::ServerSpec;

/// A [`Scheme`] that owns the values of its options. Clones share them.
///
/// ```
/// use memring_client::OwnedScheme;
///
/// let prefix = String::from("shop:");
/// let scheme = OwnedScheme::named("libmemcached-ketama-weighted", [("prefix", &*prefix)])?;
/// drop(prefix);
/// assert_eq!(scheme.scheme().key.prefix, b"shop:");
/// # Ok::<(), memring_core::peers::SchemeError>(())
/// ```
#[derive(Clone)]
pub struct OwnedScheme {
    /// The scheme before the options are applied.
    base: Scheme<'static>,
    /// Names and values of the options. The scheme has accepted each of them when this was made.
    options: Arc<[(Box<str>, Box<str>)]>,
}

impl OwnedScheme {
    /// The scheme called `name` with `options`, both as [`memring_core::peers`] knows them.
    ///
    /// # Errors
    /// [`SchemeError`] when there is no scheme of this name, or an option does not fit it.
    pub fn named<'o>(
        name: &str,
        options: impl IntoIterator<Item = (&'o str, &'o str)>,
    ) -> Result<Self, SchemeError> {
        let base = Scheme::named(name, [], |value| value)?;
        let mut kept = Vec::new();
        let options = options.into_iter().inspect(|&(name, value)| kept.push((name.into(), value.into())));
        Scheme::named(name, options, |value| value)?;
        Ok(Self { base, options: kept.into() })
    }

    /// The scheme, which borrows its texts from `self`.
    #[must_use]
    pub fn scheme(&self) -> Scheme<'_> {
        // Every option was accepted in the same order when this was made.
        self.options.iter().fold(self.base, |scheme: Scheme<'_>, (name, value)| {
            scheme.with_option(name, value).unwrap_or(scheme)
        })
    }
}

impl From<Scheme<'static>> for OwnedScheme {
    fn from(base: Scheme<'static>) -> Self {
        Self { base, options: Arc::new([]) }
    }
}

impl fmt::Debug for OwnedScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An option may be a password.
        let options: Vec<_> = self.options.iter().map(|(name, _)| name).collect();
        f.debug_struct("OwnedScheme").field("name", &self.base.name).field("options", &options).finish()
    }
}

/// A placement of [`ServerSpec`]s on the heap.
pub type Placed<'s> = Placement<'s, Vec<ServerSpec>, Boxed>;

self_cell! {
    /// The placement beside the texts that it borrows.
    struct Cell {
        owner: OwnedScheme,

        #[covariant]
        dependent: Placed,
    }
}

/// A placement that owns its scheme, its servers and its storage.
pub struct OwnedPlacement(Cell);

impl OwnedPlacement {
    /// Places `servers` by `scheme`.
    ///
    /// # Errors
    /// [`BuildError`] when they do not fit together.
    pub fn build(scheme: OwnedScheme, servers: Vec<ServerSpec>) -> Result<Self, BuildError> {
        Cell::try_new(scheme, |scheme| Placement::owned(scheme.scheme(), servers)).map(Self)
    }

    /// The scheme.
    #[must_use]
    pub fn scheme(&self) -> &OwnedScheme {
        self.0.borrow_owner()
    }

    /// The placement.
    #[inline]
    #[must_use]
    pub fn placement(&self) -> &Placed<'_> {
        self.0.borrow_dependent()
    }

    /// The servers.
    #[inline]
    #[must_use]
    pub fn servers(&self) -> &[ServerSpec] {
        self.placement().servers()
    }

    /// The server that holds `key`.
    #[inline]
    #[must_use]
    pub fn primary(&self, key: &[u8]) -> ServerIndex {
        self.placement().primary(key)
    }
}

impl fmt::Debug for OwnedPlacement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedPlacement")
            .field("scheme", self.scheme())
            .field("servers", &self.servers())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_wrong_option_is_told_as_the_first_would_be() {
        for options in [&[("hash", "nonesuch")][..], &[("hash", "md5"), ("hash", "nonesuch")]] {
            let error = OwnedScheme::named("libmemcached-modula", options.iter().copied()).unwrap_err();
            assert!(error.to_string().starts_with("option \"hash\": bad value"), "{error}");
        }
        assert!(matches!(OwnedScheme::named("nonesuch", []), Err(SchemeError::Unknown { .. })));
    }

    #[test]
    fn options_outlive_their_texts_and_are_heeded_in_their_order() {
        let placement = {
            let (first, last) = (String::from("a:"), String::from("shop:"));
            let options = [("prefix", &*first), ("prefix", &*last), ("hash", "md5")];
            let scheme = OwnedScheme::named("libmemcached-modula", options).unwrap();
            OwnedPlacement::build(scheme, ServerSpec::read_all(["a:1", "b:1", "c:1"]).unwrap()).unwrap()
        };
        let direct = Scheme::from_name("libmemcached-modula").unwrap();
        let direct = direct.with_option("prefix", "shop:").unwrap().with_option("hash", "md5").unwrap();
        let direct = Placement::owned(direct, placement.servers().to_vec()).unwrap();
        for number in 0..100 {
            let key = format!("key:{number}");
            assert_eq!(placement.primary(key.as_bytes()), direct.primary(key.as_bytes()));
        }
    }

    #[test]
    fn no_option_is_shown() {
        let scheme =
            OwnedScheme::named("bmemcached", [("username", "alice"), ("password", "s3cret")]).unwrap();
        assert!(!format!("{scheme:?}").contains("s3cret"), "{scheme:?}");
    }
}
