//! A scheme as configurations have it: a name, and options as texts.

use alloc::{borrow::ToOwned, string::String, vec::Vec};
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
            // A value that the scheme refuses is not kept.
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
                write!(f, "unknown scheme {name:?}")?;
                let nearest = nearest(name);
                match &*nearest {
                    [] => Ok(()),
                    [first, others @ ..] => {
                        write!(f, "; near to it are {first}")?;
                        others.iter().try_for_each(|name| write!(f, ", {name}"))
                    }
                }
            }
            Self::Option { option, error } => write!(f, "option {option:?}: {error}"),
        }
    }
}

impl error::Error for SchemeError {}

/// Most names that an error offers.
const OFFERED: usize = 5;

/// The names of schemes and aliases that are nearest to `name`, if any are near: few letters of it or of a part of it differ,
/// or one has the other in it.
fn nearest(name: &str) -> Vec<&'static str> {
    let name = name.to_ascii_lowercase().replace('_', "-");
    let names = peers::all().map(|peer| peer.scheme.name).chain(ALIASES.iter().map(|alias| alias.name));
    let few = |part: &str| differences(&name, part) * 3 <= part.len();
    let distance = |known: &str| {
        let contains = name.len() > 2 && (known.contains(&*name) || name.contains(known));
        (contains || few(known) || known.split('-').any(few)).then(|| differences(&name, known))
    };
    let mut near: Vec<_> = names.filter_map(|known| Some((distance(known)?, known))).collect();
    near.sort_unstable();
    near.truncate(OFFERED);
    near.into_iter().map(|(_, known)| known).collect()
}

/// How many bytes must be put in, taken out or changed to make one text of the other: Levenshtein's distance.
fn differences(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, left) in (1..).zip(left.bytes()) {
        let (mut corner, mut before) = (at - 1, at);
        for (cell, right) in row.iter_mut().skip(1).zip(right.bytes()) {
            let same = corner + usize::from(left != right);
            corner = *cell;
            before = same.min(before + 1).min(*cell + 1);
            *cell = before;
        }
        if let Some(first) = row.first_mut() {
            *first = at;
        }
    }
    row.last().copied().unwrap_or_default()
}

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
        assert_eq!(unknown, "unknown scheme \"nonesuch\"");
        let wrong = named("libmemcached-modula", &[("hash", "md5"), ("hash", "nonesuch")]).unwrap_err();
        assert!(wrong.starts_with("option \"hash\": bad value"), "{wrong}");
        assert_eq!(named("libmemcached-modula", &[("hash", "crc")]), Ok("libmemcached-modula"));
        assert_eq!(kept, 2);
    }

    #[test]
    fn an_unknown_name_gets_those_that_are_near() {
        let says = |name| SchemeError::Unknown { name: ToOwned::to_owned(name) }.to_string();
        assert_eq!(says("libketamma"), "unknown scheme \"libketamma\"; near to it are libketama");
        assert!(says("Libmemcached_Modula").contains("near to it are libmemcached-modula"));
        let ketama = says("ketama");
        assert_eq!(ketama.matches("ketama").count(), 1 + OFFERED, "{ketama}");
        assert_eq!(says(""), "unknown scheme \"\"");
    }

    #[test]
    fn differences_are_counted() {
        for (left, right, expected) in [
            ("", "", 0),
            ("", "ab", 2),
            ("ab", "", 2),
            ("ab", "ab", 0),
            ("kitten", "sitting", 3),
            ("ab", "ba", 2),
        ] {
            assert_eq!(differences(left, right), expected, "{left} {right}");
        }
    }
}
