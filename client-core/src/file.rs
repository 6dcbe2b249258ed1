//! Configurations from files: `memring.toml`, for a client's `Config::from_file` and for every command of `memring`.
//!
//! The keys are the fields of [`Config`]. Times have a unit, `"250ms"`; a key that is not known is an error, as is all else
//! that is not understood. Passwords are never in the file: it says where they are.
//!
//! ```
//! use memring_client::Config;
//!
//! let config = Config::from_toml(r#"
//!     servers = ["10.0.0.1:11211 600", "10.0.0.2:11211 300"]
//!     scheme = "libmemcached-ketama-weighted"
//!     options = { hash = "md5" }
//!     timeout = "250ms"
//! "#)?;
//! assert_eq!(config.servers.len(), 2);
//! # Ok::<(), memring_client::file::FileError>(())
//! ```
//!
//! A file with every key, its default and what it is for ([`TEMPLATE`]):
//!
//! ```toml
#![doc = include_str!("../doc/memring.toml")]
//! ```

use core::fmt;
use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use toml::de::DeTable;

use crate::{
    Config,
    discovery::Discovery,
    failure::{Cause, Error},
    spec::ServerSpec,
};

mod discovery;
mod error;
mod fields;
mod near;
mod reference;
mod section;
mod servers;
mod time;
mod value;

pub use error::{FileError, FileProblem};
pub use near::near;
use reference::{Login, Trust};
pub use time::{TimeError, duration};

/// A file with every key, its default and what it is for, as comments: a beginning for one's own.
pub const TEMPLATE: &str = include_str!("../doc/memring.toml");

/// What a configuration file says. Passwords and certificates, to which it only refers, are not read yet.
///
/// A program wants [`Config::from_file`]. This is for tools that have other sources beside the file, or that place keys and
/// talk to no server, and so need no password.
///
/// ```
/// use memring_client::file::ConfigFile;
///
/// let file = ConfigFile::from_toml("servers = \"a:11211, b:11211\"\nauth = { env = \"CACHE_LOGIN\" }")?;
/// assert_eq!(file.servers()[1].name(), "b:11211");
/// assert!(file.scheme().is_none());
/// # Ok::<(), memring_client::file::FileError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ConfigFile {
    /// Without the secrets.
    config: Config,
    scheme: Option<NamedScheme>,
    has_timeout: bool,
    auth: Option<Login>,
    tls: Option<Trust>,
    /// The logins of single servers: of those listed, then of the gutter.
    logins: [Vec<(usize, Login)>; 2],
    /// Where the files are that it names.
    folder: PathBuf,
    path: Option<PathBuf>,
}

/// A scheme as it is written.
#[derive(Clone)]
struct NamedScheme {
    name: String,
    options: Vec<(String, String)>,
}

/// Without the options' values: one may be a password.
impl fmt::Debug for NamedScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options: Vec<_> = self.options.iter().map(|(name, _)| name).collect();
        f.debug_struct("NamedScheme").field("name", &self.name).field("options", &options).finish()
    }
}

