//! Where servers and scheme come from when the command line leaves them open.

use std::{fs, path::PathBuf};

use crate::{
    memring::{Run, command, file, memring, scratch},
    server::Server,
};

/// A folder with a `memring.toml`.
struct Folder(PathBuf);

impl Folder {
    fn new(toml: &str) -> Self {
        let path = scratch("folder");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("memring.toml"), toml).unwrap();
        Self(path)
    }

    fn file(&self) -> String {
        self.0.join("memring.toml").to_str().unwrap().to_owned()
    }

    /// Runs `memring` in the folder, with variables of the environment.
    fn run(&self, args: &str, variables: &[(&str, &str)]) -> Run {
        let mut command = command(args.split_ascii_whitespace());
        Run::of(command.current_dir(&self.0).envs(variables.iter().copied()).output().unwrap())
    }
}

const THREE: &str = "servers = ['a:1', 'b:1', 'c:1']\nscheme = 'libmemcached-modula'\n";

#[test]
fn a_file_says_what_the_line_leaves_open() {
    let said = memring("where --scheme libmemcached-modula --server a:1,b:1,c:1 k l m n").text();
    let folder = Folder::new(THREE);
    assert_eq!(folder.run("where k l m n", &[]).text(), said);
    assert_eq!(memring(&format!("where --config {} k l m n", folder.file())).text(), said);
    let elsewhere = Folder::new("servers = ['x:1']\nscheme = 'libketama'");
    let named = [("MEMRING_CONFIG", &*folder.file())];
    assert_eq!(elsewhere.run("where k l m n", &named).text(), said);
    // What is empty names no file.
    assert_eq!(elsewhere.run("where k", &[("MEMRING_CONFIG", "")]).text(), "k  x:1\n");
    assert_eq!(elsewhere.run(&format!("where --config {} k l m n", folder.file()), &named).text(), said);
    assert!(folder.run("spread", &[]).text().starts_with("libmemcached-modula, 3 servers\n"));
    let new = file("a:1\nb:1\n");
    assert!(
        folder.run(&format!("plan --new {new}"), &[]).text().contains("3 → 2 servers, 2 of them the same")
    );
}

#[test]
fn a_file_of_another_user_is_not_read_unless_it_is_named() {
    let folder = Folder::new(THREE);
    // Only the system's user can give files away.
    if std::os::unix::fs::chown(folder.file(), Some(65534), None).is_err() {
        return;
    }
    let run = folder.run("where k", &[]);
    assert!(run.stderr.contains("./memring.toml belongs to another user and is not read"), "{run:?}");
    run.fails_with_output(2, "no servers");
    assert_eq!(folder.run("where --config memring.toml k", &[]).code, 0);
}

#[test]
fn a_variable_that_names_no_file_is_named_in_the_error() {
    let folder = Folder::new(THREE);
    folder
        .run("where k", &[("MEMRING_CONFIG", "/no/such")])
        .fails(3, "MEMRING_CONFIG: /no/such: no such file");
}

#[test]
fn a_namespace_that_no_key_can_have_is_refused_by_all_commands() {
    let folder = Folder::new(&format!("{THREE}namespace = 'a b'\nplace_by_namespace = true"));
    for args in ["where k", "get k", "spread"] {
        folder.run(args, &[]).fails(2, "memring.toml line 3: namespace: no beginning of a key");
    }
}

#[test]
fn the_line_counts_before_the_file() {
    let folder = Folder::new(&format!("{THREE}options = {{ hash = 'md5' }}"));
    let path = folder.file();
    let run = |args: &str| memring(&format!("{args} --config {path} k l m n o p")).text();
    let plain = |args: &str| memring(&format!("where {args} k l m n o p")).text();
    let servers = "--server a:1,b:1,c:1";
    assert_eq!(run("where"), plain(&format!("--scheme libmemcached-modula --option hash=md5 {servers}")));
    // An option goes beside those of the file, and a scheme has none of another's.
    assert_eq!(
        run("where --option hash=crc"),
        plain(&format!("--scheme libmemcached-modula --option hash=crc {servers}"))
    );
    assert_eq!(run("where --scheme libketama"), plain(&format!("--scheme libketama {servers}")));
    assert_eq!(
        run("where --server d:1,e:1"),
        plain("--scheme libmemcached-modula --option hash=md5 --server d:1,e:1")
    );
}

#[test]
fn a_line_that_names_servers_depends_on_nothing_else() {
    let folder = Folder::new(&format!("{THREE}namespace = 'n:'\nplace_by_namespace = true"));
    let file = folder.file();
    let variables = [("MEMRING_CONFIG", &*file), ("MEMCACHED_SERVERS", "x:1,y:1")];
    let line = "where --scheme libketama --server a:1 --server b:1 k l m n o p";
    assert_eq!(folder.run(line, &variables).text(), memring(line).text());
    let run = folder.run("where --server a:1 k", &[]);
    run.fails(2, "memring.toml is not read where servers are named, unless by --config memring.toml");
    let toml = Folder::new("not toml");
    assert_eq!(toml.run(line, &[("MEMRING_CONFIG", "none")]).text(), memring(line).text());
    toml.run("where --scheme libketama k", &[]).fails(2, "memring.toml line 1: not TOML: ");
    toml.run("where k", &[("MEMRING_CONFIG", "none.toml")]).fails(3, "none.toml: ");
}

