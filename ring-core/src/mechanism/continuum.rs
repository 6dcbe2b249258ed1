//! The ring: servers own points on a circle, a key belongs to the owner of the point nearest to its hash.
//!
//! Peers differ in where the points come from, in which direction the nearest point lies, and in which server owns a
//! point that two have. All three are data here; the ring itself is one piece of code for 32-bit and 128-bit points.

use super::{BATCH, Division, View, Way, sort};
use crate::{
    error::{BuildError, MAX_POINTS},
    live::{Live, Member},
    order::Order,
    scheme::Scheme,
    server::{ServerIndex, host_and_port},
    storage::{EntriesMut, Needs},
    text::Text,
};

mod index;
mod point;

pub(super) use point::Point;

/// A ring of points `P`.
#[derive(Clone, Copy, Debug)]
pub struct Continuum<P: Point> {
    /// The text that stands for a server in the names of its points.
    pub label: fn(&str) -> Label<'_>,
    /// How many points a server has.
    pub count: fn(&Scheme<'_>, &Live<'_>, &Member<'_>) -> u32,
    /// Hands out exactly that many points of a server, in the peer's order.
    pub points: fn(&Scheme<'_>, &Member<'_>, &Label<'_>, count: u32, &mut dyn FnMut(P)),
    /// In which direction from a hash its point lies.
    pub search: Search,
    /// Which server owns a point that several have.
    pub tie: Tie,
}

/// Which point is nearest to a hash. All of them go round: past the last point follows the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// The first point ≥ the hash: nearly all peers.
    AtOrAbove,
    /// The first point > the hash: Python's `bisect`, as hash_ring and uhashring use it.
    Above,
    /// The last point ≤ the hash: Dalli.
    AtOrBelow,
    /// As [`AtOrAbove`](Self::AtOrAbove), but a hash below all points belongs to the last one: EnyimMemcachedCore.
    AtOrAboveOrLast,
}

/// What happens to points of equal value. "First" and "last" are in the order of the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tie {
    /// All stay on the ring; the search meets the first (looking up) or the last (looking down).
    Stay,
    /// Only the first stays.
    FirstStays,
    /// Only the last stays: a map whose entry was overwritten.
    LastStays,
    /// Only one of n stays, that at index `point % n`: xmemcached.
    ByValue,
}

/// The text that stands for a server in the names of its points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label<'n> {
    /// Put before the name.
    pub lead: &'static str,
    /// The name or the part of it that counts.
    pub name: &'n str,
    /// Put behind the name.
    pub tail: &'n str,
}

impl Label<'_> {
    /// The name as configured.
    #[must_use]
    pub const fn verbatim(name: &str) -> Label<'_> {
        Label { lead: "", name, tail: "" }
    }

    /// Host and port as peers join them that have taken the name apart: `host:port`, with memcached's port where none is
    /// given; an IPv6 address without its brackets; the path of a Unix socket alone.
    #[must_use]
    pub fn host_and_port(name: &str) -> Label<'_> {
        if name.starts_with('/') {
            return Self::verbatim(name);
        }
        let (host, port) = match host_and_port(name) {
            (host, Some(_)) if !name.ends_with(']') => (host, name.get(host.len()..)),
            _ => (name, None),
        };
        let name = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Label { lead: "", name, tail: port.unwrap_or(":11211") }
    }

    /// The name with memcached's port where it has none: `10.0.1.1:11211` for `10.0.1.1`, `[::1]:11211` for `[::1]`.
    #[must_use]
    pub fn with_port(name: &str) -> Label<'_> {
        let has_port = host_and_port(name).1.is_some() && !name.ends_with(']');
        Label { tail: if has_port { "" } else { ":11211" }, ..Self::verbatim(name) }
    }

    /// The name without memcached's default port: `10.0.1.1` for `10.0.1.1:11211`.
    #[must_use]
    pub fn without_default_port(name: &str) -> Label<'_> {
        Self::verbatim(name.strip_suffix(":11211").unwrap_or(name))
    }

    /// The name without memcached's default port, and an IPv6 address without its brackets: `::1` for `[::1]:11211`, `::1:11212` for `[::1]:11212`.
    #[must_use]
    pub fn without_default_port_and_brackets(name: &str) -> Label<'_> {
        if !name.starts_with('[') {
            return Self::without_default_port(name);
        }
        let label = Self::host_and_port(name);
        Label { tail: if label.tail == ":11211" { "" } else { label.tail }, ..label }
    }

    /// The bytes of all three parts.
    pub fn bytes(&self) -> impl Iterator<Item = u8> {
        self.lead.bytes().chain(self.name.bytes()).chain(self.tail.bytes())
    }
}

