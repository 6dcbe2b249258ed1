//! Get or compute: `fetch` and its relatives. What they decide is decided in `memring_client::fetch`.

use core::future::poll_fn;
use std::sync::Arc;

use memring_client::{
    KeyScratch,
    failure::{Cause, Error},
    fetch::{
        Answer, Ask, Call, Content, Dialect, Errand, Failed, FetchCounts, FetchError, Fetched, First,
        Freshness, IncrOr, Lifetime, Loaded, Next, NoAnswer, Step, Talk, Updated, give_back_of, peeked,
    },
};
use memring_text::{Key, Operation, Ttl, exchange::ProtocolError, operation::Version};
use tokio::{
    runtime::Handle,
    time::{Instant, sleep_until, timeout_at},
};

use super::Client;
use crate::{
    call::{Target, ask, call_one, call_one_leaving, read},
    deadline::Deadline,
    pool::{
        Pool,
        mux::{MustWatch, Mux},
        slots::SlotId,
        waiting::ReplyWait,
    },
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
    /// once. A server that fails is no error: then the loader runs, and
    /// [`Builder::on_event`](crate::Builder::on_event) is told.
    ///
    /// ```
    /// # use memring_tokio::{Client, testing::Server};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Server::start().await?;
    /// # let client = Client::connect([server.addr()])?;
    /// use std::{io, time::Duration};
    ///
    /// let load = async { Ok::<_, io::Error>("made at length") };
    /// let page = client.fetch("page:7", Duration::from_secs(60), load).await?;
    /// assert_eq!(page, "made at length");
    /// let load = async { io::Result::<String>::Err(io::ErrorKind::Other.into()) };
    /// let again = client.fetch("page:7", Duration::from_secs(60), load).await?;
    /// assert_eq!(again, page);
    /// # Ok(())
    /// # }
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
    /// # Cancel safety
    /// If the future is dropped, its lease is given back, also when the server has not answered yet; the next caller that
    /// waits runs its own loader.
    ///
    /// # Errors
    /// [`FetchError::Loader`]: the loader failed. [`FetchError::Refused`]: the key or `freshness` is invalid; the loader
    /// has not run.
    pub async fn fetch<L: Loaded, E: Send + Sync + 'static>(
        &self,
        key: impl AsRef<[u8]>,
        freshness: impl Into<Freshness>,
        loader: impl Future<Output = Result<L, E>>,
    ) -> Result<L::Found, FetchError<E>> {
        let (common, mut scratch, freshness) = (&self.common, KeyScratch::default(), freshness.into());
        let keys = common.key("fetch", key.as_ref(), &mut scratch)?;
        match self.glance::<L, E>(keys, &freshness).await {
            Ok(found) => Ok(found),
            // Boxed, because it is rare: the future of every call would be larger for it.
            Err(missed) => Box::pin(self.fetch_on(keys, *missed, &freshness, loader)).await,
        }
    }

    /// Asks once, if nobody else of this client asks for the key: most values are there, and fresh. If not, how far that
    /// came.
    async fn glance<'k, L: Loaded, E: 'static>(
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
        let (at, errand) = (deadline.began().into_std(), Errand::Ask(times));
        let way = Way { client: self, key: keys.0, errand: &errand, dialect };
        let answer = match way.send(&mut target, &ask).await {
            Ok(glance) => match glance.read::<L>() {
                Ok(found) => {
                    target.has_hit();
                    self.common.tell_hit(at);
                    return Ok(found);
                }
                Err(answer) => Ok(answer),
            },
            Err(error) => Err(NoAnswer::from(&error)),
        };
        missed(First::Asked { at, place, times, answer }, Some(target))
    }

    /// Goes on where a glance has come to.
    async fn fetch_on<'k, L: Loaded, E: Send + Sync + 'static>(
        &'k self,
        keys: (Key<'k>, &'k [u8]),
        missed: Missed<'k>,
        freshness: &Freshness,
        loader: impl Future<Output = Result<L, E>>,
    ) -> Result<L::Found, FetchError<E>> {
        let (trip, first) = Trip::after(&self.common, "fetch", keys, missed);
        let begun = (first, trip.stand_in());
        let call = self.common.fetch::<L, E>(keys, freshness, begun)?;
        let mut fetching = Fetching { client: self, trip, call };
        if let Some(result) = fetching.until_load().await {
            return found::<L, E>(result);
        }
        let loaded = loader.await.map(L::into_content);
        let result = match fetching.loaded(loaded).await {
            Some(result) => Some(result),
            None => fetching.until_load().await,
        };
        // A call loads once.
        found::<L, E>(result.unwrap_or(Ok(None)))
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
    /// # use memring_tokio::{Client, testing::Server};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Server::start().await?;
    /// # let client = Client::connect([server.addr()])?;
    /// use std::time::Duration;
    ///
    /// let add = |old: Option<&memring_tokio::Content>| {
    ///     let old = old.map_or(&b""[..], |content| &content.value);
    ///     Some([old, b" umbrella"].concat())
    /// };
    /// let updated = client.update("cart:7", Duration::from_secs(60), add).await?;
    /// assert_eq!(updated.content.unwrap().value, " umbrella");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`Error`]. [`ErrorKind::Timeout`](crate::ErrorKind::Timeout): others changed the value whenever this would
    /// have. If the answer to the write is lost, the item is looked at: what is found to be written is no error.
    pub async fn update<L: Loaded>(
        &self,
        key: impl AsRef<[u8]>,
        lifetime: impl Into<Lifetime>,
        change: impl FnMut(Option<&Content>) -> Option<L>,
    ) -> Result<Updated, Error> {
        let (common, mut scratch) = (&self.common, KeyScratch::default());
        let mut trip = Trip::new(common, "update", common.key("update", key.as_ref(), &mut scratch)?);
        let mut machine = common.update(change, lifetime.into(), trip.begin(self.deadline())?)?;
        self.converse(&mut trip, &mut machine).await
    }

    /// Marks the value of a key of [`fetch`](Self::fetch) as outdated: the next caller loads another, and until that is
    /// stored the others still get this one, for [`Freshness::stale_for`] at most, counted from the first of several
    /// calls. A loader under way stores nothing of what it read before. With `stale_for` zero, and on servers without
    /// meta commands, the item is deleted. Returns whether there was one.
    ///
    /// `freshness` is that by which the key is fetched: how long a stale item is kept hangs on its lease, too.
    ///
    /// ```
    /// # use memring_tokio::{Client, testing::Server};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Server::start().await?;
    /// # let client = Client::connect([server.addr()])?;
    /// use std::time::Duration;
    /// use memring_tokio::Freshness;
    ///
    /// let page = Freshness::new(Duration::from_secs(60));
    /// client.put("page:7", "first", &page).await?;
    /// assert!(client.invalidate("page:7", &page).await?);
    /// assert!(!client.invalidate("page:8", &page).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`Error`]. Repeating it is always safe.
    pub async fn invalidate(&self, key: impl AsRef<[u8]>, freshness: &Freshness) -> Result<bool, Error> {
        let (common, mut scratch) = (&self.common, KeyScratch::default());
        let mut trip = Trip::new(common, "invalidate", common.key("invalidate", key.as_ref(), &mut scratch)?);
        let mut machine = common.invalidate(freshness, trip.begin(self.deadline())?)?;
        self.converse(&mut trip, &mut machine).await
    }

    /// Adds `delta` to a counter and returns the new number. A counter that is not there is made, with the number
    /// `initial`, to which nothing is added, and lives for `ttl`: later calls do not prolong it. Past 2⁶⁴ − 1 it begins
    /// again at 0.
    ///
    /// ```
    /// # use memring_tokio::{Client, testing::Server};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Server::start().await?;
    /// # let client = Client::connect([server.addr()])?;
    /// use std::time::Duration;
    ///
    /// let minute = Duration::from_secs(60);
    /// assert_eq!(client.incr_or("visits", 1, 1, minute).await?, 1);
    /// assert_eq!(client.incr_or("visits", 1, 1, minute).await?, 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NonNumeric`](crate::ErrorKind::NonNumeric) when the value is not a number;
    /// [`ErrorKind::NotStored`](crate::ErrorKind::NotStored) when an old server loses the counter as fast as it is made;
    /// else see [`Error`]. If the answer is lost, the error [is ambiguous](Error::is_ambiguous): nothing is counted twice.
    pub async fn incr_or(
        &self,
        key: impl AsRef<[u8]>,
        delta: u64,
        initial: u64,
        ttl: impl Into<Ttl>,
    ) -> Result<u64, Error> {
        let (common, mut scratch) = (&self.common, KeyScratch::default());
        let mut trip = Trip::new(common, "incr_or", common.key("incr_or", key.as_ref(), &mut scratch)?);
        let mut machine = IncrOr::new(delta, initial, ttl.into(), trip.begin(self.deadline())?);
        self.converse(&mut trip, &mut machine).await
    }

    /// Stores a value of a key of [`fetch`](Self::fetch), as fresh as one that was just loaded; `None` says that there is
    /// nothing. A plain `set` has no grace, so that its value would be loaded anew at once. A loader under way stores
    /// nothing.
    ///
    /// # Errors
    /// As of [`set`](Self::set).
    pub async fn put(
        &self,
        key: impl AsRef<[u8]>,
        value: impl Loaded,
        freshness: &Freshness,
    ) -> Result<(), Error> {
        let (common, mut scratch) = (&self.common, KeyScratch::default());
        let mut trip = Trip::new(common, "put", common.key("put", key.as_ref(), &mut scratch)?);
        let mut machine = common.put(value, freshness, trip.begin(self.deadline())?)?;
        self.converse(&mut trip, &mut machine).await
    }

    /// Looks at a key of [`fetch`](Self::fetch) without loading or winning anything. `None` is a miss, also while a value
    /// is being loaded; `Some(None)` says that there is nothing. The value may be stale.
    ///
    /// # Errors
    /// As of [`get`](Self::get).
    pub async fn peek(&self, key: impl AsRef<[u8]>) -> Result<Option<Option<Content>>, Error> {
        let item = self.get(key).await?;
        Ok(item.and_then(|item| peeked(item.flags, item.value)))
    }
}