#[test]
fn the_environment_has_servers_where_nothing_else_has() {
    let said = memring("where --scheme libketama --server a:1,b:1 k l m n").text();
    let line = "where --scheme libketama k l m n";
    let list = [("MEMCACHED_SERVERS", "a:1, memcached://u:p@b:1")];
    let nothing = Folder::new("timeout = '1s'");
    assert_eq!(nothing.run(line, &list).text(), said);
    fs::remove_file(nothing.file()).unwrap();
    assert_eq!(nothing.run(line, &list).text(), said);
    assert_eq!(
        Folder::new(THREE).run("where k", &list).text(),
        Folder::new(THREE).run("where k", &[]).text()
    );
    nothing.run(line, &[("MEMCACHED_SERVERS", "a:1,b:x")]).fails(2, "MEMCACHED_SERVERS: server 2: bad port");
    nothing.run(line, &[]).fails(2, "no servers: give them with --servers FILE or --server NAME");
    let empty = Folder::new("scheme = 'libketama'");
    empty.run("where k", &[]).fails(2, "memring.toml: no servers; write servers = ");
    empty.run("get k", &[]).fails(2, "memring.toml: no servers; write servers = ");
}

#[test]
fn keys_are_placed_by_their_namespace_where_the_file_says_so() {
    let by = |yes: &str| {
        let folder = Folder::new(&format!("{THREE}namespace = 'shop:'\nplace_by_namespace = {yes}"));
        folder.run("where --format tsv k l m n o p q r", &[]).text()
    };
    let plain = |prefix: &str| {
        let keys: String = "klmnopqr".chars().map(|key| format!(" {prefix}{key}")).collect();
        memring(&format!("where --format tsv --scheme libmemcached-modula --server a:1,b:1,c:1{keys}")).text()
    };
    assert_eq!(by("false"), plain(""));
    assert_eq!(by("true"), plain("shop:").replace("shop:", ""));
    assert_ne!(by("true"), by("false"));
}

#[test]
fn verbs_are_told_by_the_file_too() {
    let users = file("bob:s3cret\n");
    let servers =
        [Server::embedded_with(&["--auth-file", &users]), Server::embedded_with(&["--auth-file", &users])];
    let list = format!("servers = ['{}', '{}']", servers[0].address, servers[1].address);
    let folder = Folder::new(&format!(
        "{list}\nscheme = 'libmemcached-modula'\nnamespace = 'n:'\nauth = {{ file = '{users}' }}"
    ));
    for client in ["std", "tokio"] {
        for key in ["k", "l", "m"] {
            assert_eq!(folder.run(&format!("set --client {client} {key} {key}"), &[]).text(), "");
            let at = memring(&format!("where --config {} {key}", folder.file())).text();
            let server = at.trim_end().rsplit(' ').next().unwrap();
            let get = format!("get --client {client} --auth-file {users} --server {server} n:{key}");
            assert_eq!(memring(&get).text(), key);
        }
    }
    // Another's login is in the environment, and is none.
    let folder = Folder::new(&format!("{list}\nauth = {{ user = 'bob', password_env = 'CACHE_PASSWORD' }}"));
    folder
        .run("version", &[])
        .fails(2, "auth.password_env: no variable \"CACHE_PASSWORD\" in the environment");
    assert_eq!(folder.run("version", &[("CACHE_PASSWORD", "wrong")]).code, 3);
    assert_eq!(folder.run("version", &[("CACHE_PASSWORD", "s3cret")]).code, 0);
    // Who only places keys needs no password.
    assert!(folder.run("where --scheme libketama k", &[]).text().starts_with("k  127.0.0.1:"));
}

#[test]
fn the_files_timeout_holds_unless_the_line_has_one() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = Folder::new(&format!("servers = '{}'\ntimeout = '50ms'", silent.local_addr().unwrap()));
    let begin = std::time::Instant::now();
    folder.run("get k", &[]).fails(3, "timed out");
    assert!(begin.elapsed().as_millis() < 900);
    let begin = std::time::Instant::now();
    folder.run("get --timeout 1100ms k --config memring.toml", &[]).fails(3, "timed out");
    assert!(begin.elapsed().as_millis() >= 1100);
}

#[test]
fn a_file_may_come_from_standard_input() {
    let run = crate::memring::memring_reading("where --config - k", b"servers = 'a:1'\nscheme = 'libketama'");
    assert_eq!(run.text(), "k  a:1\n");
    let run = crate::memring::memring_reading("where --config - k", b"servers = 'a:1'\nsheme = 'libketama'");
    run.fails(2, "standard input line 2: sheme: unknown key; near to it is scheme");
    memring("where --config - --servers - k").fails(2, "only one of --servers, --config and --keys");
}

#[test]
fn an_option_with_two_values_is_refused() {
    let says = "--option hash is given twice, \"md5\" and \"crc\"; leave one out";
    for command in [
        "where --scheme libmemcached-modula --server a:1 --option hash=md5 --option hash=crc k",
        "init - --scheme libmemcached-modula --option hash=md5 --option hash=crc",
        "get --server a:1 --option hash=md5 --option hash=crc k",
        "spread --scheme libmemcached-modula --server a:1 --option hash=md5 --option hash=crc",
    ] {
        memring(command).fails(2, says);
    }
    memring(
        "plan --scheme libmemcached-modula --old-server a:1 --add b:1 --new-option hash=md5 --new-option hash=crc",
    )
    .fails(2, "--new-option hash is given twice");
    // What stands on the line counts before what the file says.
    let config =
        file("servers = [\"a:1\"]\nscheme = \"libmemcached-modula\"\noptions = { hash = \"md5\" }\n");
    assert_eq!(memring(&format!("where --config {config} --option hash=crc k")).text(), "k  a:1\n");
}
