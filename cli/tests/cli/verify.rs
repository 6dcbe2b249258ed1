//! `memring verify`.

use core::iter;
use std::fs;

use crate::memring::{file, memring, memring_reading, memring_with, vector};

#[test]
fn vectors_that_hold_are_counted() {
    let (ketama, modula) = (vector("libketama--w123.tsv"), vector("libmemcached-modula--equal8-crc.tsv"));
    let text = memring(&format!("verify {ketama} {modula}")).text();
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with(&format!("{ketama}: ok ")) && lines[0].ends_with(" keys"), "{text}");
    assert!(lines[1].starts_with(&format!("{modula}: ok ")), "{text}");
}

#[test]
fn a_mismatch_is_shown_and_the_answer_is_no() {
    let mut text = fs::read_to_string(vector("libketama--equal3.tsv")).unwrap();
    text.push_str("tokyo\t9\n");
    let line = text.lines().count();
    let wrong = file(&text);
    let run = memring(&format!("verify {wrong}"));
    assert_eq!((run.code, &*run.stderr), (1, "memring: not all vectors hold\n"));
    let out = String::from_utf8(run.stdout).unwrap();
    assert!(out.contains(&format!("line {line}: tokyo has 9, not ")), "{out}");
}

#[test]
fn every_vector_file_of_the_core_holds() {
    let directory = vector("");
    let files = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "tsv")).collect();
    assert!(files.len() > 400, "{}", files.len());
    let args = iter::once("verify".into()).chain(files.iter().map(|path| path.clone().into_os_string()));
    let text = memring_with(args).text();
    assert_eq!(text.lines().filter(|line| line.contains(": ok ")).count(), files.len(), "{text}");
}

#[test]
fn a_hash_that_is_another_one_is_shown() {
    let run = memring_reading("verify -", b"# hash: libhashkit-crc\ntokyo\t00004e47\nchiba\t00000000\n");
    assert_eq!(run.code, 1);
    let out = String::from_utf8(run.stdout).unwrap();
    assert_eq!(out, "-: 1 of 2 keys differ\n  line 3: chiba has 00000000, not 00004c5a\n");
    memring_reading("verify -", b"# hash: nobody-hash\n").fails(2, "unknown hash function");
}

#[test]
fn what_is_no_vector_file_is_an_error_with_its_line() {
    memring_reading("verify -", b"# scheme: libketama\n# server: a:1\nno tab\n")
        .fails(2, "standard input line 3");
    memring_reading("verify -", b"# scheme: no-such\n# server: a:1\n")
        .fails(2, "standard input: unknown scheme");
    memring_reading("verify -", b"# scheme: libketama\n# server: a:1 x\n").fails(2, "line 2: bad weight");
    memring_reading("verify -", b"# scheme: libketama\n# server: a:1\nk\\z\t0\n")
        .fails(2, "line 3: bad escape");
    memring_reading("verify -", b"# scheme: libketama\n# server: a:1\n# server: b:1 0\n")
        .fails(2, "standard input: line 3: bad weight");
    memring_reading("verify -", b"k\t0\n").fails(2, "standard input: no line `# scheme: NAME`");
    memring_reading("verify -", b"# scheme: libketama\nk\t0\n")
        .fails(2, "standard input: libketama: no servers");
    memring("verify").fails(2, "FILE");
}