fn found<L: Loaded, E>(result: Result<Fetched, Failed<E>>) -> Result<L::Found, FetchError<E>> {
    let fetched = result.map_err(|Failed(error)| FetchError::Loader(error))?;
    // Callers whose type has no word for "nothing" are not given it.
    L::found(fetched).ok_or_else(|| Error::new("fetch", UNEXPECTED).into())
}

/// An answer that was not asked for.
const UNEXPECTED: Cause = Cause::Protocol(ProtocolError::Unexpected);

/// A call of `fetch`, and its way to the server. Dropped, it gives back what it has won.
struct Fetching<'k, E: Send + Sync + 'static> {
    client: &'k Client,
    trip: Trip<'k>,
    call: Call<E>,
}

impl<E: Send + Sync + 'static> Fetching<'_, E> {
    /// Goes on until the loader is to run, or to the result.
    async fn until_load(&mut self) -> Option<Result<Fetched, Failed<E>>> {
        let Self { client, trip, call } = self;
        loop {
            match call.step(now()) {
                Step::Begin => match trip.begin(client.deadline()) {
                    Ok(dialect) => call.begin(dialect, now()),
                    Err(_) => call.unreachable(),
                },
                Step::Join(until) => {
                    let joined = poll_fn(|cx| call.poll_joined(cx, now()));
                    let result = match until {
                        Some(until) => timeout_at(until.into(), joined).await.unwrap_or(None),
                        None => joined.await,
                    };
                    if result.is_some() {
                        return result;
                    }
                }
                Step::Wait(until) => sleep_until(until.into()).await,
                Step::Send(errand) => {
                    let answer = client.send(trip, &errand, call.dialect()).await;
                    let answer = answer.map_err(|error| NoAnswer::from(&error));
                    call.answered(answer, trip.place(), trip.stand_in(), now());
                }
                Step::Load => return None,
                Step::Done(result) => return Some(result),
            }
        }
    }

