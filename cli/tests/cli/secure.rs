//! Servers that want a password, and encrypted connections.

use core::{
    fmt,
    sync::atomic::{AtomicU32, Ordering},
};
use std::{env, fs, path::PathBuf};

use rcgen::{CertifiedKey, generate_simple_self_signed};

use crate::{
    memring::{Run, memring},
    server::Server,
};

/// A file where memcached, which may run as nobody, finds it, until this is dropped.
pub(crate) struct File(PathBuf);

pub(crate) fn file(text: &str) -> File {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = env::temp_dir().join(format!("memring-cli-{}-{number}", std::process::id()));
    fs::write(&path, text).unwrap();
    File(path)
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// What a verb comes to that gets its options here.
fn version(server: &Server, client: &str, options: &str) -> Run {
    memring(&format!("version --server {} --client {client} --timeout 10s {options}", server.address))
}

#[test]
fn a_password_comes_from_a_file() {
    let users = file("alice:s3cret\nbob:hunter2\n");
    let (wrong, bad) = (file("alice:hunter2\n"), file("alice\n"));
    let servers = [
        Server::embedded_with(&["--auth-file", &users.to_string()]),
        Server::memcached_with(&["-Y", &users.to_string()]),
    ];
    for (server, client) in servers.iter().flat_map(|server| [(server, "std"), (server, "tokio")]) {
        let version = |options: &str| version(server, client, options);
        assert!(version(&format!("--auth-file {users}")).text().contains(&server.address));
        let second = file("bob:hunter2");
        assert_eq!(version(&format!("--auth-file {second}")).code, 0);
        version(&format!("--auth-file {wrong}")).fails(3, "authentication failure");
        version("").fails(3, "unauthenticated");
        let run = version(&format!("--auth-file {bad}"));
        assert!(!run.stderr.contains("alice"));
        run.fails(2, "line 1: not USER:PASSWORD");
        version("--auth-file -").fails(2, "standard input");
        let (empty, words) = (file(""), file("alice:two words\n"));
        version(&format!("--auth-file {empty}")).fails(2, "not USER:PASSWORD");
        version(&format!("--auth-file {words}")).fails(2, "password");
    }
}

/// Options of memcached, and the file that they name.
#[cfg(feature = "tls")]
pub(crate) struct Options {
    pub(crate) text: String,
    _key: File,
}

/// A certificate for 127.0.0.1, and the options that have memcached show it.
#[cfg(feature = "tls")]
pub(crate) fn certified() -> (File, Options) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".into()]).unwrap();
    let (certificate, key) = (file(&cert.pem()), file(&signing_key.serialize_pem()));
    let options = format!("ssl_chain_cert={certificate},ssl_key={key}");
    (certificate, Options { text: options, _key: key })
}

#[cfg(feature = "tls")]
#[test]
fn a_certificate_decides_who_is_trusted() {
    let ((certificate, options), (other, _)) = (certified(), certified());
    let server = Server::memcached_with(&["-Z", "-o", &options.text]);
    let (plain, nothing) = (Server::memcached(), file("nothing"));
    for client in ["std", "tokio"] {
        assert!(
            version(&server, client, &format!("--tls-ca {certificate}")).text().contains(&server.address)
        );
        version(&server, client, &format!("--tls-ca {other}"))
            .fails(3, "trust who issued it, or the certificate itself");
        version(&server, client, &format!("--tls-ca {certificate} --tls-name elsewhere.example"))
            .fails(3, "dial the server by a name that its certificate has");
        version(&server, client, &format!("--tls-ca {certificate} --tls-name no..name")).fails(2, "name");
        version(&server, client, &format!("--tls-ca {nothing}")).fails(2, "no certificate");
        assert!(
            [2, 3].contains(&version(&server, client, "--tls").code),
            "whom the system trusts, if anybody"
        );
        version(&plain, client, &format!("--tls-ca {certificate}")).fails(3, "does not speak TLS");
    }
}

#[cfg(feature = "tls")]
#[test]
fn a_server_may_want_to_know_the_client_and_have_a_name_of_its_own() {
    let identity = |name: &str| {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed([name.into()]).unwrap();
        (file(&cert.pem()), file(&signing_key.serialize_pem()))
    };
    let ((certificate, key), (client_certificate, client_key)) =
        (identity("cache.example"), identity("client"));
    let (_, foreign_key) = identity("client");
    let options = format!(
        "ssl_chain_cert={certificate},ssl_key={key},ssl_verify_mode=2,ssl_ca_cert={client_certificate}"
    );
    let server = Server::memcached_with(&["-Z", "-o", &options]);
    let trust = format!("--tls-ca {certificate} --tls-name cache.example");
    for client in ["std", "tokio"] {
        let version = |more: &str| version(&server, client, &format!("{trust} {more}"));
        let known = format!("--tls-cert {client_certificate} --tls-key {client_key}");
        assert!(version(&known).text().contains(&server.address));
        version("").fails(3, "give one, with its key");
        version(&format!("--tls-cert {client_certificate}")).fails(2, "--tls-key");
        version(&format!("--tls-cert {client_certificate} --tls-key {foreign_key}")).fails(2, "");
        version(&format!("--tls-cert {client_certificate} --tls-key {client_certificate}"))
            .fails(2, "no private key");
    }
}
