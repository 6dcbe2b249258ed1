//! The way of errands to the server that holds a key.

use core::time::Duration;

use memring_text::{Key, Ttl, ttl::UnixTime};

use super::{
    Answer, Dialect, Errand, ErrandOperation, First, Missed, Place,
    lease::{is_blank, is_placeholder},
};
use crate::{
    common::{Changing, Common},
    failure::{Cause, Error},
    route::Watched,
    target::{Deadline, Target},
};

/// A conversation with the server that holds a key: what is sent after the first errand goes to the same server, or
/// nowhere. A client adds what sends and waits.
#[derive(Debug)]
pub struct Trip<'k, P, D> {
    common: &'k Common<P>,
    name: &'static str,
    key: Key<'k>,
    routing_key: &'k [u8],
    target: Option<Target<'k, P, D>>,
    is_begun: bool,
    /// Where the item was asked for.
    place: Place,
}

impl<'k, P: Watched, D: Deadline> Trip<'k, P, D> {
    /// A conversation for the operation `name` about `key`, which is placed by `routing_key`.
    #[inline]
    #[must_use]
    pub fn new(common: &'k Common<P>, name: &'static str, (key, routing_key): (Key<'k>, &'k [u8])) -> Self {
        Self { common, name, key, routing_key, target: None, is_begun: false, place: Place::default() }
    }

    /// A conversation that goes on where a glance has come to. Counts whether the value was there.
    pub fn after(
        common: &'k Common<P>,
        name: &'static str,
        keys: (Key<'k>, &'k [u8]),
        Missed { mut first, target }: Missed<'k, P, D>,
    ) -> (Self, First) {
        let mut trip = Self { target, ..Self::new(common, name, keys) };
        if let First::Asked { place, times, answer, .. } = &mut first {
            (trip.place, trip.is_begun) = (*place, true);
            trip.answered(&Errand::Ask(*times), answer);
            *place = trip.place;
        }
        (trip, first)
    }

    /// Finds the server, and says which commands it has; [`Dialect::Meta`] if that is not known.
    ///
    /// # Errors
    /// As of [`Target::new`].
    #[inline]
    pub fn begin(&mut self, deadline: D) -> Result<Dialect, Error> {
        let target = Target::new(self.common.fleet(), self.routing_key, self.name, deadline)?;
        let dialect = target.dialect().unwrap_or(Dialect::Meta);
        (self.target, self.is_begun) = (Some(target), false);
        Ok(dialect)
    }

    /// The operation that an errand is, to a server that speaks `dialect`.
    ///
    /// # Errors
    /// As of [`Errand::operation`].
    pub fn operation<'e>(&self, errand: &'e Errand, dialect: Dialect) -> Result<ErrandOperation<'e>, Error>
    where
        'k: 'e,
    {
        let (date, number) = (self.common.unix_time(), self.common.number());
        let operation = errand.operation(dialect, self.key, date, number);
        operation.map_err(|cause| Error::new(self.name, cause))
    }

    /// The server, for this errand, which may take until `deadline`.
    ///
    /// # Errors
    /// There is none yet; or the errand has a meaning only where, and while, the item was asked for, and that is over; or
    /// the server is down.
    pub fn ready(&mut self, errand: &Errand, deadline: D) -> Result<&mut Target<'k, P, D>, Error> {
        let Some(target) = &mut self.target else {
            return Err(Error::new(self.name, Cause::Down(Duration::ZERO)));
        };
        if self.is_begun {
            *target = target.pinned(deadline);
            let is_lost = errand.is_bound() && (target.place() != self.place || !self.common.has(target));
            if is_lost || target.pool().watch().is_down() {
                return Err(target.error(Cause::Closed(None)));
            }
        }
        if !errand.is_bound() {
            self.place = target.place();
        }
        self.is_begun = true;
        Ok(target)
    }

    /// Notes which server has answered, or failed to: another than was asked, if it stands in for that. Counts whether the
    /// value was there.
    pub fn answered<E>(&mut self, errand: &Errand, answer: &Result<Answer, E>) {
        let Some(target) = &self.target else { return };
        self.place.or_moved(target.place());
        if let (Errand::Ask(_) | Errand::Read, Ok(Answer::Found(found))) = (errand, answer) {
            let is_hit = found.as_ref().is_some_and(|found| !is_placeholder(found) && !is_blank(found));
            target.found(&Ok::<_, ()>(is_hit.then_some(())));
        }
    }

    /// Where the item was asked for.
    pub const fn place(&self) -> Place {
        self.place
    }

    /// The longest time to live on the server that was asked, if it stands in for another, and the date.
    pub fn stand_in(&self) -> Option<(Ttl, UnixTime)> {
        let cap = self.target.as_ref()?.stand_in_ttl()?;
        Some((cap, self.common.unix_time()))
    }

    /// See [`Common::changing`].
    pub fn changing(&self) -> Changing<'k>
    where
        P: 'k,
    {
        self.common.changing(self.key.as_bytes(), self.routing_key)
    }

    /// What the client's clones share.
    pub const fn common(&self) -> &'k Common<P> {
        self.common
    }

    /// The operation's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The key on the wire.
    pub const fn key(&self) -> Key<'k> {
        self.key
    }

    /// The key on the wire, and the one by which it is placed.
    pub const fn keys(&self) -> (Key<'k>, &'k [u8]) {
        (self.key, self.routing_key)
    }

    /// The error of the operation, for this cause.
    pub fn error(&self, cause: Cause) -> Error {
        Error::new(self.name, cause)
    }
}
