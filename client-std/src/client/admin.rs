//! The verbs that go to every server, those of the gutter too, whether they are down or not: a caller that asks
//! for all of them means all of them.

use std::sync::Arc;

use memring_client::{
    failure::{Cause, Error, FromServer},
    shares::Shares,
};
use memring_text::{
    Operation, Request,
    operation::{Stats, Version},
    request::{FlushAll, FlushDelay, StatsKind, Verbosity},
};

use super::Client;
use crate::{
    batch::{self, Requests, Site},
    hang_up,
    pool::Pool,
    streamed,
};

impl Client {
    /// What each server says of its version.
    pub fn version(&self) -> Vec<FromServer<String>> {
        self.each_server("version", Version, |text| Ok(String::from_utf8_lossy(&text).into_owned()))
    }

    /// Each server's statistics, gathered: of [`Limits::stats`](crate::Limits::stats) lines at most.
    ///
    /// ```
    /// # use memring_std::{Client, StatsKind, testing::Server};
    /// # let server = Server::start()?;
    /// # let client = Client::connect([server.addr()])?;
    /// for answer in client.stats(StatsKind::General) {
    ///     println!("{}: {:?} hits", answer.server, answer.result?.value("get_hits"));
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stats(&self, kind: StatsKind) -> Vec<FromServer<Stats<Vec<u8>>>> {
        self.each_server("stats", kind, Ok)
    }

    /// Each server's statistics, line by line as they come: `take` is given the server's name, and a name and its value.
    /// Nothing is gathered, so there may be any number of lines, as of [`StatsKind::Conns`].
    ///
    /// The servers are asked one after the other, over a connection of its own each. The
    /// [timeout](crate::Builder::timeout) is for each piece of a reply: as long as bytes move, it goes on.
    ///
    /// ```
    /// # use memring_std::{Client, StatsKind, testing::Server};
    /// # let server = Server::start()?;
    /// # let client = Client::connect([server.addr()])?;
    /// let mut lines = 0;
    /// let answers = client.stats_with(StatsKind::General, |_server, _name, _value| lines += 1);
    /// assert!(answers.iter().all(|answer| answer.result.is_ok()));
    /// assert!(lines > 10);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stats_with(&self, kind: StatsKind, take: impl FnMut(&str, &[u8], &[u8])) -> Vec<FromServer<()>> {
        let (mut take, fleet) = (take, self.common.fleet());
        let mut ask = |pool: &Pool| {
            let mut take = |name: &[u8], value: &[u8]| take(pool.name(), name, value);
            let told = streamed::stats(pool, kind, &mut take, self.common.timeout());
            let request = Request::Stats(kind);
            told.map_err(|error| hang_up::explain(pool, error, &request, self.batch_deadline()))
        };
        let pools = fleet.pools().iter();
        pools.map(|pool| FromServer::new(Arc::clone(pool.name()), ask(pool))).collect()
    }

    /// Drops all items of each server: at once, or when `delay` has passed.
    pub fn flush_all(&self, delay: Option<FlushDelay>) -> Vec<FromServer<()>> {
        self.each_server("flush_all", FlushAll { delay, noreply: false }, Ok)
    }

    /// Tells each server how much to log; 0 is little.
    pub fn verbosity(&self, level: u32) -> Vec<FromServer<()>> {
        self.each_server("verbosity", Verbosity { level, noreply: false }, Ok)
    }

    /// Sends `operation` to every server, before the reply of any is read.
    pub(super) fn each_server<O: Operation + Copy, T>(
        &self,
        name: &'static str,
        operation: O,
        read: fn(O::Output<Vec<u8>>) -> Result<T, Cause>,
    ) -> Vec<FromServer<T>> {
        let fleet = self.common.fleet();
        let operations = vec![operation; fleet.pools().len()];
        let to_each = Shares::each_server(&fleet);
        let shares = to_each
            .divide(&operations)
            .map(|share| (Site::of(&share), Requests::new(share.items, share.positions, read)));
        let results = batch::run(name, shares, operations.len(), self.batch_deadline()).into_results();
        let answer = |(pool, result): (&Arc<Pool>, Result<T, Error>)| {
            let explain = |error| hang_up::explain(pool, error, &operation.request(), self.batch_deadline());
            FromServer::new(Arc::clone(pool.name()), result.map_err(explain))
        };
        fleet.pools().iter().zip(results).map(answer).collect()
    }
}
