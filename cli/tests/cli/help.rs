//! What the command says of itself.

use crate::memring::memring;

const COMMANDS: [&str; 33] = [
    "where",
    "schemes",
    "doctor",
    "init",
    "plan",
    "spread",
    "verify",
    "demo",
    "serve",
    "get",
    "gat",
    "set",
    "add",
    "replace",
    "append",
    "prepend",
    "cas",
    "delete",
    "incr",
    "decr",
    "touch",
    "meta",
    "keys",
    "ping",
    "version",
    "stats",
    "slabs",
    "top",
    "bench",
    "watch",
    "watch-servers",
    "flush",
    "completions",
];

#[test]
fn every_command_is_listed_and_explains_itself() {
    let help = memring("--help").text();
    assert!(help.contains("Exit codes: 0 done"), "{help}");
    for command in COMMANDS {
        let listed = help.lines().find(|line| line.trim_start().starts_with(&format!("{command} ")));
        let line = listed.unwrap_or_else(|| panic!("{command} is not listed"));
        assert!(line.split_whitespace().count() > 2, "{line}");
        let text = memring(&format!("{command} --help")).text();
        assert!(text.contains("Usage: memring") && text.contains("--help"), "{text}");
        let example = text.split_once("Example").map(|(_, example)| example);
        assert!(example.is_some_and(|example| example.contains(&format!("memring {command}"))), "{text}");
    }
}

#[test]
fn wrong_usage_ends_with_2_and_prints_nothing() {
    memring("").fails(2, "Usage");
    memring("whither").fails(2, "unrecognized subcommand");
    memring("where --scheme").fails(2, "a value is required");
}

#[test]
fn the_version_is_the_packages() {
    assert_eq!(memring("--version").text(), format!("memring {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let script = memring(&format!("completions {shell}")).text();
        assert!(COMMANDS.iter().all(|command| script.contains(command)), "{shell}");
    }
}
