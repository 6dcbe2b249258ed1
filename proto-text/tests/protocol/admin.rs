//! Requests of operators of the files in the crate's types.

use memring_text::{
    Exchange, Operation as _, Reply, Request,
    exchange::{ExchangeState, Progress, ProtocolError},
    operation::AdminOutcome,
    reply::NoticeWord,
    request::{Admin, Automove, SlabClasses, StatsKind, WatchKinds},
};
use serde_json::Value;

fn args(value: &Value) -> Vec<&str> {
    value["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect()
}

pub fn stats_kind(value: &Value) -> Option<StatsKind> {
    match &args(value)[..] {
        ["cachedump", class, count] => {
            Some(StatsKind::Cachedump { class: class.parse().unwrap(), count: count.parse().unwrap() })
        }
        words => StatsKind::ALL.into_iter().find(|kind| kind.word() == words.join(" ")),
    }
}

/// `None` where the crate's types cannot say it.
pub fn admin(value: &Value) -> Option<Admin> {
    let hundredths = |text: &str| (text.parse::<f64>().unwrap() * 100.0) as u16;
    Some(match (value["q"].as_str().unwrap(), &args(value)[..]) {
        ("cache_memlimit", [megabytes]) => Admin::CacheMemlimit { megabytes: megabytes.parse().unwrap() },
        ("shutdown", []) => Admin::Shutdown { graceful: false },
        ("watch", []) => Admin::Watch(WatchKinds::default()),
        ("watch", ["fetchers"]) => Admin::Watch(WatchKinds { fetchers: true, ..WatchKinds::default() }),
        ("slabs", ["automove", "1"]) => Admin::SlabsAutomove(Automove::On),
        ("slabs", ["reassign", from, to]) => {
            Admin::SlabsReassign { from: from.parse().ok(), to: to.parse().unwrap() }
        }
        ("lru", ["tune", hot, warm, hot_factor, warm_factor]) => Admin::LruTune {
            hot_percent: hot.parse().unwrap(),
            warm_percent: warm.parse().unwrap(),
            hot_hundredths: hundredths(hot_factor),
            warm_hundredths: hundredths(warm_factor),
        },
        ("lru_crawler", ["metadump", "all"]) => Admin::Metadump(SlabClasses::ALL),
        _ => return None,
    })
}

#[test]
fn a_dump_is_read_line_by_line_and_a_refusal_is_no_error() {
    let run = |admin: Admin, bytes: &[u8]| {
        let request = Request::Admin(admin);
        let mut exchange = Exchange::default();
        exchange.sent();
        let mut reply = Reply::new(Vec::new());
        let (mut start, mut end) = (0, 0);
        while exchange.owed() > 0 {
            match exchange.decode(&bytes[start..end], &request).unwrap() {
                Progress::Event { consumed, event, .. } => {
                    reply.take(&event);
                    start += consumed;
                }
                Progress::NeedMore => end += 1,
            }
        }
        assert_eq!(start, bytes.len());
        (admin.output(reply).unwrap(), exchange.state())
    };
    // As memcached 1.6.18 dumps: lines without a carriage return, and no `OK` before them.
    let lines =
        b"key=foo exp=1795254908 la=1795254808 cas=1 fetch=no cls=1 size=65\nkey=a%20b exp=-1 la=5 cas=2\n";
    let dump = Admin::Metadump(SlabClasses::ALL);
    for before in [&b""[..], b"OK\r\n"] {
        let (outcome, state) = run(dump, &[before, lines, b"END\r\n"].concat());
        assert_eq!((outcome, state), (AdminOutcome::Done(lines.to_vec()), ExchangeState::Idle));
    }
    let (outcome, _) = run(Admin::MgdumpHash, b"mg foo\r\nmg Zm9v b\r\nEN\r\n");
    assert_eq!(outcome, AdminOutcome::Done(b"foo\nZm9v b\n".to_vec()));
    let busy = b"BUSY currently processing crawler request\r\n";
    let crawl = Admin::CrawlerCrawl(SlabClasses::one(1).unwrap().and(SlabClasses::one(63).unwrap()));
    for admin in [crawl, dump, Admin::MgdumpHash] {
        assert_eq!(run(admin, busy), (AdminOutcome::Refused(NoticeWord::Busy), ExchangeState::Idle));
    }
    assert_eq!(Request::Admin(crawl).parts().as_slices()[0], b"lru_crawler crawl 1,63\r\n");
}

/// The events of a reply to `watch`, however it is cut, and what comes after them.
fn watched(reply: &[u8], step: usize) -> (Vec<String>, Result<Progress<'static>, ProtocolError>) {
    let watch = Admin::Watch(WatchKinds { mutations: true, ..WatchKinds::default() });
    let request = Request::Admin(watch);
    let (mut exchange, mut events) = (Exchange::default(), Vec::new());
    let (mut start, mut end) = (0, 0);
    exchange.sent();
    loop {
        match exchange.decode(&reply[start..end], &request) {
            Ok(Progress::Event { consumed, event, complete, .. }) => {
                assert!(!complete, "a log has no end");
                events.push(format!("{event:?}"));
                start += consumed;
            }
            Ok(Progress::NeedMore) if end < reply.len() => end = (end + step).min(reply.len()),
            Ok(Progress::NeedMore) => return (events, Ok(Progress::NeedMore)),
            Err(error) => return (events, Err(error)),
        }
    }
}

#[test]
fn a_log_goes_on_until_the_connection_is_closed() {
    // As memcached 1.6.18 wrote it.
    let log = b"OK\r\nts=1796068207.5754 gid=4 type=item_store key=foo status=stored cmd=set ttl=0 clsid=1 cfd=25 \
        size=3\n[skipped: 17]\nts=1796068207.334902 gid=13 type=conn_close rip=127.0.0.1 rport=39676 transport=tcp \
        reason=error cfd=25\n";
    let expected = [
        "Status(Ok)",
        "LogLine(98 bytes, item_store)",
        "LogLine(13 bytes, )",
        "LogLine(103 bytes, conn_close)",
    ];
    for step in [1, 7, log.len()] {
        assert_eq!(watched(log, step), (expected.map(String::from).to_vec(), Ok(Progress::NeedMore)));
    }
    for wrong in
        [&b"ts=1.2 gid=1 type=item_get\n"[..], b"OK\r\nOK\r\n", b"OK\r\nkey=k exp=-1\n", b"OK\r\nEND\r\n"]
    {
        assert_eq!(watched(wrong, wrong.len()).1, Err(ProtocolError::Unexpected), "{}", wrong.escape_ascii());
    }
    let (events, after) = watched(b"OK\r\nnonsense\n", 99);
    assert!(events.len() == 1 && after.is_err());
}
