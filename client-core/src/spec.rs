//! Servers as configurations write them: a name that decides placement, a weight, and how to reach them.
//!
#![doc = include_str!("../doc/servers.md")]

use core::{fmt, net::SocketAddr, str::FromStr};

use memring_core::{AsServer, Server, Weight};

use crate::OwnedCredentials;

mod address;
mod error;
mod list;
mod url;
mod word;

pub use address::{Address, DEFAULT_PORT};
pub use error::{ServerSpecError, ServerSpecProblem};
pub use list::{Entry, ServerList, entries};

/// A server: the name that decides which keys it holds, its weight, and how to reach it.
///
/// The [module](self) has the grammar.
///
/// ```
/// use memring_client::spec::{Address, ServerSpec};
///
/// let spec: ServerSpec = "eu1=10.0.0.1:11311 600".parse()?;
/// assert_eq!(spec.name(), "eu1");
/// assert_eq!(spec.address().to_string(), "10.0.0.1:11311");
/// assert_eq!(spec, ServerSpec::new("eu1", Address::tcp("10.0.0.1", 11311)).weighing(600));
/// # Ok::<(), memring_client::spec::ServerSpecError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ServerSpec {
    name: String,
    weight: Weight,
    address: Address,
    credentials: Option<OwnedCredentials>,
    is_encrypted: bool,
}

impl ServerSpec {
    /// The server `name` at `address`, with weight 1.
    pub fn new(name: impl Into<String>, address: Address) -> Self {
        Self { name: name.into(), weight: Weight::default(), address, credentials: None, is_encrypted: false }
    }

    /// The same server with `weight`.
    #[must_use]
    pub fn weighing(self, weight: impl Into<Weight>) -> Self {
        Self { weight: weight.into(), ..self }
    }

    /// The same server, found elsewhere.
    #[must_use]
    pub fn at(self, address: Address) -> Self {
        Self { address, ..self }
    }

    /// The same server, which wants `credentials`.
    #[must_use]
    pub fn with_credentials(self, credentials: OwnedCredentials) -> Self {
        Self { credentials: Some(credentials), ..self }
    }

    /// The same server, reached over TLS.
    #[must_use]
    pub fn encrypted(self) -> Self {
        Self { is_encrypted: true, ..self }
    }

    /// The name, which decides placement.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The weight.
    #[must_use]
    pub const fn weight(&self) -> Weight {
        self.weight
    }

    /// Where to find it.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// The name and password that this server wants. `None`: the client uses its own, if it has any.
    #[must_use]
    pub const fn credentials(&self) -> Option<&OwnedCredentials> {
        self.credentials.as_ref()
    }

    /// Whether this server must be reached over TLS. A client that is configured to encrypt does so with all others,
    /// too.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// Whether both have the same name and are reached in the same way, so that connections to one serve the other.
    #[must_use]
    pub fn is_reached_as(&self, other: &Self) -> bool {
        let Self { name, weight: _, address, credentials, is_encrypted } = self;
        (name, address, credentials, is_encrypted)
            == (&other.name, &other.address, &other.credentials, &other.is_encrypted)
    }

    /// Reads the servers of a list, whose elements are texts or other types that stand for servers. A text may have
    /// several servers.
    ///
    /// # Errors
    /// The first invalid text, with its number.
    pub fn read_all<S: TryInto<ServerList>>(
        servers: impl IntoIterator<Item = S>,
    ) -> Result<Vec<Self>, ServerSpecError>
    where
        ServerSpecError: From<S::Error>,
    {
        let mut specs = Vec::new();
        for server in servers {
            let list = server.try_into().map_err(|error| ServerSpecError::from(error).behind(specs.len()))?;
            specs.extend(list);
        }
        Ok(specs)
    }
}

impl AsServer for ServerSpec {
    fn as_server(&self) -> Server<'_> {
        Server { name: &self.name, weight: self.weight }
    }
}

/// Reads one server.
impl FromStr for ServerSpec {
    type Err = ServerSpecError;

    fn from_str(text: &str) -> Result<Self, ServerSpecError> {
        let mut list = text.parse::<ServerList>()?.into_iter();
        match (list.next(), list.next()) {
            (Some(spec), None) => Ok(spec),
            (None, _) => Err(ServerSpecProblem::Empty.into()),
            (Some(_), Some(_)) => Err(ServerSpecError::of(ServerSpecProblem::Several, text)),
        }
    }
}

macro_rules! read_from {
    ($($text:ty),*) => {$(
        impl TryFrom<$text> for ServerSpec {
            type Error = ServerSpecError;

            fn try_from(text: $text) -> Result<Self, ServerSpecError> {
                text.parse()
            }
        }
    )*};
}

read_from!(&str, &&str, String, &String);

impl TryFrom<SocketAddr> for ServerSpec {
    type Error = ServerSpecError;

    fn try_from(addr: SocketAddr) -> Result<Self, ServerSpecError> {
        addr.to_string().parse()
    }
}

/// The form that [`FromStr`] reads, without credentials. A name that no text can give, such as one with a quote, is
/// shown as it is.
impl fmt::Display for ServerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, weight, address, credentials: _, is_encrypted } = self;
        let is_this = |text: &String| {
            word::read(text, None).is_ok_and(|read| {
                (&read.name, &read.address, read.is_encrypted) == (name, address, *is_encrypted)
                    && read.weight == Weight::default()
            })
        };
        let scheme = if *is_encrypted { url::TLS } else { "" };
        let with_zero = name.strip_suffix(":0").map(|path| url::of_path(path) + ":0");
        let texts = [format!("{scheme}{name}"), url::of_path(name), with_zero.unwrap_or_default()];
        match texts.iter().find(|text| is_this(text)) {
            Some(text) => f.write_str(text)?,
            None => write!(f, "{name}={scheme}{address}")?,
        }
        match *weight {
            Weight::Whole(1) => Ok(()),
            Weight::Whole(weight) => write!(f, " {weight}"),
            // The point tells it from a whole number.
            Weight::Real(weight) if weight.fract() == 0.0 => write!(f, " {weight}.0"),
            Weight::Real(weight) => write!(f, " {weight}"),
        }
    }
}