impl ConfigFile {
    /// Reads the file `path`. Files that it names are sought beside it.
    ///
    /// # Errors
    /// [`FileError`]: it cannot be read, or says what is not understood, with line and key.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        let wrong = |problem: FileProblem| FileError::of(problem).in_file(path);
        let bytes = read(path).map_err(|error| wrong(FileProblem::Read(error.into())))?;
        let text = str::from_utf8(&bytes).map_err(|error| {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            wrong(FileProblem::NotUtf8).at_line(line)
        })?;
        let file = Self::from_toml(text).map_err(|error| error.in_file(path))?;
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        let mut file = Self { folder, path: Some(path.to_owned()), ..file };
        if let Some(discovery) = &mut file.config.discovery {
            discovery.source.seek_beside(&file.folder);
        }
        Ok(file)
    }

    /// Reads a text. Files that it names are sought in the working directory.
    ///
    /// # Errors
    /// As of [`read`](Self::read).
    pub fn from_toml(text: &str) -> Result<Self, FileError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let table = DeTable::parse(text).map_err(|error| FileError::syntax(&error, text))?;
        fields::read(text, table.get_ref())
    }

    /// The servers.
    #[must_use]
    pub fn servers(&self) -> &[ServerSpec] {
        &self.config.servers
    }

    /// Whether it has servers, or says how they are found out.
    #[must_use]
    pub const fn names_servers(&self) -> bool {
        !self.config.servers.is_empty() || self.config.discovery.is_some()
    }

    /// How the servers are found out, if they are.
    #[must_use]
    pub const fn discovery(&self) -> Option<&Discovery> {
        self.config.discovery.as_ref()
    }

    /// The name of the scheme as it is written, if the file names one.
    #[must_use]
    pub fn scheme(&self) -> Option<&str> {
        self.scheme.as_ref().map(|scheme| &*scheme.name)
    }

    /// Names and values of the scheme's options, in the order of the file.
    pub fn options(&self) -> impl Iterator<Item = (&str, &str)> {
        self.scheme.iter().flat_map(|scheme| &scheme.options).map(|(name, value)| (&**name, &**value))
    }

    /// Whether the file says how long an operation may take.
    #[must_use]
    pub const fn has_timeout(&self) -> bool {
        self.has_timeout
    }

    /// All that the file says by itself: what needs a password or a certificate of another file is not in it.
    #[must_use]
    pub const fn without_secrets(&self) -> &Config {
        &self.config
    }

    /// The configuration, with the passwords and certificates to which the file refers.
    ///
    /// # Errors
    /// [`FileError`]: one of them is not there, or is not what it should be.
    pub fn into_config(self) -> Result<Config, FileError> {
        let Self { mut config, auth, tls, logins, folder, path, .. } = self;
        let found = || {
            if let Some(login) = auth {
                config.auth = Some(login.credentials(&folder)?);
            }
            for (specs, logins) in [&mut config.servers, &mut config.gutter].into_iter().zip(logins) {
                for (index, login) in logins {
                    if let Some(spec) = specs.get_mut(index) {
                        *spec = spec.clone().with_credentials(login.credentials(&folder)?);
                    }
                }
            }
            if let Some(trust) = tls {
                trust.apply(&mut config, &folder)?;
            }
            Ok(config)
        };
        found().map_err(|error: FileError| match &path {
            Some(path) => error.in_file(path),
            None => error,
        })
    }
}

/// What is in a file, up to a size that no configuration has.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE_LEN + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > MAX_FILE_LEN {
        true => Err(io::ErrorKind::FileTooLarge.into()),
        false => Ok(bytes),
    }
}

/// Longest file that is read, in bytes: 65,535 servers with long names take a third of it.
const MAX_FILE_LEN: u64 = 16 << 20;

/// Reads a configuration from a file (feature `file`).
impl Config {
    /// The configuration in the file `path`, of the format that [`file`](crate::file) describes. Passwords and certificates
    /// are read from where it says; files are sought beside it.
    ///
    /// ```no_run
    /// # struct Client;
    /// # impl Client { fn with_config(_: memring_client::Config) -> Result<Self, memring_client::failure::Error> { Ok(Self) } }
    /// use memring_client::Config;
    ///
    /// let client = Client::with_config(Config::from_file("memring.toml")?)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`FileError`]: which file, which line, which key, what is wrong with it and what to write instead.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, FileError> {
        ConfigFile::read(path)?.into_config()
    }

    /// The configuration that `text` says. Files that it names are sought in the working directory.
    ///
    /// # Errors
    /// As of [`from_file`](Self::from_file).
    pub fn from_toml(text: &str) -> Result<Self, FileError> {
        ConfigFile::from_toml(text)?.into_config()
    }
}

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        Self::new("config", Cause::config(error))
    }
}

#[cfg(test)]
mod tests;
