//! How a command logs in and encrypts: passwords come from files, never from the command line, which others can read.

use memring_std::Builder;
#[cfg(feature = "tls")]
use memring_std::Tls;

use crate::{
    failure::Failure,
    input::{Input, Longest},
};

/// How to be let in.
#[derive(Debug, clap::Args)]
pub(crate) struct SecureArgs {
    /// A file whose first line is `USER:PASSWORD`, for servers that want a password.
    #[arg(long, value_name = "FILE")]
    auth_file: Option<String>,

    /// Encrypt the connections, and trust whom the system trusts.
    #[cfg(feature = "tls")]
    #[arg(long)]
    tls: bool,

    /// Encrypt the connections, and trust only whom the certificates in this file (PEM) name.
    #[cfg(feature = "tls")]
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<String>,

    /// Encrypt the connections, and show servers that ask for it the client's certificate in this file (PEM).
    #[cfg(feature = "tls")]
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<String>,

    /// The key of the client's certificate (PEM, without a password).
    #[cfg(feature = "tls")]
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<String>,

    /// Encrypt the connections, and accept only certificates of this name, whatever the addresses of the servers are.
    #[cfg(feature = "tls")]
    #[arg(long, value_name = "NAME")]
    tls_name: Option<String>,
}

impl SecureArgs {
    /// Reads the files, and tells `builder` what is in them.
    pub(crate) fn secured(&self, mut builder: Builder) -> Result<Builder, Failure> {
        if let Some(path) = &self.auth_file {
            let file = auth_file(path)?;
            let (user, password) = users(&file)?.swap_remove(0);
            builder = builder.auth(user, password);
        }
        #[cfg(feature = "tls")]
        if let Some(tls) = self.tls()? {
            builder = builder.tls(tls);
        }
        Ok(builder)
    }

    /// Whom to trust, and what to show; `None` for connections that are not encrypted.
    #[cfg(feature = "tls")]
    fn tls(&self) -> Result<Option<Tls>, Failure> {
        let read =
            |what, path: &String| Ok::<_, Failure>(Input::read(what, path, Longest::ANY)?.into_bytes());
        if !self.tls && self.tls_ca.is_none() && self.tls_cert.is_none() && self.tls_name.is_none() {
            return Ok(None);
        }
        let mut tls = match &self.tls_ca {
            Some(path) => Tls::with_roots(read("--tls-ca", path)?)?,
            None => Tls::system()?,
        };
        if let (Some(chain), Some(key)) = (&self.tls_cert, &self.tls_key) {
            tls = tls.client_certificate(read("--tls-cert", chain)?, read("--tls-key", key)?)?;
        }
        if let Some(name) = &self.tls_name {
            tls = tls.server_name(name)?;
        }
        Ok(Some(tls))
    }
}

/// A file of users, as memcached's option `-Y` has it.
pub(crate) fn auth_file(path: &str) -> Result<Input, Failure> {
    if path == "-" {
        return Err(Failure::usage("passwords are read from files, not from standard input"));
    }
    Input::read("--auth-file", path, Longest::ANY)
}

/// A name and its password.
type User<'a> = (&'a [u8], &'a [u8]);

/// The users of a file, at least one.
pub(crate) fn users(file: &Input) -> Result<Vec<User<'_>>, Failure> {
    let mut users = Vec::new();
    for (number, line) in file.lines().filter(|(_, line)| !line.is_empty()) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let colon = line.iter().position(|byte| *byte == b':');
        let Some((user, [_, password @ ..])) = colon.and_then(|at| line.split_at_checked(at)) else {
            return Err(file.at(number, "not USER:PASSWORD"));
        };
        users.push((user, password));
    }
    if users.is_empty() { Err(file.at(1, "not USER:PASSWORD")) } else { Ok(users) }
}
