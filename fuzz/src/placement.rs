//! Laws of placement.

use arbitrary::Arbitrary;
use memring_core::{
    Placement, Scheme, Server, ServerIndex, Weight, peers,
    plan::Plan,
    storage::{Boxed, Fixed, FixedWide},
};

/// A scheme, some servers and some keys.
#[derive(Arbitrary, Debug)]
pub struct Fleet {
    scheme: u8,
    options: Vec<(u8, String)>,
    servers: Vec<(String, u8)>,
    keys: Vec<Vec<u8>>,
}

/// Most points of a ring; an option can ask for billions.
const MOST_POINTS: usize = 20_000;

/// Most servers of a fleet; larger ones make slow runs, not other ones.
const MOST_SERVERS: usize = 12;

impl Fleet {
    /// Any scheme with whatever options it accepts.
    fn scheme(&self) -> Scheme<'_> {
        let peers: Vec<_> = peers::all().collect();
        let peer = peers[usize::from(self.scheme) % peers.len()];
        self.options.iter().fold(peer.scheme, |scheme, (option, value)| {
            match peer.options.get(usize::from(*option) % peer.options.len().max(1)) {
                Some(name) => scheme.with_option(name, value).unwrap_or(scheme),
                None => scheme,
            }
        })
    }

    /// The fleet's placement, unless it cannot be built or is too large to be worth it.
    fn placement<'f>(&'f self, servers: &'f [Server<'f>]) -> Option<Placement<'f, &'f [Server<'f>], Boxed>> {
        let scheme = self.scheme();
        scheme.needs(servers).ok().filter(|needs| needs.entries <= MOST_POINTS)?;
        Placement::owned(scheme, servers).ok()
    }

    fn servers(&self) -> Vec<Server<'_>> {
        self.servers
            .iter()
            .take(MOST_SERVERS)
            .map(|(name, weight)| Server { name, weight: Weight::Whole((*weight).into()) })
            .collect()
    }
}

/// Boxed, fixed and no storage at all place every key alike; the order begins with the primary and names nobody twice.
pub fn ways_agree(fleet: &Fleet) {
    let (scheme, servers) = (fleet.scheme(), fleet.servers());
    let Some(boxed) = fleet.placement(&servers) else { return };
    let fixed = Placement::build(scheme, &*servers, Fixed::<4096, 128>::new()).ok();
    let wide = Placement::build(scheme, &*servers, FixedWide::<4096>::new()).ok();
    for key in fleet.keys.iter().map(Vec::as_slice).chain([&b""[..], b"tokyo"]) {
        let primary = boxed.primary(key);
        assert!(primary.get() < servers.len());
        assert_eq!(scheme.choose(&*servers, key), Ok(primary), "without storage");
        assert!(fixed.as_ref().is_none_or(|fixed| fixed.primary(key) == primary), "in fixed storage");
        assert!(wide.as_ref().is_none_or(|wide| wide.primary(key) == primary), "in wide storage");

        let mut room = vec![ServerIndex::default(); servers.len()];
        let order = boxed.order(key, &mut room);
        assert_eq!(order.first(), Some(&primary));
        let mut sorted = order.to_vec();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), order.len(), "somebody is named twice");
    }
}

/// The shares of a plan add up to one, before and after.
pub fn plan_adds_up((old, new): &(Fleet, Fleet)) {
    let (old_servers, new_servers) = (old.servers(), new.servers());
    let Some(before) = old.placement(&old_servers) else { return };
    let Some(after) = new.placement(&new_servers) else { return };
    let mut matrix = vec![0.0; old_servers.len() * new_servers.len()];
    let plan = Plan::new(&before, &after, &mut matrix).expect("the matrix is large enough");
    let indexes = |count: usize| (0..count as u16).map(ServerIndex::new);
    let total: f64 = indexes(old_servers.len()).map(|server| plan.before(server)).sum();
    assert!((total - 1.0).abs() < 1e-6, "{total} before");
    let total: f64 = indexes(new_servers.len()).map(|server| plan.after(server)).sum();
    assert!((total - 1.0).abs() < 1e-6, "{total} after");
    assert!((-1e-6..=1.0 + 1e-6).contains(&plan.moved()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fleet(scheme: u8) -> Fleet {
        let servers =
            ["a:1", "b:2", "c:11211", "a:1", ""].map(|name| (name.to_owned(), 1 + name.len() as u8));
        Fleet { scheme, options: vec![], servers: servers.into(), keys: vec![b"key".into(), b"\xff".into()] }
    }

    #[test]
    fn every_scheme_obeys() {
        for scheme in 0..peers::all().count() as u8 {
            ways_agree(&fleet(scheme));
            plan_adds_up(&(fleet(scheme), fleet(scheme)));
        }
    }
}
