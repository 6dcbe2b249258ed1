//! What a configuration file and the environment say, for what the command line leaves open.
//!
//! A command that names its servers depends on nothing but its own line. One that names none looks for them in the file of
//! `MEMRING_CONFIG`, in `./memring.toml`, and in `MEMCACHED_SERVERS`, in this order. `--config FILE` is read in either case:
//! what stands beside it on the line counts before what stands in it.

use std::{borrow::Cow, env, ffi::OsString, path::Path};

use memring_client::{
    Config,
    file::{ConfigFile, FileError, FileProblem},
};

use crate::{
    failure::{self, Failure},
    input::{Input, Longest},
};

/// Where settings come from.
#[derive(Debug, clap::Args)]
pub(crate) struct SettingsArgs {
    /// A configuration file, as `memring init` writes it; `-` is standard input. An option of the command
    /// line takes the place of what it says. Without this option and without servers, a command reads the file that
    /// MEMRING_CONFIG names, or ./memring.toml, or else the servers of MEMCACHED_SERVERS.
    #[arg(long, value_name = "FILE")]
    config: Option<String>,
}

impl SettingsArgs {
    /// Whether the file is standard input.
    pub(crate) fn is_stdin(&self) -> bool {
        self.config.as_deref() == Some("-")
    }

    /// What is said beside the command line, which names servers or does not.
    pub(crate) fn read(&self, names_servers: bool) -> Result<Settings, Failure> {
        if let Some(path) = &self.config {
            return Ok(Settings { file: Some(file(path)?), ..Settings::default() });
        }
        if names_servers {
            return Ok(Settings { unread: Path::new(HERE).exists().then_some(HERE), ..Settings::default() });
        }
        let file = match variable(FILE_VARIABLE) {
            Some(path) => Some(read(&path).map_err(|failure| failure.about(FILE_VARIABLE))?),
            None if Path::new(HERE).exists() => read_here()?,
            None => None,
        };
        let has_servers = file.as_ref().is_some_and(|file| file.said.names_servers());
        let listed = if has_servers { None } else { variable(SERVERS_VARIABLE) };
        let listed = listed.map(|text| text.into_string()).transpose();
        let listed = listed.map_err(|_| Failure::usage(format_args!("{SERVERS_VARIABLE}: not UTF-8")))?;
        Ok(Settings { file, listed, unread: None })
    }
}

/// The file that is read where no other is named.
pub(crate) const HERE: &str = "memring.toml";

/// Reads the file of the working directory, unless it is another user's: whoever works in a folder of others would send keys and
/// passwords where they say.
fn read_here() -> Result<Option<File>, Failure> {
    #[cfg(unix)]
    if is_of_another_user(Path::new(HERE), rustix::process::geteuid().as_raw()) {
        failure::say(format_args!(
            "./{HERE} belongs to another user and is not read; --config {HERE} reads it"
        ));
        return Ok(None);
    }
    read(HERE.as_ref()).map(Some)
}

/// Whether a file belongs to another user than `own` and the system's.
#[cfg(unix)]
fn is_of_another_user(path: &Path, own: u32) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    path.metadata().is_ok_and(|there| there.uid() != own && there.uid() != 0)
}

/// The variable that names the file.
const FILE_VARIABLE: &str = "MEMRING_CONFIG";

/// The variable that has servers.
pub(crate) const SERVERS_VARIABLE: &str = "MEMCACHED_SERVERS";

/// A variable of the environment, unless it is empty.
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// What is said beside the command line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) file: Option<File>,
    /// The servers of the environment.
    pub(crate) listed: Option<String>,
    /// A file that is there and was not read, because the command line names servers.
    pub(crate) unread: Option<&'static str>,
}

/// A configuration file, and what it is called.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) said: ConfigFile,
}

fn file(path: &str) -> Result<File, Failure> {
    if path != "-" {
        return read(path.as_ref()).map_err(|failure| match failure {
            Failure::Failed(_) => failure.about("--config"),
            failure => failure,
        });
    }
    let input = Input::read("--config", path, Longest::ANY)?;
    let said = ConfigFile::from_toml(input.text()?).map_err(|error| match error.line() {
        Some(_) => Failure::usage(format_args!("{} {error}", input.name())),
        None => Failure::usage(format_args!("{}: {error}", input.name())),
    })?;
    Ok(File { name: input.name().to_owned(), said })
}

fn read(path: &std::ffi::OsStr) -> Result<File, Failure> {
    Ok(File { name: path.to_string_lossy().into_owned(), said: ConfigFile::read(path)? })
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        match error.problem() {
            FileProblem::Read(_) | FileProblem::ReadOther(..) => Self::failed(error),
            _ => Self::usage(error),
        }
    }
}

impl Settings {
    /// What a client is to be told, with passwords and certificates.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        Ok(match &self.file {
            Some(file) => file.said.clone().into_config()?,
            None => Config::default(),
        })
    }

    /// The key by which a client places `key`.
    pub(crate) fn placed<'k>(&self, key: &'k [u8]) -> Cow<'k, [u8]> {
        match self.file.as_ref().map(|file| file.said.without_secrets()) {
            Some(config) if config.place_by_namespace => [&config.namespace, key].concat().into(),
            _ => key.into(),
        }
    }

    /// What to say where something is missing that a file may have which was not read.
    pub(crate) fn advice(&self) -> String {
        match self.unread {
            Some(file) => format!("; {file} is not read where servers are named, unless by --config {file}"),
            None => String::new(),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn a_file_is_one_s_own_or_the_system_s() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let own = file.path().metadata().unwrap().uid();
        assert!(!is_of_another_user(file.path(), own));
        // What the system's user owns is nobody else's.
        assert_eq!(is_of_another_user(file.path(), own + 1), own != 0);
        assert!(!is_of_another_user(Path::new("/"), 12345) && !is_of_another_user(Path::new("/no/such"), 1));
    }
}
