//! The servers to ask for a key, one after the other.

use crate::server::ServerIndex;

/// A list of distinct servers that grows in the caller's storage.
#[derive(Debug)]
pub struct Order<'o> {
    servers: &'o mut [ServerIndex],
    len: usize,
}

impl<'o> Order<'o> {
    /// An empty order, for as many servers as the slice is long.
    pub const fn new(servers: &'o mut [ServerIndex]) -> Self {
        Self { servers, len: 0 }
    }

    /// Notes `server` unless it was noted before. Returns whether another one fits.
    pub fn push(&mut self, server: ServerIndex) -> bool {
        if !self.as_slice().contains(&server) {
            if let Some(next) = self.servers.get_mut(self.len) {
                *next = server;
                self.len += 1;
            }
        }
        !self.is_full()
    }

    /// The servers noted so far.
    #[must_use]
    pub fn as_slice(&self) -> &[ServerIndex] {
        self.servers.get(..self.len).unwrap_or_default()
    }

    /// How many servers were noted.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether no server was noted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether no further server fits.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.len == self.servers.len()
    }

    /// The servers noted, for as long as their storage lives.
    #[must_use]
    pub fn into_slice(self) -> &'o [ServerIndex] {
        let Self { servers, len } = self;
        servers.get(..len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_noted_until_the_storage_is_full() {
        let mut storage = [ServerIndex::default(); 2];
        let mut order = Order::new(&mut storage);
        assert!((order.len(), order.is_empty(), order.is_full()) == (0, true, false));
        assert!(order.push(ServerIndex::new(4)) && order.push(ServerIndex::new(4)), "noted once");
        assert!((order.len(), order.is_empty(), order.is_full()) == (1, false, false));
        assert!(!order.push(ServerIndex::new(1)));
        assert!((order.len(), order.is_empty(), order.is_full()) == (2, false, true));
        assert!(!order.push(ServerIndex::new(7)));
        assert_eq!(order.as_slice(), [ServerIndex::new(4), ServerIndex::new(1)]);
    }
}
