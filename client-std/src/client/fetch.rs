//! Get or compute: `fetch` and its relatives. What they decide is decided in `memring_client::fetch`.

use core::{
    task::{Context, Waker},
    time::Duration,
};
use std::{
    sync::Arc,
    task::Wake,
    thread::{self, Thread},
    time::Instant,
};

use memring_client::{
    Common, KeyScratch,
    failure::{Cause, Error},
    fetch::{
        Answer, Ask, Call, Content, Dialect, Errand, Failed, FetchCounts, FetchError, Fetched, First,
        Freshness, IncrOr, Lifetime, Loaded, Next, NoAnswer, Step, Talk, Updated, peeked,
    },
};
use memring_text::{Key, Ttl, exchange::ProtocolError};

use super::{Client, meta::learn};
use crate::{
    call::{Target, call_where},
    deadline::Deadline,
    pool::Pool,
};

impl Client {
    /// Reads a value, or computes and stores it: once for all that ask at the same time, in all processes.
    ///
    /// `freshness` is a time to live, or a [`Freshness`] that says more. `loader` runs only where there is no fresh value,
    /// and in one caller at a time:
    ///
    /// - Callers of this client that ask for the key while it is being loaded get that result, without a request.
    /// - Callers of other processes lose the server's lease. They get the old value if there is one, else they wait; after
    ///   [`Freshness::wait`] they compute for themselves, and nothing of that is stored.
    /// - A value that is still fresh, but nearly over, is loaded anew by one caller; all others get it meanwhile.
    /// - A value that was loaded before the key was written, deleted or invalidated is handed out and not stored.
    ///
    /// The loader may return bytes of any kind, or an `Option` of them: `None` is kept for a time of its own
    /// ([`Freshness::negative_ttl`]). If it fails, all that waited for it get its error, and the next call loads again at
    /// once; so does the next caller after a panic. A server that fails is no error: then the loader runs, and
    /// [`Builder::on_event`](crate::Builder::on_event) is told.
    ///
    /// ```
    /// # use memring_std::{Client, testing::Server};
    /// # let server = Server::start()?;
    /// # let client = Client::connect([server.addr()])?;
    /// use std::{io, time::Duration};
    ///
    /// let load = || Ok::<_, io::Error>("made at length");
    /// let page = client.fetch("page:7", Duration::from_secs(60), load)?;
    /// assert_eq!(page, "made at length");
    /// let again = client.fetch("page:7", Duration::from_secs(60), || -> io::Result<String> { unreachable!() })?;
    /// assert_eq!(again, page);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Keys of `fetch` are read by `fetch`
    /// While a missing value is being loaded, its key has a placeholder, which any other verb takes for an empty value.
    /// Stale and old values look fresh to them, and "nothing" is an empty value with the flags
    /// [`NOTHING`](memring_client::fetch::NOTHING). Use [`peek`](Self::peek) to look without loading,
    /// [`put`](Self::put) to store, [`update`](Self::update) to change, and [`invalidate`](Self::invalidate) or
    /// [`delete`](Self::delete) when the source has changed. `append` and `incr` on such a key break the lease. Where
    /// programs of other kinds read the same servers, give these keys a namespace of their own.
    ///
    /// # Old servers
    /// Servers before memcached 1.6.10 and most proxies know no leases. There the client stores a placeholder itself, which
    /// only programs of other kinds take for a value: to this client it is a miss. One caller loads, as elsewhere; but nothing is loaded early and nothing is handed out stale, so at the end of the time
    /// to live all callers wait for the one that loads.
    ///
    /// # Errors
    /// [`FetchError::Loader`]: the loader failed. [`FetchError::Refused`]: the key or `freshness` is invalid; the loader
    /// has not run.
    pub fn fetch<L: Loaded, E: Send + Sync + 'static>(
        &self,
        key: impl AsRef<[u8]>,
        freshness: impl Into<Freshness>,
        loader: impl FnOnce() -> Result<L, E>,
    ) -> Result<L::Found, FetchError<E>> {
        let (common, mut scratch, freshness) = (&self.common, KeyScratch::default(), freshness.into());
        let keys = common.key("fetch", key.as_ref(), &mut scratch)?;
        match self.glance::<L, E>(keys, &freshness) {
            Ok(found) => Ok(found),
            Err(missed) => fetch_on(common, keys, *missed, &freshness, loader),
        }
    }

    /// Asks once, if nobody else of this client asks for the key: most values are there, and fresh. If not, how far that
    /// came.
    #[inline]
    fn glance<'k, L: Loaded, E: 'static>(
        &'k self,
        keys: (Key<'k>, &'k [u8]),
        freshness: &Freshness,
    ) -> Result<L::Found, Box<Missed<'k>>> {
        let missed = |first, target| Err(Box::new(Missed { first, target }));
        // What is invalid is told further on.
        let Ok(Some(times)) = self.common.glance::<L, E>(keys, freshness) else {
            return missed(First::None, None);
        };
        let deadline = self.deadline();
        let Ok(mut target) = Target::new(self.common.fleet(), keys.1, "fetch", deadline) else {
            return missed(First::Unreachable, None);
        };
        let dialect = target.dialect().unwrap_or(Dialect::Meta);
        if dialect == Dialect::Classic || target.is_stand_in() {
            return missed(First::Found(dialect), Some(target));
        }
        let (ask, place) = (Ask::new::<L>(keys.0, &times, self.common.number()), target.place());
        let answer = match call_where(&mut target, &ask, Vec::new(), |target| knows_meta(target, &ask)) {
            Ok(glance) => match glance.read::<L>() {
                Ok(found) => {
                    target.has_hit();
                    self.common.tell_hit(deadline.began());
                    return Ok(found);
                }
                Err(answer) => Ok(answer),
            },
            Err(error) => Err(NoAnswer::from(&error)),
        };
        let at = deadline.began();
        missed(First::Asked { at, place, times, answer }, Some(target))
    }

    /// How often [`fetch`](Self::fetch) ended in which way, in all clones of this client together.
    #[must_use]
    pub fn fetch_counts(&self) -> FetchCounts {
        self.common.fetch_counts()
    }

    /// Changes a value by what it is: `change` gets the old value, or `None`, and returns the new one, or `None` to leave
    /// all as it is. If others change it at the same time, this begins again, until the client's timeout is over; so
    /// `change` may run often, and should only compute. Its result is stored once, and only over the value that it saw.
    ///
    /// `lifetime` is a time to live; or [`Lifetime::Fetched`] for a key of [`fetch`](Self::fetch), whose loader then
    /// stores nothing; or [`Lifetime::Keep`].
    ///
    /// ```
    /// # use memring_std::{Client, testing::Server};
    /// # let server = Server::start()?;
    /// # let client = Client::connect([server.addr()])?;
    /// use std::time::Duration;
    ///
    /// let add = |old: Option<&memring_std::Content>| {
    ///     let old = old.map_or(&b""[..], |content| &content.value);
    ///     Some([old, b" umbrella"].concat())
    /// };
    /// let updated = client.update("cart:7", Duration::from_secs(60), add)?;
    /// assert_eq!(updated.content.unwrap().value, " umbrella");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// See [`Error`]. [`ErrorKind::Timeout`](crate::ErrorKind::Timeout): others changed the value whenever this would
    /// have. If the answer to the write is lost, the item is looked at: what is found to be written is no error.
    pub fn update<L: Loaded>(
        &self,
        key: impl AsRef<[u8]>,
        lifetime: impl Into<Lifetime>,
        change: impl FnMut(Option<&Content>) -> Option<L>,
    ) -> Result<Updated, Error> {
        let (common, mut scratch) = (&self.common, KeyScratch::default());
        let mut trip = Trip::new(common, "update", common.key("update", key.as_ref(), &mut scratch)?);
        let mut machine = common.update(change, lifetime.into(), trip.begin(self.deadline())?)?;
        converse(&mut trip, &mut machine)
    }

    /// Marks the value of a key of [`fetch`](Self::fetch) as outdated: the next caller loads another, and until that is
    /// stored the others still get this one, for [`Freshness::stale_for`] at most, counted from the first of several
    /// calls. A loader under way stores nothing of what it read before. With `stale_for` zero, and on servers without
    /// meta commands, the item is deleted. Returns whether there was one.
    ///
    /// `freshness` is that by which the key is fetched: how long a stale item is kept hangs on its lease, too.
    ///
    /// ```
    /// # use memring_std::{Client, testing::Server};
    /// # let server = Server::start()?;
    /// # let client = Client::connect([server.addr()])?;
    /// use std::time::Duration;
    /// use memring_std::Freshness;
    ///
    /// let page = Freshness::new(Duration::from_secs(60));
    /// client.put("page:7", "first", &page)?;
    /// assert!(client.invalidate("page:7", &page)?);
    /// assert!(!client.invalidate("page:8", &page)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// See [`Error`]. Repeating it is always safe.
    pub fn invalidate(&self, key: impl AsRef<[u8]>, freshness: &Freshness) -> Result<bool, Error> {
        let (common, mut scratch) = (&self.common, KeyScratch::default());
        let mut trip = Trip::new(common, "invalidate", common.key("invalidate", key.as_ref(), &mut scratch)?);
        let mut machine = common.invalidate(freshness, trip.begin(self.deadline())?)?;
        converse(&mut trip, &mut machine)
    }

    /// Adds `delta` to a counter and returns the new number. A counter that is not there is made, with the number
    /// `initial`, to which nothing is added, and lives for `ttl`: later calls do not prolong it. Past 2⁶⁴ − 1 it begins
    /// again at 0.
    ///
    /// ```
    /// # use memring_std::{Client, testing::Server};
    /// # let server = Server::start()?;
    /// # let client = Client::connect([server.addr()])?;
    /// use std::time::Duration;
    ///
    /// let minute = Duration::from_secs(60);
    /// assert_eq!(client.incr_or("visits", 1, 1, minute)?, 1);
    /// assert_eq!(client.incr_or("visits", 1, 1, minute)?, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NonNumeric`](crate::ErrorKind::NonNumeric) when the value is not a number;
    /// [`ErrorKind::NotStored`](crate::ErrorKind::NotStored) when an old server loses the counter as fast as it is made;
    /// else see [`Error`]. If the answer is lost, the error [is ambiguous](Error::is_ambiguous): nothing is counted twice.
    pub fn incr_or(
        &self,
        key: impl AsRef<[u8]>,
        delta: u64,
        initial: u64,
        ttl: impl Into<Ttl>,
    ) -> Result<u64, Error> {
        let (common, mut scratch) = (&self.common, KeyScratch::default());
        let mut trip = Trip::new(common, "incr_or", common.key("incr_or", key.as_ref(), &mut scratch)?);
        let mut machine = IncrOr::new(delta, initial, ttl.into(), trip.begin(self.deadline())?);
        converse(&mut trip, &mut machine)
    }

    /// Stores a value of a key of [`fetch`](Self::fetch), as fresh as one that was just loaded; `None` says that there is
    /// nothing. A plain `set` has no grace, so that its value would be loaded anew at once. A loader under way stores
    /// nothing.
    ///
    /// # Errors
    /// As of [`set`](Self::set).
    pub fn put(&self, key: impl AsRef<[u8]>, value: impl Loaded, freshness: &Freshness) -> Result<(), Error> {
        let (common, mut scratch) = (&self.common, KeyScratch::default());
        let mut trip = Trip::new(common, "put", common.key("put", key.as_ref(), &mut scratch)?);
        let mut machine = common.put(value, freshness, trip.begin(self.deadline())?)?;
        converse(&mut trip, &mut machine)
    }

    /// Looks at a key of [`fetch`](Self::fetch) without loading or winning anything. `None` is a miss, also while a value
    /// is being loaded; `Some(None)` says that there is nothing. The value may be stale.
    ///
    /// # Errors
    /// As of [`get`](Self::get).
    pub fn peek(&self, key: impl AsRef<[u8]>) -> Result<Option<Option<Content>>, Error> {
        let item = self.get(key)?;
        Ok(item.and_then(|item| peeked(item.flags, item.value.into())))
    }
}

