//! A real server on the loopback interface.

use std::{
    env, fs,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    process::{Child, Command, Stdio, id},
    thread,
    time::Duration,
};

/// A memcached with one thread, on a free port; killed when dropped.
pub(crate) struct Memcached {
    child: Child,
    pub(crate) addr: SocketAddr,
}

impl Memcached {
    pub(crate) fn start() -> Self {
        let file = env::temp_dir().join(format!("memring-bench-{}", id()));
        let mut command = Command::new("memcached");
        // Only root must name a user, and only root may.
        command.args(["-U", "0", "-u", "nobody", "-t", "1", "-l", "127.0.0.1", "-p", "-1"]);
        command.env("MEMCACHED_PORT_FILENAME", &file).stdin(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("memcached is installed");
        let port = until(|| {
            let text = fs::read_to_string(&file).ok()?;
            text.strip_prefix("TCP INET: ")?.strip_suffix('\n')?.parse().ok()
        });
        let _ = fs::remove_file(file);
        let server = Self { child, addr: (Ipv4Addr::LOCALHOST, port).into() };
        until(|| TcpStream::connect(server.addr).ok());
        server
    }

    /// What it calls itself.
    pub(crate) fn version() -> String {
        let output = Command::new("memcached").arg("-V").output().expect("memcached is installed");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

fn until<T>(mut ready: impl FnMut() -> Option<T>) -> T {
    loop {
        if let Some(ready) = ready() {
            return ready;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

impl Drop for Memcached {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
