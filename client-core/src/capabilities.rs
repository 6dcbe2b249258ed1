//! The features that a server is known to have.

use core::sync::atomic::{AtomicU32, Ordering};

use memring_text::{
    Request,
    capabilities::{Capabilities, Feature, Unsupported},
};

use crate::fetch::Dialect;

/// The known [`Capabilities`] of a server, shared by all threads.
///
/// A server can be replaced by a newer one. So a client that knows that a feature is missing must ask for the version
/// again before it refuses a request.
#[derive(Debug, Default)]
pub struct KnownCapabilities {
    known: AtomicU32,
    corrected: Vec<(Feature, bool)>,
}

impl KnownCapabilities {
    /// Set beside the features once they are known.
    const KNOWN: u32 = 1 << 31;

    /// Knows nothing yet of `server`, except what `corrections` say of it.
    #[must_use]
    pub fn new(server: &str, corrections: &Corrections) -> Self {
        Self { known: AtomicU32::new(0), corrected: corrections.of(server) }
    }

    /// Whether the server is known to have all features that `request` needs.
    #[must_use]
    pub fn allow(&self, request: &Request<'_>) -> bool {
        let known = self.known.load(Ordering::Relaxed);
        let features = Capabilities::from_bits(u16::try_from(known & u32::from(u16::MAX)).unwrap_or(0));
        known & Self::KNOWN != 0 && features.check(request).is_ok()
    }

    /// Which commands the server is known to have.
    #[must_use]
    pub fn dialect(&self) -> Option<Dialect> {
        let known = self.known.load(Ordering::Relaxed);
        let dialect = if known & META != 0 { Dialect::Meta } else { Dialect::Classic };
        (known & Self::KNOWN != 0).then_some(dialect)
    }

    /// Notes the server's version, and checks that the server has all features that `request` needs.
    ///
    /// # Errors
    /// Names the feature that is missing.
    pub fn learn(&self, version: &[u8], request: &Request<'_>) -> Result<(), Unsupported> {
        let told = Capabilities::of_version(version);
        let capabilities = self.corrected.iter().fold(told, |capabilities, (feature, has)| {
            if *has { capabilities.with(*feature) } else { capabilities.without(*feature) }
        });
        self.known.store(Self::KNOWN | u32::from(capabilities.bits()), Ordering::Relaxed);
        capabilities.check(request)
    }
}

/// The bit of a server that has the meta commands.
const META: u32 = Capabilities::CLASSIC.with(Feature::Meta).bits() as u32;

/// The caller's word on servers that have more or fewer features than their version says.
#[derive(Clone, Debug, Default)]
pub struct Corrections(Vec<(Box<str>, Feature, bool)>);

impl Corrections {
    /// No corrections.
    pub const NONE: Self = Self(Vec::new());

    /// States whether the server of this name has the feature. A later statement replaces an earlier one.
    pub fn say(&mut self, server: impl Into<Box<str>>, feature: Feature, has: bool) {
        self.0.push((server.into(), feature, has));
    }

    fn of(&self, server: &str) -> Vec<(Feature, bool)> {
        let own = self.0.iter().filter(|(name, ..)| **name == *server);
        own.map(|(_, feature, has)| (*feature, *has)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_caller_says_of_a_server_outweighs_its_version() {
        let mut corrections = Corrections::NONE;
        corrections.say("proxy", Feature::Meta, false);
        corrections.say("patched", Feature::Meta, false);
        corrections.say("patched", Feature::Meta, true);
        let allows = |server: &str, version: &[u8]| {
            let known = KnownCapabilities::new(server, &corrections);
            assert!(!known.allow(&Request::MetaNoop), "before it is asked");
            let learnt = known.learn(version, &Request::MetaNoop).is_ok();
            assert_eq!(known.allow(&Request::MetaNoop), learnt);
            learnt
        };
        assert!(!allows("proxy", b"1.6.18"));
        assert!(allows("patched", b"1.6.6"));
        assert!(allows("other", b"1.6.18"));
        assert!(!allows("other", b"1.6.6"));
        assert!(allows("other", b"UNKNOWN"));
    }
}
