//! What a server can do, by the version it gives of itself.

use core::fmt;

use crate::{meta::MetaVerb, number::split_u64, request::Request};

/// Something that not every server can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Feature {
    /// The meta commands, in the form that is stable since memcached 1.6.10.
    Meta,
    /// `ms` with `s` answers: since 1.6.20.
    MetaSetSize,
    /// The flag `E`, a cas unique of the caller's choice.
    MetaNewCas,
    /// `mg` with `C` leaves out a value that has not changed.
    MetaGetCompare,
    /// `ms` with `MA` or `MP` and `N` makes a missing item.
    MetaAppendVivify,
    /// `md` with `x` takes the value and leaves the item.
    MetaDeleteValue,
    /// `lru_crawler metadump`: since 1.4.31.
    Metadump,
    /// `lru_crawler mgdump`.
    Mgdump,
    /// `lru_crawler metadump hash` and `shutdown graceful`: since 1.6.9.
    HashDump,
}

impl Feature {
    /// Every feature, with the first version that is known to have it. Where no source names the version, it is the
    /// one on which the feature was measured, though an earlier one may have it: say so with
    /// [`Capabilities::with`].
    const SINCE: [(Self, [u64; 3]); 9] = [
        (Self::Metadump, [1, 4, 31]),
        (Self::HashDump, [1, 6, 9]),
        (Self::Meta, [1, 6, 10]),
        (Self::MetaSetSize, [1, 6, 20]),
        (Self::MetaNewCas, [1, 6, 45]),
        (Self::MetaGetCompare, [1, 6, 45]),
        (Self::MetaAppendVivify, [1, 6, 45]),
        (Self::MetaDeleteValue, [1, 6, 45]),
        (Self::Mgdump, [1, 6, 45]),
    ];

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// What one server can do beyond the classic verbs, which every server has.
///
/// Ask once per connection, and hold requests against it before they are sent: an older server takes an unknown flag
/// for an error, or worse, takes it and does nothing.
///
/// ```
/// use memring_text::{Capabilities, Feature, Key, MetaGet, Request, Unsupported};
///
/// let server = Capabilities::of_version(b"1.6.18");
/// let get = MetaGet::new(Key::new(b"k").unwrap()).value();
/// assert_eq!(server.check(&Request::Meta(get.request())), Ok(()));
/// let get = get.unless_cas(7);
/// let error = server.check(&Request::Meta(get.request())).unwrap_err();
/// assert_eq!(error, Unsupported { feature: Feature::MetaGetCompare });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Capabilities(u16);

impl Capabilities {
    /// The classic verbs only.
    pub const CLASSIC: Self = Self(0);

    /// What the server of this `version` text can do: the text of [`Event::Version`](crate::Event::Version), as in
    /// `1.6.18`. What stands behind the three numbers is not looked at; without three numbers it is
    /// [`CLASSIC`](Self::CLASSIC).
    #[must_use]
    pub fn of_version(text: &[u8]) -> Self {
        let Some(version) = version(text) else { return Self::CLASSIC };
        let known = Feature::SINCE.iter().filter(|(_, since)| version >= *since);
        known.fold(Self::CLASSIC, |all, (feature, _)| all.with(*feature))
    }

    /// As a number, a bit for each feature, for who keeps them in an atomic; [`from_bits`](Self::from_bits) reads it.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// From the number that [`bits`](Self::bits) gave.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// The same and this feature.
    #[must_use]
    pub const fn with(self, feature: Feature) -> Self {
        Self(self.0 | feature.bit())
    }

    /// The same without this feature.
    #[must_use]
    pub const fn without(self, feature: Feature) -> Self {
        Self(self.0 & !feature.bit())
    }

    /// Does the server have it?
    #[must_use]
    pub const fn has(self, feature: Feature) -> bool {
        self.0 & feature.bit() != 0
    }

    /// Can the server do all that `request` asks?
    ///
    /// # Errors
    /// Names what it lacks.
    pub fn check(self, request: &Request<'_>) -> Result<(), Unsupported> {
        let missing =
            Feature::SINCE.iter().find(|(feature, _)| needs(request, *feature) && !self.has(*feature));
        match missing {
            Some((feature, _)) => Err(Unsupported { feature: *feature }),
            None => Ok(()),
        }
    }
}

fn needs(request: &Request<'_>, feature: Feature) -> bool {
    let meta = match request {
        Request::Meta(meta) => meta,
        Request::MetaNoop => return feature == Feature::Meta,
        Request::Admin(admin) => return admin.feature() == Some(feature),
        _ => return false,
    };
    let has = |verb, letter| meta.verb() == verb && meta.flags().has(letter);
    match feature {
        Feature::Meta => true,
        Feature::MetaNewCas => meta.flags().has(b'E'),
        Feature::MetaGetCompare => has(MetaVerb::Get, b'C'),
        Feature::MetaSetSize => has(MetaVerb::Set, b's'),
        Feature::MetaAppendVivify => has(MetaVerb::Set, b'N'),
        Feature::MetaDeleteValue => has(MetaVerb::Delete, b'x'),
        Feature::Metadump | Feature::Mgdump | Feature::HashDump => false,
    }
}

/// The three numbers at the front of a version text.
fn version(text: &[u8]) -> Option<[u64; 3]> {
    let (major, rest) = split_u64(text)?;
    let (minor, rest) = split_u64(rest.strip_prefix(b".")?)?;
    let (patch, _) = split_u64(rest.strip_prefix(b".")?)?;
    Some([major, minor, patch])
}

/// The server lacks what a request needs; nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Unsupported {
    /// What it lacks.
    pub feature: Feature,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server lacks {:?}", self.feature)
    }
}

impl core::error::Error for Unsupported {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_up_to_its_third_number() {
        let has_meta = |text: &[u8]| Capabilities::of_version(text).has(Feature::Meta);
        for new in [&b"1.6.10"[..], b"1.6.18", b"1.6.45-dirty", b"1.7.0", b"2.0.0", b"1.6.12 (something)"] {
            assert!(has_meta(new), "{}", new.escape_ascii());
        }
        for old in [&b"1.6.9"[..], b"1.5.22", b"1.4.31", b"", b"1.6", b"v1.6.18", b"unknown"] {
            assert!(!has_meta(old), "{}", old.escape_ascii());
        }
    }

    #[test]
    fn features_have_bits_of_their_own() {
        for (feature, _) in Feature::SINCE {
            let only = Capabilities::CLASSIC.with(feature);
            assert_eq!(Feature::SINCE.iter().filter(|(other, _)| only.has(*other)).count(), 1);
            assert_eq!(only.without(feature), Capabilities::CLASSIC);
        }
    }
}
