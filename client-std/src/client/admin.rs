//! The verbs that go to every server, those of the gutter too, whether they are down or not: who asks for all of them
//! means all of them.

use std::sync::Arc;

use memring_client::failure::{Cause, FromServer};
use memring_core::health::Verdict;
use memring_text::{FlushAll, FlushDelay, Operation, Stats, StatsKind, Verbosity, Version};

use super::Client;
use crate::batch::{self, Requests, Site};

impl Client {
    /// What each server says of its version.
    pub fn version(&self) -> Vec<FromServer<String>> {
        self.each_server("version", Version, |text| Ok(String::from_utf8_lossy(&text).into_owned()))
    }

    /// Each server's statistics.
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

    /// Drops all items of each server: at once, or when `delay` has passed.
    pub fn flush_all(&self, delay: Option<FlushDelay>) -> Vec<FromServer<()>> {
        self.each_server("flush_all", FlushAll { delay, noreply: false }, Ok)
    }

    /// Tells each server how much to log; 0 is little.
    pub fn verbosity(&self, level: u32) -> Vec<FromServer<()>> {
        self.each_server("verbosity", Verbosity { level, noreply: false }, Ok)
    }

    /// Sends `operation` to every server, before the reply of any is read.
    pub(super) fn each_server<O: Operation<Vec<u8>> + Copy, T>(
        &self,
        name: &'static str,
        operation: O,
        read: fn(O::Output) -> Result<T, Cause>,
    ) -> Vec<FromServer<T>> {
        let fleet = self.fleet();
        let positions: Vec<_> = (0..fleet.pools().len()).collect();
        let operations = [operation];
        let shares = fleet.pools().iter().zip(positions.chunks(1)).map(|(pool, positions)| {
            (Site { pool, verdict: Verdict::Up }, Requests::new(&operations, positions, read))
        });
        let results = batch::run(name, shares, positions.len(), self.batch_deadline()).into_results();
        let pools = fleet.pools().iter();
        pools.zip(results).map(|(pool, result)| FromServer::new(Arc::clone(pool.name()), result)).collect()
    }
}
