//! A glance: the first question of a call of `fetch`, which needs no more if the value is there and fresh.
//!
//! Most calls end here. So nothing is allocated for them but the value, and nobody is told of them: a glance is no
//! flight, as there is nothing to wait for. Of any other answer, [`Call`](super::Call) makes what it would have made had
//! it asked itself.

use std::time::Instant;

use bytes::Bytes;
use memring_text::{
    Key, Operation, Reply, Request, Ttl,
    buffer::Buffer,
    meta::{MetaInfo, MetaLease},
    operation::ReplyError,
    ttl::UnixTime,
};

use super::{
    Answer, Dialect, Loaded, NOTHING, NoAnswer, PLACEHOLDER, Place, RawAnswer, Times, content, times::Age,
};
use crate::target::Target;

/// A glance that has come to no fresh value.
#[derive(Debug)]
pub struct Missed<'k, P, D> {
    /// How far it has come.
    pub first: First,
    /// The server, if it has found one.
    pub target: Option<Target<'k, P, D>>,
}

impl<P, D> From<First> for Missed<'_, P, D> {
    fn from(first: First) -> Self {
        Self { first, target: None }
    }
}

/// How far a call has come by its glance.
#[derive(Debug)]
pub enum First {
    /// It has not asked: others of this client ask for the key, too, or load it.
    None,
    /// There is no server to ask.
    Unreachable,
    /// It has found the server, which speaks this dialect, and has not asked.
    Found(Dialect),
    /// It has asked.
    Asked {
        /// When.
        at: Instant,
        /// Where.
        place: Place,
        /// What, by these times.
        times: Times,
        /// The answer.
        answer: Result<Answer, NoAnswer>,
    },
}

impl First {
    /// The times by which it has asked.
    pub(super) const fn times(&self) -> Option<Times> {
        match self {
            Self::Asked { times, .. } => Some(*times),
            _ => None,
        }
    }
}

/// The question of an [`Errand::Ask`](super::Errand::Ask).
#[derive(Clone, Copy, Debug)]
pub struct Ask<'k> {
    pub(super) lease: MetaLease<'k>,
    times: Times,
    takes_nothing: bool,
}

impl<'k> Ask<'k> {
    /// Reads `key`, and wins it if it is missing or getting old, for a caller that takes what `L` is. `number` tells this
    /// request from others.
    #[inline]
    pub fn new<L: Loaded>(key: Key<'k>, times: &Times, number: u64) -> Self {
        Self::by(key, times, L::found(None).is_some(), number)
    }

    #[inline]
    pub(super) fn by(key: Key<'k>, times: &Times, takes_nothing: bool, number: u64) -> Self {
        // The lower half: what is under way are fewer.
        let lease = MetaLease::new(key, times.vivify(), times.recache(), number as u32);
        Self { lease, times: *times, takes_nothing }
    }

    #[inline(never)]
    fn other<V: Buffer>(&self, reply: Reply<V>) -> Result<Glance<V>, ReplyError> {
        let item = self.lease.output(reply)?.map(|item| (item.value, item.info));
        Ok(Glance::Other(Box::new(RawAnswer::Found(item))))
    }

    /// Whether there is nothing to do but to hand out the value.
    #[inline]
    fn is_hit(&self, info: &MetaInfo) -> bool {
        let is_handed_out = match info.flags.unwrap_or(0) {
            PLACEHOLDER => false,
            NOTHING => self.takes_nothing,
            _ => true,
        };
        let is_marked = info.win || info.stale || info.won_by_other;
        is_handed_out && !is_marked && self.times.age(info.ttl.unwrap_or(-1), false) == Age::Fresh
    }
}

/// What a glance has come to.
#[derive(Debug)]
pub enum Glance<V> {
    /// A value that is fresh, with its flags, and nothing is to be done.
    Hit(u32, V),
    /// Anything else.
    Other(Box<RawAnswer<V>>),
}

impl<V: Into<Bytes>> Glance<V> {
    /// What the caller gets, or the answer for the machine.
    ///
    /// # Errors
    /// The answer.
    #[inline]
    pub fn read<L: Loaded>(self) -> Result<L::Found, Answer> {
        match self {
            // There is a word for it: it is no hit otherwise.
            Self::Hit(flags, value) => {
                L::found(content::read(flags, value.into())).ok_or(Answer::Found(None))
            }
            Self::Other(raw) => Err(Answer::from(*raw)),
        }
    }
}

