//! Requests of operators of the files in the crate's types.

use memring_text::{Admin, Automove, SlabClasses, StatsKind, WatchKinds};
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