impl Text for Label<'_> {
    fn feed(&self, sink: &mut dyn FnMut(&[u8])) {
        sink(self.lead.as_bytes());
        sink(self.name.as_bytes());
        sink(self.tail.as_bytes());
    }
}

impl<P: Point> Continuum<P> {
    /// Hands out the points of one server.
    fn feed(&self, scheme: &Scheme<'_>, live: &Live<'_>, member: &Member<'_>, sink: &mut dyn FnMut(P)) {
        let count = (self.count)(scheme, live, member);
        (self.points)(scheme, member, &(self.label)(member.name), count, sink);
    }

    /// The entry that owns `position`. Going up there may be none: then it is the number of entries, for the first.
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn find(&self, view: &View<'_>, position: P) -> usize {
        match self.search {
            Search::AtOrAbove => index::first_at_or_above(P::of(&view.entries), view.entries.index, position),
            Search::Above => Self::first_above(view, position),
            Search::AtOrBelow => {
                let last = P::of(&view.entries).len().saturating_sub(1);
                Self::first_above(view, position).checked_sub(1).unwrap_or(last)
            }
            Search::AtOrAboveOrLast => Self::first_at_or_above_or_last(view, position),
        }
    }

    #[inline(never)]
    fn first_above(view: &View<'_>, position: P) -> usize {
        let points = P::of(&view.entries);
        // Above the highest value there is nothing.
        position
            .above()
            .map_or(points.len(), |above| index::first_at_or_above(points, view.entries.index, above))
    }

    #[inline(never)]
    fn first_at_or_above_or_last(view: &View<'_>, position: P) -> usize {
        let points = P::of(&view.entries);
        match index::first_at_or_above(points, view.entries.index, position) {
            0 if points.first().is_some_and(|&first| position < first) => points.len().saturating_sub(1),
            entry => entry,
        }
    }

    /// The point that owns `position`, and the server that owns the point if one of two does.
    fn nearest(&self, scheme: &Scheme<'_>, live: &Live<'_>, position: P) -> Option<(P, ServerIndex)> {
        let up = |point: P| point.minus(position);
        let down = |point: P| position.minus(point);
        let closest = |distance: &dyn Fn(P) -> P| self.closest(scheme, live, distance, Search::AtOrAbove);
        match self.search {
            Search::AtOrAbove => closest(&up),
            Search::Above => match position.above() {
                Some(above) => closest(&|point| point.minus(above)),
                None => closest(&|point| point),
            },
            Search::AtOrBelow => self.closest(scheme, live, &down, Search::AtOrBelow),
            Search::AtOrAboveOrLast => match closest(&|point| point)? {
                (first, _) if position < first => self.closest(scheme, live, &down, Search::AtOrBelow),
                _ => closest(&up),
            },
        }
    }

    /// The point at the least distance, and its owner when it is looked for in this direction.
    fn closest(
        &self,
        scheme: &Scheme<'_>,
        live: &Live<'_>,
        distance: &dyn Fn(P) -> P,
        direction: Search,
    ) -> Option<(P, ServerIndex)> {
        let later_owns = match self.tie {
            Tie::Stay => direction == Search::AtOrBelow,
            Tie::FirstStays | Tie::ByValue => false,
            Tie::LastStays => true,
        };
        let mut best: Option<(P, P, ServerIndex)> = None;
        for member in live.members() {
            self.feed(scheme, live, &member, &mut |point| {
                let far = distance(point);
                let better = best.is_none_or(|(least, _, owner)| {
                    far < least
                        || far == least
                            && match later_owns {
                                false => live.compare(member.index, owner).is_lt(),
                                true => live.compare(member.index, owner).is_gt(),
                            }
                });
                if better {
                    best = Some((far, point, member.index));
                }
            });
        }
        best.map(|(_, point, owner)| (point, owner))
    }