impl Operation for Ask<'_> {
    type Output<V> = Glance<V>;

    #[inline]
    fn request(&self) -> Request<'_> {
        self.lease.request()
    }

    #[inline]
    fn output<V: Buffer>(&self, reply: Reply<V>) -> Result<Self::Output<V>, ReplyError> {
        match reply.meta_value() {
            Some(info) if self.is_hit(info) => {
                let flags = info.flags.unwrap_or(0);
                Ok(Glance::Hit(flags, reply.into_value()))
            }
            _ => self.other(reply),
        }
    }

    /// On a server that stands in for another, all times are cut.
    fn with_ttl_cap(&self, cap: Ttl, now: UnixTime) -> Option<Self> {
        let times = self.times.within(cap, now);
        let lease = self.lease.with_times(times.vivify(), times.recache());
        Some(Self { lease, times, ..*self })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use memring_text::reply::{ReplyDecoder, Step as Decoded};

    use super::*;
    use crate::{
        failure::Observer,
        fetch::{Call, Condition, Content, EMPTY, Errand, Fetched, Freshness, Shared, Step},
    };

    const DATE: UnixTime = UnixTime::from_secs(1_700_000_000);

    fn ask<L: Loaded>(freshness: &Freshness) -> Ask<'static> {
        Ask::new::<L>(Key::new(b"k").unwrap(), &freshness.times(DATE).unwrap(), 7)
    }

    fn reply(text: &str) -> Reply<Vec<u8>> {
        let (mut decoder, mut reply, mut rest) =
            (ReplyDecoder::default(), Reply::new(Vec::new()), text.as_bytes());
        while let Decoded::Event { consumed, event } = decoder.decode(rest).unwrap() {
            reply.take(&event);
            rest = &rest[consumed..];
        }
        reply
    }

    /// What a call does with `answer`: the value that it hands out at once, and how it calls that.
    fn handed_out<L: Loaded>(freshness: &Freshness, answer: Answer) -> Option<(Fetched, u64)> {
        let shared = Arc::new(Shared::new(Observer::NONE));
        let now = Instant::now();
        let (place, times) = (Place::default(), freshness.times(DATE).unwrap());
        let first = (First::Asked { at: now, place, times, answer: Ok(answer) }, None);
        let keys = (&b"k"[..], &b"k"[..]);
        let mut call = Call::<()>::after::<L>(&shared, keys, freshness, 1000, (now, DATE), first).unwrap();
        match call.step(now) {
            Step::Done(Ok(fetched)) => Some((fetched, shared.counts().hits)),
            _ => None,
        }
    }

    fn agrees<L: Loaded>()
    where
        L::Found: PartialEq,
    {
        let freshness = Freshness::new(Ttl::seconds(100));
        let ask = ask::<L>(&freshness);
        let (mut hits, mut others) = (0, 0);
        for flags in [0, 7, NOTHING, EMPTY, PLACEHOLDER] {
            for (len, value) in [(0, ""), (1, "v")] {
                for left in [-1, 0, 11, 12, 71, 72, 100, 171] {
                    for marks in ["", " W", " Z", " X", " X W", " X Z"] {
                        let text = format!("VA {len} c9 t{left} f{flags} Ohaaaaaaa{marks}\r\n{value}\r\n");
                        let glance = ask.output(reply(&text)).unwrap();
                        let fetched = match &glance {
                            Glance::Hit(flags, value) => {
                                Ok(content::read(*flags, Bytes::copy_from_slice(value)))
                            }
                            Glance::Other(raw) => Err(Answer::from(RawAnswer::clone(raw))),
                        };
                        match fetched {
                            Ok(fetched) => {
                                hits += 1;
                                let answer = Answer::from(match ask.lease.output(reply(&text)).unwrap() {
                                    Some(item) => RawAnswer::Found(Some((item.value, item.info))),
                                    None => RawAnswer::Found(None),
                                });
                                assert_eq!(handed_out::<L>(&freshness, answer), Some((fetched, 1)), "{text}");
                                assert!(glance.read::<L>().is_ok(), "{text}");
                            }
                            Err(answer) => {
                                others += 1;
                                let is_marked = !marks.is_empty();
                                let hits = handed_out::<L>(&freshness, answer).map_or(0, |(_, hits)| hits);
                                assert!(hits == 0 || is_marked, "{text}");
                                assert!(glance.read::<L>().is_err(), "{text}");
                            }
                        }
                    }
                }
            }
        }
        assert!(hits > 20 && others > 300, "{hits}, {others}");
    }

    #[test]
    fn a_glance_and_a_call_hand_out_the_same() {
        agrees::<Vec<u8>>();
        agrees::<Option<Vec<u8>>>();
    }

    #[test]
    fn what_a_glance_has_won_is_loaded_and_stored_by_its_times() {
        let (shared, now) = (Arc::new(Shared::new(Observer::NONE)), Instant::now());
        let freshness = Freshness::new(Ttl::at(UnixTime::from_secs(DATE.as_secs() + 100)));
        let (times, keys) = (freshness.times(DATE).unwrap(), (&b"k"[..], &b"k"[..]));
        let glance = ask::<Vec<u8>>(&freshness).output(reply("VA 0 c9 t11 f0 Ohaaaaaaa W\r\n\r\n")).unwrap();
        let Err(answer) = glance.read::<Vec<u8>>() else { panic!("a placeholder is no value") };
        let first = First::Asked { at: now, place: Place::default(), times, answer: Ok(answer) };
        // The clock has gone on meanwhile.
        let clock = (now, UnixTime::from_secs(DATE.as_secs() + 2));
        let mut call =
            Call::<()>::after::<Vec<u8>>(&shared, keys, &freshness, 1000, clock, (first, None)).unwrap();
        assert!(matches!(call.step(now), Step::Load));
        assert!(call.loaded(Some(Content { flags: 0, value: Bytes::from_static(b"v") }), now).is_none());
        let Step::Send(Errand::Write(write)) = call.step(now) else { panic!("it is to be stored") };
        assert_eq!((write.condition, write.ttl), (Condition::Unchanged(9), times.kept()));
    }

    #[test]
    fn a_server_that_stands_in_is_asked_and_judged_by_shorter_times() {
        let freshness = Freshness::new(Ttl::seconds(3600));
        let ask = ask::<Vec<u8>>(&freshness);
        let short = ask.with_ttl_cap(Ttl::seconds(60), DATE).unwrap();
        let line = |ask: &Ask<'_>| String::from_utf8(ask.request().parts().as_slices()[0].to_vec()).unwrap();
        assert_eq!(line(&ask), "mg k N11 R102 v c t f Ohaaaaaaa\r\n");
        assert_eq!(line(&short), "mg k N11 R42 v c t f Ohaaaaaaa\r\n");
        let young = "VA 1 c9 t50 f0 Ohaaaaaaa\r\nv\r\n";
        assert!(matches!(ask.output(reply(young)).unwrap(), Glance::Other(_)));
        assert!(matches!(short.output(reply(young)).unwrap(), Glance::Hit(0, _)));
    }
}
