//! The two clients do the same: a script of commands run with each, on servers of its own.

use crate::{
    memring::{Run, command},
    server::Server,
};

/// Commands, one a line; `SERVERS` stands for the servers.
const SCRIPT: &str = r"
get SERVERS k
set SERVERS k value
get SERVERS k
add SERVERS k again
add SERVERS other v --ttl 1h --flags 9
replace SERVERS k 41
replace SERVERS none 41
incr SERVERS k
incr SERVERS k 8
decr SERVERS k 100
incr SERVERS none
incr SERVERS other
append SERVERS k 1
prepend SERVERS k <
append SERVERS none 1
prepend SERVERS none 1
get SERVERS k
get SERVERS k none other
get SERVERS k other
get SERVERS --json k none other
gat SERVERS --ttl 1m k
gat SERVERS --ttl 1m k none
gat SERVERS --ttl 1m k --json
touch SERVERS k other --ttl 1m
touch SERVERS k none --ttl 1m
cas SERVERS --cas 0 k v
cas SERVERS --cas 0 none v
touch SERVERS k --ttl 1m
touch SERVERS none --for-ever
meta SERVERS k
meta SERVERS k none other
meta SERVERS --json k other
meta SERVERS none
meta SERVERS bad\tkey
delete SERVERS other
delete SERVERS other
delete SERVERS k other
get SERVERS bad\tkey
set SERVERS key
version SERVERS
stats SERVERS settings
flush SERVERS
get SERVERS k
flush SERVERS --delay 31d
get SERVERS --scheme none k
get SERVERS --scheme libmemcached-modula --option hash=crc k
get --server 127.0.0.1:1 k
set --server 127.0.0.1:1 k v
get --server 127.0.0.1:1 k other
gat --server 127.0.0.1:1 --ttl 1m k other
touch --server 127.0.0.1:1 --ttl 1m k other
delete --server 127.0.0.1:1 k other
cas --server 127.0.0.1:1 --cas 1 k v
meta --server 127.0.0.1:1 k other
version --server 127.0.0.1:1
stats --server 127.0.0.1:1 general
flush --server 127.0.0.1:1
";

#[test]
fn both_clients_print_the_same_and_end_the_same() {
    for start in [Server::embedded, Server::memcached] {
        let both = ["std", "tokio"].map(|client| (client, [start(), start()]));
        for line in SCRIPT.lines().filter(|line| !line.is_empty()) {
            let [std, tokio] = both.each_ref().map(|(client, servers)| run(line, client, servers));
            assert_eq!(std, tokio, "{line}");
            assert!(std.0 < 4, "{std:?}");
        }
    }
}

/// Runs a line, and says how it ended and what it printed; the servers' names, which differ, are made the same.
fn run(line: &str, client: &str, servers: &[Server; 2]) -> (i32, String, String) {
    let mut args = Vec::new();
    for word in line.split(' ') {
        match word {
            "SERVERS" => {
                args.extend(servers.iter().flat_map(|server| ["--server".into(), named(server, servers)]));
            }
            word => args.push(word.replace("\\t", "\t")),
        }
    }
    args.extend(["--client".into(), client.into()]);
    let Run { code, stdout, stderr } = Run::of(command(args).output().unwrap());
    let text = |mut text: String| {
        for server in servers {
            text = text.replace(&server.address, "ADDRESS");
            let port = server.address.rsplit(':').next().unwrap();
            text = text.replace(port, "PORT");
        }
        ["last_access=", "ttl=", "\"last_access\":", "\"ttl\":"].iter().fold(text, timeless)
    };
    (code, text(String::from_utf8(stdout).unwrap()), text(stderr))
}

/// The text without the seconds behind `name`: the client that comes second may see one more.
fn timeless(text: String, name: &&str) -> String {
    let mut parts = text.split(name);
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |text, part| text + name + part.trim_start_matches(|byte: char| byte.is_ascii_digit()))
}

/// A server by a name that does not depend on its port, so that keys lie on the same one in both fleets.
fn named(server: &Server, servers: &[Server; 2]) -> String {
    let number = usize::from(server.address == servers[1].address);
    format!("server{number}={}", server.address)
}
