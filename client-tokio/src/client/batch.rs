//! The verb that runs a batch of operations of different kinds.

use bytes::Bytes;
use memring_client::{AnyOutcome, batch::Batch, failure::Error};

use super::Client;
use crate::batch;

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
        const NAME: &str = "run";
        let (deadline, fleet, mut scratch) = (self.deadline(), self.common.fleet(), Vec::new());
        let (shares, operations) = self.common.batch(NAME, &fleet, &batch, &mut scratch)?;
        let (divided, to) =
            (shares.divide(&operations), |outcome: AnyOutcome<_>| Ok(outcome.map(Bytes::from)));
        let results = batch::run(NAME, divided, batch.len(), deadline, to).await;
        drop((operations, shares));
        Ok(batch.outcomes(results, self.common.errors_as_misses()))
    }
}
