//! A server of one key, which does what memcached was measured to do.

use super::*;

impl Server {
    pub(super) fn second(&self, now: Duration) -> u64 {
        (now + self.phase).as_secs()
    }

    pub(super) fn find(&mut self, now: Duration) -> Option<&mut Item> {
        let second = self.second(now);
        if self.item.as_ref().is_some_and(|item| item.expires <= second) {
            self.item = None;
        }
        self.item.as_mut()
    }

    pub(super) fn put(&mut self, flags: u32, value: Bytes, ttl: Ttl, now: Duration) {
        self.cas += 1;
        // memcached takes -1, which is how a time of nothing reads, for expired.
        let expires = match seconds_of(ttl, DATE) {
            Ok(Some(seconds)) => self.second(now) + seconds,
            Ok(None) => u64::MAX,
            Err(_) => 0,
        };
        self.item = Some(Item { flags, value, cas: self.cas, expires, stale: false, won: false });
    }

    pub(super) fn told_of(&mut self, item: &Item, now: Duration, win: bool) -> Found {
        let left = if item.expires == u64::MAX { -1 } else { (item.expires - self.second(now)) as i64 };
        Found {
            value: item.value.clone(),
            len: item.value.len() as u64,
            flags: item.flags,
            cas: item.cas,
            left,
            win,
            stale: item.stale,
            taken: item.won && !win,
        }
    }

    /// `mg`: with `N` and `R`, or without.
    pub(super) fn meta_get(&mut self, times: Option<(u64, u64)>, now: Duration) -> Answer {
        let mut win = false;
        if self.find(now).is_none() {
            let Some((vivify, _)) = times else { return Answer::Found(None) };
            self.put(0, Bytes::new(), after(vivify), now);
            win = true;
        }
        let second = self.second(now);
        let Some(mut item) = self.item.clone() else { return Answer::Found(None) };
        let is_old = times.is_some_and(|(_, recache)| item.expires < second + recache);
        win |= !item.won && (item.stale || is_old);
        let found = self.told_of(&item, now, win);
        item.won |= win;
        self.item = Some(item);
        Answer::Found(Some(found))
    }

    pub(super) fn check(&mut self, cas: u64, now: Duration) -> StoreOutcome {
        match self.find(now) {
            None => StoreOutcome::NotFound,
            Some(item) if item.cas != cas => StoreOutcome::Exists,
            Some(_) => StoreOutcome::Stored,
        }
    }

    pub(super) fn answer(
        &mut self,
        errand: &Errand,
        dialect: Dialect,
        now: Duration,
    ) -> Result<Answer, NoAnswer> {
        if dialect == Dialect::Meta && self.dialect == Dialect::Classic {
            return Err(NoAnswer::UnknownCommand);
        }
        let changed = |outcome| Ok(Answer::Changed(outcome));
        match errand {
            Errand::Ask(times) => {
                Ok(self.meta_get(Some((times.vivify() as u64, times.recache() as u64)), now))
            }
            Errand::Read | Errand::Look if dialect == Dialect::Meta => Ok(self.meta_get(None, now)),
            Errand::Read | Errand::Look => {
                let item = self.find(now).cloned();
                Ok(Answer::Found(item.map(|item| Found {
                    len: item.value.len() as u64,
                    value: item.value,
                    flags: item.flags,
                    cas: item.cas,
                    left: -1,
                    ..Found::default()
                })))
            }
            Errand::Extend(times) => {
                let expires = self.second(now) + times.vivify() as u64;
                let item = self.find(now).map(|item| {
                    item.expires = expires;
                    item.clone()
                });
                Ok(Answer::Found(item.map(|item| self.told_of(&item, now, false))))
            }
            Errand::Write(write) => {
                let outcome = match write.condition {
                    Condition::None => StoreOutcome::Stored,
                    Condition::Missing if self.find(now).is_some() => StoreOutcome::NotStored,
                    Condition::Missing => StoreOutcome::Stored,
                    Condition::Unchanged(cas) => self.check(cas, now),
                };
                if outcome == StoreOutcome::Stored {
                    self.put(write.flags, write.value.clone(), write.ttl, now);
                }
                changed(outcome)
            }
            Errand::MarkStale(cas, ttl) if dialect == Dialect::Meta => {
                let outcome = self.check(*cas, now);
                if outcome == StoreOutcome::Stored {
                    self.cas += 1;
                    let (cas, second) = (self.cas, self.second(now));
                    if let Some(item) = &mut self.item {
                        (item.cas, item.stale, item.won) = (cas, true, false);
                        if let Some(Ok(Some(seconds))) = ttl.map(|ttl| seconds_of(ttl, DATE)) {
                            item.expires = second + seconds;
                        }
                    }
                }
                changed(outcome)
            }
            Errand::MarkStale(cas, _) | Errand::Discard(cas) => {
                let outcome = self.check(*cas, now);
                if outcome == StoreOutcome::Stored {
                    self.item = None;
                }
                changed(outcome)
            }
            Errand::Delete => {
                let was_there = self.find(now).is_some();
                self.item = None;
                changed(if was_there { StoreOutcome::Stored } else { StoreOutcome::NotFound })
            }
            Errand::Count(_) => Ok(Answer::Number(None)),
            Errand::Mark(_) => unreachable!("it belongs to transitions"),
        }
    }
}
