//! The verb that runs a batch of operations of different kinds.

use memring_client::{
    AnyOperation, AnyOutcome,
    batch::Batch,
    failure::{Error, Many},
    shares::Shares,
};
use memring_text::Operation as _;

use super::Client;
use crate::{
    batch::{self, Requests, Site},
    hang_up,
    pool::Pool,
};

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
        let (fleet, mut scratch) = (self.common.fleet(), Vec::new());
        let (mut shares, mut operations) = self.common.batch(NAME, &fleet, &batch, &mut scratch)?;
        let changing = self.common.changing_many(batch.keys());
        let refused = shares.heed(NAME, &mut operations);
        let mut results = self.run_shares(&shares, &operations, batch.len()).with_errors_at(refused);
        let suspects = shares.suspects(&operations, &results);
        if !suspects.is_empty() && self.hang_ups(&suspects) {
            // What was under way to such a server was lost with its connection.
            shares.retain_lost(&mut operations, &results);
            let refused = shares.heed(NAME, &mut operations);
            let again = self.run_shares(&shares, &operations, batch.len());
            results = results.with(again, shares.positions()).with_errors_at(refused);
        }
        drop((operations, shares, changing));
        Ok(batch.outcomes(results, self.common.errors_as_misses()))
    }

    fn run_shares(
        &self,
        shares: &Shares<'_, Pool>,
        operations: &[AnyOperation<'_>],
        count: usize,
    ) -> Many<AnyOutcome<Vec<u8>>> {
        let divided = shares
            .divide(operations)
            .map(|share| (Site::of(&share), Requests::new(share.items, share.positions, Ok)));
        let results = batch::run(NAME, divided, count, self.batch_deadline());
        shares.found(&results, AnyOutcome::is_hit);
        results
    }

    /// Whether any of these servers hangs up at this operation. All that has to be found out has one deadline.
    #[cold]
    fn hang_ups(&self, suspects: &[(&Pool, &AnyOperation<'_>)]) -> bool {
        let deadline = self.batch_deadline();
        let is_told = |(pool, operation): &(&Pool, &AnyOperation<'_>)| {
            hang_up::is_told(pool, NAME, &operation.request(), deadline)
        };
        suspects.iter().filter(|suspect| is_told(suspect)).count() > 0
    }
}

const NAME: &str = "run";
