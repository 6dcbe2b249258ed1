//! Servers that are found out: `memring watch-servers`, and configurations that name a source.

use std::{
    fs,
    io::{BufRead as _, BufReader, Lines},
    path::PathBuf,
    process::{Child, ChildStdout},
};

use serde_json::Value;

use crate::{
    json::are_as_documented,
    memring::{command, memring},
    server::Server,
};

/// A folder with a list of servers.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(list: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write(list);
        folder
    }

    fn list(&self) -> PathBuf {
        self.0.path().join("servers.txt")
    }

    /// Replaces the list, so that who reads it sees all of it or none.
    fn write(&self, list: &str) {
        let new = self.0.path().join("new");
        fs::write(&new, list).unwrap();
        fs::rename(new, self.list()).unwrap();
    }

    fn source(&self) -> String {
        format!("file+{}", self.list().display())
    }
}

/// A command that is watching.
struct Watch {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watch {
    fn new(args: &str) -> Self {
        let words = format!("watch-servers --interval 5ms {args}");
        let mut child = command(words.split_ascii_whitespace()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        self.lines.next().expect("it has ended").unwrap()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn each_change_is_told_with_what_it_moves() {
    let folder = Folder::new("s0=10.0.0.1 3\ns1=10.0.0.2\n");
    let mut watch = Watch::new(&format!("{} --limit 4", folder.source()));
    let seen = [watch.line(), watch.line(), watch.line()];
    assert_eq!(seen, ["2 servers", "  s0  10.0.0.1:11211  weight 3", "  s1  10.0.0.2:11211"]);
    folder.write("s0=10.0.0.9 3\ns1=10.0.0.2\n");
    assert_eq!(watch.line(), "another address, no key moves");
    assert_eq!(watch.line(), "  s0  10.0.0.9:11211  weight 3");
    folder.write("s0=10.0.0.9 3\ns1=10.0.0.2\ns2=10.0.0.3\n");
    let told = watch.line();
    assert!(
        told.starts_with("2 → 3 servers: ") && told.ends_with(" % of the keys move or have no server now"),
        "{told}"
    );
    assert_eq!((0..3).map(|_| watch.line()).last().unwrap(), "  s2  10.0.0.3:11211");
    fs::remove_file(folder.list()).unwrap();
    assert_eq!(
        watch.line(),
        format!("the source fails, the servers stay as they are: {}: no such file", folder.list().display())
    );
    folder.write("s0=10.0.0.9 3\ns1=10.0.0.2\ns2=10.0.0.3\n");
    assert_eq!(watch.line(), "the source answers again");
    assert!(watch.lines.next().is_none(), "it ends by itself");
}

#[test]
fn what_is_seen_is_as_documented() {
    let folder = Folder::new("s0=10.0.0.1");
    let config = folder.0.path().join("memring.toml");
    let discovery = "discovery = { source = \"file+servers.txt\", interval = \"5ms\", max_share = 0.6 }";
    fs::write(&config, discovery).unwrap();
    let mut watch = Watch::new(&format!("--config {} --json", config.display()));
    let mut objects = Vec::<Value>::new();
    for (list, event) in [
        ("s0=10.0.0.1", "servers"),
        ("s0=10.0.0.2", "address-changed"),
        ("s0=10.0.0.2 s1=10.0.0.3", "changed"),
        ("s0=10.0.0.2 s1=10.0.0.3 s2=a s3=b s4=c s5=d s6=e s7=f", "refused"),
        ("s0=10.0.0.2:no", "failed"),
    ] {
        folder.write(list);
        let object: Value = serde_json::from_str(&watch.line()).unwrap();
        assert_eq!(object["event"], event);
        objects.push(object);
    }
    are_as_documented("watch-servers", &objects);
}

#[test]
fn a_cluster_tells_of_its_servers() {
    let server = Server::embedded_with(&["--cluster", "one.example|10.0.0.1|11211 |10.0.0.2|7"]);
    let source = format!("cluster+{}", server.address);
    assert_eq!(
        memring(&format!("watch-servers {source} --once")).text(),
        "2 servers\n  s0  10.0.0.1:11211  one.example:11211\n  s1  10.0.0.2:7\n"
    );
    let named = memring(&format!("watch-servers {source} --once --names first-server")).text();
    assert!(named.contains("  one.example:11211  10.0.0.1:11211"), "{named}");
    let plain = Server::memcached();
    memring(&format!("watch-servers cluster+{} --once", plain.address))
        .fails(3, "the server does not know `config get cluster`");
    memring("watch-servers ftp+host").fails(2, "unknown source of servers; write \"file+PATH\"");
    memring("watch-servers").fails(2, "no source: give one");
    memring("serve --cluster 10.0.0.1:11211").fails(2, "is not HOST|IP|PORT");
}

#[test]
fn every_command_asks_the_source_of_its_configuration() {
    let server = Server::embedded();
    let folder = Folder::new(&format!("s0={}\ns1={}\n", server.address, server.address));
    let config = folder.0.path().join("memring.toml");
    fs::write(&config, "discovery = \"file+servers.txt\"\nscheme = \"libmemcached-modula\"").unwrap();
    let at = format!("--config {}", config.display());
    let place = memring(&format!("where {at} k")).text();
    assert!(place.starts_with("k  s"), "{place}");
    memring(&format!("set {at} k v")).text();
    assert_eq!(memring(&format!("get {at} k")).text(), "v");
    assert!(memring(&format!("spread {at}")).text().contains("s1"));
    // What the command line names takes its place.
    assert_eq!(memring(&format!("where {at} --server x:1 k")).text(), "k  x:1\n");
    fs::remove_file(folder.list()).unwrap();
    memring(&format!("get {at} k")).fails(3, "servers not found out: ");
}
