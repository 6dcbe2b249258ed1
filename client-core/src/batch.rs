//! Operations of different kinds to be sent together, each with a handle to its result.
//!
//! ```
//! use memring_client::batch::Batch;
//! use memring_text::Ttl;
//!
//! let mut batch = Batch::new();
//! let name = batch.get("user:7:name");
//! let visits = batch.incr("user:7:visits", 1);
//! batch.set("user:7:seen", "now", Ttl::NEVER);
//! assert_eq!(batch.len(), 3);
//! // A client runs it; then `outcomes.take(name)` is the item, and `outcomes.take(visits)` the number.
//! # let _ = (name, visits);
//! ```

use core::{error, fmt, hash::BuildHasher as _, marker::PhantomData, ops::Range};
use std::hash::RandomState;

use memring_text::{
    Get, Item, Key, Store, Ttl, Value,
    request::{Arith, ArithVerb, Attributes, Delete, GetVerb, StoreVerb, Touch},
    ttl::{UnixTime, ZeroTtl},
};

use crate::{
    any_operation::{AnyOperation, AnyOutcome},
    failure::{Cause, Error, Many},
    outcome::{CasItem, CasOutcome, is_stored, must_be_stored},
};

/// Operations of different kinds on any keys, to be sent together: one write for each server.
///
/// Those for the same server are done in the order of the calls; between servers there is no order. It is no
/// transaction: each operation succeeds or fails by itself.
///
/// Keys and values are copied, so that they need not live until the batch is run.
#[derive(Clone)]
pub struct Batch {
    operations: Vec<Planned>,
    bytes: Vec<u8>,
    placed_by: Option<Range<usize>>,
    /// Tells the batch from others, so that handles of another one are noticed.
    number: u64,
}

/// One operation, whose key and value are in the batch's bytes.
#[derive(Clone)]
struct Planned {
    verb: Verb,
    key: Range<usize>,
    placed_by: Option<Range<usize>>,
    value: Range<usize>,
}

#[derive(Clone, Copy)]
enum Verb {
    Get { cas: bool, ttl: Option<Ttl> },
    Store(StoreVerb, Attributes),
    Delete,
    Touch(Ttl),
    Arith(ArithVerb, u64),
}

impl Verb {
    fn ttl(self) -> Option<Ttl> {
        match self {
            Self::Get { ttl, .. } => ttl,
            Self::Store(_, Attributes { ttl, .. }) | Self::Touch(ttl) => Some(ttl),
            Self::Delete | Self::Arith(..) => None,
        }
    }
}

