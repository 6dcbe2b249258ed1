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
    Operation, Request,
    operation::{Stats, Version},
    reply::{DumpLine, Event, LogLine},
    request::{FlushAll, FlushDelay, StatsKind, Verbosity, WatchKinds},
};

use super::Client;
use crate::{
    batch::{self, Requests, Site},
    hang_up, lines,
    pool::Pool,
};

impl Client {
    /// The version of each server.
    pub fn version(&self) -> Vec<FromServer<String>> {
        self.each_server("version", Version, |text| Ok(String::from_utf8_lossy(&text).into_owned()))
    }

    /// The statistics of each server, at most [`Limits::stats`](crate::Limits::stats) lines.
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

    /// Reads the statistics of each server line by line: calls `take` with the server's name, the statistic's name and
    /// its value. Lines are not collected, so their number has no limit, for example with [`StatsKind::Conns`].
    ///
    /// Every server is asked before any reply is read, over a connection of its own. Lines of one server come in their
    /// order, mixed with those of other servers. The [timeout](crate::Builder::timeout) is for each piece of a reply: a
    /// reply goes on for as long as bytes come.
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
        let mut take = take;
        self.each_line(Lines::Stats(kind), |server, event| {
            if let Some((name, value)) = event.statistic() {
                take(server, name, value);
            }
            ControlFlow::Continue(())
        })
    }

    /// Reads what each server knows of all its items: calls `take` with the server's name and an item's line, as lines come,
    /// until `take` breaks off. No line is kept. Connections and timeouts are as with [`stats_with`](Self::stats_with).
    ///
    /// The server goes through its items while others come and go: one that is moved meanwhile may be missing or come twice.
    ///
    /// ```no_run
    /// # use memring_std::Client;
    /// use std::ops::ControlFlow;
    ///
    /// let client = Client::connect(["10.0.0.1", "10.0.0.2"])?;
    /// client.metadump_with(|server, line| {
    ///     let key: Vec<u8> = line.unescape().collect();
    ///     println!("{server} {} {:?}", key.escape_ascii(), line.size());
    ///     ControlFlow::Continue(())
    /// });
    /// # Ok::<(), memring_std::Error>(())
    /// ```
    pub fn metadump_with(
        &self,
        take: impl FnMut(&str, &DumpLine<'_>) -> ControlFlow<()>,
    ) -> Vec<FromServer<()>> {
        let mut take = take;
        self.each_line(Lines::Metadump, |server, event| match event {
            Event::Dump(line) => take(server, line),
            _ => ControlFlow::Continue(()),
        })
    }

    /// Watches each server: calls `take` with the server's name and a line for each thing that happens there, until `take`
    /// breaks off or every server has ended its connection. A server may say nothing for any time.
    ///
    /// ```no_run
    /// # use memring_std::{Client, WatchKinds};
    /// use std::ops::ControlFlow;
    ///
    /// let client = Client::connect(["10.0.0.1", "10.0.0.2"])?;
    /// let kinds = WatchKinds { evictions: true, ..WatchKinds::default() };
    /// client.watch_with(kinds, |server, line| {
    ///     println!("{server} {}", line.text.escape_ascii());
    ///     ControlFlow::Continue(())
    /// });
    /// # Ok::<(), memring_std::Error>(())
    /// ```
    pub fn watch_with(
        &self,
        kinds: WatchKinds,
        take: impl FnMut(&str, &LogLine<'_>) -> ControlFlow<()>,
    ) -> Vec<FromServer<()>> {
        let mut take = take;
        self.each_line(Lines::Watch(kinds), |server, event| match event {
            Event::Log(line) => take(server, line),
            _ => ControlFlow::Continue(()),
        })
    }

    fn each_line(
        &self,
        asked: Lines,
        take: impl FnMut(&str, &Event<'_>) -> ControlFlow<()>,
    ) -> Vec<FromServer<()>> {
        let (fleet, mut take) = (self.common.fleet(), take);
        let told = lines::each(fleet.pools(), asked, &mut take, self.common.timeout());
        self.explained(&fleet, told, &asked.request())
    }

    /// Drops all items of each server: at once, or when `delay` has passed.
    pub fn flush_all(&self, delay: Option<FlushDelay>) -> Vec<FromServer<()>> {
        self.each_server("flush_all", FlushAll { delay, noreply: false }, Ok)
    }

    /// Sets how much each server logs; 0 is the least.
    pub fn verbosity(&self, level: u32) -> Vec<FromServer<()>> {
        self.each_server("verbosity", Verbosity { level, noreply: false }, Ok)
    }

    /// Sends `operation` to every server before any reply is read.
    pub(super) fn each_server<O: Operation + Copy, T>(
        &self,
        name: &'static str,
        operation: O,
        read: fn(O::Output<Vec<u8>>) -> Result<T, Cause>,
    ) -> Vec<FromServer<T>> {
        self.each_server_that(name, operation, read, &self.common.everyone(), |_, _| Ok(()))
    }

    /// Sends `operation` to those servers of `fleet` that are `able` to do it. The others have the error of `able`.
    pub(super) fn each_server_that<O: Operation + Copy, T>(
        &self,
        name: &'static str,
        operation: O,
        read: fn(O::Output<Vec<u8>>) -> Result<T, Cause>,
        fleet: &Fleet<Pool>,
        able: impl FnMut(usize, &Pool) -> Result<(), Error>,
    ) -> Vec<FromServer<T>> {
        let (request, mut able) = (operation.request(), able);
        let known = |(position, pool): (usize, &Arc<Pool>)| {
            let watch = pool.watch();
            if watch.hangs_up(&request) {
                Err(watch.failed(name, Cause::HangsUp, false))
            } else {
                able(position, pool)
            }
        };
        let able: Vec<_> = fleet.pools().iter().enumerate().map(known).collect();
        let operations = vec![operation; able.len()];
        let to_each = Shares::each_server(fleet);
        let asked = to_each.divide(&operations).zip(&able).filter(|(_, able)| able.is_ok());
        let shares =
            asked.map(|(share, _)| (Site::of(&share), Requests::new(share.items, share.positions, read)));
        let results = batch::run(name, shares, able.len(), self.batch_deadline()).into_results();
        let results = able.into_iter().zip(results).map(|(able, result)| able.and(result));
        self.explained(fleet, results, &request)
    }

    /// Pairs the servers of `fleet` with their answers to `request`, or the reasons why there is none.
    fn explained<T>(
        &self,
        fleet: &Fleet<Pool>,
        results: impl IntoIterator<Item = Result<T, Error>>,
        request: &Request<'_>,
    ) -> Vec<FromServer<T>> {
        // Finding the reasons has one further deadline, for all servers together.
        let results: Vec<_> = results.into_iter().collect();
        let deadline = self.batch_deadline();
        let explain = |(pool, result): (&Arc<Pool>, Result<T, Error>)| {
            let result = result.map_err(|error| hang_up::explain(pool, error, request, deadline));
            FromServer::new(Arc::clone(pool.name()), result)
        };
        fleet.pools().iter().zip(results).map(explain).collect()
    }
}
