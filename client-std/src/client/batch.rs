//! The verb that runs a batch of operations of different kinds.

use memring_client::{batch::Batch, failure::Error};

use super::Client;
use crate::batch::{self, Requests, Site};

/// The results of a [`Batch`], with values in vectors.
pub type Outcomes = memring_client::batch::Outcomes<Vec<u8>>;

impl Client {
    /// Runs operations of different kinds on any keys. Those for one server are sent together, in one round trip, and
    /// every server is asked before any reply is read. The handle of each operation gives its result.
    ///
    /// ```
    /// # use memring_std::{Client, testing::Server};
    /// # let servers = [Server::start()?, Server::start()?];
    /// # let client = Client::connect(servers.iter().map(Server::addr))?;
    /// use memring_std::{Batch, Ttl};
    ///
    /// let mut batch = Batch::new();
    /// batch.set("name", "Ada", Ttl::NEVER);
    /// let name = batch.get("name");
    /// let visits = batch.incr("visits", 1);
    /// let mut outcomes = client.run(batch)?;
    /// assert_eq!(outcomes.take(name)?.expect("it was just stored").value, b"Ada");
    /// assert_eq!(outcomes.take(visits)?, None);
    /// assert!(outcomes.errors().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Key`](crate::ErrorKind::Key) and [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) when a key or
    /// a value is invalid, at the error's [`position`](Error::position) among the operations; nothing was sent then.
    /// Errors of servers are in the [`Outcomes`].
    pub fn run(&self, batch: Batch) -> Result<Outcomes, Error> {
        const NAME: &str = "run";
        let (fleet, mut scratch) = (self.common.fleet(), Vec::new());
        let (shares, operations) = self.common.batch(NAME, &fleet, &batch, &mut scratch)?;
        let divided = shares
            .divide(&operations)
            .map(|share| (Site::of(&share), Requests::new(share.items, share.positions, Ok)));
        let results = batch::run(NAME, divided, batch.len(), self.batch_deadline());
        drop((operations, shares));
        Ok(batch.outcomes(results, self.common.errors_as_misses()))
    }
}