impl Batch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        let number = RandomState::new().hash_one(());
        Self { operations: Vec::new(), bytes: Vec::new(), placed_by: None, number }
    }

    /// The number of operations.
    #[must_use]
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether there are no operations.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// From here on, keys are placed as if they were `key`: so those that belong together live together.
    pub fn place_by(&mut self, key: impl AsRef<[u8]>) {
        self.placed_by = Some(self.keep(key.as_ref()));
    }

    /// From here on, each key is placed by itself, as at the beginning.
    pub fn place_by_key(&mut self) {
        self.placed_by = None;
    }

    /// Reads an item; `None` is a miss.
    pub fn get(&mut self, key: impl AsRef<[u8]>) -> Handle<kind::Get> {
        self.push(key.as_ref(), Verb::Get { cas: false, ttl: None }, b"")
    }

    /// Reads an item with its cas unique.
    pub fn gets(&mut self, key: impl AsRef<[u8]>) -> Handle<kind::Gets> {
        self.push(key.as_ref(), Verb::Get { cas: true, ttl: None }, b"")
    }

    /// Reads an item and gives it `ttl` to live from now on.
    pub fn gat(&mut self, key: impl AsRef<[u8]>, ttl: impl Into<Ttl>) -> Handle<kind::Get> {
        self.push(key.as_ref(), Verb::Get { cas: false, ttl: Some(ttl.into()) }, b"")
    }

    /// Reads an item with its cas unique and gives it `ttl` to live from now on.
    pub fn gats(&mut self, key: impl AsRef<[u8]>, ttl: impl Into<Ttl>) -> Handle<kind::Gets> {
        self.push(key.as_ref(), Verb::Get { cas: true, ttl: Some(ttl.into()) }, b"")
    }

    /// Stores a value, whatever was there before.
    pub fn set(
        &mut self,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        attributes: impl Into<Attributes>,
    ) -> Handle<kind::Set> {
        self.push(key.as_ref(), Verb::Store(StoreVerb::Set, attributes.into()), value.as_ref())
    }

    /// Stores a value under a key that has none. Returns whether it did.
    pub fn add(
        &mut self,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        attributes: impl Into<Attributes>,
    ) -> Handle<kind::Store> {
        self.push(key.as_ref(), Verb::Store(StoreVerb::Add, attributes.into()), value.as_ref())
    }

    /// Stores a value under a key that has one. Returns whether it did.
    pub fn replace(
        &mut self,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        attributes: impl Into<Attributes>,
    ) -> Handle<kind::Store> {
        self.push(key.as_ref(), Verb::Store(StoreVerb::Replace, attributes.into()), value.as_ref())
    }

    /// Puts `value` behind the one that is there. Returns whether there was one.
    pub fn append(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Handle<kind::Store> {
        self.push(key.as_ref(), Verb::Store(StoreVerb::Append, Attributes::default()), value.as_ref())
    }

    /// Puts `value` before the one that is there. Returns whether there was one.
    pub fn prepend(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Handle<kind::Store> {
        self.push(key.as_ref(), Verb::Store(StoreVerb::Prepend, Attributes::default()), value.as_ref())
    }

    /// Stores a value if the item has not changed since a `gets` returned it with `cas`.
    pub fn cas(
        &mut self,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        attributes: impl Into<Attributes>,
        cas: u64,
    ) -> Handle<kind::Cas> {
        self.push(key.as_ref(), Verb::Store(StoreVerb::Cas(cas), attributes.into()), value.as_ref())
    }

    /// Deletes an item. Returns whether there was one.
    pub fn delete(&mut self, key: impl AsRef<[u8]>) -> Handle<kind::Find> {
        self.push(key.as_ref(), Verb::Delete, b"")
    }

    /// Gives an item `ttl` to live from now on. Returns whether there is one.
    pub fn touch(&mut self, key: impl AsRef<[u8]>, ttl: impl Into<Ttl>) -> Handle<kind::Find> {
        self.push(key.as_ref(), Verb::Touch(ttl.into()), b"")
    }

    /// Adds `delta` to a counter: the new number, or `None` when there is no such item.
    pub fn incr(&mut self, key: impl AsRef<[u8]>, delta: u64) -> Handle<kind::Count> {
        self.push(key.as_ref(), Verb::Arith(ArithVerb::Incr, delta), b"")
    }

    /// Takes `delta` off a counter, down to 0: the new number, or `None` when there is no such item.
    pub fn decr(&mut self, key: impl AsRef<[u8]>, delta: u64) -> Handle<kind::Count> {
        self.push(key.as_ref(), Verb::Arith(ArithVerb::Decr, delta), b"")
    }

    fn push<K>(&mut self, key: &[u8], verb: Verb, value: &[u8]) -> Handle<K> {
        let index = self.operations.len();
        let key = self.keep(key);
        let value = self.keep(value);
        let placed_by = self.placed_by.clone();
        self.operations.push(Planned { verb, key, placed_by, value });
        Handle { index, batch: self.number, kind: PhantomData }
    }

    fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    fn kept(&self, range: &Range<usize>) -> &[u8] {
        self.bytes.get(range.clone()).unwrap_or(&[])
    }
}

/// What a client asks of a batch to run it.
impl Batch {
    /// The keys, in the order of the calls.
    pub fn keys(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.operations.iter().map(|operation| self.kept(&operation.key))
    }

    /// The routing key of each operation: the one set by [`place_by`](Self::place_by), else `route`, else the key
    /// itself.
    pub fn routing_keys<'b>(&'b self, route: Option<&'b [u8]>) -> impl Iterator<Item = &'b [u8]> {
        self.operations.iter().map(move |operation| {
            let said = operation.placed_by.as_ref().map(|range| self.kept(range));
            said.or(route).unwrap_or_else(|| self.kept(&operation.key))
        })
    }

    /// Checks that every value has at most `limit` bytes, and that every time to live can be sent.
    ///
    /// # Errors
    /// The position of the first operation whose value is longer or whose time to live is zero, and what is wrong with
    /// it.
    pub fn check(&self, limit: usize) -> Result<(), (usize, Cause)> {
        self.operations.iter().enumerate().try_for_each(|(position, Planned { verb, value, .. })| {
            Value::within(self.kept(value), limit).map_err(|error| (position, error.into()))?;
            if verb.ttl().is_some_and(Ttl::is_zero) { Err((position, ZeroTtl.into())) } else { Ok(()) }
        })
    }

    /// The operation at `position`, whose key is `key` on the wire, when it is sent at `now`. `None` when there is no such
    /// operation, or [`check`](Self::check) finds fault with it.
    pub fn operation<'a>(&'a self, position: usize, key: Key<'a>, now: UnixTime) -> Option<AnyOperation<'a>> {
        let Planned { verb, value, .. } = self.operations.get(position)?;
        Some(match *verb {
            Verb::Get { cas, ttl } => {
                let verb = match (cas, ttl.map(|ttl| ttl.exptime(now)).transpose().ok()?) {
                    (false, None) => GetVerb::Get,
                    (true, None) => GetVerb::Gets,
                    (false, Some(exptime)) => GetVerb::Gat(exptime),
                    (true, Some(exptime)) => GetVerb::Gats(exptime),
                };
                AnyOperation::Get(Get { verb, key })
            }
            Verb::Store(verb, Attributes { flags, ttl }) => {
                let (value, exptime) = (Value::new(self.kept(value)).ok()?, ttl.exptime(now).ok()?);
                AnyOperation::Store(Store { verb, key, flags, exptime, value, noreply: false })
            }
            Verb::Delete => AnyOperation::Delete(Delete { key, noreply: false }),
            Verb::Touch(ttl) => {
                AnyOperation::Touch(Touch { key, exptime: ttl.exptime(now).ok()?, noreply: false })
            }
            Verb::Arith(verb, delta) => AnyOperation::Arith(Arith { verb, key, delta, noreply: false }),
        })
    }

    /// Makes `results`, one for each operation in the order of the calls, available by the operations' handles. With
    /// `errors_as_misses`, a read that failed because its server or the way to it [failed](Error::is_outage) is a miss.
    #[must_use]
    pub fn outcomes<V>(self, results: Many<AnyOutcome<V>>, errors_as_misses: bool) -> Outcomes<V> {
        let errors = results.errors().to_vec();
        let read = |(operation, result): (&Planned, Result<_, Error>)| match result {
            Err(error)
                if errors_as_misses && error.is_outage() && matches!(operation.verb, Verb::Get { .. }) =>
            {
                Some(Ok(AnyOutcome::Item(None)))
            }
            result => Some(result),
        };
        let results = self.operations.iter().zip(results.into_results()).map(read).collect();
        Outcomes { results, errors, batch: self.number }
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Batch({} operations)", self.len())
    }
}

/// The results of a [`Batch`]. `V` is the type that holds values.
///
/// When a server fails, its operations have its error; all others have their results.
#[derive(Debug)]
pub struct Outcomes<V> {
    results: Vec<Option<Result<AnyOutcome<V>, Error>>>,
    errors: Vec<Error>,
    batch: u64,
}

impl<V> Outcomes<V> {
    /// The result of the operation that `handle` was given for.
    ///
    /// # Errors
    /// The error of this operation; [`ErrorKind::Config`](crate::failure::ErrorKind::Config) if the handle belongs to
    /// another batch.
    pub fn take<K: Kind>(&mut self, handle: Handle<K>) -> Result<K::Output<V>, Error> {
        let foreign = || Error::new("take", Cause::config(ForeignHandle));
        let slot = self.results.get_mut(handle.index).filter(|_| handle.batch == self.batch);
        let outcome = slot.and_then(Option::take).ok_or_else(foreign)??;
        K::read(outcome)
            .map_err(|cause| Error::new("take", cause.unwrap_or_else(|| Cause::config(ForeignHandle))))
    }

    /// All errors: one for each server that failed, and one for each operation that was refused by itself. A server has several
    /// where its operations failed in different ways, for example those that may have taken effect and those that may not.
    #[must_use]
    pub fn errors(&self) -> &[Error] {
        &self.errors
    }
}

/// Stands for the result of one operation of a [`Batch`], until that is run.
pub struct Handle<K> {
    index: usize,
    batch: u64,
    kind: PhantomData<fn() -> K>,
}

impl<K> fmt::Debug for Handle<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({})", self.index)
    }
}

