//! Sources: those who know the servers.

use core::{error::Error, fmt, str::FromStr, time::Duration};
use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    failure::System,
    roster::{Answer, Servers, Why},
    spec::ServerList,
};

/// Somebody who knows the servers of a client.
///
/// As a text, a source is its kind, a `+`, and where it is: `file+/etc/memcached/servers`.
#[derive(Clone)]
#[non_exhaustive]
pub enum Source {
    /// A function of the caller's: see [`Source::function`].
    Function(Function),
    /// A file: see [`Source::file`].
    File(PathBuf),
}

/// A function that knows the servers: see [`Source::function`].
#[derive(Clone)]
pub struct Function(Arc<Ask>);

type Ask = dyn Fn() -> Result<Answer, Why> + Send + Sync;

impl Source {
    /// A function that returns the servers: as [`ServerSpec`](crate::spec::ServerSpec)s, when names and order are known, else
    /// as [`Member`](crate::roster::Member)s or [`Address`](crate::spec::Address)es, in any order.
    ///
    /// It is called each ten seconds, if [`Pace::interval`](crate::roster::Pace::interval) says nothing else, where it may
    /// block: the blocking client calls it in a thread, the tokio client among the runtime's blocking tasks, from where
    /// `tokio::runtime::Handle::current().block_on(…)` asks what is asynchronous. It is not called again before it has
    /// returned. An error keeps the servers as they are.
    pub fn function<A: Into<Answer>, E: Into<Box<dyn Error + Send + Sync>>>(
        ask: impl Fn() -> Result<A, E> + Send + Sync + 'static,
    ) -> Self {
        let ask = move || match ask() {
            Ok(answer) => Ok(answer.into()),
            Err(error) => Err(Why::Source(error.into().to_string())),
        };
        Self::Function(Function(Arc::new(ask)))
    }

    /// The list of servers in a file, as the module [`spec`](crate::spec) reads it: servers with lines, commas or blanks
    /// between them, names, weights and remarks.
    ///
    /// The file is read each second. (Its time of change is not relied upon: two writes within its resolution, and the
    /// links by which configurations are swapped, would be missed.) A change is taken when it has been read twice, so half
    /// of a file is none.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::File(path.into())
    }

    /// How often the source is asked, if neither its answer nor the caller says so.
    #[must_use]
    pub const fn interval(&self) -> Duration {
        match self {
            Self::Function(_) => Duration::from_secs(10),
            Self::File(_) => Duration::from_secs(1),
        }
    }

    /// Asks the source, which may take any time.
    ///
    /// # Errors
    /// [`Why::Source`]: it cannot be asked, or what it says is no list of servers.
    pub fn ask(&self) -> Result<Answer, Why> {
        match self {
            Self::Function(Function(ask)) => ask(),
            Self::File(path) => read(path).map_err(|says| Why::Source(format!("{}: {says}", path.display()))),
        }
    }
}

/// The servers in a file.
fn read(path: &Path) -> Result<Answer, String> {
    let failed = |error: io::Error| System(&error).to_string();
    let mut text = String::new();
    let len = File::open(path).and_then(|file| file.take(MAX_LEN + 1).read_to_string(&mut text));
    if len.map_err(failed)? as u64 > MAX_LEN {
        return Err(format!("longer than {MAX_LEN} bytes"));
    }
    if text.trim().is_empty() {
        return Ok(Servers::List(Vec::new()).into());
    }
    let list: ServerList = text.parse().map_err(|error: crate::spec::ServerSpecError| error.to_string())?;
    Ok(Servers::List(list.into_iter().collect()).into())
}

/// Longest file that is read, in bytes: 65,535 servers with long names.
const MAX_LEN: u64 = 8 << 20;

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function(_) => f.write_str("function"),
            Self::File(path) => write!(f, "file+{}", path.display()),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({self})")
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Function")
    }
}

/// Reads `file+PATH`.
impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        match text.split_once('+') {
            Some(("file", "")) => Err(SourceError::NoPath),
            Some(("file", path)) => Ok(Self::file(path)),
            _ => Err(SourceError::Unknown(text.to_owned())),
        }
    }
}

/// A text is no source.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceError {
    /// It begins as none does.
    Unknown(String),
    /// It has no path.
    NoPath,
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(text) => write!(f, "unknown source {text:?}; write \"file+PATH\""),
            Self::NoPath => f.write_str("source without a path; write \"file+PATH\""),
        }
    }
}

impl Error for SourceError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        roster::Member,
        spec::{Address, ServerSpec},
    };

    #[test]
    fn a_function_says_slots_members_or_addresses() {
        let address = Address::tcp("10.0.0.7", 11211);
        let (first, second, third) =
            (ServerSpec::new("a", address.clone()), Member::at(address.clone()), address);
        let slots = Source::function(move || Ok::<_, String>(vec![first.clone()]));
        assert!(matches!(slots.ask().unwrap().servers, Servers::List(list) if list[0].name() == "a"));
        let members = Source::function(move || Ok::<_, String>(vec![second.clone()]));
        let addresses = Source::function(move || Ok::<_, String>(vec![third.clone()]));
        assert_eq!(members.ask(), addresses.ask());
        let failed = Source::function(|| Err::<Vec<Address>, _>("nobody knows"));
        assert_eq!(failed.ask(), Err(Why::Source("nobody knows".into())));
    }

    #[test]
    fn a_source_is_read_as_it_is_shown() {
        let source: Source = "file+/etc/memcached/servers".parse().unwrap();
        assert_eq!(source.to_string(), "file+/etc/memcached/servers");
        for wrong in ["", "file+", "/etc/memcached", "ftp+host"] {
            let error = wrong.parse::<Source>().unwrap_err().to_string();
            assert!(error.contains("write \"file+PATH\""), "{error}");
        }
    }

    #[test]
    fn what_a_file_lacks_is_said_with_its_name() {
        let said = Source::file("/nowhere/servers").ask().unwrap_err().to_string();
        assert_eq!(said, "/nowhere/servers: no such file");
    }
}
