//! Real servers for the benchmarks, each in a process of its own.

use core::time::Duration;
use std::{
    env, fs,
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{Child, Command, Stdio, id},
    thread,
};

/// A memcached on a Unix socket; killed when dropped.
pub(crate) struct Memcached {
    child: Child,
    path: PathBuf,
}

impl Memcached {
    /// Starts the one of this `number`, and waits until it listens.
    pub(crate) fn start(number: usize) -> Self {
        let path = env::temp_dir().join(format!("memring-bench-{}-{number}.sock", id()));
        let mut command = Command::new("memcached");
        // Only root must name a user, and only root may.
        command.args(["-t", "1", "-u", "nobody", "-a", "777", "-s"]).arg(&path);
        let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn();
        let server = Self { child: child.expect("memcached is installed"), path };
        while UnixStream::connect(&server.path).is_err() {
            thread::sleep(Duration::from_millis(5));
        }
        server
    }

    /// How a client is told of it.
    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }
}

impl Drop for Memcached {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.path);
    }
}
