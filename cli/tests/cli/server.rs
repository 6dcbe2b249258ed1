//! Servers to talk to, and processes to send signals to.

use core::time::Duration;
use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::Instant,
};

use crate::memring::command;

/// A server in a process of its own, which ends with it.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
}

impl Server {
    /// `memring serve`.
    pub(crate) fn embedded() -> Self {
        Self::embedded_with(&[])
    }

    pub(crate) fn embedded_with(args: &[&str]) -> Self {
        let listen: &[&str] = if args.contains(&"--listen") { &[] } else { &["--listen", "127.0.0.1:0"] };
        let args = [&["serve"], listen, args].concat();
        let mut child = command(args).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.strip_prefix("listening on ").unwrap().trim_end().to_owned();
        Self { child, address }
    }

    /// A real one.
    pub(crate) fn memcached() -> Self {
        Self::memcached_with(&[])
    }

    pub(crate) fn memcached_with(args: &[&str]) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new("memcached")
            .args(["-l", "127.0.0.1", "-U", "0", "-u", "nobody", "-p", &address.port().to_string()])
            .args(args)
            .stderr(Stdio::null())
            .spawn()
            .expect("these tests need memcached in PATH");
        until("memcached answers", || TcpStream::connect(address).ok());
        Self { child, address: address.to_string() }
    }

    /// Sends a signal and returns the exit code.
    pub(crate) fn end(mut self, signal_name: &str) -> Option<i32> {
        signal(self.child.id(), signal_name);
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends `signal` to the process `pid`.
pub(crate) fn signal(pid: u32, signal: &str) {
    let status = Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).status().unwrap();
    assert!(status.success(), "kill -{signal} {pid}");
}

/// The processes whose parent is `pid`.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let processes =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    processes.filter(|&child| parent(child) == Some(pid)).collect()
}

/// Whether the process is there, be it as a zombie.
pub(crate) fn exists(pid: u32) -> bool {
    parent(pid).is_some()
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything; behind it stand state and parent.
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

/// What `ask` returns once it returns something.
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let patience = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < patience, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