/// A kind of operation in a [`Batch`], and its result.
pub trait Kind: sealed::Sealed {
    /// The result, with values in `V`.
    type Output<V>;

    /// Reads the result of an operation.
    ///
    /// # Errors
    /// The operation failed after all; `None` if its kind is another one.
    fn read<V>(outcome: AnyOutcome<V>) -> Result<Self::Output<V>, Option<Cause>>;
}

mod sealed {
    pub trait Sealed {}
}

/// The kinds of operations.
pub mod kind {
    use super::{
        AnyOutcome, CasItem, CasOutcome, Cause, Item, Kind, is_stored, must_be_stored, sealed::Sealed,
    };
    use crate::outcome::visible;

    /// Declares a kind.
    macro_rules! kind {
        ($(#[$doc:meta])* $name:ident => $output:ty: $($pattern:pat => $read:expr;)*) => {
            $(#[$doc])*
            #[derive(Debug)]
            pub enum $name {}

            impl Sealed for $name {}

            impl Kind for $name {
                type Output<V> = $output;

                fn read<V>(outcome: AnyOutcome<V>) -> Result<$output, Option<Cause>> {
                    match outcome {
                        $($pattern => $read,)*
                        _ => Err(None),
                    }
                }
            }
        };
    }

    kind! {
        /// The item; `None` is a miss.
        Get => Option<Item<V>>:
        AnyOutcome::Item(item) => Ok(visible(item));
    }

    kind! {
        /// The item with its cas unique; `None` is a miss.
        Gets => Option<CasItem<V>>:
        AnyOutcome::Item(item) => visible(item).map(CasItem::read).transpose().map_err(Some);
    }

    kind! {
        /// Nothing: a value that is not stored is an error.
        Set => ():
        AnyOutcome::Store(outcome) => must_be_stored(outcome).map_err(Some);
    }

    kind! {
        /// Whether it is stored.
        Store => bool:
        AnyOutcome::Store(outcome) => is_stored(outcome).map_err(Some);
    }

    kind! {
        /// Whether it is stored, and if not, why.
        Cas => CasOutcome:
        AnyOutcome::Store(outcome) => CasOutcome::read(outcome).map_err(Some);
    }

    kind! {
        /// Whether there was an item.
        Find => bool:
        AnyOutcome::Found(found) => Ok(found);
    }

    kind! {
        /// The new number; `None` when there is no such item.
        Count => Option<u64>:
        AnyOutcome::Number(number) => Ok(number);
    }
}

/// The error of a handle that belongs to another batch.
#[derive(Clone, Copy, Debug)]
struct ForeignHandle;

impl fmt::Display for ForeignHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the handle is one of another batch")
    }
}

