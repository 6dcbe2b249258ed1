//! A memcached process of our own.

use core::{net::Ipv4Addr, time::Duration};
use std::{
    io::{self, Read as _},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Instant,
};

use memring_std::{Client, StatsKind};

use crate::{failure::Failure, interrupt::Interrupt};

/// A running memcached on the loopback interface. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Memcached {
    child: Child,
    name: String,
}

impl Memcached {
    /// Whether there is a memcached at `path`, or, for a mere name, in PATH.
    pub(super) fn is_there(path: &Path) -> Result<bool, Failure> {
        match Command::new(path).arg("-V").stdin(Stdio::null()).output() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Failure::failed(format_args!("{}: {error}", path.display()))),
        }
    }

    /// Starts one on `port`, or on a free one, and waits until it answers.
    pub(super) fn start(path: &Path, port: Option<u16>, interrupt: &Interrupt) -> Result<Self, Failure> {
        if port.is_some() {
            return Self::attempt(path, port, interrupt);
        }
        // Between looking for a free port and taking it, somebody else may have taken it.
        let mut attempts = 1;
        loop {
            match Self::attempt(path, port, interrupt) {
                Err(Failure::Failed(_)) if attempts < ATTEMPTS => attempts += 1,
                done => return done,
            }
        }
    }

    fn attempt(path: &Path, port: Option<u16>, interrupt: &Interrupt) -> Result<Self, Failure> {
        let port = match port {
            Some(port) => port,
            None => TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port(),
        };
        let mut command = Command::new(path);
        command
            .args(["-l", "127.0.0.1", "-p", &port.to_string(), "-U", "0", "-t", "1", "-m", "64"])
            // It will not run as root; if we are anybody else, this means nothing.
            .args(["-u", "nobody"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        // Ctrl-C is for us alone: we end our servers ourselves, when nobody needs them any more.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child =
            command.spawn().map_err(|error| Failure::failed(format_args!("{}: {error}", path.display())))?;
        let mut memcached = Self { child, name: format!("127.0.0.1:{port}") };
        memcached.wait_until_ready(interrupt)?;
        Ok(memcached)
    }

    /// The address it listens on, which is its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn wait_until_ready(&mut self, interrupt: &Interrupt) -> Result<(), Failure> {
        let client = Client::connect([&self.name])?;
        let patience = Instant::now() + START_TIMEOUT;
        loop {
            interrupt.check()?;
            // On a port that was snatched away from it, somebody else's server may answer.
            let answers = client.stats(StatsKind::General);
            let pid = self.child.id().to_string();
            let is_ours = |stats: &memring_std::Stats<Vec<u8>>| stats.value("pid") == Some(pid.as_bytes());
            if answers.iter().any(|answer| answer.result.as_ref().is_ok_and(is_ours)) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                let mut said = String::new();
                if let Some(stderr) = &mut self.child.stderr {
                    stderr.read_to_string(&mut said)?;
                }
                let name = &self.name;
                return Err(Failure::failed(format_args!(
                    "memcached for {name}: {status}\n{}",
                    said.trim_end()
                )));
            }
            if Instant::now() > patience {
                return Err(Failure::failed(format_args!("memcached on {} does not answer", self.name)));
            }
            thread::sleep(PAUSE);
        }
    }
}

impl Drop for Memcached {
    fn drop(&mut self) {
        // Either fails only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How often another port is tried.
const ATTEMPTS: u32 = 5;

/// How long a memcached may take until it answers.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait before asking it again.
const PAUSE: Duration = Duration::from_millis(5);
