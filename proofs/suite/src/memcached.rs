//! A real memcached.

use core::{
    iter,
    net::{Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicUsize, Ordering},
};
use std::{
    env,
    ffi::OsStr,
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use crate::{alone::has_own_network, until};

/// A memcached process on a free port of the loopback interface; killed when dropped.
pub struct Memcached {
    child: Child,
    port: u16,
    /// The Unix socket, which a process that is killed leaves behind.
    socket: Option<PathBuf>,
}

impl Memcached {
    /// A memcached with its defaults, and one thread.
    pub fn start() -> Self {
        Self::start_with::<&str>(&[])
    }

    /// A memcached with these arguments, too.
    pub fn start_with<A: AsRef<OsStr>>(args: &[A]) -> Self {
        let file = fresh_path("port");
        let mut command = Self::command();
        command.args(["-l", "127.0.0.1", "-p", "-1"]).args(args).env("MEMCACHED_PORT_FILENAME", &file);
        let child = Self::spawn(&mut command);
        let port = until("memcached names its port", || {
            let text = fs::read_to_string(&file).ok()?;
            text.strip_prefix("TCP INET: ")?.strip_suffix('\n')?.parse().ok()
        });
        let _ = fs::remove_file(file);
        let server = Self { child, port, socket: None };
        until("memcached listens", || server.listens());
        server
    }

    /// Connections of others, which the server has taken in: `most`, or as many as it takes.
    pub fn peers(&self, most: usize) -> Vec<TcpStream> {
        iter::from_fn(|| self.peer()).take(most).collect()
    }

    /// A connection that the server has taken in, unless it is full.
    fn peer(&self) -> Option<TcpStream> {
        let mut peer = TcpStream::connect(self.addr()).ok()?;
        peer.write_all(b"version\r\n").ok()?;
        let mut reply = [0; 64];
        let len = peer.read(&mut reply).ok()?;
        reply[..len].starts_with(b"VERSION").then_some(peer)
    }

    /// A memcached on a port that was in use before. Should another program have taken it for a moment, it waits.
    pub fn start_on(port: u16) -> Self {
        let mut command = Self::command();
        command.args(["-l", "127.0.0.1", "-p", &port.to_string()]);
        let mut server = Self { child: Self::spawn(&mut command), port, socket: None };
        until("memcached listens again", || {
            if server.child.try_wait().unwrap().is_some() {
                server.child = Self::spawn(&mut command);
            }
            server.listens()
        });
        server
    }

    /// A memcached on a Unix socket.
    pub fn start_unix() -> (Self, PathBuf) {
        let path = fresh_path("sock");
        let child = Self::spawn(Self::command().arg("-s").arg(&path).args(["-a", "777"]));
        until("memcached listens", || UnixStream::connect(&path).ok());
        (Self { child, port: 0, socket: Some(path.clone()) }, path)
    }

    fn command() -> Command {
        let mut command = Command::new("memcached");
        // Only root must name a user, and only root may; where the network is ours, nobody else is known.
        let user = if has_own_network() { "root" } else { "nobody" };
        command.args(["-U", "0", "-u", user, "-t", "1"]).stdin(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn spawn(command: &mut Command) -> Child {
        command.spawn().expect("memcached is installed")
    }

    /// A connection that met itself is none.
    fn listens(&self) -> Option<()> {
        let stream = TcpStream::connect(self.addr()).ok()?;
        (stream.local_addr().ok()? != self.addr()).then_some(())
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Where it listens, as clients are told.
    pub fn name(&self) -> String {
        self.addr().to_string()
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sends it a signal, by the name that `kill` knows.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
        if name == "STOP" {
            until("all its threads stand still", || self.is_stopped().then_some(()));
        }
    }

    /// Whether no thread of it runs. Where the system does not say so, we believe it.
    fn is_stopped(&self) -> bool {
        let Ok(threads) = fs::read_dir(format!("/proc/{}/task", self.child.id())) else { return true };
        let mut stat = threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("stat")).ok());
        stat.all(|stat| stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" T")))
    }

    /// Ends it at once (`kill -9`); its port refuses connections then.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The path of a file that no other server of any test has.
fn fresh_path(end: &str) -> PathBuf {
    static PATHS: AtomicUsize = AtomicUsize::new(0);
    let number = PATHS.fetch_add(1, Ordering::Relaxed);
    env::temp_dir().join(format!("memring-{}-{number}.{end}", std::process::id()))
}

impl Drop for Memcached {
    fn drop(&mut self) {
        self.kill();
        let _ = self.socket.as_ref().map(fs::remove_file);
    }
}