fn found<L: Loaded, E>(result: Result<Fetched, Failed<E>>) -> Result<L::Found, FetchError<E>> {
    let fetched = result.map_err(|Failed(error)| FetchError::Loader(error))?;
    // Callers whose type has no word for "nothing" are not given it.
    L::found(fetched).ok_or_else(|| Error::new("fetch", UNEXPECTED).into())
}

/// An answer that was not asked for.
const UNEXPECTED: Cause = Cause::Protocol(ProtocolError::Unexpected);

/// A conversation over the connections of this client.
type Trip<'k> = memring_client::fetch::Trip<'k, Pool, Deadline>;

fn deadline(trip: &Trip<'_>) -> Deadline {
    Deadline::after(trip.common().timeout())
}

type Missed<'k> = memring_client::fetch::Missed<'k, Pool, Deadline>;

/// As [`learn`], in fewer steps where that is known.
#[inline]
fn knows_meta(target: &Target<'_>, ask: &Ask<'_>) -> Result<(), Cause> {
    if target.dialect() == Some(Dialect::Meta) { Ok(()) } else { learn(target, ask) }
}

/// Goes on where a glance has come to.
#[cold]
fn fetch_on<'k, L: Loaded, E: Send + Sync + 'static>(
    common: &'k Common<Pool>,
    keys: (Key<'k>, &'k [u8]),
    missed: Missed<'k>,
    freshness: &Freshness,
    loader: impl FnOnce() -> Result<L, E>,
) -> Result<L::Found, FetchError<E>> {
    let (trip, first) = Trip::after(common, "fetch", keys, missed);
    let begun = (first, trip.stand_in());
    let call = common.fetch::<L, E>(keys, freshness, begun)?;
    let mut fetching = Fetching { trip, call };
    let mut loader = Some(loader);
    loop {
        match fetching.until_load() {
            Some(result) => return found::<L, E>(result),
            None => {
                // A call loads once.
                let Some(loader) = loader.take() else { return found::<L, E>(Ok(None)) };
                let loaded = loader().map(L::into_content);
                if let Some(result) = fetching.loaded(loaded) {
                    return found::<L, E>(result);
                }
            }
        }
    }
}

