//! Which keys of a batch go to which server.

use memring_text::{Key, KeyError};

use super::Share;
use crate::fleet::Fleet;

/// The positions of a batch, server by server; those of one server in the order of the batch.
pub(crate) struct Plan<'b> {
    fleet: &'b Fleet,
    /// The server of each position.
    places: Vec<usize>,
    positions: Vec<usize>,
}

impl<'b> Plan<'b> {
    /// Finds the server of each key.
    pub(crate) fn new<'k>(fleet: &'b Fleet, keys: impl Iterator<Item = &'k [u8]>) -> Self {
        let places: Vec<_> = keys.map(|key| fleet.place(key)).collect();
        let mut positions: Vec<_> = (0..places.len()).collect();
        positions.sort_by_key(|position| places.get(*position));
        Self { fleet, places, positions }
    }

    /// One position for each server, in the servers' order.
    pub(crate) fn each_server(fleet: &'b Fleet) -> Self {
        let places: Vec<_> = (0..fleet.pools().len()).collect();
        Self { fleet, positions: places.clone(), places }
    }

    /// The positions in the plan's order.
    pub(crate) fn positions(&self) -> &[usize] {
        &self.positions
    }

    /// Divides `operations`, which are one for each of the [`positions`](Self::positions), among the servers that have
    /// any.
    pub(crate) fn divide<'p: 'b, O>(&'p self, operations: &'p [O]) -> impl Iterator<Item = Share<'b, O>> {
        let mut rest = operations;
        let place = |position: &usize| self.places.get(*position).copied();
        let parts = self.positions.chunk_by(move |left, right| place(left) == place(right));
        parts.filter_map(move |positions| {
            let (operations, behind) = rest.split_at_checked(positions.len())?;
            rest = behind;
            let pool = self.fleet.pools().get(place(positions.first()?)?)?;
            Some(Share { pool, positions, operations })
        })
    }
}

/// The keys as they go on the wire. Where the scheme puts a prefix before keys, `room` is where they are composed.
pub(crate) fn wire_keys<'k>(
    prefix: &[u8],
    keys: impl Iterator<Item = &'k [u8]> + Clone,
    room: &'k mut Vec<u8>,
) -> Result<Vec<Key<'k>>, KeyError> {
    if prefix.is_empty() {
        return keys.map(Key::new).collect();
    }
    for key in keys.clone() {
        // The prefix alone is a key, but not one that the caller asked for.
        if key.is_empty() {
            return Err(KeyError::Empty);
        }
        room.extend_from_slice(prefix);
        room.extend_from_slice(key);
    }
    let mut rest = &**room;
    let composed = keys.map(|key| {
        let (key, behind) = rest.split_at_checked(prefix.len() + key.len()).unwrap_or((rest, &[]));
        rest = behind;
        Key::new(key)
    });
    composed.collect()
}
