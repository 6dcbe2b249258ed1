//! What goes to every server, of which one hangs: the others answer as if it were not there.

use core::time::Duration;
use std::time::Instant;

use memring_std::{Error, ErrorKind, FromServer, StatsKind, testing::Server};
use memring_suite::{BlackHole, Scripted, Stopwatch};

use crate::{
    client::{Client, Meta as _},
    run::promises,
};

promises! {
    a_silent_server_keeps_no_other_from_answering
    a_server_that_takes_no_connection_keeps_no_other_from_answering
    statistics_of_all_servers_come_side_by_side
    statistics_that_have_come_are_told_at_once
}

const DEADLINE: Duration = Duration::from_secs(1);

/// Asks four servers and the one called `hung`, which is the first, for everything.
async fn hold<C: Client>(hung: String, kind: ErrorKind) {
    let servers: Vec<_> = (0..4).map(|_| Server::start().unwrap()).collect();
    let builder = C::builder().servers([&hung]).servers(servers.iter().map(Server::addr));
    let client = builder.timeout(DEADLINE).connect_timeout(DEADLINE).health_policy(None).build().unwrap();
    judge(&hung, kind, in_time(client.version()).await);
    judge(&hung, kind, in_time(client.stats(StatsKind::General)).await);
    judge(&hung, kind, in_time(client.verbosity(1)).await);
    judge(&hung, kind, in_time(client.flush_all(None)).await);
    // After the servers' versions, which take all of the time once.
    judge(&hung, kind, client.meta().noop().await);
    let (begun, mut last, mut lines) = (Instant::now(), Duration::ZERO, 0);
    let take = |_: &str, _: &[u8], _: &[u8]| {
        lines += 1;
        last = begun.elapsed();
    };
    judge(&hung, kind, in_time(client.stats_with(StatsKind::General, take)).await);
    assert!(lines > 40 && last < DEADLINE / 2, "{lines} lines by {last:?}");
}

/// Waits for `run`, for no longer than one server that hangs may take, or one that tells for longer than a deadline.
async fn in_time<T>(run: impl Future<Output = T>) -> T {
    let watch = Stopwatch::start();
    let result = run.await;
    assert!(watch.took() < DEADLINE * 7 / 4, "{:?}", watch.took());
    result
}

fn judge<T>(hung: &str, kind: ErrorKind, answers: Vec<FromServer<T>>) {
    assert_eq!(answers.len(), 5);
    for FromServer { server, result, .. } in answers {
        let error = result.err();
        assert_eq!(
            error.as_ref().map(Error::kind),
            (*server == *hung).then_some(kind),
            "{server}: {error:?}"
        );
    }
}

async fn a_silent_server_keeps_no_other_from_answering<C: Client>() {
    let silent = Scripted::silent();
    hold::<C>(silent.name(), ErrorKind::Timeout).await;
}

async fn a_server_that_takes_no_connection_keeps_no_other_from_answering<C: Client>() {
    let hole = BlackHole::new();
    hold::<C>(hole.name(), ErrorKind::Connect).await;
}

/// The time is for each piece, so a server that goes on telling is not late; and meanwhile others tell, too.
async fn statistics_of_all_servers_come_side_by_side<C: Client>() {
    let teller = || {
        Scripted::new(|mut peer| {
            while peer.line().is_some() {
                for number in 0..6 {
                    std::thread::sleep(DEADLINE / 4);
                    peer.write(format!("STAT name {number}\r\n"));
                }
                peer.write("END\r\n");
            }
        })
    };
    let tellers: Vec<_> = (0..4).map(|_| teller()).collect();
    let names = tellers.iter().map(Scripted::name);
    let client = C::builder().servers(names).timeout(DEADLINE).build().unwrap();
    let mut told = Vec::new();
    let take = |server: &str, _: &[u8], value: &[u8]| told.push((server.to_owned(), value.to_vec()));
    let answers = in_time(client.stats_with(StatsKind::General, take)).await;
    assert!(answers.iter().all(|answer| answer.result.is_ok()), "{answers:?}");
    for teller in tellers {
        let values = told.iter().filter(|(server, _)| *server == teller.name());
        let values: Vec<_> = values.map(|(_, value)| String::from_utf8(value.clone()).unwrap()).collect();
        assert_eq!(values, ["0", "1", "2", "3", "4", "5"]);
    }
}

/// However much has come, nobody waits for more before it is all read.
async fn statistics_that_have_come_are_told_at_once<C: Client>() {
    // Around as many bytes as are read from a server before it is another one's turn.
    for len in [15, 16, 17].map(|reads| reads * 16 * 1024 - 8 * 1024) {
        let server = Scripted::new(move |mut peer| {
            while peer.line().is_some() {
                let lines = len / "STAT name 123456\r\n".len();
                let told: String = (0..lines).map(|number| format!("STAT name {number:06}\r\n")).collect();
                peer.write(told + "END\r\n");
            }
        });
        let client = C::builder().servers([server.name()]).timeout(3 * DEADLINE).build().unwrap();
        let (watch, mut lines) = (Stopwatch::start(), 0);
        let answers = client.stats_with(StatsKind::General, |_: &str, _: &[u8], _: &[u8]| lines += 1).await;
        assert!(answers[0].result.is_ok() && lines == len / 18, "{answers:?}, {lines} lines");
        assert!(watch.took() < DEADLINE, "{:?}", watch.took());
    }
}
