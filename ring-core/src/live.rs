//! The servers in play: the configured list without removed servers.

use core::{cmp::Ordering, fmt};

use crate::{
    error::BuildError,
    scheme::Scheme,
    server::{Server, ServerIndex, Servers, Weight},
    weights::Weights,
};

/// The servers that a placement may choose from, with the sums that rules need.
#[derive(Clone, Copy)]
pub struct Live<'l> {
    servers: &'l dyn Servers,
    out: &'l [ServerIndex],
    weights: Weights,
    roster: Option<fn(&str, &str) -> Ordering>,
    count: usize,
    total: u64,
    heaviest: u32,
}

impl fmt::Debug for Live<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.members()).finish()
    }
}

/// One server in play.
#[derive(Clone, Copy, Debug)]
pub struct Member<'m> {
    /// Its position in the configured list.
    pub index: ServerIndex,
    /// Its name.
    pub name: &'m str,
    /// Its weight as a whole number, by the scheme's rule.
    pub weight: u32,
    /// Its weight as configured.
    pub real: f64,
}

impl<'l> Live<'l> {
    /// All of `servers` but those in `out`, weighed as `scheme` weighs.
    pub(crate) fn new(scheme: &Scheme<'_>, servers: &'l dyn Servers, out: &'l [ServerIndex]) -> Self {
        let (weights, roster) = (scheme.weights, scheme.roster);
        let mut live = Self { servers, out, weights, roster, count: 0, total: 0, heaviest: 0 };
        for member in live.configured(0) {
            live.heaviest = live.heaviest.max(member.weight);
            if !out.contains(&member.index) {
                live.count += 1;
                live.total += u64::from(member.weight);
            }
        }
        live
    }

    /// All of `servers`, after a check that `scheme` can take them.
    ///
    /// # Errors
    /// [`BuildError`] for an empty or too long list and for a weight that the peer refuses.
    pub(crate) fn checked(scheme: &Scheme<'_>, servers: &'l dyn Servers) -> Result<Self, BuildError> {
        match servers.count() {
            0 => return Err(BuildError::NoServers),
            given if given > ServerIndex::MAX_SERVERS => return Err(BuildError::TooManyServers { given }),
            _ => {}
        }
        for index in 0..servers.count() {
            if servers.server(index).is_none_or(|server| !scheme.weights.accept(server.weight)) {
                return Err(BuildError::Weight { index, expected: scheme.weights });
            }
        }
        Ok(Self::new(scheme, servers, &[]))
    }

    /// How many servers are in play.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// The sum of their weights.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// The largest weight of the list, also when that server is out.
    #[must_use]
    pub const fn heaviest(&self) -> u32 {
        self.heaviest
    }

    /// The servers in play, in configured order.
    pub fn members(&self) -> impl Iterator<Item = Member<'l>> + use<'l> {
        self.members_from(0)
    }

    /// The servers in play from position `first` of the list on.
    fn members_from(&self, first: usize) -> impl Iterator<Item = Member<'l>> + use<'l> {
        let out = self.out;
        self.configured(first).filter(move |member| !out.contains(&member.index))
    }

    /// All servers of the list from position `first` on, in its order.
    fn configured(&self, first: usize) -> impl Iterator<Item = Member<'l>> + use<'l> {
        let live = *self;
        (first..live.servers.count())
            .map_while(|index| u16::try_from(index).ok().map(ServerIndex::new))
            .filter_map(move |index| live.member(index))
    }

    /// The server at `index` of the list, in play or not.
    #[must_use]
    pub(crate) fn member(&self, index: ServerIndex) -> Option<Member<'l>> {
        Some(self.weights.member(index, self.servers.server(index.get())?))
    }

    /// Whether the peer's own order is the configured one.
    #[must_use]
    pub(crate) fn is_in_order(&self) -> bool {
        let mut last = None;
        self.roster.is_none()
            || self.members().all(|member| {
                let last = last.replace(member.index);
                last.is_none_or(|last| self.compare(last, member.index).is_lt())
            })
    }

    /// The server in play that is number `rank` of the peer's own order, from 0.
    #[must_use]
    pub fn ranked(&self, rank: usize) -> Option<ServerIndex> {
        if self.roster.is_none() {
            return self.members().nth(rank).map(|member| member.index);
        }
        let mut member = self.next(None)?;
        for _ in 0..rank {
            member = self.next(Some(member.index))?;
        }
        Some(member.index)
    }

    /// The server in play that comes right after `previous` in the peer's own order; the first for `None`.
    ///
    /// Peers that sort their servers have an order of their own; for all others it is the configured one.
    #[must_use]
    pub(crate) fn next(&self, previous: Option<ServerIndex>) -> Option<Member<'l>> {
        if self.roster.is_none() {
            return self.members_from(previous.map_or(0, |previous| previous.get() + 1)).next();
        }
        self.members()
            .filter(|member| previous.is_none_or(|previous| self.compare(member.index, previous).is_gt()))
            .reduce(
                |first, member| if self.compare(member.index, first.index).is_lt() { member } else { first },
            )
    }

    /// Which of two servers the peer has first.
    #[must_use]
    pub(crate) fn compare(&self, left: ServerIndex, right: ServerIndex) -> Ordering {
        let name = |index: ServerIndex| self.servers.server(index.get()).map_or("", |server| server.name);
        match self.roster {
            Some(by_name) => by_name(name(left), name(right)).then(left.cmp(&right)),
            None => left.cmp(&right),
        }
    }
}

impl Weights {
    fn member(self, index: ServerIndex, server: Server<'_>) -> Member<'_> {
        let weight = match (self, server.weight) {
            (Self::Ignored, _) => 1,
            (Self::ZeroIsOne, Weight::Whole(weight)) => weight.max(1),
            (_, Weight::Whole(weight)) => weight,
            (_, Weight::Real(weight)) => weight as u32,
        };
        Member { index, name: server.name, weight, real: server.weight.real() }
    }
}