    async fn loaded(&mut self, loaded: Result<Fetched, E>) -> Option<Result<Fetched, Failed<E>>> {
        match loaded {
            Ok(fetched) => self.call.loaded(fetched, now()).map(Ok),
            Err(error) => {
                let mut settling = self.call.failed(error, now());
                if let Some((errand, dialect)) = settling.errand() {
                    let _answer = self.client.send(&mut self.trip, &errand, dialect).await;
                }
                Some(settling.settle())
            }
        }
    }
}

impl<E: Send + Sync + 'static> Drop for Fetching<'_, E> {
    /// Gives the lease back when the future is dropped, or the loader panics. It is queued before the next caller asks.
    fn drop(&mut self) {
        let dialect = self.call.dialect();
        if let Some(errand) = self.call.abandon() {
            self.client.send_detached(&mut self.trip, &errand, dialect);
        }
    }
}

/// The runtime's time, which a test may have paused.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}

/// A conversation over the connections of this client.
type Trip<'k> = memring_client::fetch::Trip<'k, Pool, Deadline>;

type Missed<'k> = memring_client::fetch::Missed<'k, Pool, Deadline>;

impl Client {
    /// Sends `errand`, and waits for the answer. If the future is dropped before that, and the answer is a win, it is
    /// given back.
    async fn send(&self, trip: &mut Trip<'_>, errand: &Errand, dialect: Dialect) -> Result<Answer, Error> {
        let operation = trip.operation(errand, dialect)?;
        let way = Way { client: self, key: trip.key(), errand, dialect };
        let target = trip.ready(errand, self.deadline())?;
        let answer = way.send(target, &operation).await.map(Answer::from);
        trip.answered(errand, &answer);
        answer
    }

