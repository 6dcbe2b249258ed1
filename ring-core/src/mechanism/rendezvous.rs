//! Rendezvous: every server gets a score for a key, and the server with the highest score has the key. Nothing is
//! stored.
//!
//! A lookup takes as many hashes as there are servers. Without the best server the next best has the key, and no other
//! key moves.

use core::cmp::Ordering;

use super::{View, Way};
use crate::{
    live::{Live, Member},
    order::Order,
    scheme::{BuildError, Scheme},
    server::ServerIndex,
    storage::{EntriesMut, Needs},
};

/// The highest score.
#[derive(Clone, Copy, Debug)]
pub struct Rendezvous {
    /// The score of a server for a key.
    pub score: fn(&Scheme<'_>, &Member<'_>, key: &[u8]) -> u32,
    /// Which of two servers with one score is higher; the first of the list when they are equal in this, too.
    pub tie: fn(&Scheme<'_>, &Member<'_>, &Member<'_>) -> Ordering,
}

/// Most hashes that a look-up may take, where a score takes one for each unit of weight.
const MOST: u64 = 1 << 20;

/// A server with its score.
type Scored<'m> = (u32, Member<'m>);

impl Rendezvous {
    /// The highest of the servers that are lower than `limit`.
    fn highest<'l>(
        &self,
        scheme: &Scheme<'_>,
        live: &Live<'l>,
        key: &[u8],
        limit: Option<&Scored<'l>>,
    ) -> Option<Scored<'l>> {
        live.members()
            .map(|member| ((self.score)(scheme, &member, key), member))
            .filter(|scored| limit.is_none_or(|limit| self.compare(scheme, scored, limit).is_lt()))
            .reduce(|best, scored| if self.compare(scheme, &scored, &best).is_gt() { scored } else { best })
    }

    fn compare(&self, scheme: &Scheme<'_>, left: &Scored<'_>, right: &Scored<'_>) -> Ordering {
        let by_score = left.0.cmp(&right.0);
        by_score
            .then_with(|| (self.tie)(scheme, &left.1, &right.1))
            .then_with(|| right.1.index.cmp(&left.1.index))
    }
}

impl Way for Rendezvous {
    fn needs(&self, _scheme: &Scheme<'_>, live: &Live<'_>) -> Result<Needs, BuildError> {
        if live.total() > MOST { Err(BuildError::TotalWeight) } else { Ok(Needs::default()) }
    }

    fn build(&self, _scheme: &Scheme<'_>, _live: &Live<'_>, _entries: EntriesMut<'_>) -> usize {
        0
    }

    fn primary(&self, view: &View<'_>, key: &[u8]) -> ServerIndex {
        let live = Live::new(view.scheme, view.servers, &[]);
        self.choose(view.scheme, &live, key).unwrap_or_default()
    }

    /// The first server: a hash of the key alone says nothing here.
    fn at(&self, _view: &View<'_>, _hash: u32) -> ServerIndex {
        ServerIndex::default()
    }

    fn choose(&self, scheme: &Scheme<'_>, live: &Live<'_>, key: &[u8]) -> Option<ServerIndex> {
        self.highest(scheme, live, key, None).map(|(_, member)| member.index)
    }

    fn walk(&self, view: &View<'_>, key: &[u8], order: &mut Order<'_>) {
        let live = Live::new(view.scheme, view.servers, &[]);
        let mut last = None;
        while let Some(scored) = self.highest(view.scheme, &live, key, last.as_ref()) {
            if !order.push(scored.1.index) {
                return;
            }
            last = Some(scored);
        }
    }
}
