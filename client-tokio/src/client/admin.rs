//! The verbs that go to every server, those of the gutter too, whether they are down or not: who asks for all of them
//! means all of them.

use std::sync::Arc;

use memring_client::failure::{Cause, FromServer};
use memring_text::{FlushAll, FlushDelay, Operation, Stats, StatsKind, Verbosity, Version};

use super::Client;
use crate::batch::{self, Plan};

impl Client {
    /// What each server says of its version.
    pub async fn version(&self) -> Vec<FromServer<String>> {
        self.each_server("version", Version, |text| Ok(String::from_utf8_lossy(&text).into_owned())).await
    }

    /// Each server's statistics.
    ///
    /// ```
    /// # use memring_tokio::{Client, StatsKind, testing::Server};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Server::start().await?;
    /// # let client = Client::connect([server.addr()])?;
    /// for answer in client.stats(StatsKind::General).await {
    ///     println!("{}: {:?} hits", answer.server, answer.result?.value("get_hits"));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn stats(&self, kind: StatsKind) -> Vec<FromServer<Stats<Vec<u8>>>> {
        self.each_server("stats", kind, Ok).await
    }

    /// Drops all items of each server: at once, or when `delay` has passed.
    ///
    /// # Cancel safety
    /// Dropped, some servers may have done it.
    pub async fn flush_all(&self, delay: Option<FlushDelay>) -> Vec<FromServer<()>> {
        self.each_server("flush_all", FlushAll { delay, noreply: false }, Ok).await
    }

    /// Tells each server how much to log; 0 is little.
    ///
    /// # Cancel safety
    /// Dropped, some servers may have done it.
    pub async fn verbosity(&self, level: u32) -> Vec<FromServer<()>> {
        self.each_server("verbosity", Verbosity { level, noreply: false }, Ok).await
    }

    /// Sends `operation` to every server, before the reply of any is waited for.
    pub(super) async fn each_server<O: Operation<Vec<u8>> + Copy, T>(
        &self,
        name: &'static str,
        operation: O,
        to: fn(O::Output) -> Result<T, Cause>,
    ) -> Vec<FromServer<T>> {
        let (deadline, fleet) = (self.deadline(), self.fleet());
        let operations = vec![operation; fleet.pools().len()];
        let plan = Plan::each_server(&fleet);
        let results = batch::run(name, plan.divide(&operations), operations.len(), deadline, to).await;
        let answers = fleet.pools().iter().zip(results.into_results());
        answers.map(|(pool, result)| FromServer::new(Arc::clone(pool.name()), result)).collect()
    }
}
