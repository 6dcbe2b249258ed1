//! Which keys of a batch go to which server.

use core::mem;

use memring_core::ServerIndex;
use memring_text::{Key, KeyError};

use crate::{fleet::Fleet, pool::Pool};

/// The keys of a batch as they go on the wire, server by server; those of one server in the order of the batch.
pub(crate) struct Plan<'b> {
    fleet: &'b Fleet,
    keys: Vec<Key<'b>>,
    groups: Groups,
}

impl<'b> Plan<'b> {
    /// Finds the server of each key. Where the scheme puts a prefix before keys, `room` is where they are composed.
    pub(crate) fn new<'k: 'b>(
        fleet: &'b Fleet,
        keys: impl Iterator<Item = &'k [u8]>,
        room: &'b mut Vec<u8>,
    ) -> Result<Self, KeyError> {
        let keys: Vec<_> = keys.collect();
        let groups = Groups::new(&fleet.place_many(&keys), fleet.pools().len());
        let prefix = fleet.scheme().key.prefix;
        let wire_keys: Vec<_> = if prefix.is_empty() {
            keys.into_iter().map(Key::new).collect::<Result<_, _>>()?
        } else {
            for key in &keys {
                // The prefix alone is a key, but not one that the caller asked for.
                if key.is_empty() {
                    return Err(KeyError::Empty);
                }
                room.extend_from_slice(prefix);
                room.extend_from_slice(key);
            }
            let mut rest = &**room;
            let composed = keys.into_iter().map(|key| {
                let (key, behind) = rest.split_at(prefix.len() + key.len());
                rest = behind;
                Key::new(key)
            });
            composed.collect::<Result<_, _>>()?
        };
        let keys = groups.positions.iter().map(|position| wire_keys[*position]).collect();
        Ok(Self { fleet, keys, groups })
    }

    /// The keys in the plan's order.
    pub(crate) fn keys(&self) -> &[Key<'b>] {
        &self.keys
    }

    /// For each key of [`keys`](Self::keys), its position in the batch.
    pub(crate) fn positions(&self) -> &[usize] {
        &self.groups.positions
    }

    /// Divides `items`, which are one for each of the [`keys`](Self::keys), among the servers that have any. With each
    /// server's items come their positions in the batch.
    pub(crate) fn divide<'p, T>(
        &'p self,
        items: &'p [T],
    ) -> impl Iterator<Item = (&'b Pool, &'p [usize], &'p [T])> {
        let pools = self.fleet.pools();
        self.groups.divide(items).map(|(server, positions, items)| (&*pools[server], positions, items))
    }
}

/// Positions, group by group.
struct Groups {
    positions: Vec<usize>,
    /// Where each group ends.
    ends: Vec<usize>,
}

impl Groups {
    /// Puts each position into the group of its place; all places are below `count`.
    fn new(places: &[ServerIndex], count: usize) -> Self {
        // Counted, then dealt: what is a group's size first becomes its beginning, and in the end its end.
        let mut ends = vec![0; count];
        for place in places {
            ends[place.get()] += 1;
        }
        let mut begin = 0;
        for end in &mut ends {
            begin += mem::replace(end, begin);
        }
        let mut positions = vec![0; places.len()];
        for (position, place) in places.iter().enumerate() {
            let end = &mut ends[place.get()];
            positions[*end] = position;
            *end += 1;
        }
        Self { positions, ends }
    }

    fn divide<'g, T>(&'g self, items: &'g [T]) -> impl Iterator<Item = (usize, &'g [usize], &'g [T])> {
        let mut begin = 0;
        let part = move |(place, &end): (usize, &usize)| {
            let range = mem::replace(&mut begin, end)..end;
            Some((place, self.positions.get(range.clone())?, items.get(range)?))
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
        assert_eq!(parts, [(0, &[1, 4][..], &["b", "e"][..]), (2, &[0, 2, 3], &["a", "c", "d"])]);
    }

    #[test]
    fn no_keys_make_no_groups() {
        assert_eq!(Groups::new(&[], 3).divide::<()>(&[]).count(), 0);
    }
}