    /// Queues `errand`. Its answer is thrown away.
    fn send_detached(&self, trip: &mut Trip<'_>, errand: &Errand, dialect: Dialect) {
        let (Ok(operation), deadline) = (trip.operation(errand, dialect), self.deadline()) else { return };
        if let Ok(target) = trip.ready(errand, deadline) {
            let shorter = target.shorter(&operation);
            target.pool().mux().queue(&shorter.unwrap_or(operation).request(), deadline);
        }
    }

    /// Carries `machine` to its end.
    async fn converse<T: Talk>(&self, trip: &mut Trip<'_>, machine: &mut T) -> Result<T::Output, Error> {
        let _changing = trip.changing();
        let mut last = None;
        loop {
            match machine.next(now()) {
                Next::Send(errand) => {
                    let answer = self.send(trip, &errand, machine.dialect()).await;
                    let told = answer.clone().map_err(|error| NoAnswer::from(&error));
                    machine.answered(told, now());
                    last = answer.err().or(last);
                }
                Next::Wait(until) => sleep_until(until.into()).await,
                Next::Done(output) => return Ok(output),
                Next::Failed(cause) => {
                    let error = cause.map(|cause| trip.error(cause)).or(last);
                    return Err(error.unwrap_or_else(|| trip.error(UNEXPECTED)));
                }
            }
        }
    }
}

/// What an errand needs on its way to a server, and its answer if the caller goes away.
#[derive(Clone, Copy)]
struct Way<'w> {
    client: &'w Client,
    key: Key<'w>,
    errand: &'w Errand,
    dialect: Dialect,
}

impl Way<'_> {
    /// Sends `operation`, which is the errand, and waits for its result. If the future is dropped before that, and the
    /// answer is a win, it is given back.
    async fn send<O: Operation>(
        &self,
        target: &mut Target<'_>,
        operation: &O,
    ) -> Result<O::Output<Vec<u8>>, Error> {
        loop {
            let capabilities = target.pool().watch().capabilities();
            if self.dialect == Dialect::Meta && !capabilities.allow(&operation.request()) {
                let Some(version) = call_one(target, &Version).await else { continue };
                let learnt = target.pool().watch().capabilities().learn(&version?, &operation.request());
                learnt.map_err(|error| target.error(Cause::Unsupported(error)))?;
            }
            let pool = Arc::clone(target.shared_pool());
            let leave = |mux: &Arc<Mux>, slot: SlotId| leave(Orphan { pool: &pool, mux, slot, way: *self });
            let is_win = matches!(self.errand, Errand::Ask(_));
            let heir = is_win.then_some(&leave as &(dyn Fn(&Arc<Mux>, SlotId) + Sync));
            if let Some(result) = call_one_leaving(target, operation, heir).await {
                return result;
            }
        }
    }
}

/// A question whose caller has gone.
struct Orphan<'o> {
    pool: &'o Arc<Pool>,
    mux: &'o Arc<Mux>,
    slot: SlotId,
    way: Way<'o>,
}

/// Waits for the answer in place of the caller. If it is a win, gives that back.
#[cold]
fn leave(Orphan { pool, mux, slot, way }: Orphan<'_>) {
    let Ok(runtime) = Handle::try_current() else {
        mux.abandon([slot]);
        return;
    };
    let (pool, mux, errand, dialect) = (Arc::clone(pool), Arc::clone(mux), way.errand.clone(), way.dialect);
    let (key, common, deadline) =
        (way.key.as_bytes().to_vec(), way.client.common.clone(), way.client.deadline());
    runtime.spawn(async move {
        let Ok(key) = Key::new(&key) else { return };
        let outcome = ReplyWait::fresh(&mux, slot, MustWatch(true)).taken_over().watched(deadline).await;
        let operation = |errand| Errand::operation(errand, dialect, key, common.unix_time(), common.number());
        let Ok(asked) = operation(&errand) else { return };
        let Ok(answer) = read(&asked, outcome) else { return };
        let Some(errand) = give_back_of(&Answer::from(answer)) else { return };
        if let Ok(back) = operation(&errand) {
            let _answer = ask(&pool, "fetch", &back, deadline).await;
        }
    });
}
