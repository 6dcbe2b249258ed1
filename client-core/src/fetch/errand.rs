//! What the machines of this module have sent: requests in either dialect, and answers as both have them.

use bytes::Bytes;
use memring_text::{
    Get, Key, Operation, Reply, Request, Store, StoreOutcome, Ttl, Value,
    buffer::Buffer,
    meta::{MetaArith, MetaDelete, MetaGet, MetaInfo, MetaSet, Opaque, SetMode},
    operation::ReplyError,
    request::{Arith, Delete, StoreVerb},
    ttl::UnixTime,
};

use super::{Ask, Times, freshness::seconds_of};
use crate::failure::Cause;

/// Which commands a server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// The meta commands, with leases and stale items.
    Meta,
    /// The classic verbs only: servers before memcached 1.6.10, and most proxies.
    Classic,
}

/// A request to the server that holds the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Read the item, and win it if it is missing or getting old.
    Ask(Times),
    /// Give the item a grace to live, so that it outlives the lease on it.
    Extend(Times),
    /// Read the item; take no lease on it if it is missing.
    Read,
    /// Ask about the item, without its value.
    Look,
    /// Read the item, and leave a mark for so many seconds if it is missing. Nothing is won of an item that is there.
    Mark(u32),
    /// Store a value.
    Write(Write),
    /// Mark the item stale if it has this cas unique; with a time to live or with the one that it has.
    MarkStale(u64, Option<Ttl>),
    /// Delete the item if it has this cas unique.
    Discard(u64),
    /// Delete the item.
    Delete,
    /// Count, and make the counter if there is none.
    Count(Count),
}

/// A value to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The flags.
    pub flags: u32,
    /// The value.
    pub value: Bytes,
    /// How long it is kept.
    pub ttl: Ttl,
    /// Over what.
    pub condition: Condition,
}

/// Over what a value is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Whatever there is.
    None,
    /// Nothing: the item is missing.
    Missing,
    /// An item with this cas unique.
    Unchanged(u64),
}

/// How to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// By how much.
    pub delta: u64,
    /// The first number, if the counter is made.
    pub initial: u64,
    /// How long it lives then.
    pub ttl: Ttl,
}

/// The answer to an errand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The item that was read; `None` is a miss.
    Found(Option<Found>),
    /// What became of a change.
    Changed(StoreOutcome),
    /// The new number; `None` where there is no counter.
    Number(Option<u64>),
}

/// An item as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The value; empty if it was not asked for.
    pub value: Bytes,
    /// The value's length.
    pub len: u64,
    /// The flags.
    pub flags: u32,
    /// The cas unique.
    pub cas: u64,
    /// Seconds that are left; -1 is for ever, and what is said of servers that do not tell.
    pub left: i64,
    /// Whether the caller has won.
    pub win: bool,
    /// Whether the item is marked stale.
    pub stale: bool,
    /// Whether another caller has won.
    pub taken: bool,
}

impl Errand {
    /// Whether its effect must be on the very server, in the very life of it, on which the item was read.
    #[must_use]
    pub const fn is_bound(&self) -> bool {
        match self {
            Self::Extend(_) | Self::MarkStale(..) | Self::Discard(_) => true,
            Self::Write(write) => matches!(write.condition, Condition::Unchanged(_)),
            Self::Ask(_) | Self::Read | Self::Look | Self::Mark(_) | Self::Delete | Self::Count(_) => false,
        }
    }

