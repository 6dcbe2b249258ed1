//! What one server is known to be able to do.

use core::sync::atomic::{AtomicU32, Ordering};

use memring_text::{
    Request,
    capabilities::{Capabilities, Feature, Unsupported},
};

/// What is known of a server's [`Capabilities`], for all threads that ask it.
///
/// A server can be replaced by a newer one, so what it can do is known for longer than what it cannot: before a client
/// refuses a request for the lack of something, let it ask again.
#[derive(Debug, Default)]
pub struct KnownCapabilities {
    known: AtomicU32,
    corrected: Vec<(Feature, bool)>,
}

impl KnownCapabilities {
    /// Set beside the features once they are known.
    const KNOWN: u32 = 1 << 31;

    /// Nothing is known yet of `server`, but what was said of it.
    #[must_use]
    pub fn new(server: &str, corrections: &Corrections) -> Self {
        Self { known: AtomicU32::new(0), corrected: corrections.of(server) }
    }

    /// Whether the server is known to be able to do all that `request` asks.
    #[must_use]
    pub fn allow(&self, request: &Request<'_>) -> bool {
        let known = self.known.load(Ordering::Relaxed);
        let features = Capabilities::from_bits(u16::try_from(known & u32::from(u16::MAX)).unwrap_or(0));
        known & Self::KNOWN != 0 && features.check(request).is_ok()
    }

    /// Notes what the server says of its version, and says whether it can do all that `request` asks.
    ///
    /// # Errors
    /// Names what it lacks.
    pub fn learn(&self, version: &[u8], request: &Request<'_>) -> Result<(), Unsupported> {
        let told = Capabilities::of_version(version);
        let capabilities = self.corrected.iter().fold(told, |capabilities, (feature, has)| {
            if *has { capabilities.with(*feature) } else { capabilities.without(*feature) }
        });
        self.known.store(Self::KNOWN | u32::from(capabilities.bits()), Ordering::Relaxed);
        capabilities.check(request)
    }
}

/// What the caller says of servers that can do more or less than their version tells.
#[derive(Clone, Debug, Default)]
pub struct Corrections(Vec<(Box<str>, Feature, bool)>);

impl Corrections {
    /// Nothing said.
    pub const NONE: Self = Self(Vec::new());

    /// Says that the server of this name has the feature, or has not; the last word on it counts.
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