    /// The owner of `point` among all that have it, by its value.
    #[inline(never)]
    fn owner_by_value(&self, scheme: &Scheme<'_>, live: &Live<'_>, point: P) -> Option<ServerIndex> {
        let times = |member: &Member<'_>| {
            let mut times = 0_usize;
            self.feed(scheme, live, member, &mut |own| times += usize::from(own == point));
            times
        };
        let mut place = point.modulo(live.members().map(|member| times(&member)).sum());
        let mut last = None;
        while let Some(member) = live.next(last) {
            match place.checked_sub(times(&member)) {
                Some(rest) => place = rest,
                None => return Some(member.index),
            }
            last = Some(member.index);
        }
        None
    }
}

/// The server of what [`Continuum::find`] found: past the last entry follows the first.
fn owner(view: &View<'_>, entry: usize) -> ServerIndex {
    let owners = view.entries.owners;
    let owner = match owners.get(entry) {
        Some(&owner) => owner,
        None => owners.first().copied().unwrap_or(0),
    };
    ServerIndex::new(owner)
}

impl<P: Point> Way for Continuum<P> {
    fn needs(&self, scheme: &Scheme<'_>, live: &Live<'_>) -> Result<Needs, BuildError> {
        let points = live
            .members()
            .map(|member| u64::from((self.count)(scheme, live, &member)))
            .fold(0, u64::saturating_add);
        match u32::try_from(points) {
            Ok(0) => Err(BuildError::NothingToPlaceOn),
            Ok(count @ ..=MAX_POINTS) => Ok(Needs { entries: count as usize, wide: P::WIDE }),
            _ => Err(BuildError::TooManyPoints { needed: points }),
        }
    }

    fn build(&self, scheme: &Scheme<'_>, live: &Live<'_>, entries: EntriesMut<'_>) -> usize {
        let EntriesMut { points, wide, owners, index } = entries;
        let points = P::of_mut(points, wide);
        let mut slots = points.iter_mut().zip(owners.iter_mut());
        for member in live.members() {
            self.feed(scheme, live, &member, &mut |point| {
                if let Some((entry, owner)) = slots.next() {
                    (*entry, *owner) = (point, member.index.raw());
                }
            });
        }
        sort::by_point(points, owners, &|left, right| {
            live.compare(ServerIndex::new(left), ServerIndex::new(right))
        });
        let built = match self.tie {
            Tie::Stay => points.len(),
            Tie::FirstStays => sort::keep_one(points, owners, sort::Keep::First),
            Tie::LastStays => sort::keep_one(points, owners, sort::Keep::Last),
            Tie::ByValue => sort::keep_by_value(points, owners),
        };
        index::fill(points.get(..built).unwrap_or_default(), index);
        built
    }

    #[inline(always)]
    fn primary(&self, view: &View<'_>, key: &[u8]) -> ServerIndex {
        owner(view, self.find(view, P::position(view.scheme, key)))
    }

    fn place_many(&self, view: &View<'_>, keys: &[&[u8]], out: &mut [ServerIndex]) {
        for (keys, servers) in keys.chunks(BATCH).zip(out.chunks_mut(BATCH)) {
            let mut positions = [P::from_hash(0); BATCH];
            P::positions(view.scheme, keys, &mut positions);
            for ((server, position), _) in servers.iter_mut().zip(positions).zip(keys) {
                *server = owner(view, self.find(view, position));
            }
        }
    }

    fn at(&self, view: &View<'_>, hash: u32) -> ServerIndex {
        owner(view, self.find(view, P::from_hash(hash)))
    }

    fn division(&self, _view: &View<'_>) -> Division {
        if P::WIDE { Division::Unknown } else { Division::Arcs(self.search) }
    }

    fn choose(&self, scheme: &Scheme<'_>, live: &Live<'_>, key: &[u8]) -> Option<ServerIndex> {
        let (point, owner) = self.nearest(scheme, live, P::position(scheme, key))?;
        match self.tie {
            Tie::ByValue => self.owner_by_value(scheme, live, point),
            _ => Some(owner),
        }
    }

