//! Commands for operators.

use memring_text::{
    Request,
    buffer::{ArrayBuffer, Buffer},
    request::{Admin, Automove, SlabClasses, WatchKinds},
};

use crate::{digest::Digest, exchanges::waits};

/// Commands for operators, which no server here reads, and what they wait for.
pub(crate) fn admin(input: &[u8]) -> Option<()> {
    let number = input.iter().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(*byte)));
    let [low, high, ..] = number.to_le_bytes();
    let classes = SlabClasses::one(low).unwrap_or(SlabClasses::ALL);
    let classes = classes.and(SlabClasses::one(high).unwrap_or(SlabClasses::ALL));
    let kinds =
        WatchKinds { fetchers: low & 1 == 1, mutations: true, evictions: true, ..WatchKinds::default() };
    let tune =
        Admin::LruTune { hot_percent: low, warm_percent: high, hot_hundredths: 1, warm_hundredths: 65535 };
    for admin in [
        Admin::CacheMemlimit { megabytes: number },
        Admin::Shutdown { graceful: low & 1 == 1 },
        Admin::Watch(kinds),
        Admin::SlabsReassign { from: Some(low), to: high },
        Admin::SlabsAutomove(Automove::Eager),
        tune,
        Admin::LruMode { segmented: low & 1 == 1 },
        Admin::LruTempTtl(Some(number)),
        Admin::CrawlerEnable(low & 1 == 1),
        Admin::CrawlerSleep(number),
        Admin::CrawlerTocrawl(number),
        Admin::CrawlerCrawl(classes),
        Admin::Metadump(classes),
        Admin::MetadumpHash,
        Admin::Mgdump(classes),
        Admin::MgdumpHash,
    ] {
        let request = Request::Admin(admin);
        let mut bytes = ArrayBuffer::<512>::new();
        request.encode(&mut bytes).ok()?;
        let mut digest = Digest::new();
        digest.debug(&(request, admin.reply_shape(), request.may_retry(1)));
        bytes.as_slice().ends_with(b"\r\n").then_some(())?;
        waits(input, &request)?;
    }
    Some(())
}
