//! What one server is known to be able to do.

use core::sync::atomic::{AtomicU32, Ordering};

use memring_text::{Capabilities, Request};

/// What is known of a server's [`Capabilities`], for all threads that ask it.
///
/// A server can be replaced by a newer one, so what it can do is known for longer than what it cannot: before a client
/// refuses a request for the lack of something, let it ask again.
#[derive(Debug, Default)]
pub struct KnownCapabilities(AtomicU32);

impl KnownCapabilities {
    /// Set beside the features once they are known.
    const KNOWN: u32 = 1 << 31;

    /// Nothing is known yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Is the server known to be able to do all that `request` asks?
    #[must_use]
    pub fn allow(&self, request: &Request<'_>) -> bool {
        let known = self.0.load(Ordering::Relaxed);
        let features = Capabilities::from_bits(u16::try_from(known & u32::from(u16::MAX)).unwrap_or(0));
        known & Self::KNOWN != 0 && features.check(request).is_ok()
    }

    /// Notes what the server says of itself.
    pub fn learn(&self, capabilities: Capabilities) {
        self.0.store(Self::KNOWN | u32::from(capabilities.bits()), Ordering::Relaxed);
    }
}
