//! Tests in a process of their own.

#[cfg(target_os = "linux")]
use std::io::{self, Write as _};
use std::{env, process::Command};

use crate::File;

/// Runs the ignored test `name` of this program in a process of its own, in which `sh` has run `first` before.
pub fn alone(first: &str, name: &str) {
    run(&mut Command::new("sh"), first, name);
}

/// Runs the ignored test `name` of this program in a process and a network of its own: of the loopback interface only,
/// and there it is root; what it mounts is its own, too. Where the system does not let us have that, it is told; with
/// `CI` set, it is a failure.
#[cfg(target_os = "linux")]
pub fn alone_in_a_network(name: &str) {
    if let Err(reason) = network_of_its_own() {
        let told = format!("NOT RUN: {name} needs a network of its own: {reason}");
        assert!(env::var_os("CI").is_none(), "{told}");
        // What a test that passes prints by the macros is not shown.
        let _ = writeln!(io::stderr(), "{told}");
        return;
    }
    let mut command = Command::new("unshare");
    run(command.args(["-Urnm", "sh"]).env(OWN_NETWORK, "1"), "ip link set lo up", name);
}

/// Whether this is such a process: what is done to the network is done to no other's then.
pub fn has_own_network() -> bool {
    env::var_os(OWN_NETWORK).is_some()
}

/// Takes the loopback interface `up` or `down`. While it is down nothing arrives, and nobody says so.
pub fn link(state: &str) {
    assert!(has_own_network());
    assert!(Command::new("ip").args(["link", "set", "lo", state]).status().unwrap().success());
}

/// Puts a file in the place of one of the system's, for this process only.
pub fn in_place_of(path: &str, text: &str) -> File {
    assert!(has_own_network());
    let file = File::new(text);
    assert!(Command::new("mount").args(["--bind", file.path(), path]).status().unwrap().success());
    file
}

#[cfg(target_os = "linux")]
fn network_of_its_own() -> Result<(), String> {
    let mut command = Command::new("unshare");
    let tried = command.args(["-Urnm", "ip", "link", "set", "lo", "up"]).output();
    let tried = tried.map_err(|error| format!("`unshare`, of util-linux: {error}"))?;
    if tried.status.success() { Ok(()) } else { Err(format!("{command:?}: {}", text(&tried.stderr))) }
}

fn run(shell: &mut Command, first: &str, name: &str) {
    let script = format!("{first} && exec \"$0\" --ignored --exact {name}");
    let ended = shell.args(["-c", &script]).arg(env::current_exe().unwrap()).output().unwrap();
    let (out, err) = (text(&ended.stdout), text(&ended.stderr));
    assert!(ended.status.success() && out.contains("1 passed"), "{out}\n{err}");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

/// Tells the process that it has a network of its own.
const OWN_NETWORK: &str = "MEMRING_TEST_OWN_NETWORK";
