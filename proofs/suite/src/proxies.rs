//! Servers that answer as memcached does not, or no longer does, and with which a client has to live.

use core::net::Ipv4Addr;
use std::{
    env, fs,
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use crate::{Memcached, Scripted, until};

/// A real twemproxy before a real memcached; both are killed when dropped.
pub struct Twemproxy {
    child: Child,
    config: PathBuf,
    port: u16,
    _memcached: Memcached,
}

impl Twemproxy {
    /// A proxy and its server, which listen when this returns.
    pub fn start() -> Self {
        let memcached = Memcached::start();
        let free = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let (port, stats) = (free(), free());
        let config = env::temp_dir().join(format!("memring-twemproxy-{}-{port}.yml", std::process::id()));
        let text = format!(
            "pool:\n  listen: 127.0.0.1:{port}\n  hash: fnv1a_64\n  distribution: ketama\n  servers:\n   - {}:1\n",
            memcached.name()
        );
        fs::write(&config, text).unwrap();
        let child = Command::new("nutcracker")
            .arg("-c")
            .arg(&config)
            .args(["-a", "127.0.0.1", "-s", &stats.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("twemproxy must be installed (Debian: nutcracker)");
        let proxy = Self { child, config, port, _memcached: memcached };
        until("twemproxy listens", || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok());
        proxy
    }

    /// Where the proxy listens, as clients are told.
    pub fn name(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for Twemproxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.config);
    }
}

/// A server of this version, which knows no meta command but where it says `mn`; every other command misses.
pub fn of_version(version: &'static str, mn: &'static str) -> Scripted {
    Scripted::new(move |mut peer| {
        while let Some(line) = peer.line() {
            let opaque = line.split(' ').skip(2).find(|word| word.starts_with('O')).unwrap_or_default();
            match line.split(' ').next().unwrap_or_default() {
                "version" => peer.write(format!("VERSION {version}\r\n")),
                "mn" => peer.write(format!("{mn}\r\n")),
                "mg" if mn == "MN" => peer.write(format!("HD {opaque}\r\n")),
                // As memcached 1.6.45 says it of a key in base64 that is there.
                "me" if mn == "MN" => peer.write("EN\r\n"),
                _ => peer.write("ERROR\r\n"),
            }
        }
    })
}

/// A proxy with one backend that is gone: that of the keys that begin with `bad`. What it says of it is in no list.
pub fn with_a_bad_backend() -> Scripted {
    Scripted::new(|mut peer| {
        while let Some(line) = peer.line() {
            let mut words = line.split(' ');
            let (verb, key) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            if verb == "set" {
                peer.line();
            }
            peer.write(match verb {
                _ if key.starts_with("bad") => "SERVER_ERROR the backend of this key is gone\r\n",
                "set" => "STORED\r\n",
                "delete" => "DELETED\r\n",
                _ => "END\r\n",
            });
        }
    })
}

/// Answers meta commands as memcached 1.6.10 to 1.6.17 does, all of which miss but `md`.
pub fn with_bare_misses() -> Scripted {
    Scripted::new(|mut peer| {
        while let Some(line) = peer.line() {
            let opaque = line.split(' ').skip(2).find(|word| word.starts_with('O')).unwrap_or_default();
            match line.split(' ').next().unwrap_or_default() {
                "version" => peer.write("VERSION 1.6.12\r\n"),
                "mn" => peer.write("MN\r\n"),
                "mg" => peer.write("EN\r\n"),
                "md" => peer.write(format!("HD  {opaque}\r\n")),
                "ma" => peer.write(format!("NF  {opaque}\r\n")),
                _ => peer.write("END\r\n"),
            }
        }
    })
}
