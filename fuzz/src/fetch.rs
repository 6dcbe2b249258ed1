//! The laws of the machines of `fetch` and its relatives: whatever answers they are given, in whatever order.

use core::time::Duration;
use std::{sync::Arc, time::Instant};

use memring_client::{
    failure::Observer,
    fetch::{
        Answer, Bytes, Call, Content, Dialect, EMPTY, Errand, Found, Freshness, Invalidate, NOTHING, Next,
        NoAnswer, PLACEHOLDER, Place, Put, Shared, Step, Talk,
    },
};
use memring_text::{StoreOutcome, Ttl, ttl::UnixTime};

/// A machine never panics, ends after a bounded number of requests, and waits between its questions, but for a few that
/// an answer provokes. What it hands out is a value that a server has told or the loader made.
pub fn machines_take_any_answer(script: &[u8]) {
    let mut script = Script(script);
    fetch(&mut script);
    let dialect = script.dialect();
    let Ok(times) = script.freshness().times(DATE) else { return };
    talk(Invalidate::new(times, dialect), &mut script);
    let content = (!script.bit()).then(|| Content { flags: script.flags(), value: script.value() });
    talk(Put::new(times, content, dialect), &mut script);
}

fn fetch(script: &mut Script<'_>) {
    let shared = Arc::new(Shared::new(Observer::NONE));
    let (begin, freshness) = (Instant::now(), script.freshness());
    let mut now = begin;
    let Ok(mut call) = Call::<()>::new::<Option<Content>>(&shared, (b"k", b"k"), &freshness, 5, (now, DATE))
    else {
        return;
    };
    let (mut sent, mut at_once, mut loads) = (0, 0, 0);
    loop {
        match call.step(now) {
            Step::Begin if script.byte() == 0xff => call.unreachable(),
            Step::Begin => call.begin(script.dialect(), now),
            Step::Join(_) => panic!("there is nobody to join"),
            Step::Wait(until) => {
                assert!(now < until, "a wait that is over");
                (now, at_once) = (until, 0);
            }
            Step::Send(errand) => {
                (sent, at_once) = (sent + 1, at_once + 1);
                assert!(
                    sent <= 20 + 300 * 8 && at_once <= MOST_AT_ONCE,
                    "{sent} requests, {at_once} at once"
                );
                if script.byte() == 0xfe {
                    // The caller goes away: at most one errand more.
                    assert!(!matches!(call.abandon(), Some(Errand::Ask(_) | Errand::Write(_))));
                    return;
                }
                let answer = script.answer(&errand);
                now += Duration::from_millis(u64::from(script.byte()) * 20);
                let stand_in = script.bit().then(|| (Ttl::seconds(u32::from(script.byte()).max(1)), DATE));
                call.answered(answer, Place::default(), stand_in, now);
            }
            Step::Load => {
                loads += 1;
                assert_eq!(loads, 1, "a call loads once");
                at_once = 0;
                if script.bit() {
                    let mut settling = call.failed((), now);
                    let _errand = settling.errand();
                    let _result = settling.settle();
                    return;
                }
                let content =
                    (!script.bit()).then(|| Content { flags: script.flags(), value: script.value() });
                if call.loaded(content, now).is_some() {
                    return;
                }
            }
            Step::Done(result) => {
                let fetched = result.expect("no loader failed");
                let flags = fetched.map(|content| (content.flags, content.value.is_empty()));
                assert!(loads == 1 || flags != Some((PLACEHOLDER, false)), "a placeholder");
                return;
            }
        }
    }
}

/// A question, one more in the other dialect, one after taking over, one after a void win, and what each comes with.
const MOST_AT_ONCE: u32 = 12;

fn talk<T: Talk>(mut machine: T, script: &mut Script<'_>) {
    let mut now = Instant::now();
    for _ in 0..30 {
        match machine.next(now) {
            Next::Send(errand) => {
                let answer = script.answer(&errand);
                machine.answered(answer, now);
            }
            Next::Wait(until) => now = until,
            Next::Done(_) | Next::Failed(_) => return,
        }
    }
    panic!("it does not end");
}

const DATE: UnixTime = UnixTime::from_secs(1_700_000_000);

/// Bytes, which say what happens; zeros when they are used up.
struct Script<'s>(&'s [u8]);

impl Script<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn bit(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    fn dialect(&mut self) -> Dialect {
        if self.bit() { Dialect::Classic } else { Dialect::Meta }
    }

    fn freshness(&mut self) -> Freshness {
        let mut time = || Duration::from_millis(u64::from(self.byte()).pow(2));
        let (ttl, refresh, stale, lease, wait) = (time(), time(), time(), time(), time());
        Freshness::new(ttl).refresh_before(refresh).stale_for(stale).lease(lease).wait(wait)
    }

    fn flags(&mut self) -> u32 {
        [0, 7, NOTHING, EMPTY, PLACEHOLDER][usize::from(self.byte() % 5)]
    }

    fn value(&mut self) -> Bytes {
        Bytes::from_static(&b"value of some length"[..usize::from(self.byte() % 20)])
    }

    /// An answer, mostly of the kind that fits.
    fn answer(&mut self, errand: &Errand) -> Result<Answer, NoAnswer> {
        let reads = matches!(errand, Errand::Ask(_) | Errand::Read | Errand::Look | Errand::Extend(_));
        match self.byte() % 16 {
            0 => Err(NoAnswer::Lost),
            1 => Err(NoAnswer::NotDone),
            2 => Err(NoAnswer::UnknownCommand),
            3 => Ok(Answer::Number(Some(3))),
            4 if reads => Ok(Answer::Found(None)),
            4..8 if !reads => Ok(Answer::Changed(StoreOutcome::Exists)),
            8..10 if !reads => Ok(Answer::Changed(StoreOutcome::NotFound)),
            10 if !reads => Ok(Answer::Changed(StoreOutcome::NotStored)),
            _ if !reads => Ok(Answer::Changed(StoreOutcome::Stored)),
            _ => {
                let (value, bits) = (self.value(), self.byte());
                Ok(Answer::Found(Some(Found {
                    len: value.len() as u64,
                    value,
                    flags: self.flags(),
                    cas: u64::from(self.byte() % 3),
                    left: i64::from(self.byte()) - 1,
                    win: bits & 1 != 0,
                    stale: bits & 2 != 0,
                    taken: bits & 4 != 0,
                })))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_chance() {
        let mut state = 1_u64;
        for turn in 0..20_000 {
            let mut random = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 56) as u8
            };
            let script: Vec<u8> = (0..turn % 200).map(|_| random()).collect();
            machines_take_any_answer(&script);
        }
    }
}
