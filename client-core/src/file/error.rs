//! Errors of configuration files: which file, which line, which key, what is wrong, and what to write instead.

use core::{error, fmt};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use memring_core::peers::SchemeError;
use memring_text::request::CredentialsError;

use super::time::TimeError;
use crate::{discovery::SourceError, failure, spec::ServerSpecError};

/// Why a file is no configuration.
#[derive(Clone, Debug)]
pub struct FileError(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    path: Option<PathBuf>,
    line: Option<usize>,
    key: Option<String>,
    problem: FileProblem,
}

/// What is wrong with a configuration file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum FileProblem {
    /// The file, or one that it names, cannot be read.
    Read(Arc<io::Error>),
    /// A file that the configuration names cannot be read.
    ReadOther(PathBuf, Arc<io::Error>),
    /// The file is not text.
    NotUtf8,
    /// It is not TOML: what the parser says.
    Syntax(String),
    /// There is no such key. Those that are near to it, or all that there are.
    UnknownKey(String),
    /// The value is of another type.
    Type {
        /// What the value should be.
        wanted: &'static str,
        /// What it is.
        is: &'static str,
    },
    /// A length of time is none.
    Time(TimeError),
    /// A number, size or word is not one of those that there are: what to write instead.
    Value(&'static str),
    /// A server is invalid.
    Server(ServerSpecError),
    /// The scheme or one of its options is invalid.
    Scheme(SchemeError),
    /// Options stand there without a scheme.
    OptionsAlone,
    /// A source of servers in the place of their list.
    Source,
    /// The source of servers is none.
    Discovery(SourceError),
    /// A password stands in the file.
    Password,
    /// The login is not said in one of the ways that there are.
    Login,
    /// The environment has no such variable.
    NoVariable(String),
    /// What the reference leads to is no `USER:PASSWORD`.
    NotLogin,
    /// The user or the password is invalid.
    Credentials(CredentialsError),
    /// The certificates are not what they should be.
    Tls(failure::Error),
    /// Encryption is not built in.
    NoTls,
}

impl FileError {
    pub(super) fn of(problem: FileProblem) -> Self {
        Self(Box::new(Inner { path: None, line: None, key: None, problem }))
    }

    /// What the parser says of `text`.
    pub(super) fn syntax(error: &toml::de::Error, text: &str) -> Self {
        let this = Self::of(FileProblem::Syntax(error.message().trim_end().replace('\n', "; ")));
        match error.span() {
            Some(span) => this.at_line(line_of(text, span.start)),
            None => this,
        }
    }

    #[must_use]
    pub(super) fn at_line(mut self, line: usize) -> Self {
        self.0.line = Some(line);
        self
    }

    #[must_use]
    pub(super) fn at_key(mut self, key: &str) -> Self {
        self.0.key = Some(key.to_owned());
        self
    }

    #[must_use]
    pub(super) fn in_file(mut self, path: &Path) -> Self {
        self.0.path = Some(path.to_owned());
        self
    }

    /// The file, unless a text was read.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// The line, from 1, where it is one.
    #[must_use]
    pub const fn line(&self) -> Option<usize> {
        self.0.line
    }

    /// The key with those of the tables that it stands in, such as `health_policy.window`, where it is one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.0.key.as_deref()
    }

    /// What is wrong.
    #[must_use]
    pub const fn problem(&self) -> &FileProblem {
        &self.0.problem
    }
}

/// The number of the line, from 1, in which the byte at `at` stands.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    1 + text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count()
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { path, line, key, problem } = &*self.0;
        match (path, line) {
            (Some(path), Some(line)) => write!(f, "{} line {line}: ", path.display())?,
            (Some(path), None) => write!(f, "{}: ", path.display())?,
            (None, Some(line)) => write!(f, "line {line}: ")?,
            (None, None) => {}
        }
        if let Some(key) = key {
            write!(f, "{key}: ")?;
        }
        problem.fmt(f)
    }
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => failure::System(error).fmt(f),
            Self::ReadOther(path, error) => write!(f, "{}: {}", path.display(), failure::System(error)),
            Self::NotUtf8 => f.write_str("not UTF-8"),
            Self::Syntax(says) => write!(f, "not TOML: {says}"),
            Self::UnknownKey(known) => write!(f, "unknown key; {known}"),
            Self::Type { wanted, is } => write!(f, "{is}; write {wanted}"),
            Self::Time(error) => error.fmt(f),
            Self::Value(advice) => f.write_str(advice),
            Self::Server(error) => error.fmt(f),
            Self::Discovery(error) => error.fmt(f),
            // The key has the option's name.
            Self::Scheme(SchemeError::Option { error, .. }) => error.fmt(f),
            Self::Scheme(error) => error.fmt(f),
            Self::OptionsAlone => f.write_str("options of no scheme; name it with scheme = \"NAME\""),
            Self::Source => {
                f.write_str("a table in place of a list; a source of servers is discovery = { source = \"SOURCE\" }")
            }
            Self::Password => f.write_str(
                "a password in the file; say where it is, with auth = { file = \"FILE\" } or auth = { env = \"NAME\" }",
            ),
            Self::Login => f.write_str(
                "no login; write { file = \"FILE\" } or { env = \"NAME\" } for USER:PASSWORD, or { user = \"USER\", \
                 password_file = \"FILE\" } or { user = \"USER\", password_env = \"NAME\" }",
            ),
            Self::NoVariable(name) => write!(f, "no variable {name:?} in the environment"),
            Self::NotLogin => f.write_str("what is there is not USER:PASSWORD"),
            Self::Credentials(error) => error.fmt(f),
            Self::Tls(error) => error.fmt(f),
            Self::NoTls => f.write_str("TLS is not built in; build with the feature `tls`"),
        }
    }
}

/// What the message shows already is not a source as well.
impl error::Error for FileError {}
