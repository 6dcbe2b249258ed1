//! The verbs that go to every server, with those of the gutter and those that are down: a caller that asks for all
//! means all.

use core::ops::ControlFlow;
use std::sync::Arc;

use memring_client::{
    Lines,
    failure::{Cause, Error, FromServer},
    route::Fleet,
    shares::Shares,
};
use memring_text::{
    Operation,
    operation::{Stats, Version},
    reply::{DumpLine, Event, LogLine},
    request::{Admin, FlushAll, FlushDelay, SlabClasses, StatsKind, Verbosity, WatchKinds},
};

use super::Client;
use crate::{
    batch::{self, together::all},
    hang_up, lines,
    pool::Pool,
};

impl Client {
    /// The version of each server.
    pub async fn version(&self) -> Vec<FromServer<String>> {
        self.each_server("version", Version, |text| Ok(String::from_utf8_lossy(&text).into_owned())).await
    }

    /// The statistics of each server, at most [`Limits::stats`](crate::Limits::stats) lines.
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

    /// Reads the statistics of each server line by line: calls `take` with the server's name, the statistic's name and
    /// its value. Lines are not collected, so their number has no limit, for example with [`StatsKind::Conns`].
    ///
    /// Every server is asked before the reply of any is waited for, over a connection of its own, and lines come as they come:
    /// those of one server in their order, between those of others. The [timeout](crate::Builder::timeout) is for each piece
    /// of a reply: as long as bytes move, it goes on.
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
        let mut take = take;
        self.each_line(Lines::Stats(kind), |server: &str, event: &Event<'_>| {
            if let Some((name, value)) = event.statistic() {
                take(server, name, value);
            }
            ControlFlow::Continue(())
        })
        .await
    }

    /// Reads what each server knows of all its items: calls `take` with the server's name and an item's line, as lines come,
    /// until `take` breaks off. No line is kept. Connections and timeouts are as with [`stats_with`](Self::stats_with).
    ///
    /// The server goes through its items while others come and go: one that is moved meanwhile may be missing or come twice.
    ///
    /// ```no_run
    /// # use memring_tokio::Client;
    /// # async fn dump() -> Result<(), memring_tokio::Error> {
    /// use std::ops::ControlFlow;
    ///
    /// let client = Client::connect(["10.0.0.1", "10.0.0.2"])?;
    /// let dumped = client.metadump_with(|server, line| {
    ///     let key: Vec<u8> = line.unescape().collect();
    ///     println!("{server} {} {:?}", key.escape_ascii(), line.size());
    ///     ControlFlow::Continue(())
    /// });
    /// dumped.await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn metadump_with(
        &self,
        take: impl FnMut(&str, &DumpLine<'_>) -> ControlFlow<()>,
    ) -> Vec<FromServer<()>> {
        let mut take = take;
        self.each_line(Lines::Metadump, |server: &str, event: &Event<'_>| match event {
            Event::Dump(line) => take(server, line),
            _ => ControlFlow::Continue(()),
        })
        .await
    }

    /// Watches each server: calls `take` with the server's name and a line for each thing that happens there, until `take`
    /// breaks off or every server has ended its connection. A server may say nothing for any time.
    ///
    /// ```no_run
    /// # use memring_tokio::{Client, WatchKinds};
    /// # async fn watch() -> Result<(), memring_tokio::Error> {
    /// use std::ops::ControlFlow;
    ///
    /// let client = Client::connect(["10.0.0.1", "10.0.0.2"])?;
    /// let kinds = WatchKinds { evictions: true, ..WatchKinds::default() };
    /// let watched = client.watch_with(kinds, |server, line| {
    ///     println!("{server} {}", line.text.escape_ascii());
    ///     ControlFlow::Continue(())
    /// });
    /// watched.await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn watch_with(
        &self,
        kinds: WatchKinds,
        take: impl FnMut(&str, &LogLine<'_>) -> ControlFlow<()>,
    ) -> Vec<FromServer<()>> {
        let mut take = take;
        self.each_line(Lines::Watch(kinds), |server: &str, event: &Event<'_>| match event {
            Event::Log(line) => take(server, line),
            _ => ControlFlow::Continue(()),
        })
        .await
    }

    async fn each_line(
        &self,
        asked: Lines,
        take: impl FnMut(&str, &Event<'_>) -> ControlFlow<()>,
    ) -> Vec<FromServer<()>> {
        let fleet = self.common.fleet();
        let told = lines::each(fleet.pools(), asked, take, self.common.timeout()).await;
        match asked {
            Lines::Stats(kind) => self.explained(&fleet, told, &kind).await,
            Lines::Metadump => self.explained(&fleet, told, &Admin::Metadump(SlabClasses::ALL)).await,
            Lines::Watch(kinds) => self.explained(&fleet, told, &Admin::Watch(kinds)).await,
        }
    }

    /// Drops all items of each server: at once, or when `delay` has passed.
    pub async fn flush_all(&self, delay: Option<FlushDelay>) -> Vec<FromServer<()>> {
        self.each_server("flush_all", FlushAll { delay, noreply: false }, Ok).await
    }

    /// Sets how much each server logs; 0 is the least.
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
        self.each_server_that(name, operation, to, &self.common.everyone(), |_, _| Ok(())).await
    }

    /// Sends `operation` to those servers of `fleet` that are `able` to do it. The others have the error of `able`.
    pub(super) async fn each_server_that<O: Operation + Copy, T>(
        &self,
        name: &'static str,
        operation: O,
        to: fn(O::Output<Vec<u8>>) -> Result<T, Cause>,
        fleet: &Fleet<Pool>,
        able: impl FnMut(usize, &Pool) -> Result<(), Error>,
    ) -> Vec<FromServer<T>> {
        let mut able = able;
        let known = |(position, pool): (usize, &Arc<Pool>)| {
            let watch = pool.watch();
            let hangs_up = watch.hangs_up(&operation.request());
            if hangs_up { Err(watch.failed(name, Cause::HangsUp, false)) } else { able(position, pool) }
        };
        let able: Vec<_> = fleet.pools().iter().enumerate().map(known).collect();
        let operations = vec![operation; able.len()];
        let to_each = Shares::each_server(fleet);
        let asked = to_each.divide(&operations).zip(&able).filter(|(_, able)| able.is_ok());
        let asked = asked.map(|(share, _)| share);
        let results = batch::run(name, asked, able.len(), self.deadline(), to).await.into_results();
        let results = able.into_iter().zip(results).map(|(able, result)| able.and(result));
        self.explained(fleet, results, &operation).await
    }

    /// What the servers of `fleet` have answered to `operation`, or why they have not.
    async fn explained<O: Operation, T>(
        &self,
        fleet: &Fleet<Pool>,
        results: impl IntoIterator<Item = Result<T, Error>>,
        operation: &O,
    ) -> Vec<FromServer<T>> {
        // Finding the reasons has one further deadline, for all servers together.
        let deadline = self.deadline();
        let explain = async |(pool, result): (&Arc<Pool>, Result<T, Error>)| {
            let result = match result {
                Err(error) => Err(hang_up::explain(pool, error, operation, deadline).await),
                told => told,
            };
            FromServer::new(Arc::clone(pool.name()), result)
        };
        let results: Vec<_> = results.into_iter().collect();
        all(fleet.pools().iter().zip(results).map(explain)).await
    }
}
