//! Lists of servers that say what their writers may not expect.

use crate::memring::{file, memring};

#[test]
fn every_command_tells_of_a_server_that_is_listed_twice_and_of_weights_in_vain() {
    let list = file("a:1 3\nb:1\na:1 3\n");
    let [scheme, twice, ignored] = [
        "--scheme libmemcached-modula",
        "memring: server a:1 is listed more than once\n",
        "memring: libmemcached-modula ignores weights: all servers count the same\n",
    ];
    for line in
        ["where --servers LIST k", "spread --servers LIST --json", "plan --old LIST --new-option hash=md5"]
    {
        let run = memring(&format!("{} {scheme}", line.replace("LIST", &list)));
        assert_eq!((run.code, run.stderr), (0, format!("{ignored}{twice}")), "{line}");
        assert!(!run.stdout.is_empty());
    }
    for line in ["get k --server 127.0.0.1:1,127.0.0.1:1", "version --server 127.0.0.1:1,127.0.0.1:1"] {
        let run = memring(&format!("{line} {scheme}"));
        assert!(run.stderr.starts_with("memring: server 127.0.0.1:1 is listed more than once\n"), "{run:?}");
    }
    // What the scheme heeds is no news.
    let list = file("a:1 3\nb:1\n");
    memring(&format!("where --scheme libketama --servers {list} k")).text();
}
