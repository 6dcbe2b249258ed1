//! What is known of a server, and whether it may be asked.

use memring_core::health::{HealthPolicy, Instant, ServerHealth, Verdict};

use crate::board;

/// What is known of a server.
#[derive(Default)]
pub struct Standing(ServerHealth);

impl Standing {
    /// Whether the server may be asked now. Whatever comes of it is to be [noted](Self::note).
    pub fn may_be_asked(&mut self) -> bool {
        !matches!(self.0.ask(now(), &HealthPolicy::DEFAULT), Verdict::Down { .. })
    }

    /// Notes whether it went well.
    pub fn note(&mut self, is_well: bool) {
        if is_well {
            self.0.succeeded();
        } else {
            // A real board has a better source of chance than its clock.
            self.0.failed(now(), board::now(), &HealthPolicy::DEFAULT);
        }
    }
}

fn now() -> Instant {
    Instant::from_millis(u64::from(board::now()))
}
