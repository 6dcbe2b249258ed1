//! The results of a call with many keys or to many servers.

use core::hash::Hash;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use memring_text::Item;

use super::Error;

/// One result for each key, in the order in which the keys were given.
///
/// When a server fails, its keys have its error; all others have their results.
#[derive(Clone, Debug)]
pub struct Many<T> {
    results: Vec<Result<T, Error>>,
    errors: Vec<Error>,
}

impl<T> Many<T> {
    /// Holds `results`, and the `errors` among them: one for each server that failed, and one for each key that was
    /// refused by itself.
    #[must_use]
    pub const fn new(results: Vec<Result<T, Error>>, errors: Vec<Error>) -> Self {
        Self { results, errors }
    }

    /// Holds `results`, and the errors among them, each once.
    #[must_use]
    pub fn of(results: Vec<Result<T, Error>>) -> Self {
        let mut many = Self { results, errors: Vec::new() };
        many.settle();
        many
    }

    /// The results.
    pub fn results(&self) -> &[Result<T, Error>] {
        &self.results
    }

    /// Returns the owned results.
    pub fn into_results(self) -> Vec<Result<T, Error>> {
        self.results
    }

    /// The errors: one for each server that failed, and one for each key that was refused by itself. A server has
    /// several where its keys failed in different ways, for example keys that were sent and keys that were not.
    #[must_use]
    pub fn errors(&self) -> &[Error] {
        &self.errors
    }

    /// Makes of each result another one, which may be an error.
    #[must_use]
    pub fn and_then<U>(self, mut next: impl FnMut(T) -> Result<U, Error>) -> Many<U> {
        let results = self.results.into_iter().map(|result| result.and_then(&mut next)).collect();
        let mut many = Many { results, errors: self.errors };
        many.settle();
        many
    }

    /// Replaces each result that is an [outage](Error::is_outage) by `value`. The [errors](Self::errors) stay as they
    /// are.
    pub(crate) fn outages_as(mut self, mut value: impl FnMut() -> T) -> Self {
        for result in &mut self.results {
            if result.as_ref().is_err_and(Error::is_outage) {
                *result = Ok(value());
            }
        }
        self
    }

    /// Replaces the results at `positions` by those of `others`, another run of a part of the same batch. Errors that no result
    /// has any more are dropped.
    #[must_use]
    pub fn with(mut self, others: Self, positions: &[usize]) -> Self {
        let mut others: Vec<_> = others.results.into_iter().map(Some).collect();
        for position in positions {
            let other = others.get_mut(*position).and_then(Option::take);
            if let (Some(slot), Some(other)) = (self.results.get_mut(*position), other) {
                *slot = other;
            }
        }
        self.settle();
        self
    }

    /// Replaces the results at these positions by errors. Errors that no result has any more are dropped.
    #[must_use]
    pub fn with_errors_at(mut self, others: Vec<(usize, Error)>) -> Self {
        if others.is_empty() {
            return self;
        }
        for (position, error) in others {
            if let Some(slot) = self.results.get_mut(position) {
                *slot = Err(error);
            }
        }
        self.settle();
        self
    }

    /// Makes the errors those that the results have, each once.
    fn settle(&mut self) {
        let errors = || self.results.iter().filter_map(|result| result.as_ref().err());
        let mut left: HashSet<_> = errors().map(Error::address).collect();
        self.errors.retain(|error| left.remove(&error.address()));
        self.errors.extend(errors().filter(|error| left.remove(&error.address())).cloned());
    }

    /// The results of all keys, or the first error.
    ///
    /// # Errors
    /// The first error, if there is any.
    pub fn all(self) -> Result<Vec<T>, Error> {
        self.results.into_iter().collect()
    }
}

impl<T> Many<T> {
    /// Pairs each result with its key: `keys` are those of the call.
    pub fn with_keys<K>(self, keys: &[K]) -> impl Iterator<Item = (&K, Result<T, Error>)> {
        keys.iter().zip(self.results)
    }
}

impl<V> Many<Option<Item<V>>> {
    /// The items that were found, by key: `keys` are those of the call. Keys that failed are left out like misses; look
    /// at the [`errors`](Self::errors) first if they matter.
    pub fn by_key<K: Eq + Hash>(self, keys: &[K]) -> HashMap<&K, Item<V>> {
        let found = self.with_keys(keys);
        found.filter_map(|(key, result)| Some((key, result.ok()??))).collect()
    }

    /// The items that were found, each with its key's position. Keys that failed are left out like misses.
    pub fn hits(&self) -> impl Iterator<Item = (usize, &Item<V>)> {
        self.results.iter().enumerate().filter_map(|(position, result)| match result {
            Ok(Some(item)) => Some((position, item)),
            _ => None,
        })
    }
}

/// The answer of one server to a call that goes to all servers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FromServer<T> {
    /// The server's name.
    pub server: Arc<str>,
    /// The answer, or the error.
    pub result: Result<T, Error>,
}

impl<T> FromServer<T> {
    /// The answer of `server`.
    #[must_use]
    pub const fn new(server: Arc<str>, result: Result<T, Error>) -> Self {
        Self { server, result }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Cause;

    #[test]
    fn another_run_takes_the_place_of_results_and_of_their_errors() {
        let error = || Error::new("run", Cause::Timeout);
        let is = |one: &Error, other: &Error| one.address() == other.address();
        let (lost, own, still, refused) = (error(), error(), error(), error());
        let first = Many::new(
            vec![Ok(1), Err(lost.clone()), Err(own.clone()), Err(lost.clone()), Err(lost.clone())],
            vec![lost, own.clone()],
        );
        let unsent = || Err(error());
        let second = vec![unsent(), Ok(2), unsent(), Err(still.clone()), unsent()];
        let many = first.with(Many::new(second, vec![still.clone()]), &[1, 3]);
        let many = many.with_errors_at(vec![(4, refused.clone())]);
        assert!(matches!(many.results(), [Ok(1), Ok(2), Err(a), Err(b), Err(c)]
            if is(a, &own) && is(b, &still) && is(c, &refused)));
        assert_eq!(many.errors().len(), 3);
        assert!(many.errors().iter().zip([&own, &still, &refused]).all(|(told, error)| is(told, error)));
    }

    #[test]
    fn what_was_found_is_found_by_key() {
        let item = |value| Some(Item { flags: 0, cas: None, value });
        let error = Error::new("get_many", Cause::Timeout);
        let results = vec![Ok(item(1)), Ok(None), Err(error.clone()), Ok(item(4))];
        let (many, keys) = (Many::new(results, vec![error]), ["a", "b", "c", "d"]);
        let mut values: Vec<_> =
            many.clone().by_key(&keys).into_iter().map(|(key, item)| (*key, item.value)).collect();
        values.sort_unstable();
        assert_eq!(values, [("a", 1), ("d", 4)]);
        let failed: Vec<_> =
            many.with_keys(&keys).filter(|(_, result)| result.is_err()).map(|(key, _)| *key).collect();
        assert_eq!(failed, ["c"]);
    }
}
