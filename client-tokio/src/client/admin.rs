//! The verbs that go to every server, those of the gutter too, whether they are down or not: a caller that asks
//! for all of them means all of them.

use std::sync::Arc;

use memring_client::{
    failure::{Cause, FromServer},
    shares::Shares,
};
use memring_text::{
    Operation,
    operation::{Stats, Version},
    request::{FlushAll, FlushDelay, StatsKind, Verbosity},
};

use super::Client;
use crate::{batch, hang_up, streamed};

impl Client {
    /// What each server says of its version.
    pub async fn version(&self) -> Vec<FromServer<String>> {
        self.each_server("version", Version, |text| Ok(String::from_utf8_lossy(&text).into_owned())).await
    }

    /// Each server's statistics, gathered: of [`Limits::stats`](crate::Limits::stats) lines at most.
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

    /// Each server's statistics, line by line as they come: `take` is given the server's name, and a name and its value.
    /// Nothing is gathered, so there may be any number of lines, as of [`StatsKind::Conns`].
    ///
    /// The servers are asked one after the other, over a connection of its own each. The
    /// [timeout](crate::Builder::timeout) is for each piece of a reply: as long as bytes move, it goes on.
    ///
    /// ```
    /// # use memring_tokio::{Client, StatsKind, testing::Server};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Server::start().await?;
    /// # let client = Client::connect([server.addr()])?;
    /// let mut lines = 0;
    /// let answers = client.stats_with(StatsKind::General, |_server, _name, _value| lines += 1).await;
    /// assert!(answers.iter().all(|answer| answer.result.is_ok()));
    /// assert!(lines > 10);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn stats_with(
        &self,
        kind: StatsKind,
        take: impl FnMut(&str, &[u8], &[u8]),
    ) -> Vec<FromServer<()>> {
        let (mut take, fleet) = (take, self.common.fleet());
        let mut answers = Vec::new();
        for pool in fleet.pools() {
            let take = |name: &[u8], value: &[u8]| take(pool.name(), name, value);
            let result = match streamed::stats(pool, kind, take, self.common.timeout()).await {
                Err(error) => Err(Box::pin(hang_up::explain(pool, error, &kind, self.deadline())).await),
                told => told,
            };
            answers.push(FromServer::new(Arc::clone(pool.name()), result));
        }
        answers
    }

    /// Drops all items of each server: at once, or when `delay` has passed.
    pub async fn flush_all(&self, delay: Option<FlushDelay>) -> Vec<FromServer<()>> {
        self.each_server("flush_all", FlushAll { delay, noreply: false }, Ok).await
    }

    /// Tells each server how much to log; 0 is little.
    pub async fn verbosity(&self, level: u32) -> Vec<FromServer<()>> {
        self.each_server("verbosity", Verbosity { level, noreply: false }, Ok).await
    }

    /// Sends `operation` to every server, before the reply of any is waited for.
    pub(super) async fn each_server<O: Operation + Copy, T>(
        &self,
        name: &'static str,
        operation: O,
        to: fn(O::Output<Vec<u8>>) -> Result<T, Cause>,
    ) -> Vec<FromServer<T>> {
        let (deadline, fleet) = (self.deadline(), self.common.fleet());
        let operations = vec![operation; fleet.pools().len()];
        let shares = Shares::each_server(&fleet);
        let results = batch::run(name, shares.divide(&operations), operations.len(), deadline, to).await;
        let mut answers = Vec::with_capacity(operations.len());
        for (pool, result) in fleet.pools().iter().zip(results.into_results()) {
            let result = match result {
                Err(error) => Err(Box::pin(hang_up::explain(pool, error, &operation, deadline)).await),
                told => told,
            };
            answers.push(FromServer::new(Arc::clone(pool.name()), result));
        }
        answers
    }
}
