//! Proxies: each configuration is a process of its own, and our client asks it as if it were one server.

use core::fmt::Write as _;
use std::{
    env, fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use memring_std::Client;

use crate::{
    Failure,
    configuration::Configuration,
    fleet::{Keys, listens, value},
    peers::Row,
    program::Peer,
};

/// A process with a configuration of its own.
struct Proxy {
    process: Child,
    port: u16,
    file: PathBuf,
}

impl Proxy {
    /// Starts what `command` makes of the configuration file with this text.
    fn start(text: &str, port: u16, command: impl FnOnce(&Path) -> Command) -> Result<Self, Failure> {
        let file = env::temp_dir().join(format!("memring-peers-{}-{port}.conf", std::process::id()));
        fs::write(&file, text)?;
        let mut command = command(&file);
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let proxy = Self { process, port, file };
        listens("127.0.0.1", port)?;
        Ok(proxy)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // nginx ends its workers only if it is asked.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
        let _ = fs::remove_file(&self.file);
    }
}

/// A port that nobody listens on.
fn free_port() -> Result<u16, Failure> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// What a program says of its version, after the last slash or dash of its first line.
fn version_of(program: &str, arg: &str) -> Result<String, Failure> {
    let output = Command::new(program).arg(arg).output().map_err(|error| format!("{program}: {error}"))?;
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let line = said.lines().next().unwrap_or_default();
    Ok(line.rsplit(['/', '-']).next().unwrap_or_default().to_owned())
}

/// twemproxy.
struct Twemproxy {
    version: String,
}

pub(crate) fn twemproxy(_: &Row) -> Result<Box<dyn Peer>, Failure> {
    Ok(Box::new(Twemproxy { version: version_of("nutcracker", "--version")? }))
}

impl Twemproxy {
    fn client(configuration: &Configuration) -> Result<(Proxy, Client), Failure> {
        let told = |name| configuration.told(name).unwrap_or_default();
        let port = free_port()?;
        let mut text = format!(
            "pool:\n  listen: 127.0.0.1:{port}\n  distribution: {}\n  hash: {}\n  servers:\n",
            told("distribution"),
            told("hash"),
        );
        for (host, port, weight) in &configuration.servers {
            writeln!(text, "   - {host}:{port}:{weight}")?;
        }
        let statistics = free_port()?.to_string();
        let proxy = Proxy::start(&text, port, |file| {
            let mut command = Command::new("nutcracker");
            command.args(["-a", "127.0.0.1", "-s", &statistics, "-c"]).arg(file);
            command
        })?;
        let client = Client::connect([format!("127.0.0.1:{port}")])?;
        Ok((proxy, client))
    }
}

impl Peer for Twemproxy {
    fn version(&self) -> &str {
        &self.version
    }

    fn set(&mut self, configuration: &Configuration, keys: &Keys) -> Result<Option<usize>, Failure> {
        let (_proxy, client) = Self::client(configuration)?;
        keys.set_by(&client)?;
        Ok(Some(keys.len()))
    }

    fn get(&mut self, configuration: &Configuration, keys: &Keys) -> Result<usize, Failure> {
        let (_proxy, client) = Self::client(configuration)?;
        keys.found_by(&client)
    }
}

/// nginx, which only reads.
struct Nginx {
    version: String,
}

pub(crate) fn nginx(_: &Row) -> Result<Box<dyn Peer>, Failure> {
    Ok(Box::new(Nginx { version: version_of("nginx", "-v")? }))
}

impl Peer for Nginx {
    fn version(&self) -> &str {
        &self.version
    }

    fn set(&mut self, _: &Configuration, _: &Keys) -> Result<Option<usize>, Failure> {
        Ok(None)
    }

    fn get(&mut self, configuration: &Configuration, keys: &Keys) -> Result<usize, Failure> {
        let port = free_port()?;
        let folder = env::temp_dir().join(format!("memring-peers-{}-nginx", std::process::id()));
        fs::create_dir_all(&folder)?;
        let files = folder.display();
        let mut servers = String::new();
        for (host, port, weight) in &configuration.servers {
            writeln!(servers, "server {host}:{port} weight={weight} max_fails=0;")?;
        }
        let text = format!(
            "daemon off;\nmaster_process off;\npid {files}/pid;\nerror_log /dev/null;\nevents {{}}\nhttp {{\naccess_log off;\n\
             client_body_temp_path {files}; proxy_temp_path {files}; fastcgi_temp_path {files}; uwsgi_temp_path {files}; scgi_temp_path {files};\n\
             upstream fleet {{ hash $http_x_key{}; {servers} }}\n\
             server {{ listen 127.0.0.1:{port}; keepalive_requests 100000; location / {{ set $memcached_key $http_x_key; memcached_pass fleet; }} }}\n}}\n",
            if configuration.told("consistent").is_some() { " consistent" } else { "" },
        );
        let proxy = Proxy::start(&text, port, |file| {
            let mut command = Command::new("nginx");
            command.arg("-c").arg(file);
            command
        })?;
        let mut stream = TcpStream::connect(("127.0.0.1", proxy.port))?;
        let mut replies = BufReader::new(stream.try_clone()?);
        let mut found = 0;
        for key in keys.iter() {
            // In one piece: the second of two would wait for the first to be acknowledged.
            let request = format!("GET / HTTP/1.1\r\nHost: fleet\r\nX-Key: {key}\r\n\r\n");
            stream.write_all(request.as_bytes())?;
            found += usize::from(body(&mut replies)? == value(key).as_bytes());
        }
        drop(proxy);
        fs::remove_dir_all(folder)?;
        Ok(found)
    }
}

/// The body of the next reply, empty unless it says that it was found.
fn body(replies: &mut BufReader<TcpStream>) -> Result<Vec<u8>, Failure> {
    let (mut line, mut len, mut is_found) = (String::new(), 0, false);
    loop {
        line.clear();
        if replies.read_line(&mut line)? == 0 {
            return Err("nginx closed".into());
        }
        let text = line.trim_end().to_ascii_lowercase();
        is_found |= text.starts_with("http/1.1 200");
        match text.strip_prefix("content-length: ") {
            Some(number) => len = number.parse()?,
            None if text.is_empty() => break,
            None => {}
        }
    }
    let mut body = vec![0; len];
    replies.read_exact(&mut body)?;
    Ok(if is_found { body } else { Vec::new() })
}