/// A call of `fetch`, and its way to the server. Dropped, it gives back what it has won.
struct Fetching<'k, E: Send + Sync + 'static> {
    trip: Trip<'k>,
    call: Call<E>,
}

impl<E: Send + Sync + 'static> Fetching<'_, E> {
    /// Goes on until the loader is to run, or to the result.
    fn until_load(&mut self) -> Option<Result<Fetched, Failed<E>>> {
        let Self { trip, call } = self;
        loop {
            match call.step(Instant::now()) {
                Step::Begin => match trip.begin(deadline(trip)) {
                    Ok(dialect) => call.begin(dialect, Instant::now()),
                    Err(_) => call.unreachable(),
                },
                Step::Join(until) => {
                    if let Some(result) = join(call, until) {
                        return Some(result);
                    }
                }
                Step::Wait(until) => thread::sleep(until.saturating_duration_since(Instant::now())),
                Step::Send(errand) => {
                    let answer = send(trip, &errand, call.dialect(), deadline(trip));
                    let answer = answer.map_err(|error| NoAnswer::from(&error));
                    call.answered(answer, trip.place(), trip.stand_in(), Instant::now());
                }
                Step::Load => return None,
                Step::Done(result) => return Some(result),
            }
        }
    }

    fn loaded(&mut self, loaded: Result<Fetched, E>) -> Option<Result<Fetched, Failed<E>>> {
        let now = Instant::now();
        match loaded {
            Ok(fetched) => self.call.loaded(fetched, now).map(Ok),
            Err(error) => {
                let mut settling = self.call.failed(error, now);
                if let Some((errand, dialect)) = settling.errand() {
                    let deadline = deadline(&self.trip);
                    let _answer = send(&mut self.trip, &errand, dialect, deadline);
                }
                Some(settling.settle())
            }
        }
    }
}

