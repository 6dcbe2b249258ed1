//! The features of a server, by its version.

use core::fmt;

pub use crate::feature::Feature;
use crate::{meta::MetaVerb, number::split_u64, request::Request};

/// The features that one server has beside the classic verbs, which every server has.
///
/// Ask for the version once per connection, and check requests before they are sent: an older server refuses a flag
/// that it does not know or, worse, ignores it.
///
/// ```
/// use memring_text::{
///     Key, Operation,
///     capabilities::{Capabilities, Feature, Unsupported},
///     meta::MetaGet,
/// };
///
/// let server = Capabilities::of_version(b"1.6.18");
/// let get = MetaGet::new(Key::new(b"k").unwrap()).value();
/// assert_eq!(server.check(&get.request()), Ok(()));
/// let get = get.unless_cas(7);
/// let error = server.check(&get.request()).unwrap_err();
/// assert_eq!(error, Unsupported { feature: Feature::MetaGetCompare });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Capabilities(u16);

impl Capabilities {
    /// The classic verbs only.
    pub const CLASSIC: Self = Self(0);

    /// All features.
    pub const ALL: Self = {
        let (mut all, mut at) = (Self::CLASSIC, 0);
        while at < Feature::SINCE.len() {
            all = all.with(Feature::SINCE[at].0);
            at += 1;
        }
        all
    };

    /// The features of a server with this version: the text of [`Event::Version`](crate::reply::Event::Version), such
    /// as `1.6.18`. Text behind the three numbers is ignored.
    ///
    /// A text that does not begin with a number, such as the `UNKNOWN` of a memcached that was built from a checkout,
    /// gives [`ALL`](Self::ALL): the server itself refuses what it does not know.
    #[must_use]
    pub fn of_version(text: &[u8]) -> Self {
        let Some(version) = version(text) else { return Self::ALL };
        let known = Feature::SINCE.iter().filter(|(_, since)| version >= *since);
        known.fold(Self::CLASSIC, |all, (feature, _)| all.with(*feature))
    }

    /// A number with a bit for each feature, for example for an atomic; [`from_bits`](Self::from_bits) reads it.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The capabilities whose number is `bits`, as [`bits`](Self::bits) gave it.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// These capabilities and `feature`.
    #[must_use]
    pub const fn with(self, feature: Feature) -> Self {
        Self(self.0 | feature.bit())
    }

    /// These capabilities without `feature`.
    #[must_use]
    pub const fn without(self, feature: Feature) -> Self {
        Self(self.0 & !feature.bit())
    }

    /// Whether the server has `feature`.
    #[must_use]
    pub const fn has(self, feature: Feature) -> bool {
        self.0 & feature.bit() != 0
    }

    /// Checks that the server has all features that `request` needs.
    ///
    /// # Errors
    /// Names the feature that is missing.
    pub fn check(self, request: &Request<'_>) -> Result<(), Unsupported> {
        if let Request::Lease(_) | Request::MetaNoop = request {
            let unsupported = Unsupported { feature: Feature::Meta };
            return if self.has(Feature::Meta) { Ok(()) } else { Err(unsupported) };
        }
        let missing =
            Feature::SINCE.iter().find(|(feature, _)| !self.has(*feature) && needs(request, *feature));
        match missing {
            Some((feature, _)) => Err(Unsupported { feature: *feature }),
            None => Ok(()),
        }
    }
}

fn needs(request: &Request<'_>, feature: Feature) -> bool {
    let meta = match request {
        Request::Meta(meta) => meta,
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

/// The three numbers at the front of a version text, those that are missing as 0; `None` without any.
fn version(text: &[u8]) -> Option<[u64; 3]> {
    let (major, rest) = split_u64(text)?;
    let (minor, rest) = behind_dot(rest).unwrap_or((0, &[]));
    let (patch, _) = behind_dot(rest).unwrap_or((0, &[]));
    Some([major, minor, patch])
}

fn behind_dot(rest: &[u8]) -> Option<(u64, &[u8])> {
    split_u64(rest.strip_prefix(b".")?)
}

/// The server lacks a feature that a request needs; nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Unsupported {
    /// The feature that is missing.
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
        for new in
            [&b"1.6.10"[..], b"1.6.18", b"1.6.45-dirty", b"1.7.0", b"2.0.0", b"1.6.12 (something)", b"1.7"]
        {
            assert!(has_meta(new), "{}", new.escape_ascii());
        }
        for old in [&b"1.6.9"[..], b"1.5.22", b"1.4.31", b"1.6", b"1", b"0.14.0 (moxi)"] {
            assert!(!has_meta(old), "{}", old.escape_ascii());
        }
    }

    #[test]
    fn a_version_without_numbers_tells_nothing_and_the_server_is_left_to_refuse() {
        for text in [&b"UNKNOWN"[..], b"", b"v1.6.18", b"mcrouter 37.0.0"] {
            assert_eq!(Capabilities::of_version(text), Capabilities::ALL, "{}", text.escape_ascii());
        }
    }

    /// The tags of memcached between which each feature appears, as its documentation of the protocol and its release notes
    /// have it.
    #[test]
    fn each_feature_begins_with_its_version() {
        for (feature, before, since) in [
            (Feature::Metadump, "1.4.30", "1.4.31"),
            (Feature::HashDump, "1.6.8", "1.6.9"),
            (Feature::Meta, "1.6.9", "1.6.10"),
            (Feature::Mgdump, "1.6.18", "1.6.19"),
            (Feature::MetaSetSize, "1.6.19", "1.6.20"),
            (Feature::MetaAppendVivify, "1.6.19", "1.6.20"),
            (Feature::MetaNewCas, "1.6.26", "1.6.27"),
            (Feature::MetaDeleteValue, "1.6.26", "1.6.27"),
            (Feature::MetaGetCompare, "1.6.39", "1.6.40"),
        ] {
            assert!(!Capabilities::of_version(before.as_bytes()).has(feature), "{feature:?} {before}");
            for version in [since, "1.6.45", "2.0.0"] {
                assert!(Capabilities::of_version(version.as_bytes()).has(feature), "{feature:?} {version}");
            }
        }
    }

    #[test]
    fn each_feature_says_since_when_it_is_there() {
        extern crate std;
        use std::format;

        let source = include_str!("feature.rs");
        for (feature, [major, minor, patch]) in Feature::SINCE {
            let (before, _) = source.split_once(&*format!("\n    {feature:?},\n")).unwrap();
            let said = before.lines().next_back().unwrap();
            assert!(said.ends_with(&*format!(" {major}.{minor}.{patch}.")), "{feature:?}: {said}");
            assert!(said.contains(" since "), "{feature:?}: {said}");
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
