//! Clients that place keys exactly as a scheme does that is named for another client.
//!
//! An alias is a second name for such a scheme with some of its options set. [`Scheme::from_name`] finds it; the scheme that
//! it returns has the name of the scheme, not the alias.

use crate::scheme::{OptionError, Scheme};

/// Another name for a scheme with options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Alias {
    /// The name that is found.
    pub name: &'static str,
    /// The name of the scheme.
    pub scheme: &'static str,
    /// The options that are set.
    pub options: &'static [(&'static str, &'static str)],
    /// The clients that place keys this way, and what to mind.
    pub used_by: &'static str,
}

impl Alias {
    /// The alias of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        ALIASES.iter().find(|alias| alias.name == name)
    }

    /// The scheme with the options.
    ///
    /// # Errors
    /// None in practice: a test holds every line of the table against its scheme.
    pub fn scheme(&self) -> Result<Scheme<'static>, OptionError> {
        let scheme = super::Peer::named(self.scheme).ok_or(OptionError::Unknown { known: &[] })?.scheme;
        self.options.iter().try_fold(scheme, |scheme, (name, value)| scheme.with_option(name, value))
    }
}

/// Makes the table and its documentation of one text.
macro_rules! aliases {
    ($($name:literal = $scheme:literal $([$option:literal = $value:literal])*, $used_by:literal;)*) => {
        /// Every alias.
        ///
        #[doc = concat!(
            "| name | scheme and options | who |\n|---|---|---|\n",
            $("| `", $name, "` | `", $scheme, "`", $(" `", $option, "=", $value, "`",)* " | ", $used_by, " |\n",)*
        )]
        pub const ALIASES: &[Alias] = &[$(Alias {
            name: $name,
            scheme: $scheme,
            options: &[$(($option, $value)),*],
            used_by: $used_by,
        },)*];
    };
}

aliases! {
    "libmc" = "libmemcached-ketama" ["hash" = "md5"],
        "Douban's libmc; an alias behind host and port is the server's name";
    "libmc-fnv1a" = "libmemcached-ketama" ["hash" = "fnv1a_32"] ["points-hash" = "md5"],
        "libmc with MC_HASH_FNV1A_32, for keys of ASCII";
    "pior-memcache" = "memcached-proxy",
        "Go's pior/memcache";
    "evcache" = "spymemcached-ketama",
        "Netflix's EVCache; a server is named host/address:port";
    "django-pymemcache" = "pymemcache-rendezvous",
        "Django's PyMemcacheCache; the key is the whole one that it sends, such as :1:key";
    "django-pylibmc" = "pylibmc-modula",
        "Django's PyLibMCCache without behaviors; the key is the whole one that it sends, such as :1:key";
    "django-python-memcached" = "python-memcached",
        "Django's MemcachedCache, up to 4.0; the key is the whole one that it sends, such as :1:key";
    "symfony" = "php-memcached" ["php-options" = "OPT_LIBKETAMA_COMPATIBLE=1"],
        "Symfony's MemcachedAdapter; the key is the whole item id, and a socket is named path:0";
    "rails" = "dalli",
        "Rails' mem_cache_store; the key is what Rails makes of it, escaped, and shortened if long";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Server, peers::Peer};

    #[test]
    fn every_alias_is_its_scheme_with_its_options() {
        let servers = ["a:11211", "b:11212", "c:11211", "d:1"].map(Server::new);
        for alias in ALIASES {
            assert!(Peer::named(alias.name).is_none(), "{} is a scheme", alias.name);
            let found = Scheme::from_name(alias.name).unwrap_or_else(|| panic!("{}", alias.name));
            assert_eq!(found.name, alias.scheme);
            let plain = Peer::named(alias.scheme).unwrap().scheme;
            let set = alias.options.iter().fold(plain, |scheme, (name, value)| {
                scheme.with_option(name, value).unwrap_or_else(|error| panic!("{}: {error}", alias.name))
            });
            for key in 0..100 {
                assert_eq!(found.choose(&servers, &[key]), set.choose(&servers, &[key]), "{}", alias.name);
            }
        }
    }

    #[test]
    fn an_alias_takes_the_options_of_its_scheme() {
        let libmc = Scheme::from_name("libmc").unwrap();
        assert_eq!(libmc.hash.name(), "md5");
        assert!(libmc.with_option("auto_eject_hosts", "1").is_ok());
        assert!(libmc.with_option("nonesuch", "1").is_err());
    }
}
