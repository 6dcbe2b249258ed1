//! `memring init`.

use std::fs;

use crate::memring::{Run, command, file, memring, memring_with, scratch};

/// A folder where nothing is.
fn folder() -> String {
    let path = scratch("init");
    fs::create_dir(&path).unwrap();
    path.to_str().unwrap().to_owned()
}

fn run(folder: &str, args: &[&str]) -> Run {
    Run::of(command(args).current_dir(folder).output().unwrap())
}

#[test]
fn what_is_written_places_keys_as_its_options_do() {
    let folder = folder();
    let options = [
        "--server",
        "10.0.0.1:11211 600,b=10.0.0.2:11311",
        "--scheme",
        "twemproxy-ketama",
        "--option",
        "hash=md5",
    ];
    assert_eq!(run(&folder, &[&["init"], &options[..]].concat()).text(), "wrote memring.toml\n");
    let keys = ["k", "l", "m", "n", "o"];
    let said = memring_with([&["where"], &options[..], &keys[..]].concat()).text();
    assert_eq!(run(&folder, &[&["where"], &keys[..]].concat()).text(), said);
    // Nothing else is left there, and others may read it, as any file.
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    let text = fs::read_to_string(format!("{folder}/memring.toml")).unwrap();
    assert!(
        text.contains("options = { hash = \"md5\" }\n") && text.contains("\n#timeout = \"1s\"\n"),
        "{text}"
    );
}

#[test]
fn a_file_that_is_there_stays_unless_it_is_forced() {
    let folder = folder();
    let path = format!("{folder}/memring.toml");
    fs::write(&path, "precious").unwrap();
    run(&folder, &["init"]).fails(2, "memring.toml is there already; --force replaces it");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    run(&folder, &["init", "--force"]).text();
    assert!(fs::read_to_string(&path).unwrap().contains("\"127.0.0.1:11211\","));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    run(&folder, &["init", "nowhere/memring.toml"]).fails(3, "nowhere/memring.toml: ");
}

#[test]
fn another_clients_configuration_becomes_one() {
    let folder = folder();
    let source = "--SERVER=10.0.0.1:11212/?2 --SERVER=10.0.0.2 --DISTRIBUTION=consistent,MD5";
    let keys = file("k\nl\nm\nn\no\n");
    let said = memring_with(["doctor", source, "--keys", &keys]).text();
    let init = run(&folder, &["init", "--from", source, "cache.toml"]);
    assert_eq!((init.code, &*init.stdout), (0, &b"wrote cache.toml\n"[..]), "{init:?}");
    assert_eq!(run(&folder, &["where", "--config", "cache.toml", "--keys", &keys]).text(), said);
    let ini = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/configs/php-ini--class-default-consistent/config");
    let printed = run(&folder, &["init", "-", "--from", ini, "--server", "10.0.0.9"]);
    assert!(String::from_utf8_lossy(&printed.stdout).contains("    \"10.0.0.9\",\n"), "{printed:?}");
}

#[test]
fn no_password_and_no_wrong_scheme_gets_into_it() {
    let printed = memring("init - --server memcached://bob:s3cret@10.0.0.1");
    assert!(!printed.stderr.contains("s3cret"), "{printed:?}");
    printed.fails(2, "a password in a server's URL");
    memring("init - --scheme libketamma").fails(2, "near to it are libketama");
    memring("init - --scheme libketama --option hash=nonesuch")
        .fails(2, "libketama: option hash=nonesuch: bad value");
    memring("init - --option hash=md5").fails(2, "--scheme");
    memring("init - --from a:1,b:1").fails(2, "no scheme of memring places keys as this does");
}
