//! Who asks, and over what: passwords come from files, never from the command line, which others can read.

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
}

/// What the arguments come to.
pub(crate) struct Secure {
    /// A name and its password.
    pub(crate) auth: Option<(Vec<u8>, Vec<u8>)>,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<Trust>,
}

/// Whom to trust.
#[cfg(feature = "tls")]
pub(crate) enum Trust {
    System,
    /// Those of this PEM.
    Only(Vec<u8>),
}

impl SecureArgs {
    /// Reads the files.
    pub(crate) fn read(&self) -> Result<Secure, Failure> {
        let user = |path: &String| {
            let file = auth_file(path)?;
            let (user, password) = users(&file)?.swap_remove(0);
            Ok::<_, Failure>((user.to_vec(), password.to_vec()))
        };
        Ok(Secure {
            auth: self.auth_file.as_ref().map(user).transpose()?,
            #[cfg(feature = "tls")]
            tls: match &self.tls_ca {
                Some(path) => Some(Trust::Only(Input::read(path, Longest::ANY)?.into_bytes())),
                None => self.tls.then_some(Trust::System),
            },
        })
    }
}

/// The same builder, of a client of `$client` that does what the arguments say.
macro_rules! secured {
    ($client:ident, $builder:expr, $args:expr) => {{
        let (mut builder, secure) = ($builder, $args.read()?);
        if let Some((user, password)) = secure.auth {
            builder = builder.auth(user, password);
        }
        #[cfg(feature = "tls")]
        match secure.tls {
            Some($crate::verbs::secure::Trust::System) => builder = builder.tls($client::Tls::system()?),
            Some($crate::verbs::secure::Trust::Only(pem)) => {
                builder = builder.tls($client::Tls::with_roots(pem)?);
            }
            None => {}
        }
        builder
    }};
}

pub(crate) use secured;

/// A file of users, as memcached's option `-Y` has it.
pub(crate) fn auth_file(path: &str) -> Result<Input, Failure> {
    if path == "-" {
        return Err(Failure::usage("passwords are read from files, not from standard input"));
    }
    Input::read(path, Longest::ANY)
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