impl<E: Send + Sync + 'static> Drop for Fetching<'_, E> {
    /// After a panic of the loader, the lease is given back before the next caller asks. The thread is not held up.
    fn drop(&mut self) {
        let dialect = self.call.dialect();
        if let Some(errand) = self.call.abandon() {
            let deadline = Deadline::after(self.trip.common().timeout().min(BRIEF));
            let _answer = send(&mut self.trip, &errand, dialect, deadline);
        }
    }
}

/// How long a thread that unwinds waits for a server.
const BRIEF: Duration = Duration::from_millis(50);

/// Waits for the flight that `call` has joined.
fn join<E: Send + Sync + 'static>(
    call: &mut Call<E>,
    until: Option<Instant>,
) -> Option<Result<Fetched, Failed<E>>> {
    let waker = Waker::from(Arc::new(Parked(thread::current())));
    let cx = Context::from_waker(&waker);
    loop {
        let now = Instant::now();
        if let core::task::Poll::Ready(result) = call.poll_joined(&cx, now) {
            return result;
        }
        match until.map(|until| until.saturating_duration_since(now)) {
            Some(Duration::ZERO) => return None,
            Some(left) => thread::park_timeout(left),
            None => thread::park(),
        }
    }
}

/// A thread that waits.
struct Parked(Thread);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Sends `errand`, and waits for the answer.
fn send(trip: &mut Trip<'_>, errand: &Errand, dialect: Dialect, deadline: Deadline) -> Result<Answer, Error> {
    let operation = trip.operation(errand, dialect)?;
    let target = trip.ready(errand, deadline)?;
    let answer = if dialect == Dialect::Meta {
        call_where(target, &operation, Vec::new(), |target| learn(target, &operation))
    } else {
        call_where(target, &operation, Vec::new(), |_| Ok(()))
    };
    let answer = answer.map(Answer::from);
    trip.answered(errand, &answer);
    answer
}

/// Carries `machine` to its end.
fn converse<T: Talk>(trip: &mut Trip<'_>, machine: &mut T) -> Result<T::Output, Error> {
    let _changing = trip.changing();
    let mut last = None;
    loop {
        match machine.next(Instant::now()) {
            Next::Send(errand) => {
                let answer = send(trip, &errand, machine.dialect(), deadline(trip));
                let told = answer.clone().map_err(|error| NoAnswer::from(&error));
                machine.answered(told, Instant::now());
                last = answer.err().or(last);
            }
            Next::Wait(until) => thread::sleep(until.saturating_duration_since(Instant::now())),
            Next::Done(output) => return Ok(output),
            Next::Failed(cause) => {
                let error = cause.map(|cause| trip.error(cause)).or(last);
                return Err(error.unwrap_or_else(|| trip.error(UNEXPECTED)));
            }
        }
    }
}
