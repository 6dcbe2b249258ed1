//! Groups: the positions of a batch, divided among servers.

use core::mem;

use memring_core::ServerIndex;

/// The positions of a batch, server by server; those of one server are in the order of the batch.
#[derive(Clone, Debug)]
pub(crate) struct Groups {
    positions: Vec<usize>,
    /// Where each server's group ends.
    ends: Vec<usize>,
}

impl Groups {
    /// Puts each position into the group of its server. There are `count` groups, with empty ones; a server beyond
    /// them adds groups.
    pub(crate) fn new(servers: &[ServerIndex], count: usize) -> Self {
        let most = servers.iter().max().map_or(0, |server| server.get().saturating_add(1));
        let count = count.max(most);
        if count == 1 {
            return Self { positions: (0..servers.len()).collect(), ends: vec![servers.len()] };
        }
        // `ends` holds each group's size first, then its beginning, and when all positions are dealt its end.
        let mut ends = vec![0_usize; count];
        for server in servers {
            if let Some(size) = ends.get_mut(server.get()) {
                *size = size.saturating_add(1);
            }
        }
        let mut begin = 0_usize;
        for end in &mut ends {
            let size = mem::replace(end, begin);
            begin = begin.saturating_add(size);
        }
        let mut positions = vec![0; servers.len()];
        for (position, server) in servers.iter().enumerate() {
            let Some(end) = ends.get_mut(server.get()) else { continue };
            if let Some(slot) = positions.get_mut(*end) {
                *slot = position;
            }
            *end = end.saturating_add(1);
        }
        Self { positions, ends }
    }

    /// All positions, group after group.
    pub(crate) fn positions(&self) -> &[usize] {
        &self.positions
    }

    /// The items at the positions, group after group. Positions beyond the end of `items` are left out.
    pub(crate) fn gather<T: Copy>(&self, items: Vec<T>) -> Vec<T> {
        // If nothing was left out, one group has all positions in their order.
        if self.ends.len() == 1 && self.positions.len() == items.len() {
            return items;
        }
        let mut gathered = Vec::with_capacity(items.len());
        gathered.extend(self.positions.iter().filter_map(|position| items.get(*position).copied()));
        gathered
    }

    /// Keeps only the positions for which `keeps` says so: one word for each of the [`positions`](Self::positions).
    pub(crate) fn retain(&mut self, keeps: &[bool]) {
        let (mut begin, mut kept) = (0_usize, 0_usize);
        for end in &mut self.ends {
            let group = keeps.get(begin..*end).unwrap_or(&[]);
            kept = kept.saturating_add(group.iter().filter(|keeps| **keeps).count());
            begin = mem::replace(end, kept);
        }
        let mut keeps = keeps.iter();
        self.positions.retain(|_| keeps.next() == Some(&true));
    }

    /// Divides `items`, one for each of the [`positions`](Self::positions), among the servers that have any. Gives each
    /// server with its positions and its items.
    pub(crate) fn divide<'g, T>(
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
    fn every_position_is_in_the_group_of_its_server() {
        let groups = Groups::new(&[2, 0, 2, 2, 0].map(ServerIndex::new), 4);
        let parts: Vec<_> = groups.divide(&["b", "e", "a", "c", "d"]).collect();
        let (first, third) = (ServerIndex::new(0), ServerIndex::new(2));
        assert_eq!(parts, [(first, &[1, 4][..], &["b", "e"][..]), (third, &[0, 2, 3], &["a", "c", "d"])]);
    }

    #[test]
    fn what_is_kept_stays_in_its_group() {
        let mut groups = Groups::new(&[2, 0, 2, 2, 0].map(ServerIndex::new), 4);
        groups.retain(&[false, false, true, false, true]);
        let parts: Vec<_> = groups.divide(&["a", "d"]).collect();
        assert_eq!(parts, [(ServerIndex::new(2), &[0, 3][..], &["a", "d"][..])]);
        groups.retain(&[true]);
        assert_eq!(groups.positions(), [0]);
    }

    #[test]
    fn one_group_is_the_batch() {
        let mut groups = Groups::new(&[ServerIndex::new(0); 3], 1);
        assert_eq!(groups.positions(), [0, 1, 2]);
        assert_eq!(groups.gather(vec!["a", "b", "c"]), ["a", "b", "c"]);
        groups.retain(&[true, false, true]);
        assert_eq!(groups.gather(vec!["a", "b", "c"]), ["a", "c"]);
    }

    #[test]
    fn items_are_gathered_group_after_group() {
        let groups = Groups::new(&[1, 0, 1].map(ServerIndex::new), 2);
        assert_eq!(groups.gather(vec!["a", "b", "c"]), ["b", "a", "c"]);
        assert_eq!(groups.gather(vec!["a", "b"]), ["b", "a"]);
    }

    #[test]
    fn no_keys_make_no_groups() {
        assert_eq!(Groups::new(&[], 3).divide::<()>(&[]).count(), 0);
    }

    #[test]
    fn a_server_beyond_the_count_has_a_group_too() {
        let groups = Groups::new(&[ServerIndex::new(5), ServerIndex::new(0)], 1);
        assert_eq!(groups.positions(), [1, 0]);
        assert_eq!(groups.divide(&["b", "a"]).count(), 2);
    }
}
