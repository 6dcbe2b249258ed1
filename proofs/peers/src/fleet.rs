//! Real servers, and keys that no one has had before.

use core::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use std::{
    env, fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Instant,
};

use fastrand::Rng;
use memring_std::{Client, Ttl};

use crate::Failure;

/// Eight memcacheds on addresses of the loopback interface; half of them on the port that some peers leave out of names.
pub(crate) struct Fleet {
    processes: Vec<Child>,
    /// Hosts and ports.
    pub(crate) addresses: Vec<(String, u16)>,
}

impl Fleet {
    pub(crate) fn start(rng: &mut Rng) -> Result<Self, Failure> {
        let mut fleet = Self { processes: Vec::new(), addresses: Vec::new() };
        let network = rng.u8(2..250);
        for number in 0..8_u16 {
            let host = format!("127.0.{network}.{}", rng.u8(1..30) + 30 * number as u8);
            let port = if number % 2 == 0 { 11_211 } else { rng.u16(11_300..20_000) };
            let mut command = Command::new("memcached");
            command.args(["-U", "0", "-u", "nobody", "-t", "1", "-l", &host, "-p", &port.to_string()]);
            let mut process = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn()?;
            listens(&host, port)?;
            // Somebody else may listen there, on all addresses.
            thread::sleep(Duration::from_millis(20));
            let ended = process.try_wait()?;
            fleet.processes.push(process);
            if let Some(status) = ended {
                return Err(format!(
                    "memcached on {host}:{port} ended at once, {status}: somebody else has the port"
                )
                .into());
            }
            fleet.addresses.push((host, port));
        }
        Ok(fleet)
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Waits until somebody listens, at most ten seconds.
pub(crate) fn listens(host: &str, port: u16) -> Result<(), Failure> {
    let begin = Instant::now();
    while TcpStream::connect((host, port)).is_err() {
        if begin.elapsed() > Duration::from_secs(10) {
            return Err(format!("nobody listens on {host}:{port}").into());
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// A thousand keys, in a file for peers to read, one a line. The value of a key is `v:` and the key.
pub(crate) struct Keys {
    keys: Vec<String>,
    file: PathBuf,
}

impl Keys {
    /// Keys of any printable ASCII, but for the signs that proxies escape or read as tags.
    pub(crate) fn draw(rng: &mut Rng) -> Result<Self, Failure> {
        static FILES: AtomicUsize = AtomicUsize::new(0);
        let letters: Vec<char> = ('!'..='~').filter(|letter| !"%{}\\\"'$".contains(*letter)).collect();
        let mut key = || {
            let len = rng.usize(12..60);
            (0..len).map(|_| letters[rng.usize(..letters.len())]).collect::<String>()
        };
        let keys: Vec<String> = (0..1000).map(|_| key()).collect();
        let number = FILES.fetch_add(1, Ordering::Relaxed);
        let file = env::temp_dir().join(format!("memring-peers-{}-{number}.keys", std::process::id()));
        fs::write(&file, keys.join("\n") + "\n")?;
        Ok(Self { keys, file })
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(String::as_str)
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// How many of them `client` finds with their values.
    pub(crate) fn found_by(&self, client: &Client) -> Result<usize, Failure> {
        let found = client.get_many(&self.keys)?.all()?;
        let is_right = |(key, item): &(&String, Option<memring_std::Item>)| {
            item.as_ref().is_some_and(|item| item.value == value(key).as_bytes())
        };
        Ok(self.keys.iter().zip(found).filter(is_right).count())
    }

    /// Lets `client` store them.
    pub(crate) fn set_by(&self, client: &Client) -> Result<(), Failure> {
        self.keys.iter().try_for_each(|key| Ok(client.set(key, value(key), Ttl::NEVER)?))
    }
}

/// What is stored for a key.
pub(crate) fn value(key: &str) -> String {
    format!("v:{key}")
}

impl Drop for Keys {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}
