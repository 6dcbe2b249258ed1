//! What a file only refers to, so that it may be shown and kept with a program: passwords and certificates.

use std::{
    env,
    path::{Path, PathBuf},
};

use super::{
    error::{FileError, FileProblem},
    value::Value,
};
use crate::{Config, OwnedCredentials};

/// What a file refers to, and where it does.
#[derive(Clone, Debug)]
struct At<T> {
    line: usize,
    key: String,
    what: T,
}

impl<T> At<T> {
    fn of(value: &Value<'_>, what: T) -> Self {
        Self { line: value.line(), key: value.key().to_owned(), what }
    }

    fn wrong(&self, problem: FileProblem) -> FileError {
        FileError::of(problem).at_line(self.line).at_key(&self.key)
    }
}

impl At<PathBuf> {
    /// A value that is the path of a file.
    fn path(value: &Value<'_>) -> Result<Self, FileError> {
        Ok(Self::of(value, value.text()?.into()))
    }

    /// What is in the file, which is sought in `folder`.
    fn read(&self, folder: &Path) -> Result<Vec<u8>, FileError> {
        let path = folder.join(&self.what);
        super::read(&path).map_err(|error| self.wrong(FileProblem::ReadOther(path, error.into())))
    }
}

/// Where a user and a password are.
#[derive(Clone, Debug)]
pub(super) struct Login {
    /// The user, where the secret is the password alone.
    user: Option<String>,
    secret: Secret,
}

/// Where a secret is.
#[derive(Clone, Debug)]
enum Secret {
    File(At<PathBuf>),
    Variable(At<String>),
}

impl Login {
    pub(super) fn read(value: &Value<'_>) -> Result<Self, FileError> {
        let mut table = value.section("{ file = \"FILE\" } or { env = \"NAME\" }")?;
        if let Some(password) = table.take("password").or_else(|| table.take("pass")) {
            return Err(password.wrong(FileProblem::Password));
        }
        let mut table = value.section("a table")?;
        let (file, variable, user) = (table.take("file"), table.take("env"), table.take("user"));
        let (password_file, password_variable) = (table.take("password_file"), table.take("password_env"));
        table.end()?;
        let path = |value: &Value<'_>| Ok::<_, FileError>(Secret::File(At::path(value)?));
        let name =
            |value: &Value<'_>| Ok::<_, FileError>(Secret::Variable(At::of(value, value.text()?.to_owned())));
        let (user, secret) = match (user, file, variable, password_file, password_variable) {
            (None, Some(file), None, None, None) => (None, path(&file)?),
            (None, None, Some(variable), None, None) => (None, name(&variable)?),
            (Some(user), None, None, Some(file), None) => (Some(user.text()?.to_owned()), path(&file)?),
            (Some(user), None, None, None, Some(variable)) => {
                (Some(user.text()?.to_owned()), name(&variable)?)
            }
            _ => return Err(value.wrong(FileProblem::Login)),
        };
        Ok(Self { user, secret })
    }

    /// The user and the password. Of a file with `USER:PASSWORD` lines, as memcached's `-Y` has it, these are the first.
    pub(super) fn credentials(&self, folder: &Path) -> Result<OwnedCredentials, FileError> {
        let (bytes, wrong): (_, &dyn Fn(FileProblem) -> FileError) = match &self.secret {
            Secret::File(file) => (file.read(folder)?, &|problem| file.wrong(problem)),
            Secret::Variable(variable) => {
                let value = env::var_os(&variable.what)
                    .ok_or_else(|| variable.wrong(FileProblem::NoVariable(variable.what.clone())))?;
                (value.into_encoded_bytes(), &|problem| variable.wrong(problem))
            }
        };
        let line = bytes.split(|byte| *byte == b'\n').find(|line| !line.is_empty()).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (user, password) = match &self.user {
            Some(user) => (user.as_bytes(), line),
            None => {
                let colon = line.iter().position(|byte| *byte == b':');
                let Some((user, [_, password @ ..])) = colon.and_then(|at| line.split_at_checked(at)) else {
                    return Err(wrong(FileProblem::NotLogin));
                };
                (user, password)
            }
        };
        OwnedCredentials::new(user, password).map_err(|error| wrong(FileProblem::Credentials(error)))
    }
}

/// Where the certificates are that connections trust and show.
#[derive(Clone, Debug)]
pub(super) struct Trust {
    at: At<()>,
    ca: Option<At<PathBuf>>,
    client: Option<[At<PathBuf>; 2]>,
    server_name: Option<At<String>>,
}

impl Trust {
    /// `true`, `false`, or a table; `None` for no encryption.
    pub(super) fn read(value: &Value<'_>) -> Result<Option<Self>, FileError> {
        let mut this = Self { at: At::of(value, ()), ca: None, client: None, server_name: None };
        if let Ok(yes) = value.boolean() {
            return Ok(yes.then_some(this));
        }
        let mut table = value.section("true, or { ca = \"FILE\" }")?;
        let (ca, cert, key) = (table.take("ca"), table.take("cert"), table.take("key"));
        let server_name = table.take("server_name");
        table.end()?;
        this.ca = ca.as_ref().map(At::path).transpose()?;
        this.client = match (cert, key) {
            (Some(cert), Some(key)) => Some([At::path(&cert)?, At::path(&key)?]),
            (None, None) => None,
            _ => return Err(value.wrong(FileProblem::Value("one of cert and key alone; write both"))),
        };
        if let Some(name) = server_name {
            this.server_name = Some(At::of(&name, name.text()?.to_owned()));
        }
        Ok(Some(this))
    }

    /// Sets the encryption of `config`.
    #[cfg(not(feature = "tls"))]
    pub(super) fn apply(&self, _: &mut Config, _: &Path) -> Result<(), FileError> {
        Err(self.at.wrong(FileProblem::NoTls))
    }

    /// Sets the encryption of `config`. Files are sought in `folder`.
    #[cfg(feature = "tls")]
    pub(super) fn apply(&self, config: &mut Config, folder: &Path) -> Result<(), FileError> {
        use crate::Tls;

        let wrong = |error| self.at.wrong(FileProblem::Tls(error));
        let mut tls = match &self.ca {
            Some(ca) => {
                Tls::with_roots(ca.read(folder)?).map_err(|error| ca.wrong(FileProblem::Tls(error)))?
            }
            None => Tls::system().map_err(wrong)?,
        };
        if let Some([cert, key]) = &self.client {
            tls = tls.client_certificate(cert.read(folder)?, key.read(folder)?).map_err(wrong)?;
        }
        if let Some(name) = &self.server_name {
            tls = tls.server_name(&name.what).map_err(|error| name.wrong(FileProblem::Tls(error)))?;
        }
        config.tls = Some(tls);
        Ok(())
    }
}