    fn walk(&self, view: &View<'_>, key: &[u8], order: &mut Order<'_>) {
        let from = self.find(view, P::position(view.scheme, key));
        let owners = view.entries.owners;
        let (before, onward) = owners.split_at_checked(from).unwrap_or((&[], owners));
        let servers = view.servers.count();
        let tries = usize::try_from(view.scheme.tries).unwrap_or(usize::MAX);
        for &owner in onward.iter().chain(before).take(tries) {
            if order.len() == servers || !order.push(ServerIndex::new(owner)) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{boxed::Box, vec::Vec};

    use proptest::prelude::*;

    use super::*;
    use crate::{Placement, Server, plan::Plan};

    /// Servers whose points are their weights: a few, crowded at both ends of the circle.
    const fn ring(search: Search, tie: Tie) -> Continuum<u32> {
        Continuum {
            label: Label::verbatim,
            count: |_, _, _| 1,
            points: |_, member, _, _, sink| sink(member.weight),
            search,
            tie,
        }
    }

    #[test]
    fn labels_are_names_with_and_without_their_port() {
        for (name, joined, with_port, without, bare) in [
            ("a", "a:11211", "a:11211", "a", "a"),
            ("a:11211", "a:11211", "a:11211", "a", "a"),
            ("a:1", "a:1", "a:1", "a:1", "a:1"),
            ("[::1]", "::1:11211", "[::1]:11211", "[::1]", "::1"),
            ("[::1]:11211", "::1:11211", "[::1]:11211", "[::1]", "::1"),
            ("[::1]:1", "::1:1", "[::1]:1", "[::1]:1", "::1:1"),
            ("::1:11211", "::1:11211", "::1:11211", "::1", "::1"),
        ] {
            for (label, expected) in [
                (Label::host_and_port(name), joined),
                (Label::with_port(name), with_port),
                (Label::without_default_port(name), without),
                (Label::without_default_port_and_brackets(name), bare),
            ] {
                assert!(label.bytes().eq(expected.bytes()), "{name}: {label:?}");
            }
        }
    }

    /// The owner of `hash`, by looking at every point.
    fn naive(points: &[u32], search: Search, tie: Tie, hash: u32) -> usize {
        let at_or_above = |point: &&u32| **point >= hash;
        let above = |point: &&u32| **point > hash;
        let at_or_below = |point: &&u32| **point <= hash;
        let owned = match search {
            Search::AtOrAbove => points.iter().filter(at_or_above).min().or_else(|| points.iter().min()),
            Search::Above => points.iter().filter(above).min().or_else(|| points.iter().min()),
            Search::AtOrBelow => points.iter().filter(at_or_below).max().or_else(|| points.iter().max()),
            Search::AtOrAboveOrLast if points.iter().all(|&point| hash < point) => points.iter().max(),
            Search::AtOrAboveOrLast => {
                points.iter().filter(at_or_above).min().or_else(|| points.iter().min())
            }
        };
        let owns = |point: &u32| Some(point) == owned;
        if tie == Tie::ByValue {
            let owners: Vec<_> = (0..points.len()).filter(|&server| owns(&points[server])).collect();
            return owners[*owned.unwrap() as usize % owners.len()];
        }
        let down = match search {
            Search::AtOrBelow => true,
            Search::AtOrAboveOrLast => points.iter().all(|&point| hash < point),
            _ => false,
        };
        let later = tie == Tie::LastStays || tie == Tie::Stay && down;
        if later { points.iter().rposition(owns) } else { points.iter().position(owns) }.unwrap()
    }

    proptest! {
        #[test]
        fn every_boundary_belongs_to_whom_a_naive_scan_gives_it(
            points in prop::collection::vec(prop_oneof![0..4_u32, u32::MAX - 3..=u32::MAX, any::<u32>()], 1..40),
        ) {
            let servers: Vec<_> = points.iter().map(|&point| Server::new("s").weighing(point)).collect();
            for search in [Search::AtOrAbove, Search::Above, Search::AtOrBelow, Search::AtOrAboveOrLast] {
                for tie in [Tie::Stay, Tie::FirstStays, Tie::LastStays, Tie::ByValue] {
                    let mechanism = Box::leak(Box::new(ring(search, tie)));
                    let weights = crate::scheme::Weights::Whole;
                    let scheme = Scheme { mechanism: &*mechanism, weights, ..Scheme::BASE };
                    let placement = Placement::owned(scheme, &*servers).unwrap();
                    let edges = points.iter().flat_map(|&point| [point.wrapping_sub(1), point, point.wrapping_add(1)]);
                    for hash in edges.chain([0, 1, u32::MAX - 1, u32::MAX]) {
                        let found = mechanism.at(&placement.view(), hash).get();
                        prop_assert_eq!(found, naive(&points, search, tie, hash), "{:?} {:?} {}", search, tie, hash);
                    }
                    let mut matrix = std::vec![0.0; points.len() * points.len()];
                    let plan = Plan::new(&placement, &placement, &mut matrix).unwrap();
                    prop_assert!(plan.moved().abs() < 1e-9);
                }
            }
        }
    }
}