    /// The operation to send to a server that speaks `dialect`. `number` tells its reply from others.
    ///
    /// # Errors
    /// The value is too large for any server; or the server has no such command.
    pub fn operation<'a>(
        &'a self,
        dialect: Dialect,
        key: Key<'a>,
        now: UnixTime,
        number: u64,
    ) -> Result<ErrandOperation<'a>, Cause> {
        use Sent as Op;
        let opaque = Opaque::number(number);
        let exptime = |ttl: Ttl| ttl.exptime(now).map_err(Cause::Ttl);
        let read = |get: MetaGet<'a>| get.size().cas().ttl().flags().opaque(opaque);
        let sent = match (self, dialect) {
            (Self::Ask(times), Dialect::Meta) => Op::Ask(Ask::by(key, times, false, number)),
            (Self::Extend(times), Dialect::Meta) => {
                Op::Get(MetaGet::new(key).touch(times.vivify()).cas().opaque(opaque))
            }
            (Self::Read, Dialect::Meta) => Op::Get(read(MetaGet::new(key).value())),
            (Self::Mark(seconds), Dialect::Meta) => {
                Op::Get(read(MetaGet::new(key).vivify(i32::try_from(*seconds).unwrap_or(i32::MAX)).value()))
            }
            // No other command says who has made an empty item.
            (Self::Mark(_), Dialect::Classic) => return Err(Cause::Unclear),
            (Self::Look, Dialect::Meta) => Op::Get(read(MetaGet::new(key))),
            (Self::Ask(_) | Self::Read | Self::Look | Self::Extend(_), Dialect::Classic) => {
                Op::Gets(Get::gets(key))
            }
            (Self::Write(write), dialect) => {
                let (value, exptime) = (Value::new(&write.value).map_err(Cause::Value)?, exptime(write.ttl)?);
                if dialect == Dialect::Meta {
                    let set = MetaSet::new(key, value).exptime(exptime).flags(write.flags).opaque(opaque);
                    Op::Set(match write.condition {
                        Condition::None => set,
                        Condition::Missing => set.mode(SetMode::Add),
                        Condition::Unchanged(cas) => set.if_cas(cas),
                    })
                } else {
                    let verb = match write.condition {
                        Condition::None => StoreVerb::Set,
                        Condition::Missing => StoreVerb::Add,
                        Condition::Unchanged(cas) => StoreVerb::Cas(cas),
                    };
                    Op::Store(Store { flags: write.flags, exptime, ..Store::new(verb, key, value) })
                }
            }
            (Self::MarkStale(cas, ttl), Dialect::Meta) => {
                let mut delete = MetaDelete::new(key).mark_stale().if_cas(*cas);
                if let Some(ttl) = *ttl {
                    delete = delete.exptime(exptime(ttl)?);
                }
                Op::Delete(delete.opaque(opaque))
            }
            // Servers of 1.6.10 to 1.6.16 take no `C` with `md`; all of them take it with `ms`.
            (Self::Discard(cas), Dialect::Meta) => {
                Op::Set(MetaSet::new(key, Value::EMPTY).if_cas(*cas).exptime(EXPIRED).opaque(opaque))
            }
            (Self::MarkStale(cas, _) | Self::Discard(cas), Dialect::Classic) => {
                Op::Store(Store { exptime: EXPIRED, ..Store::cas(key, Value::EMPTY, *cas) })
            }
            (Self::Delete, Dialect::Meta) => Op::Delete(MetaDelete::new(key).opaque(opaque)),
            (Self::Delete, Dialect::Classic) => Op::Remove(Delete::new(key)),
            (Self::Count(count), Dialect::Meta) => {
                let arith = MetaArith::new(key).vivify(exptime(count.ttl)?).initial(count.initial);
                Op::Arith(arith.delta(count.delta).value().opaque(opaque))
            }
            (Self::Count(count), Dialect::Classic) => Op::Incr(Arith::incr(key, count.delta)),
        };
        Ok(ErrandOperation(sent))
    }
}

/// The number on the wire for "already expired".
const EXPIRED: i32 = -1;

/// An [`Errand`] as an operation.
#[derive(Clone, Copy, Debug)]
pub struct ErrandOperation<'a>(Sent<'a>);

