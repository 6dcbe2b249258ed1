//! Groups: the positions of a batch, divided among servers.

use core::mem;

use memring_core::ServerIndex;

/// The positions of a batch, server by server; those of one server are in the order of the batch.
///
/// ```
/// use memring_client::groups::Groups;
/// use memring_core::ServerIndex;
///
/// // Where `Placement::place_many` puts five keys.
/// let places = [2, 0, 2, 2, 0].map(ServerIndex::new);
/// let groups = Groups::new(&places, 4);
/// let keys = groups.gather(&["a", "b", "c", "d", "e"]);
/// let parts: Vec<_> = groups.divide(&keys).collect();
/// assert_eq!(parts[0], (ServerIndex::new(0), &[1, 4][..], &["b", "e"][..]));
/// assert_eq!(parts[1], (ServerIndex::new(2), &[0, 2, 3][..], &["a", "c", "d"][..]));
/// ```
#[derive(Clone, Debug)]
pub struct Groups {
    positions: Vec<usize>,
    /// Where each server's group ends.
    ends: Vec<usize>,
}

impl Groups {
    /// Puts each position into the group of its server. There are `servers` groups, with empty ones; a server beyond
    /// them adds groups.
    #[must_use]
    pub fn new(places: &[ServerIndex], servers: usize) -> Self {
        let most = places.iter().map(|place| place.get().saturating_add(1)).max();
        // `ends` holds each group's size first, then its beginning, and when all positions are dealt its end.
        let mut ends = vec![0_usize; servers.max(most.unwrap_or(0))];
        for place in places {
            if let Some(size) = ends.get_mut(place.get()) {
                *size = size.saturating_add(1);
            }
        }
        let mut begin = 0_usize;
        for end in &mut ends {
            let size = mem::replace(end, begin);
            begin = begin.saturating_add(size);
        }
        let mut positions = vec![0; places.len()];
        for (position, place) in places.iter().enumerate() {
            let Some(end) = ends.get_mut(place.get()) else { continue };
            if let Some(slot) = positions.get_mut(*end) {
                *slot = position;
            }
            *end = end.saturating_add(1);
        }
        Self { positions, ends }
    }

    /// One position for each of `servers`, for an operation that goes to all of them.
    #[must_use]
    pub fn each(servers: usize) -> Self {
        Self {
            positions: (0..servers).collect(),
            ends: (0..servers).map(|end| end.saturating_add(1)).collect(),
        }
    }

    /// All positions, group after group.
    #[must_use]
    pub fn positions(&self) -> &[usize] {
        &self.positions
    }

    /// The items at the positions, group after group. Positions beyond the end of `items` are left out.
    #[must_use]
    pub fn gather<T: Copy>(&self, items: &[T]) -> Vec<T> {
        self.positions.iter().filter_map(|position| items.get(*position).copied()).collect()
    }

    /// Divides `items`, one for each of the [`positions`](Self::positions), among the servers that have any. Gives each
    /// server with its positions and its items.
    pub fn divide<'g, T>(
        &'g self,
        items: &'g [T],
    ) -> impl Iterator<Item = (ServerIndex, &'g [usize], &'g [T])> {
        let mut begin = 0;
        let part = move |(server, &end): (usize, &usize)| {
            let range = mem::replace(&mut begin, end)..end;
            let server = ServerIndex::new(u16::try_from(server).ok()?);
            Some((server, self.positions.get(range.clone())?, items.get(range)?))
        };
        self.ends.iter().enumerate().filter_map(part).filter(|(_, positions, _)| !positions.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_position_is_in_the_group_of_its_place() {
        let groups = Groups::new(&[2, 0, 2, 2, 0].map(ServerIndex::new), 4);
        let parts: Vec<_> = groups.divide(&["b", "e", "a", "c", "d"]).collect();
        let (first, third) = (ServerIndex::new(0), ServerIndex::new(2));
        assert_eq!(parts, [(first, &[1, 4][..], &["b", "e"][..]), (third, &[0, 2, 3], &["a", "c", "d"])]);
    }

    #[test]
    fn no_keys_make_no_groups() {
        assert_eq!(Groups::new(&[], 3).divide::<()>(&[]).count(), 0);
    }

    #[test]
    fn each_server_has_one_position() {
        let groups = Groups::each(3);
        let parts: Vec<_> = groups.divide(groups.positions()).collect();
        for (number, (server, positions, items)) in parts.into_iter().enumerate() {
            assert_eq!((server.get(), positions, items), (number, &[number][..], &[number][..]));
        }
    }

    #[test]
    fn a_place_beyond_the_servers_has_its_group_all_the_same() {
        let groups = Groups::new(&[ServerIndex::new(5), ServerIndex::new(0)], 1);
        assert_eq!(groups.positions(), [1, 0]);
        assert_eq!(groups.divide(&["b", "a"]).count(), 2);
    }
}
