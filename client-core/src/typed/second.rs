//! Typed values that are fetched and updated: loaders and changes of values, as those of contents.

use std::sync::Arc;

use bytes::Bytes;

use super::{Encoding, Layer};
use crate::{
    failure::Error,
    fetch::{Content, FetchError, Updated, has_value},
};

/// Why there is nothing to be stored: for the flights, which share it with all that wait.
#[derive(Debug)]
pub enum Unloaded<X> {
    /// The loader failed.
    Loader(Arc<X>),
    /// What it returned has no bytes in this encoding.
    Encoding(Error),
}

impl<X> Unloaded<X> {
    fn told(error: FetchError<Self>) -> FetchError<X> {
        match error {
            FetchError::Refused(error) => FetchError::Refused(error),
            FetchError::Loader(unloaded) => match &*unloaded {
                Self::Loader(error) => FetchError::Loader(Arc::clone(error)),
                Self::Encoding(error) => FetchError::Refused(error.clone()),
            },
        }
    }
}

impl<C> Layer<C> {
    /// A value as it is stored.
    ///
    /// # Errors
    /// As of [`encode_for`](Self::encode_for).
    pub fn content<T>(&self, name: &'static str, value: &T) -> Result<Content, Error>
    where
        C: Encoding<T>,
    {
        let (flags, bytes) = self.encode_for(name, value)?;
        Ok(Content { flags, value: Bytes::from(bytes) })
    }

    /// What a loader has returned, for `fetch`.
    ///
    /// # Errors
    /// The loader's, or that of the encoding.
    pub fn loaded<T, X>(&self, loaded: Result<T, X>) -> Result<Content, Unloaded<X>>
    where
        C: Encoding<T>,
    {
        let value = loaded.map_err(|error| Unloaded::Loader(Arc::new(error)))?;
        self.content("fetch", &value).map_err(Unloaded::Encoding)
    }

    /// As [`loaded`](Self::loaded), of a loader that can say that there is nothing.
    ///
    /// # Errors
    /// As of [`loaded`](Self::loaded).
    pub fn loaded_option<T, X>(&self, loaded: Result<Option<T>, X>) -> Result<Option<Content>, Unloaded<X>>
    where
        C: Encoding<T>,
    {
        loaded.transpose().map(|loaded| self.loaded(loaded)).transpose()
    }

    /// The value that `fetch` has returned.
    ///
    /// # Errors
    /// That of `fetch`; [`FetchError::Refused`] if it is not of this encoding and type.
    pub fn fetched<T, X>(&self, fetched: Result<Content, FetchError<Unloaded<X>>>) -> Result<T, FetchError<X>>
    where
        C: Encoding<T>,
    {
        let Content { flags, value } = fetched.map_err(Unloaded::told)?;
        Ok(self.decode_for("fetch", flags, &value)?)
    }

    /// As [`fetched`](Self::fetched), where there may be nothing.
    ///
    /// # Errors
    /// As of [`fetched`](Self::fetched).
    pub fn fetched_option<T, X>(
        &self,
        fetched: Result<Option<Content>, FetchError<Unloaded<X>>>,
    ) -> Result<Option<T>, FetchError<X>>
    where
        C: Encoding<T>,
    {
        fetched.transpose().map(|fetched| self.fetched(fetched)).transpose()
    }

    /// The value of an item, if there is one: placeholders of `fetch`, and items that say that there is nothing, have
    /// none.
    ///
    /// # Errors
    /// As of [`decode_for`](Self::decode_for).
    pub fn decode_item<T>(&self, name: &'static str, flags: u32, value: &[u8]) -> Result<Option<T>, Error>
    where
        C: Encoding<T>,
    {
        has_value(flags, value.len()).then(|| self.decode_for(name, flags, value)).transpose()
    }
}

/// A change of typed values, as one of contents: see [`Layer::change`].
#[derive(Debug)]
pub struct Change<'l, C, T, F> {
    layer: &'l Layer<C>,
    change: F,
    /// What the last run has come to.
    value: Result<Option<T>, Error>,
}

impl<C> Layer<C> {
    /// A change of typed values, for `update`.
    pub const fn change<T, F>(&self, change: F) -> Change<'_, C, T, F>
    where
        F: FnMut(Option<T>) -> Option<T>,
        C: Encoding<T>,
    {
        Change { layer: self, change, value: Ok(None) }
    }
}

impl<C: Encoding<T>, T, F: FnMut(Option<T>) -> Option<T>> Change<'_, C, T, F> {
    /// The new content; `None` leaves all as it is, also because the old one is not of this encoding and type.
    pub fn run(&mut self, old: Option<&Content>) -> Option<Content> {
        match self.try_run(old) {
            Ok((value, content)) => {
                self.value = Ok(value);
                content
            }
            Err(error) => {
                self.value = Err(error);
                None
            }
        }
    }

    fn try_run(&mut self, old: Option<&Content>) -> Result<(Option<T>, Option<Content>), Error> {
        let old = old.map(|old| self.layer.decode_for("update", old.flags, &old.value)).transpose()?;
        let value = (self.change)(old);
        let content = value.as_ref().map(|value| self.layer.content("update", value)).transpose()?;
        Ok((value, content))
    }

    /// What `update` has come to with it.
    ///
    /// # Errors
    /// That of the encoding; else that of `update`.
    pub fn end(self, updated: Result<Updated, Error>) -> Result<Updated<T>, Error> {
        let value = self.value?;
        updated.map(|updated| updated.with_content(value))
    }
}
