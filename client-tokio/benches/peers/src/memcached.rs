//! Servers to ask: real ones, each a process of its own.

use std::{
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

/// A memcached on a free port of the loopback; dropping it ends it.
pub(crate) struct Memcached {
    process: Child,
    pub(crate) address: String,
}

impl Memcached {
    pub(crate) fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = port.expect("a free port").port();
        let process = Command::new("memcached")
            .args([
                "-l",
                "127.0.0.1",
                "-U",
                "0",
                "-u",
                "nobody",
                "-t",
                "2",
                "-c",
                "2000",
                "-p",
                &port.to_string(),
            ])
            .stdin(Stdio::null())
            .spawn()
            .expect("memcached, from the package of that name");
        let address = format!("127.0.0.1:{port}");
        while TcpStream::connect(&address).is_err() {
            thread::sleep(Duration::from_millis(10));
        }
        Self { process, address }
    }
}

impl Drop for Memcached {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What it says of itself.
pub(crate) fn version() -> String {
    let output =
        Command::new("memcached").arg("-V").output().expect("memcached, from the package of that name");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