impl error::Error for ForeignHandle {}

#[cfg(test)]
mod tests {
    use memring_text::StoreOutcome;

    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

    fn item(value: &str) -> AnyOutcome<String> {
        AnyOutcome::Item(Some(Item { flags: 0, cas: None, value: value.to_owned() }))
    }

    fn outcomes(batch: Batch, results: Vec<Result<AnyOutcome<String>, Error>>) -> Outcomes<String> {
        batch.outcomes(Many::new(results, Vec::new()), true)
    }

    #[test]
    fn keys_and_values_are_those_of_the_calls() {
        let mut batch = Batch::new();
        assert!(batch.is_empty());
        batch.get("one");
        batch.place_by("group");
        batch.set("two", "value", Ttl::NEVER);
        batch.place_by_key();
        batch.delete("three");
        assert_eq!((batch.len(), batch.is_empty()), (3, false));
        assert_eq!(batch.keys().collect::<Vec<_>>(), [&b"one"[..], b"two", b"three"]);
        assert_eq!(batch.routing_keys(None).collect::<Vec<_>>(), [&b"one"[..], b"group", b"three"]);
        assert_eq!(batch.routing_keys(Some(b"all")).collect::<Vec<_>>(), [&b"all"[..], b"group", b"all"]);
        let Some(AnyOperation::Store(store)) = batch.operation(1, Key::new(b"two").unwrap(), NOW) else {
            panic!("a set")
        };
        assert_eq!((store.key.as_bytes(), store.value.as_bytes()), (&b"two"[..], &b"value"[..]));
        assert!(batch.operation(3, Key::new(b"two").unwrap(), NOW).is_none());
        assert_eq!(batch.check(4).unwrap_err().0, 1);
    }

