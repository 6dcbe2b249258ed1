//! Couchbase and moxi: vbucket maps and ketama buckets.

use super::Peer;

pub(super) const PEERS: &[Peer] = &[];
