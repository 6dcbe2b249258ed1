//! How a client finds out its servers while it runs: which source it asks, and which changes it takes.
//!
//! ```
//! use memring_client::{
//!     Config,
//!     discovery::{Discovery, Source},
//!     roster::Member,
//!     spec::Address,
//! };
//!
//! let mut config = Config::default();
//! let mut discovery = Discovery::new(Source::function(|| {
//!     // Ask whoever knows.
//!     Ok::<_, String>(vec![
//!         Member::at(Address::tcp("10.0.0.7", 11211)).called("memcached-0"),
//!         Member::at(Address::tcp("10.0.0.9", 11211)).called("memcached-1"),
//!     ])
//! }));
//! discovery.pace.max_share = Some(0.5);
//! config.discovery = Some(discovery);
//! ```
//!
//! [`roster`](crate::roster) has the rules by which answers become a list of servers.

mod cluster;
mod source;

pub use cluster::{
    CLUSTER_KEY, Cluster, ClusterError, ClusterServer, Heard, Inquiry, MAX_ANSWER_LEN, MAX_SERVERS,
};
pub use source::{ClusterSource, Function, Local, Source, SourceError};

use crate::roster::Pace;

/// Where a client's list of servers comes from, and when it follows: [`Config::discovery`](crate::Config::discovery).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Discovery {
    /// Who knows the servers.
    pub source: Source,
    /// When the source is asked, and which changes are taken.
    pub pace: Pace,
}

impl Discovery {
    /// The servers that `source` tells of, at the usual [`Pace`].
    #[must_use]
    pub fn new(source: Source) -> Self {
        Self { source, pace: Pace::default() }
    }

    /// The same, at another pace.
    #[must_use]
    pub fn at_pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }
}

impl From<Source> for Discovery {
    fn from(source: Source) -> Self {
        Self::new(source)
    }
}
