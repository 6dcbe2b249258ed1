//! The verb that runs a batch of operations of different kinds.

use bytes::Bytes;
use memring_client::{
    AnyOperation, AnyOutcome,
    batch::Batch,
    failure::{Error, Many},
    shares::Shares,
};

use super::Client;
use crate::{
    batch::{self, together::all},
    hang_up,
    pool::Pool,
};

/// The results of a [`Batch`], with values in shared bytes.
pub type Outcomes = memring_client::batch::Outcomes<Bytes>;

impl Client {
    /// Runs operations of different kinds on any keys: what goes to one server leaves together, in one round trip, and
    /// every server is asked before the reply of any is waited for. Each result is taken by the handle of its operation.
    ///
    /// ```
    /// # use memring_tokio::{Client, testing::Server};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let servers = [Server::start().await?, Server::start().await?];
    /// # let client = Client::connect(servers.iter().map(Server::addr))?;
    /// use memring_tokio::{Batch, Ttl};
    ///
    /// let mut batch = Batch::new();
    /// batch.set("name", "Ada", Ttl::NEVER);
    /// let name = batch.get("name");
    /// let visits = batch.incr("visits", 1);
    /// let mut outcomes = client.run(batch).await?;
    /// assert_eq!(outcomes.take(name)?.expect("it was just stored").value, "Ada");
    /// assert_eq!(outcomes.take(visits)?, None);
    /// assert!(outcomes.errors().is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Key`](crate::ErrorKind::Key) and [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) when a key or
    /// a value is invalid, at the error's [`position`](Error::position) among the operations; nothing was sent then.
    /// Errors of servers are in the [`Outcomes`].
    pub async fn run(&self, batch: Batch) -> Result<Outcomes, Error> {
        let (fleet, mut scratch) = (self.common.fleet(), Vec::new());
        let (mut shares, mut operations) = self.common.batch(NAME, &fleet, &batch, &mut scratch)?;
        let changing = self.common.changing_many(batch.keys());
        let refused = shares.heed(NAME, &mut operations);
        let results = self.run_shares(&shares, &operations, batch.len()).await;
        let mut results = results.with_errors_at(refused);
        let suspects = shares.suspects(&operations, &results);
        // Boxed, because it is rare: the future of every batch would be larger for it.
        if !suspects.is_empty() && Box::pin(self.hang_ups(&suspects)).await {
            // What was under way to such a server was lost with its connection.
            shares.retain_lost(&mut operations, &results);
            let refused = shares.heed(NAME, &mut operations);
            let again = Box::pin(self.run_shares(&shares, &operations, batch.len())).await;
            results = results.with(again, shares.positions()).with_errors_at(refused);
        }
        drop((operations, shares, changing));
        Ok(batch.outcomes(results, self.common.errors_as_misses()))
    }

    async fn run_shares(
        &self,
        shares: &Shares<'_, Pool>,
        operations: &[AnyOperation<'_>],
        count: usize,
    ) -> Many<AnyOutcome<Bytes>> {
        let to = |outcome: AnyOutcome<_>| Ok(outcome.map(Bytes::from));
        let results = batch::run(NAME, shares.divide(operations), count, self.deadline(), to).await;
        shares.found(&results, AnyOutcome::is_hit);
        results
    }

    /// Whether any of these servers hangs up at this operation. All that has to be found out has one deadline.
    async fn hang_ups(&self, suspects: &[(&Pool, &AnyOperation<'_>)]) -> bool {
        let deadline = self.deadline();
        let tell = async |(pool, operation): &(&Pool, &AnyOperation<'_>)| {
            hang_up::is_told(pool, NAME, *operation, deadline).await
        };
        all(suspects.iter().map(tell)).await.contains(&true)
    }
}

const NAME: &str = "run";