    #[test]
    fn each_handle_takes_its_own_result() {
        let mut batch = Batch::new();
        let (one, two) = (batch.get("one"), batch.get("two"));
        let mut outcomes = outcomes(batch, vec![Ok(item("first")), Ok(item("second"))]);
        let mut value = |handle: Handle<kind::Get>| outcomes.take(handle).unwrap().unwrap().value;
        assert_eq!((value(two), value(one)), ("second".to_owned(), "first".to_owned()));
    }

    #[test]
    fn a_handle_of_another_batch_takes_nothing() {
        let (mut batch, mut other) = (Batch::new(), Batch::new());
        batch.get("mine");
        let foreign = other.get("theirs");
        let error = outcomes(batch, vec![Ok(item("mine"))]).take(foreign).unwrap_err();
        assert_eq!(error.kind(), crate::failure::ErrorKind::Config);
    }

    #[test]
    fn only_reads_whose_server_failed_are_misses() {
        let failed = |cause: Cause| Err::<AnyOutcome<String>, _>(Error::new("run", cause));
        let mut batch = Batch::new();
        let (read, refused) = (batch.get("read"), batch.get("refused"));
        let (write, stored) = (batch.set("write", "", Ttl::NEVER), batch.set("stored", "", Ttl::NEVER));
        let results = vec![
            failed(Cause::Timeout),
            failed(Cause::config(ForeignHandle)),
            failed(Cause::Timeout),
            Ok(AnyOutcome::Store(StoreOutcome::Stored)),
        ];
        let many = Many::new(results, Vec::new());
        let mut told = batch.clone().outcomes(many.clone(), false);
        let mut outcomes = batch.outcomes(many, true);
        assert!(outcomes.take(refused).is_err());
        assert!(outcomes.take(write).unwrap_err().is_timeout());
        assert!(outcomes.take(stored).is_ok());
        assert!(told.results[0].take().is_some_and(|result| result.is_err()));
        assert!(outcomes.take(read).unwrap().is_none());
    }
}
