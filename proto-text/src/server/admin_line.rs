//! Operators' commands, in the one form in which our own side writes them.

use crate::{
    number::parse_u64,
    request::{Admin, Automove, SlabClasses, StatsKind, WatchKinds},
};

/// Reads a line without its end. A command that is read may be spelt in another way than ours: a caller that minds compares.
pub(super) fn read_admin(line: &[u8]) -> Option<Admin> {
    let mut words = line.split(|byte| *byte == b' ');
    let verb = words.next()?;
    let list = {
        let mut list = [&b""[..]; 5];
        list.iter_mut().for_each(|place| *place = words.next().unwrap_or(b""));
        list
    };
    Some(match (verb, list) {
        (b"cache_memlimit", [megabytes, ..]) => Admin::CacheMemlimit { megabytes: number(megabytes)? },
        (b"shutdown", [b"", ..]) => Admin::Shutdown { graceful: false },
        (b"shutdown", [b"graceful", ..]) => Admin::Shutdown { graceful: true },
        (b"watch", words) => Admin::Watch(watch_kinds(words)?),
        (b"slabs", [b"reassign", b"-1", to, ..]) => Admin::SlabsReassign { from: None, to: number(to)? },
        (b"slabs", [b"reassign", from, to, ..]) => {
            Admin::SlabsReassign { from: Some(number(from)?), to: number(to)? }
        }
        (b"slabs", [b"automove", b"0", ..]) => Admin::SlabsAutomove(Automove::Off),
        (b"slabs", [b"automove", b"1", ..]) => Admin::SlabsAutomove(Automove::On),
        (b"slabs", [b"automove", b"2", ..]) => Admin::SlabsAutomove(Automove::Eager),
        (b"lru", [b"tune", hot, warm, hot_factor, warm_factor]) => Admin::LruTune {
            hot_percent: number(hot)?,
            warm_percent: number(warm)?,
            hot_hundredths: hundredths(hot_factor)?,
            warm_hundredths: hundredths(warm_factor)?,
        },
        (b"lru", [b"mode", b"flat", ..]) => Admin::LruMode { segmented: false },
        (b"lru", [b"mode", b"segmented", ..]) => Admin::LruMode { segmented: true },
        (b"lru", [b"temp_ttl", b"-1", ..]) => Admin::LruTempTtl(None),
        (b"lru", [b"temp_ttl", seconds, ..]) => Admin::LruTempTtl(Some(number(seconds)?)),
        (b"lru_crawler", [b"enable", ..]) => Admin::CrawlerEnable(true),
        (b"lru_crawler", [b"disable", ..]) => Admin::CrawlerEnable(false),
        (b"lru_crawler", [b"sleep", microseconds, ..]) => Admin::CrawlerSleep(number(microseconds)?),
        (b"lru_crawler", [b"tocrawl", items, ..]) => Admin::CrawlerTocrawl(number(items)?),
        (b"lru_crawler", [b"crawl", classes, ..]) => Admin::CrawlerCrawl(slab_classes(classes)?),
        (b"lru_crawler", [b"metadump", b"hash", ..]) => Admin::MetadumpHash,
        (b"lru_crawler", [b"metadump", classes, ..]) => Admin::Metadump(slab_classes(classes)?),
        (b"lru_crawler", [b"mgdump", b"hash", ..]) => Admin::MgdumpHash,
        (b"lru_crawler", [b"mgdump", classes, ..]) => Admin::Mgdump(slab_classes(classes)?),
        _ => return None,
    })
}

/// What follows `stats`, where it has arguments.
pub(super) fn read_stats(args: &[u8]) -> Option<StatsKind> {
    if let Some(kind) = StatsKind::ALL.into_iter().find(|kind| kind.word().as_bytes() == args) {
        return Some(kind);
    }
    let mut words = args.strip_prefix(b"cachedump ")?.split(|byte| *byte == b' ');
    Some(StatsKind::Cachedump { class: number(words.next()?)?, count: number(words.next()?)? })
}

fn number<N: TryFrom<u64>>(word: &[u8]) -> Option<N> {
    N::try_from(parse_u64(word)?).ok()
}

/// A decimal fraction with one or two digits behind the point.
fn hundredths(word: &[u8]) -> Option<u16> {
    let mut parts = word.split(|byte| *byte == b'.');
    let whole: u16 = number(parts.next()?)?;
    let fraction: u16 = match parts.next()? {
        [tens] => number::<u16>(&[*tens])?.checked_mul(10)?,
        [tens, ones] => number(&[*tens, *ones])?,
        _ => return None,
    };
    whole.checked_mul(100)?.checked_add(fraction)
}

fn watch_kinds(words: [&[u8]; 5]) -> Option<WatchKinds> {
    let mut kinds = WatchKinds::default();
    for word in words.into_iter().filter(|word| !word.is_empty()) {
        match word {
            b"fetchers" => kinds.fetchers = true,
            b"mutations" => kinds.mutations = true,
            b"evictions" => kinds.evictions = true,
            b"connevents" => kinds.connevents = true,
            b"deletions" => kinds.deletions = true,
            _ => return None,
        }
    }
    Some(kinds)
}

fn slab_classes(word: &[u8]) -> Option<SlabClasses> {
    if word == b"all" {
        return Some(SlabClasses::ALL);
    }
    let mut classes = word.split(|byte| *byte == b',').map(|class| number(class).and_then(SlabClasses::one));
    let first = classes.next()??;
    classes.try_fold(first, |all, class| Some(all.and(class?)))
}
