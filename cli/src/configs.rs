//! Configurations of other clients: which scheme, which options, which servers they mean.
//!
//! Each kind is read as its client reads it, with its defaults and its errors; what memring knows of that stands in the file
//! of the kind. A text is data here: nothing that it says is run, included or looked up. What the text alone cannot tell,
//! such as a name from the environment, is said as a [`Warning`] or an error.

use core::fmt;

use memring_client::{OwnedScheme, spec::Address};
use memring_core::Weight;

mod env;
mod go;
mod java;
mod libmemcached;
mod list;
mod mcrouter;
mod memcached_proxy;
mod memjs;
mod nginx;
mod node;
mod php;
mod program;
mod python;
mod ruby;
mod servers;
#[cfg(test)]
mod testing;
mod tokens;
mod twemproxy;

/// A kind of configuration.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its name, such as `twemproxy`.
    pub name: &'static str,
    /// What is read: the client, and which of its files or calls.
    pub about: &'static str,
    /// Whether a text is of this kind, as far as one sees.
    is_it: fn(&str) -> bool,
    read: fn(&str) -> Result<Vec<Reading>, ConfigError>,
}

impl Kind {
    /// The kind called `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }

    /// The kind that `text` is of: the first of [`KINDS`] that takes it for its own.
    #[must_use]
    pub fn of(text: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| (kind.is_it)(text))
    }
}

/// All kinds, the surest first.
pub const KINDS: &[Kind] = &[
    libmemcached::KIND,
    php::LARAVEL,
    php::SYMFONY,
    php::ARRAY,
    php::INI,
    php::PECL,
    twemproxy::KIND,
    nginx::KIND,
    mcrouter::KIND,
    memcached_proxy::KIND,
    python::DJANGO,
    python::PYMEMCACHE,
    python::PYLIBMC,
    python::EMCACHE,
    python::LIBMC,
    python::PYTHON_MEMCACHED,
    ruby::RAILS,
    ruby::DALLI,
    java::XMEMCACHED,
    java::SPYMEMCACHED,
    go::KIND,
    memjs::KIND,
    node::HASHRING,
    node::MEMCACHED,
    list::ENVIRONMENT,
    list::PLAIN,
];

/// Reads `text`, which is of `kind`, or of the kind that it looks like.
///
/// # Errors
/// The client would refuse the text, or nobody can tell its kind. An error says where, and what to write instead.
pub fn read(text: &str, kind: Option<&Kind>) -> Result<Vec<Reading>, ConfigError> {
    let Some(kind) = kind.or_else(|| Kind::of(text)) else {
        return Err(ConfigError::of("no client is known that is configured so; name the kind"));
    };
    let mut readings = (kind.read)(text)?;
    for reading in &mut readings {
        reading.kind = kind.name;
        if let Some(scheme) = &reading.scheme {
            let options = reading.options.iter().map(|(name, value)| (&**name, &**value));
            OwnedScheme::named(scheme, options).map_err(|error| ConfigError::of(error.to_string()))?;
        }
    }
    Ok(readings)
}

/// What a configuration says of the placement of keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// The kind's name.
    pub kind: &'static str,
    /// The name of the pool, cache or upstream in its file, where a file has several.
    pub pool: Option<String>,
    /// The scheme, or `None` if memring has none that places keys so; a warning says why.
    pub scheme: Option<String>,
    /// The scheme's options, in order.
    pub options: Vec<(String, String)>,
    /// What the client puts before each key and places it with, beyond the scheme's options.
    pub prepend: String,
    /// What the client puts behind each key and places it with.
    pub append: String,
    /// The servers, in order.
    pub servers: Vec<ReadServer>,
    /// What to mind.
    pub warnings: Vec<Warning>,
}

/// A server of a configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadServer {
    /// The name that the client places keys by.
    pub name: String,
    /// The weight that the configuration gives it, also where the scheme ignores weights.
    pub weight: Weight,
    /// How the client reaches it.
    pub address: Address,
}

/// Something that a configuration does and its writer may not expect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The trap's name, such as `weights-ignored`.
    pub trap: &'static str,
    /// What happens, and what to do.
    pub says: String,
}

impl Reading {
    /// A reading of the scheme `scheme`, with no servers yet.
    fn of(scheme: &str) -> Self {
        Self { scheme: Some(scheme.to_owned()), ..Self::default() }
    }

    /// Sets an option of the scheme.
    fn option(&mut self, name: &str, value: impl Into<String>) {
        self.options.push((name.to_owned(), value.into()));
    }

    /// Warns of `trap`.
    fn warn(&mut self, trap: &'static str, says: impl Into<String>) {
        self.warnings.push(Warning { trap, says: says.into() });
    }
}

impl ReadServer {
    fn new(name: impl Into<String>, address: Address) -> Self {
        Self { name: name.into(), weight: Weight::default(), address }
    }

    fn weighing(self, weight: impl Into<Weight>) -> Self {
        Self { weight: weight.into(), ..self }
    }
}

/// Why a configuration cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    line: Option<usize>,
    says: String,
}

impl ConfigError {
    fn of(says: impl Into<String>) -> Self {
        Self { line: None, says: says.into() }
    }

    fn at(line: usize, says: impl Into<String>) -> Self {
        Self { line: Some(line), says: says.into() }
    }

    /// The same error in a text that begins behind `lines` others.
    fn behind(self, lines: usize) -> Self {
        Self { line: self.line.map(|line| line + lines), ..self }
    }

    /// The line that is wrong, counted from 1, where it is a line.
    #[must_use]
    pub const fn line(&self) -> Option<usize> {
        self.line
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.says),
            None => f.write_str(&self.says),
        }
    }
}

impl core::error::Error for ConfigError {}
