//! A scheme as configurations have it: a name, and options as texts.

use alloc::{borrow::ToOwned, string::String};
use core::{error, fmt};

use crate::{
    peers::{self, aliases::ALIASES},
    scheme::{OptionError, Scheme},
};

impl<'a> Scheme<'a> {
    /// The scheme called `name` with `options`, both as [`peers`] knows them.
    ///
    /// A scheme borrows the values of its options. `keep` gets those that the scheme takes, and gives back the same
    /// text, to be borrowed for as long as the scheme lives.
    ///
    /// ```
    /// use memring_core::Scheme;
    ///
    /// let options = [("prefix", "shop:")];
    /// let scheme = Scheme::named("libmemcached-ketama-weighted", options, |value| value)?;
    /// assert_eq!(scheme.key.prefix, b"shop:");
    /// # Ok::<(), memring_core::peers::SchemeError>(())
    /// ```
    ///
    /// # Errors
    /// [`SchemeError`] when there is no scheme of this name, or one of the options does not fit it.
    pub fn named<'o>(
        name: &str,
        options: impl IntoIterator<Item = (&'o str, &'o str)>,
        mut keep: impl FnMut(&'o str) -> &'a str,
    ) -> Result<Self, SchemeError> {
        let scheme: Self =
            Scheme::from_name(name).ok_or_else(|| SchemeError::Unknown { name: name.to_owned() })?;
        options.into_iter().try_fold(scheme, |scheme, (option, value)| {
            let wrong = |error| SchemeError::Option { option: option.to_owned(), error };
            // What is wrong is not worth keeping.
            scheme.with_option(option, value).map_err(wrong)?;
            scheme.with_option(option, keep(value)).map_err(wrong)
        })
    }
}

/// Why a name and options are no scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemeError {
    /// There is no scheme of this name.
    Unknown {
        /// The name.
        name: String,
    },
    /// An option does not fit the scheme.
    Option {
        /// The option's name.
        option: String,
        /// Why it does not fit.
        error: OptionError,
    },
}

impl fmt::Display for SchemeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name } => {
                write!(f, "unknown scheme {name:?}; known are")?;
                let schemes = peers::all().map(|peer| peer.scheme.name);
                let mut names = schemes.chain(ALIASES.iter().map(|alias| alias.name));
                names.try_for_each(|name| write!(f, " {name}"))
            }
            Self::Option { option, error } => write!(f, "option {option:?}: {error}"),
        }
    }
}

impl error::Error for SchemeError {}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn only_what_the_scheme_takes_is_kept() {
        let mut kept = 0;
        let mut named = |name, options: &[(&'static str, &'static str)]| {
            Scheme::named(name, options.iter().copied(), |value| {
                kept += 1;
                value
            })
            .map(|scheme| scheme.name)
            .map_err(|error| error.to_string())
        };
        let unknown = named("nonesuch", &[("hash", "md5")]).unwrap_err();
        assert!(unknown.starts_with("unknown scheme \"nonesuch\"; known are libketama libmem"), "{unknown}");
        let wrong = named("libmemcached-modula", &[("hash", "md5"), ("hash", "nonesuch")]).unwrap_err();
        assert!(wrong.starts_with("option \"hash\": bad value"), "{wrong}");
        assert_eq!(named("libmemcached-modula", &[("hash", "crc")]), Ok("libmemcached-modula"));
        assert_eq!(kept, 2);
    }
}
