//! The service over HTTP, with a real memcached and without.

use std::{
    env, fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use web::{App, UserCache, Users};

#[test]
fn a_user_is_read_from_the_database_once_and_then_from_the_cache() {
    let memcached = Memcached::start();
    let service = service(memcached.addr);
    assert_eq!(get(service, "ada"), answer(404, "miss", ""));
    assert_eq!(put(service, "ada", r#"{"email":"ada@example.org"}"#), 204);
    let ada = r#"{"name":"ada","email":"ada@example.org"}"#;
    assert_eq!(get(service, "ada"), answer(200, "miss", ada));
    assert_eq!(get(service, "ada"), answer(200, "hit", ada));
    let ttl = memcached.ask("mg web:user:ada t\r\n");
    // A minute, and the time in which another visitor can take over a query that hangs.
    assert!(["HD t71\r\n", "HD t70\r\n"].contains(&ttl.as_str()), "{ttl}");
}

#[test]
fn many_visitors_who_ask_at_once_ask_the_database_once() {
    let memcached = Memcached::start();
    let service = service(memcached.addr);
    assert_eq!(put(service, "ada", r#"{"email":"a"}"#), 204);
    let answers = thread::scope(|scope| {
        let visitors: Vec<_> = (0..20).map(|_| scope.spawn(|| get(service, "ada"))).collect();
        visitors.into_iter().map(|visitor| visitor.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(answers.iter().all(|answer| answer.body == r#"{"name":"ada","email":"a"}"#));
    assert_eq!(answers.iter().filter(|answer| answer.from == "miss").count(), 1);
}

#[test]
fn what_another_program_has_left_is_not_told() {
    let memcached = Memcached::start();
    let service = service(memcached.addr);
    assert_eq!(put(service, "ada", r#"{"email":"a"}"#), 204);
    memcached.ask("set web:user:ada 0 0 4\r\nyou!\r\n");
    let ada = r#"{"name":"ada","email":"a"}"#;
    assert_eq!(get(service, "ada"), answer(200, "miss", ada));
    assert_eq!(get(service, "ada"), answer(200, "miss", ada));
    assert_eq!(get(service, "ada"), answer(200, "hit", ada));
}

#[test]
fn what_was_changed_is_told_at_once() {
    let memcached = Memcached::start();
    let service = service(memcached.addr);
    for email in ["old@example.org", "new@example.org"] {
        assert_eq!(put(service, "ada", &format!(r#"{{"email":"{email}"}}"#)), 204);
        let ada = format!(r#"{{"name":"ada","email":"{email}"}}"#);
        assert_eq!(get(service, "ada"), answer(200, "miss", &ada));
        assert_eq!(get(service, "ada"), answer(200, "hit", &ada));
    }
}

#[test]
fn names_that_are_no_keys_are_cached_as_well() {
    let memcached = Memcached::start();
    let service = service(memcached.addr);
    let long = "x".repeat(2000);
    for (path, name) in [
        ("ada%20lovelace", "ada lovelace"),
        ("a%0D%0Aflush_all", "a\\r\\nflush_all"),
        ("%C3%A9mile", "émile"),
        (&long, &long),
    ] {
        assert_eq!(put(service, path, r#"{"email":"e"}"#), 204);
        let user = format!(r#"{{"name":"{name}","email":"e"}}"#);
        assert_eq!(get(service, path), answer(200, "miss", &user));
        assert_eq!(get(service, path), answer(200, "hit", &user));
    }
}

#[test]
fn without_the_cache_everybody_is_served() {
    let mut memcached = Memcached::start();
    let service = service(memcached.addr);
    assert_eq!(put(service, "ada", r#"{"email":"a"}"#), 204);
    assert_eq!(get(service, "ada").from, "miss");
    assert_eq!(get(service, "ada").from, "hit");
    memcached.kill();
    assert_eq!(get(service, "ada"), answer(200, "miss", r#"{"name":"ada","email":"a"}"#));
    assert_eq!(put(service, "ada", r#"{"email":"b"}"#), 204);
    assert_eq!(get(service, "ada"), answer(200, "miss", r#"{"name":"ada","email":"b"}"#));
}

#[test]
fn a_cache_that_says_nothing_is_not_waited_for() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let service = service(silent.local_addr().unwrap());
    let begin = Instant::now();
    assert_eq!(put(service, "ada", r#"{"email":"a"}"#), 204);
    assert_eq!(get(service, "ada"), answer(200, "miss", r#"{"name":"ada","email":"a"}"#));
    assert!(begin.elapsed() < Duration::from_secs(5));
}

/// What a visitor sees.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    /// The header `x-cache`.
    from: String,
    body: String,
}

fn answer(status: u16, from: &str, body: &str) -> Answer {
    Answer { status, from: from.to_owned(), body: body.to_owned() }
}

/// Starts the service with an empty database, until the test ends.
fn service(memcached: SocketAddr) -> SocketAddr {
    let users = Users::open(Path::new(":memory:")).unwrap();
    let cache = UserCache::new([memcached.to_string().as_str()]).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, web::routes(App { users, cache })).await.unwrap();
        });
    });
    addr
}

fn get(service: SocketAddr, name: &str) -> Answer {
    let reply = ask(service, &format!("GET /users/{name} HTTP/1.0\r\n\r\n"));
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    let from = head.lines().find_map(|line| line.strip_prefix("x-cache: ")).unwrap_or_default();
    answer(status(head), from, body)
}

fn put(service: SocketAddr, name: &str, body: &str) -> u16 {
    let len = body.len();
    let head = "content-type: application/json\r\ncontent-length:";
    status(&ask(service, &format!("PUT /users/{name} HTTP/1.0\r\n{head} {len}\r\n\r\n{body}")))
}

fn status(head: &str) -> u16 {
    head["HTTP/1.0 ".len()..][..3].parse().unwrap()
}

/// Sends `request`, and reads until the other side has no more to say.
fn ask(addr: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    reply
}

/// A memcached on a free port; killed when dropped.
struct Memcached {
    child: Child,
    addr: SocketAddr,
}

impl Memcached {
    fn start() -> Self {
        let name = format!("web-{}-{:?}", std::process::id(), thread::current().id());
        let file = env::temp_dir().join(name);
        let mut command = Command::new("memcached");
        // Only root must name a user, and only root may.
        command.args(["-l", "127.0.0.1", "-p", "-1", "-U", "0", "-u", "nobody"]);
        let child = command.env("MEMCACHED_PORT_FILENAME", &file).spawn().expect("memcached is installed");
        let port = until(|| {
            let text = fs::read_to_string(&file).ok()?;
            text.strip_prefix("TCP INET: ")?.strip_suffix('\n')?.parse::<u16>().ok()
        });
        let _ = fs::remove_file(file);
        let addr = SocketAddr::from(([127, 0, 0, 1], port));
        until(|| TcpStream::connect(addr).ok());
        Self { child, addr }
    }

    /// What it answers to one line.
    fn ask(&self, line: &str) -> String {
        ask(self.addr, &format!("{line}quit\r\n"))
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Memcached {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits for something to be there, at most ten seconds.
fn until<T>(mut there: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(it) = there() {
            return it;
        }
        assert!(begin.elapsed() < Duration::from_secs(10), "waited in vain");
        thread::sleep(Duration::from_millis(2));
    }
}
