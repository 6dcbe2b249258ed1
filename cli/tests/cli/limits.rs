//! Lists, lines and weights that are larger than they ought to be: an answer, or an error that says so, at once.

use core::time::Duration;
use std::{
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    process::Stdio,
    thread,
    time::Instant,
};

use crate::memring::{Run, command, file, memring, memring_reading};

/// Runs `memring` with an input that has no end, and not much memory.
fn memring_endless(args: &str) -> Run {
    let limited = format!("ulimit -v 3000000; exec \"$0\" {args}");
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &limited, env!("CARGO_BIN_EXE_memring")]);
    command.stdin(File::open("/dev/zero").unwrap()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Run::of(command.output().unwrap())
}

#[test]
fn a_line_without_end_is_refused_and_named() {
    let begin = Instant::now();
    let list = file("a:1\nb:1\n");
    let line = "line 1: longer than";
    memring_endless(&format!("where --scheme libketama --servers {list} --keys -")).fails(2, line);
    memring_endless(&format!("where --scheme libketama --servers {list} --keys /dev/zero")).fails(2, line);
    memring_endless("where --scheme libketama --servers - k").fails(2, line);
    memring_endless("plan --scheme libketama --old - --new-scheme twemproxy-ketama").fails(2, line);
    memring_endless("spread --scheme libketama --servers /dev/zero").fails(2, line);
    memring_endless("get --servers - k").fails(2, line);
    memring_endless("get --server 127.0.0.1:1 --auth-file /dev/zero k").fails(2, line);
    memring_endless("verify -").fails(2, line);
    #[cfg(feature = "tls")]
    memring_endless("get --server 127.0.0.1:1 --tls-ca /dev/zero k").fails(2, line);
    let keys = [&b"tokyo\n"[..], &[b'k'; 16_384], b"\n", &[b'k'; 16_385]].concat();
    let run = memring_reading(&format!("where --scheme libketama --servers {list} --counts --keys -"), &keys);
    run.fails(2, "standard input line 3: longer than 16384 bytes");
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
}

#[test]
fn a_value_without_end_is_refused() {
    memring_endless("set --server 127.0.0.1:1 k").fails(2, "more than 1073741824 bytes");
}

#[test]
fn a_name_of_megabytes_is_not_echoed() {
    let name = "n".repeat(5 << 20);
    let list = file(&format!("a:1\n{name}\n"));
    for verb in ["where --scheme libketama", "spread --scheme libketama", "get"] {
        let key = if verb.starts_with("spread") { "" } else { "k" };
        let run = memring(&format!("{verb} --servers {list} {key}"));
        assert!(run.stderr.len() < 2000, "{} bytes", run.stderr.len());
        run.fails(2, "line 2: longer than 65536 bytes");
    }
    let vector = file(&format!("# scheme: {}\n", "s".repeat(1 << 19)));
    let run = memring(&format!("verify {vector}"));
    assert!(run.stderr.lines().all(|line| line.len() < 1100), "{} bytes", run.stderr.len());
    run.fails(2, "unknown scheme");
}

#[test]
fn the_longest_list_has_a_spread_and_a_change_of_it_says_that_it_is_too_long() {
    let names: String = (0..65_535).map(|number| format!("cache-{number}:11211\n")).collect();
    let list = file(&names);
    let run = |args: &str| {
        let limited = format!("ulimit -v 3000000; exec \"$0\" {args}");
        let mut command = std::process::Command::new("sh");
        Run::of(command.args(["-c", &limited, env!("CARGO_BIN_EXE_memring")]).output().unwrap())
    };
    let spread = run(&format!("spread --scheme libmemcached-modula --servers {list}")).text();
    assert!(spread.starts_with("libmemcached-modula, 65535 servers\nall shares are exact"));
    run(&format!("plan --scheme libmemcached-modula --old {list} --new-option hash=md5"))
        .fails(2, "more than the 16777216 pairs");
}

#[test]
fn weights_that_would_take_minutes_are_refused() {
    let list: String = (1..=20).map(|number| format!("10.0.1.{number}:11211 65535\n")).collect();
    let (list, begin) = (file(&list), Instant::now());
    for scheme in
        ["pecl-memcache-consistent", "nginx-hash-consistent", "uhashring", "cache-memcached-fast-ketama"]
    {
        for verb in [format!("spread --servers {list}"), format!("where --servers {list} k")] {
            memring(&format!("{verb} --scheme {scheme}")).fails(2, "points, more than the 16777216");
        }
    }
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    memring(&format!("where --scheme libmemcached-ketama-weighted --servers {list} k")).text();
}

#[test]
fn who_reads_no_further_ends_the_work() {
    let list = file("a:1\nb:1\n");
    let mut child = command(["where", "--scheme", "libketama", "--servers", &list, "--keys", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    // It ends when it sees that nobody reads, perhaps before all is written.
    let _ = child.stdin.take().unwrap().write_all(&b"key\n".repeat(100_000));
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), &*output.stderr), (Some(0), &b""[..]));
}

#[test]
fn keys_of_any_number_take_the_same_memory() {
    // 60 MB of keys, and not 60 MB of memory for them.
    let keys: Vec<u8> = (0..300_000).flat_map(|number| format!("{number:0200}\n").into_bytes()).collect();
    let script = "ulimit -v 40000; exec \"$0\" where --scheme libketama --server a:1,b:1 --keys - --format tsv | tail -n 1";
    let mut command = std::process::Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_memring")]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&keys).unwrap();
    let last = Run::of(child.wait_with_output().unwrap()).text();
    assert!(last.trim_start_matches('0').starts_with("299999\t"), "{last}");
}

#[test]
fn statistics_have_any_number_of_lines() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for peer in listener.incoming() {
            let mut peer = peer.unwrap();
            let mut line = String::new();
            BufReader::new(peer.try_clone().unwrap()).read_line(&mut line).unwrap();
            assert_eq!(line, "stats sizes\r\n");
            let lines: String = (1..=6000).map(|number| format!("STAT {} 1\r\n", number * 96)).collect();
            let _ = peer.write_all((lines + "END\r\n").as_bytes());
        }
    });
    for client in ["std", "tokio"] {
        let run = |more| memring(&format!("stats --server {address} --client {client} sizes {more}"));
        let text = run("").text();
        assert_eq!(text.lines().count(), 6000);
        let last: Vec<_> = text.lines().last().unwrap().split_ascii_whitespace().collect();
        assert_eq!(last, [&*address, "576000", "1"]);
        assert_eq!(run("--json").json()[&address].as_object().unwrap().len(), 6000);
    }
}

#[test]
fn a_full_disk_is_said_of_standard_output() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut where_is = command("where --scheme libketama --server a:1 k".split(' '));
    let run = Run::of(where_is.stdout(full).output().unwrap());
    assert_eq!((run.code, &*run.stderr), (3, "memring: standard output: no space left on device\n"));
}

#[test]
fn help_that_nobody_can_read_is_no_success() {
    for args in ["--help", "--version", "where --help", "help where"] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let run = Run::of(command(args.split(' ')).stdout(full).output().unwrap());
        run.fails(3, "standard output: no space left on device");
    }
}

#[test]
fn a_closed_standard_error_changes_no_exit_code() {
    for (args, code) in
        [("where --scheme nonesuch --server a:1 k", 2), ("doctor nofile", 3), ("doctor a:1 --keys -", 2)]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let run = Run::of(command(args.split(' ')).stderr(writer).output().unwrap());
        assert_eq!(run.code, code, "{args}");
    }
}
