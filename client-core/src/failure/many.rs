//! What a call with many keys or to many servers comes to.

use std::sync::Arc;

use memring_text::Item;

use super::Error;

/// One result for each key, in the order in which the keys were given.
///
/// A server that fails takes nothing from the others: its keys have its error, the rest have their results.
#[derive(Clone, Debug)]
pub struct Many<T> {
    results: Vec<Result<T, Error>>,
    errors: Vec<Error>,
}

impl<T> Many<T> {
    /// Of the results and what went wrong. For clients.
    #[must_use]
    pub const fn new(results: Vec<Result<T, Error>>, errors: Vec<Error>) -> Self {
        Self { results, errors }
    }

    /// The results.
    pub fn results(&self) -> &[Result<T, Error>] {
        &self.results
    }

    /// The results, to keep.
    pub fn into_results(self) -> Vec<Result<T, Error>> {
        self.results
    }

    /// What went wrong: one error for each server that failed, and one for each key that was refused by itself. A server
    /// has another one where its keys fared differently, as those that were sent and those that were not.
    #[must_use]
    pub fn errors(&self) -> &[Error] {
        &self.errors
    }

    /// The same, with `value` for each key whose server or the way to it [failed](Error::is_outage). The
    /// [errors](Self::errors) stay what they are.
    #[must_use]
    pub fn outages_as(mut self, mut value: impl FnMut() -> T) -> Self {
        for result in &mut self.results {
            if result.as_ref().is_err_and(Error::is_outage) {
                *result = Ok(value());
            }
        }
        self
    }

    /// The results of all keys, or the first error.
    ///
    /// # Errors
    /// There was at least one.
    pub fn all(self) -> Result<Vec<T>, Error> {
        self.results.into_iter().collect()
    }
}

impl<V> Many<Option<Item<V>>> {
    /// The items that were found, each with its key's position. What failed is passed over like a miss.
    pub fn hits(&self) -> impl Iterator<Item = (usize, &Item<V>)> {
        self.results.iter().enumerate().filter_map(|(position, result)| match result {
            Ok(Some(item)) => Some((position, item)),
            _ => None,
        })
    }

    /// The items that were found, to keep, as of [`hits`](Self::hits).
    pub fn into_hits(self) -> impl Iterator<Item = (usize, Item<V>)> {
        let results = self.results.into_iter().enumerate();
        results.filter_map(|(position, result)| Some((position, result.ok()??)))
    }
}

/// What one server has answered to a call that goes to all of them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FromServer<T> {
    /// The server's name.
    pub server: Arc<str>,
    /// What it has answered, or why it has not.
    pub result: Result<T, Error>,
}

impl<T> FromServer<T> {
    /// Of a server and its answer. For clients.
    #[must_use]
    pub const fn new(server: Arc<str>, result: Result<T, Error>) -> Self {
        Self { server, result }
    }
}
