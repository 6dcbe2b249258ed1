//! Encryption: which certificates a connection trusts, and which it shows.

use core::fmt;
use std::{
    io,
    sync::{Arc, OnceLock},
};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    sign::{CertifiedKey, SingleCertAndKey},
};

use self::explained::Explained;
use crate::{
    failure::{Cause, Error},
    spec::{Address, ServerSpec},
};

mod explained;

/// How connections are encrypted, for a client's `Builder::tls`: which certificates they trust, and which the client
/// shows.
///
/// A server's certificate must be issued by a trusted authority, be valid at the time, and name the host of the
/// server's address, be it a name or a number. TLS 1.2 and 1.3 are supported.
///
/// ```no_run
/// use memring_client::Tls;
///
/// let tls = Tls::with_roots(&std::fs::read("ca.pem")?)?;
/// // Client::builder().servers(["cache-1.internal:11211"]).tls(tls).build()
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// For a server that demands a certificate of the client (memcached's `ssl_verify_mode`):
///
/// ```no_run
/// use memring_client::Tls;
///
/// let (chain, key) = (std::fs::read("client.pem")?, std::fs::read("client.key")?);
/// let tls = Tls::with_roots(&std::fs::read("ca.pem")?)?.client_certificate(chain, key)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Tls {
    config: Arc<ClientConfig>,
    /// The name that certificates must have, in place of the host's.
    server_name: Option<ServerName<'static>>,
}

impl Tls {
    /// Trusts the system's authorities. The environment variables `SSL_CERT_FILE` and `SSL_CERT_DIR` replace them.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::failure::ErrorKind::Config): the system has no trusted authority.
    pub fn system() -> Result<Self, Error> {
        Self::trusting(rustls_native_certs::load_native_certs().certs).map_err(error)
    }

    /// Trusts only the certificates in `pem`, and those that they have signed.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::failure::ErrorKind::Config): `pem` has no certificate, or is malformed.
    pub fn with_roots(pem: impl AsRef<[u8]>) -> Result<Self, Error> {
        let certificates = CertificateDer::pem_slice_iter(pem.as_ref()).collect::<Result<_, _>>();
        certificates.map_err(Cause::config).and_then(Self::trusting).map_err(error)
    }

    /// Encrypts as a configuration of [`rustls`] says.
    #[must_use]
    pub fn with_config(config: impl Into<Arc<ClientConfig>>) -> Self {
        Self { config: config.into(), server_name: None }
    }

    /// Demands certificates for this name, whatever the addresses of the servers are.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::failure::ErrorKind::Config): the name is invalid.
    pub fn server_name(self, name: &str) -> Result<Self, Error> {
        Ok(Self { server_name: Some(server_name(name).map_err(error)?), ..self })
    }

    /// Shows servers that ask for it the client's certificate, the first of `chain`; those between it and its authority
    /// follow it. `key` is its private key. Both are PEM; a key that a password protects cannot be read.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::failure::ErrorKind::Config): the certificate or the key is missing, or they do not
    /// belong together.
    pub fn client_certificate(self, chain: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Result<Self, Error> {
        let certified = || {
            let chain: Vec<_> = CertificateDer::pem_slice_iter(chain.as_ref())
                .collect::<Result<_, _>>()
                .map_err(Cause::config)?;
            if chain.is_empty() {
                return Err(Cause::config(TlsError::NoCertificate));
            }
            let key =
                PrivateKeyDer::from_pem_slice(key.as_ref()).map_err(|_| Cause::config(TlsError::NoKey))?;
            CertifiedKey::from_der(chain, key, self.config.crypto_provider()).map_err(Cause::config)
        };
        let certified = certified().map_err(error)?;
        let mut config = ClientConfig::clone(&self.config);
        config.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(certified));
        Ok(Self { config: Arc::new(config), ..self })
    }

    fn trusting(certificates: Vec<CertificateDer<'static>>) -> Result<Self, Cause> {
        let mut roots = RootCertStore::empty();
        // A system's store may have old certificates that cannot be parsed.
        roots.add_parsable_certificates(certificates);
        if roots.is_empty() {
            return Err(Cause::config(TlsError::NoRoots));
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Cause::config)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self::with_config(config))
    }

    /// The encryption of connections to the server of `spec`; `None` if there is none. It is that of `tls`, which is
    /// for all servers, or else, if `spec` demands encryption, one that trusts the system's authorities, which are read
    /// once a process.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::failure::ErrorKind::Config): TLS is not possible at the address, or the system has
    /// no trusted authority.
    pub(crate) fn for_spec(tls: Option<&Self>, spec: &ServerSpec) -> Result<Option<TlsTarget>, Cause> {
        static SYSTEM: OnceLock<Tls> = OnceLock::new();
        let tls = match (tls, SYSTEM.get()) {
            (Some(tls), _) => tls,
            (None, _) if !spec.is_encrypted() => return Ok(None),
            (None, Some(tls)) => tls,
            (None, None) => {
                let tls = Self::trusting(rustls_native_certs::load_native_certs().certs)?;
                SYSTEM.get_or_init(|| tls)
            }
        };
        tls.for_server(spec.address()).map(Some)
    }

    /// The encryption of connections to `address`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::failure::ErrorKind::Config): TLS is not possible at the address.
    pub(crate) fn for_server(&self, address: &Address) -> Result<TlsTarget, Cause> {
        let name = match (address, &self.server_name) {
            (Address::Unix(_), _) => return Err(Cause::config(TlsError::Unix)),
            (Address::Tcp { .. }, Some(name)) => name.clone(),
            (Address::Tcp { host, .. }, None) => server_name(host)?,
        };
        Ok(TlsTarget { config: Arc::clone(&self.config), name })
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

/// The encryption of connections to one server.
#[derive(Clone)]
pub struct TlsTarget {
    /// The configuration of rustls.
    pub config: Arc<ClientConfig>,
    /// The name that its certificate must have.
    pub name: ServerName<'static>,
}

impl fmt::Debug for TlsTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTarget").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The cause of an I/O error: rustls's own error if one is wrapped in it, else what `otherwise` makes of it.
pub fn cause_of(error: io::Error, otherwise: impl FnOnce(io::Error) -> Cause) -> Cause {
    match error.downcast::<rustls::Error>() {
        Ok(error) => cause(error),
        Err(error) => otherwise(error),
    }
}

/// The cause of an error of rustls, with advice.
#[must_use]
pub fn cause(error: rustls::Error) -> Cause {
    Cause::tls(Explained(error))
}

fn server_name(name: &str) -> Result<ServerName<'static>, Cause> {
    ServerName::try_from(name.to_owned()).map_err(Cause::config)
}

fn error(cause: Cause) -> Error {
    Error::new("tls", cause)
}

/// Why TLS is not available.
#[derive(Debug)]
enum TlsError {
    NoRoots,
    NoCertificate,
    NoKey,
    Unix,
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoRoots => "no certificate to trust",
            Self::NoCertificate => "no certificate of the client in the PEM",
            Self::NoKey => "no private key in the PEM, or one that a password protects",
            Self::Unix => "no TLS over a Unix socket",
        })
    }
}

impl core::error::Error for TlsError {}