/// What is sent.
#[derive(Clone, Copy, Debug)]
enum Sent<'a> {
    Ask(Ask<'a>),
    Get(MetaGet<'a>),
    Set(MetaSet<'a>),
    Delete(MetaDelete<'a>),
    Arith(MetaArith<'a>),
    Gets(Get<'a>),
    Store(Store<'a>),
    Remove(Delete<'a>),
    Incr(Arith<'a>),
}

impl Operation for ErrandOperation<'_> {
    type Output<V> = RawAnswer<V>;

    fn request(&self) -> Request<'_> {
        match &self.0 {
            Sent::Ask(ask) => ask.request(),
            Sent::Get(get) => get.request(),
            Sent::Set(set) => set.request(),
            Sent::Delete(delete) => delete.request(),
            Sent::Arith(arith) => arith.request(),
            Sent::Gets(get) => get.request(),
            Sent::Store(store) => store.request(),
            Sent::Remove(delete) => delete.request(),
            Sent::Incr(arith) => arith.request(),
        }
    }

    fn output<V: Buffer>(&self, reply: Reply<V>) -> Result<RawAnswer<V>, ReplyError> {
        Ok(match &self.0 {
            Sent::Ask(ask) => RawAnswer::Found(ask.lease.output(reply)?.map(|item| (item.value, item.info))),
            Sent::Get(get) => RawAnswer::Found(get.output(reply)?.map(|item| (item.value, item.info))),
            Sent::Set(set) => RawAnswer::Changed(set.output(reply)?.outcome),
            Sent::Delete(delete) => RawAnswer::Changed(delete.output(reply)?),
            Sent::Arith(arith) => RawAnswer::Number(arith.output(reply)?.number),
            Sent::Gets(get) => {
                RawAnswer::Plain(get.output(reply)?.map(|item| (item.value, item.flags, item.cas)))
            }
            Sent::Store(store) => RawAnswer::Changed(store.output(reply)?),
            Sent::Remove(delete) => {
                let found = delete.output(reply)?;
                RawAnswer::Changed(if found { StoreOutcome::Stored } else { StoreOutcome::NotFound })
            }
            Sent::Incr(arith) => RawAnswer::Number(arith.output(reply)?),
        })
    }

    fn with_ttl_cap(&self, cap: Ttl, now: UnixTime) -> Option<Self> {
        use Sent as Op;
        Some(Self(match self.0 {
            Op::Ask(ask) => Op::Ask(ask.with_ttl_cap(cap, now)?),
            Op::Get(get) => Op::Get(get.with_ttl_cap(cap, now)?),
            Op::Set(set) => Op::Set(set.with_ttl_cap(cap, now)?),
            Op::Delete(delete) => Op::Delete(delete.with_ttl_cap(cap, now)?),
            Op::Arith(arith) => Op::Arith(arith.with_ttl_cap(cap, now)?),
            Op::Store(store) => Op::Store(store.with_ttl_cap(cap, now)?),
            Op::Gets(_) | Op::Remove(_) | Op::Incr(_) => return None,
        }))
    }
}

impl Times {
    /// The times on a server that stands in for another and keeps nothing for longer than `cap`.
    #[must_use]
    pub fn within(&self, cap: Ttl, now: UnixTime) -> Self {
        match seconds_of(cap, now) {
            Ok(Some(cap)) => self.capped(cap),
            _ => *self,
        }
    }
}

/// An answer whose value is still in the buffer into which it was read.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "as of `Answer`")]
pub enum RawAnswer<V> {
    Found(Option<(Option<V>, MetaInfo)>),
    /// An item of the classic verbs: value, flags, cas unique.
    Plain(Option<(V, u32, Option<u64>)>),
    Changed(StoreOutcome),
    Number(Option<u64>),
}

impl<V: Into<Bytes>> From<RawAnswer<V>> for Answer {
    fn from(raw: RawAnswer<V>) -> Self {
        match raw {
            RawAnswer::Found(found) => Self::Found(found.map(|(value, info)| {
                let value = value.map(V::into).unwrap_or_default();
                Found {
                    len: info.size.unwrap_or(value.len() as u64),
                    value,
                    flags: info.flags.unwrap_or(0),
                    cas: info.cas.unwrap_or(0),
                    left: info.ttl.unwrap_or(-1),
                    win: info.win,
                    stale: info.stale,
                    taken: info.won_by_other,
                }
            })),
            RawAnswer::Plain(item) => Self::Found(item.map(|(value, flags, cas)| {
                let value: Bytes = value.into();
                Found {
                    len: value.len() as u64,
                    value,
                    flags,
                    cas: cas.unwrap_or(0),
                    left: -1,
                    ..Found::default()
                }
            })),
            RawAnswer::Changed(outcome) => Self::Changed(outcome),
            RawAnswer::Number(number) => Self::Number(number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
    const KEY: Key<'static> = match Key::new(b"k") {
        Ok(key) => key,
        Err(_) => unreachable!(),
    };

    /// The line that is sent for `errand`, to a server that keeps nothing for longer than `cap`.
    fn line(errand: &Errand, dialect: Dialect, cap: Option<Ttl>) -> String {
        let sent = errand.operation(dialect, KEY, NOW, 1).unwrap();
        let sent = cap.map_or(Some(sent), |cap| sent.with_ttl_cap(cap, NOW)).unwrap_or(sent);
        String::from_utf8(sent.request().parts().head.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn nothing_lives_longer_on_a_server_that_stands_in() {
        let write = Write {
            flags: 7,
            value: Bytes::from_static(b"v"),
            ttl: Ttl::seconds(100),
            condition: Condition::None,
        };
        let write = Errand::Write(write);
        let short = Some(Ttl::seconds(60));
        assert_eq!(line(&write, Dialect::Classic, None), "set k 7 100 1\r\n");
        assert_eq!(line(&write, Dialect::Classic, short), "set k 7 60 1\r\n");
        assert!(line(&write, Dialect::Meta, None).contains(" T100 "));
        assert!(line(&write, Dialect::Meta, short).contains(" T60 "));
    }

    #[test]
    fn what_is_discarded_has_expired_already() {
        assert_eq!(line(&Errand::Discard(9), Dialect::Classic, None), "cas k 0 -1 0 9\r\n");
        assert!(line(&Errand::Discard(9), Dialect::Meta, None).contains(" T-1"));
    }

    #[test]
    fn an_item_of_the_classic_verbs_tells_no_time() {
        let answer = Answer::from(RawAnswer::Plain(Some((Bytes::from_static(b"v"), 3, Some(9)))));
        let found = Found { value: "v".into(), len: 1, flags: 3, cas: 9, left: -1, ..Found::default() };
        assert_eq!(answer, Answer::Found(Some(found)));
    }
}
