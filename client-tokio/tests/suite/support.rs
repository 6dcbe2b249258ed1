//! Servers to test against.

use core::{
    any::Any,
    net::{Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use std::{
    env,
    ffi::OsStr,
    fs,
    io::{self, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Instant,
};

use memring_std::testing;
use memring_tokio::Client;

/// Servers of one kind, and a client of them.
pub(crate) struct Fleet {
    pub(crate) client: Client,
    pub(crate) names: Vec<String>,
    /// They live as long as this does.
    _servers: Vec<Box<dyn Any>>,
}

impl Fleet {
    pub(crate) fn embedded(count: usize) -> Self {
        let servers: Vec<_> = (0..count).map(|_| testing::Server::start().unwrap()).collect();
        let names = servers.iter().map(|server| server.addr().to_string()).collect();
        Self::new(names, servers)
    }

    pub(crate) fn memcached(count: usize) -> Self {
        let servers: Vec<_> = (0..count).map(|_| Memcached::start()).collect();
        let names = servers.iter().map(Memcached::name).collect();
        Self::new(names, servers)
    }

    fn new<S: Any>(names: Vec<String>, servers: Vec<S>) -> Self {
        let client = client(&names, Duration::from_secs(10));
        Self { client, names, _servers: servers.into_iter().map(|server| Box::new(server) as _).collect() }
    }

    /// A client of this one server.
    pub(crate) fn alone(&self, name: &str) -> Client {
        assert!(self.names.iter().any(|known| known == name));
        Client::connect([name]).unwrap()
    }
}

/// A client of `names`.
pub(crate) fn client(names: &[String], timeout: Duration) -> Client {
    Client::builder().servers(names).timeout(timeout).build().unwrap()
}

/// A memcached process on a free port of the loopback interface; killed when dropped.
pub(crate) struct Memcached {
    child: Child,
    port: u16,
}

impl Memcached {
    pub(crate) fn start() -> Self {
        Self::start_with::<&str>(&[])
    }

    /// A memcached with these arguments, too.
    pub(crate) fn start_with<A: AsRef<OsStr>>(args: &[A]) -> Self {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let file = env::temp_dir().join(format!("memring-{}-{number}", std::process::id()));
        let mut command = Self::command();
        command.args(["-l", "127.0.0.1", "-p", "-1"]).args(args).env("MEMCACHED_PORT_FILENAME", &file);
        let child = Self::spawn(&mut command);
        let port = until("memcached names its port", || {
            let text = fs::read_to_string(&file).ok()?;
            text.strip_prefix("TCP INET: ")?.strip_suffix('\n')?.parse().ok()
        });
        let _ = fs::remove_file(file);
        let server = Self { child, port };
        until("memcached listens", || server.listens());
        server
    }

    /// A memcached on a port that was in use before. Should another program have taken it for a moment, it waits.
    pub(crate) fn start_on(port: u16) -> Self {
        let mut command = Self::command();
        command.args(["-l", "127.0.0.1", "-p", &port.to_string()]);
        let mut server = Self { child: Self::spawn(&mut command), port };
        until("memcached listens again", || {
            if server.child.try_wait().unwrap().is_some() {
                server.child = Self::spawn(&mut command);
            }
            server.listens()
        });
        server
    }

    /// A memcached on a Unix socket.
    pub(crate) fn start_unix() -> (Self, PathBuf) {
        let path = env::temp_dir().join(format!("memring-{}.sock", std::process::id()));
        let child = Self::spawn(Self::command().arg("-s").arg(&path).args(["-a", "777"]));
        until("memcached listens", || UnixStream::connect(&path).ok());
        (Self { child, port: 0 }, path)
    }

    fn command() -> Command {
        let mut command = Command::new("memcached");
        // Only root must name a user, and only root may.
        command.args(["-U", "0", "-u", "nobody", "-t", "1"]).stdin(Stdio::null()).stderr(Stdio::null());
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

    pub(crate) fn addr(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    pub(crate) fn name(&self) -> String {
        self.addr().to_string()
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Sends it a signal, by the name that `kill` knows.
    pub(crate) fn signal(&self, name: &str) {
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
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Memcached {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A server that does as it is told, connection by connection.
pub(crate) struct Scripted {
    addr: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    bytes: Mutex<Vec<u8>>,
}

impl Scripted {
    /// Runs `script` for every connection, each in a thread of its own; when it returns, the connection is closed.
    pub(crate) fn new(script: impl Fn(Peer) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let addr = listener.local_addr().unwrap();
        let (seen, script) = (Arc::new(Seen::default()), Arc::new(script));
        let server = Self { addr, seen: Arc::clone(&seen) };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let number = seen.connections.fetch_add(1, Ordering::SeqCst);
                let peer = Peer { stream: stream.unwrap(), number, seen: Arc::clone(&seen) };
                let script = Arc::clone(&script);
                thread::spawn(move || script(peer));
            }
        });
        server
    }

    /// Answers every line with `reply`.
    pub(crate) fn answering(reply: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        Self::new(move |mut peer| {
            while peer.line().is_some() {
                peer.write(reply.as_ref());
            }
        })
    }

    /// Accepts, and never says anything.
    pub(crate) fn silent() -> Self {
        Self::new(|mut peer| while peer.line().is_some() {})
    }

    /// Misses and stores; but on the first connection, it answers one line, reads one more, and hangs up.
    pub(crate) fn hanging_up() -> Self {
        Self::new(|mut peer| {
            let mut lines = 0;
            while let Some(line) = peer.line() {
                lines += 1;
                if peer.number == 0 && lines == 2 {
                    return;
                }
                if line.starts_with("set") {
                    peer.line();
                    peer.write("STORED\r\n");
                } else {
                    peer.write(if line.starts_with("delete") { "NOT_FOUND\r\n" } else { "END\r\n" });
                }
            }
        })
    }

    pub(crate) fn name(&self) -> String {
        self.addr.to_string()
    }

    /// How many connections have been accepted.
    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// All that has been read from all connections.
    pub(crate) fn received(&self) -> String {
        String::from_utf8_lossy(&self.seen.bytes.lock().unwrap()).into_owned()
    }

    /// A client of this server alone.
    pub(crate) fn client(&self, timeout: Duration) -> Client {
        client(&[self.name()], timeout)
    }
}

/// The client, as a scripted server sees it.
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    /// Which connection this is, from 0.
    pub(crate) number: usize,
    seen: Arc<Seen>,
}

impl Peer {
    /// The next line, or `None` when the client has closed the connection.
    pub(crate) fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.push(self.byte()?);
        }
        line.truncate(line.len() - 2);
        Some(String::from_utf8_lossy(&line).into_owned())
    }

    fn byte(&mut self) -> Option<u8> {
        let mut byte = [0];
        let read = self.stream.read(&mut byte).ok().filter(|len| *len > 0)?;
        self.seen.bytes.lock().unwrap().extend_from_slice(&byte[..read]);
        Some(byte[0])
    }

    /// Writes, whether the client is still there or not.
    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref());
    }
}

/// A listener that completes no connection: its queue is full. The system drops what comes, without a word.
pub(crate) struct BlackHole {
    _listener: socket2::Socket,
    _queue: Vec<TcpStream>,
    addr: SocketAddr,
}

impl BlackHole {
    pub(crate) fn new() -> Self {
        let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        listener.listen(0).unwrap();
        let addr = listener.local_addr().unwrap().as_socket().unwrap();
        let mut queue = Vec::new();
        loop {
            match TcpStream::connect_timeout(&addr, Duration::from_millis(100)) {
                Ok(stream) => queue.push(stream),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => break,
                Err(error) => panic!("{error}"),
            }
        }
        Self { _listener: listener, _queue: queue, addr }
    }

    pub(crate) fn name(&self) -> String {
        self.addr.to_string()
    }
}

/// The name of a server that is not there.
pub(crate) fn refusing() -> String {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().to_string()
}

/// A file that others may read, until this is dropped.
pub(crate) struct File(PathBuf);

impl File {
    pub(crate) fn new(content: impl AsRef<[u8]>) -> Self {
        static WRITTEN: AtomicUsize = AtomicUsize::new(0);
        let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("memring-{}-file-{number}", std::process::id()));
        fs::write(&path, content).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Waits for something to be there, at most ten seconds.
pub(crate) fn until<T>(what: &str, mut there: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(it) = there() {
            return it;
        }
        assert!(begin.elapsed() < Duration::from_secs(10), "waited in vain: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Waits for `run` and holds its time against a deadline: not before it, and not much later.
pub(crate) async fn ends_at<T>(deadline: Duration, run: impl Future<Output = T>) -> T {
    let begin = Instant::now();
    let result = run.await;
    let took = begin.elapsed();
    assert!(took >= deadline.mul_f64(0.95), "ended early: {took:?} of {deadline:?}");
    let late = deadline.mul_f64(1.2).max(deadline + Duration::from_millis(100));
    assert!(took < late, "ended late: {took:?} of {deadline:?}");
    result
}
