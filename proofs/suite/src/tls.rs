//! Servers behind TLS, and who certifies them.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::{
    io::{Read as _, Write as _},
    sync::Arc,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use crate::{File, Memcached, Scripted, scripted::Peer};

/// Somebody who certifies others.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, as PEM.
pub struct Identity {
    certificate: String,
    key: String,
}

impl Authority {
    /// An authority with a name of its own.
    pub fn new() -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let name = format!("authority {}", MADE.fetch_add(1, Ordering::Relaxed));
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A new key, and a certificate for servers of these names.
    pub fn certify(&self, names: &[&str]) -> Identity {
        let names = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, "certified");
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Identity { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// Its own certificate, as PEM.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Its certificate alone, for those who trust nobody else.
    pub fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        roots
    }

    /// A memcached of this computer, with these options beside.
    pub fn memcached(&self, options: &str, args: &[&str]) -> Memcached {
        self.memcached_called(&["localhost", "127.0.0.1"], options, args)
    }

    /// A memcached whose certificate has these names.
    pub fn memcached_called(&self, names: &[&str], options: &str, args: &[&str]) -> Memcached {
        let identity = self.certify(names);
        let (certificate, key) = (File::new(identity.certificate), File::new(identity.key));
        let options = format!("ssl_chain_cert={},ssl_key={}{options}", certificate.path(), key.path());
        Memcached::start_with(&[&["-Z", "-o", &options], args].concat())
    }

    /// A memcached that shows the authority's own certificate, as `openssl req -x509` makes them for a server.
    pub fn memcached_as_itself(&self) -> Memcached {
        let (certificate, key) = (File::new(self.pem()), File::new(self.0.key().serialize_pem()));
        let options = format!("ssl_chain_cert={},ssl_key={}", certificate.path(), key.path());
        Memcached::start_with(&["-Z", "-o", &options])
    }

    /// A server that does as it is told, once hands are shaken.
    pub fn scripted(&self, script: impl Fn(TlsPeer, usize) + Send + Sync + 'static) -> Scripted {
        let identity = self.certify(&["127.0.0.1"]);
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(identity.chain(), identity.key())
            .unwrap();
        let config = Arc::new(config);
        Scripted::new(move |Peer { stream, number, .. }| {
            stream.set_nodelay(true).unwrap();
            let session = ServerConnection::new(Arc::clone(&config)).unwrap();
            script(TlsPeer(StreamOwned::new(session, stream)), number);
        })
    }
}

impl Identity {
    /// The certificate and its key.
    pub fn into_pem(self) -> (String, String) {
        (self.certificate, self.key)
    }

    /// The certificate, for rustls.
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap()]
    }

    /// The key, for rustls.
    pub fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap()
    }
}

/// The client, as a scripted server sees it.
pub struct TlsPeer(pub StreamOwned<ServerConnection, std::net::TcpStream>);

impl TlsPeer {
    /// The next line, or `None` when the client has closed the connection.
    pub fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).ok()?;
            line.extend(byte);
        }
        Some(String::from_utf8(line).unwrap())
    }

    /// Writes, whether the client is still there or not.
    pub fn write(&mut self, bytes: &str) {
        let _ = self.0.write_all(bytes.as_bytes());
        let _ = self.0.flush();
    }
}
