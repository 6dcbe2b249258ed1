//! Errors of `fetch`.

use core::{error, fmt};
use std::sync::Arc;

use crate::failure::Error;

/// Why a call of `fetch` has no value. A server that fails is no reason: then the loader runs, and its value is not
/// stored.
pub enum FetchError<E> {
    /// The call itself is wrong: the key, or the [`Freshness`](super::Freshness). The loader has not run.
    Refused(Error),
    /// The loader failed. All callers that waited for it have the same error.
    Loader(Arc<E>),
}

impl<E> FetchError<E> {
    /// The loader's error, if that is what this is.
    #[must_use]
    pub fn loader(&self) -> Option<&E> {
        match self {
            Self::Refused(_) => None,
            Self::Loader(error) => Some(error),
        }
    }
}

impl<E> Clone for FetchError<E> {
    fn clone(&self) -> Self {
        match self {
            Self::Refused(error) => Self::Refused(error.clone()),
            Self::Loader(error) => Self::Loader(Arc::clone(error)),
        }
    }
}

impl<E> From<Error> for FetchError<E> {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl<E: fmt::Debug> fmt::Debug for FetchError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => f.debug_tuple("Refused").field(error).finish(),
            Self::Loader(error) => f.debug_tuple("Loader").field(error).finish(),
        }
    }
}

impl<E: fmt::Display> fmt::Display for FetchError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(f),
            Self::Loader(error) => write!(f, "loading the value failed: {error}"),
        }
    }
}

// The loader's error need not be an `Error`: it may be a boxed one, or one of `anyhow`.
impl<E: fmt::Debug + fmt::Display> error::Error for FetchError<E> {}
