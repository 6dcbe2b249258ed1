//! The transcripts, asked again of the memcached of this machine.
//!
//! The program is `memcached` in the path, or what `MEMCACHED` names. Without one the test fails, unless
//! `MEMRING_WITHOUT_MEMCACHED` is set. Of another version than the transcripts', only what 1.6.18 and 1.6.45 answer
//! alike is asked.

use std::{
    collections::HashSet,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use crate::transcript::{Block, blocks, names_that_differ};

/// How long a reply may take.
const PATIENCE: Duration = Duration::from_secs(5);

pub struct Memcached {
    process: Child,
    port: u16,
}

impl Memcached {
    pub fn start(args: &[String]) -> Self {
        for _ in 0..20 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut command = Command::new(program());
            command.args(["-l", "127.0.0.1", "-t", "1", "-u", "nobody", "-p", &port.to_string()]).args(args);
            let mut process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let deadline = Instant::now() + Duration::from_secs(5);
            while Instant::now() < deadline && process.try_wait().unwrap().is_none() {
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Self { process, port };
                }
                thread::sleep(Duration::from_millis(5));
            }
            drop(Self { process, port });
        }
        panic!("memcached does not start");
    }

    pub fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).unwrap()
    }
}

impl Drop for Memcached {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn program() -> String {
    std::env::var("MEMCACHED").unwrap_or_else(|_| "memcached".into())
}

/// Of the program that the transcripts were captured from.
const REFERENCE: &str = "memcached 1.6.18";

/// What the program says; `None` where there is none, and need not be.
fn version() -> Option<String> {
    let Ok(output) = Command::new(program()).arg("-V").output() else {
        let without = std::env::var_os("MEMRING_WITHOUT_MEMCACHED").is_some();
        assert!(without, "no {} here: install it, or set MEMRING_WITHOUT_MEMCACHED", program());
        return None;
    };
    Some(String::from_utf8_lossy(&output.stdout).trim().into())
}

/// Is the program the one that our engine does as?
pub fn is_reference() -> bool {
    version().is_some_and(|version| version == REFERENCE)
}

/// Why a block is not asked of a live server; `None` when it is.
fn reason(block: &Block) -> Option<&'static str> {
    let has = |arg: &str| block.args.iter().any(|given| given == arg);
    if has("-Y") {
        return Some("needs a file of users");
    }
    if has("-c") || has("-o") {
        return Some("needs a server driven to its limits, or slow to");
    }
    if block.name == "06-admin/stats-cachedump" {
        return Some("an item is shown when the server's own thread has moved it");
    }
    match &block.varies {
        Some(what) if what != "version" => Some("numbers that differ from run to run"),
        _ => None,
    }
}

/// Sends, and reads until so many bytes have come, or none for so long.
pub fn ask(stream: &mut TcpStream, bytes: &[u8], expected: usize, patience: Duration) -> Vec<u8> {
    stream.set_read_timeout(Some(patience)).unwrap();
    // The reply may be long before the request is sent whole.
    let mut writer = stream.try_clone().unwrap();
    let mut answer = Vec::new();
    thread::scope(|scope| {
        scope.spawn(move || writer.write_all(bytes));
        let mut buf = vec![0; 1 << 16];
        while answer.len() < expected {
            match stream.read(&mut buf) {
                Ok(0) | Err(_) => break,
                Ok(len) => answer.extend_from_slice(&buf[..len]),
            }
        }
    });
    answer
}

/// Asks the block of a server of its own; `first_wait` is how long that has time to settle.
fn replay(block: &Block, first_wait: Duration) -> Result<(), String> {
    let server = Memcached::start(&block.args);
    thread::sleep(first_wait);
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let check = |answer: Vec<u8>, expected: &[u8]| {
        if answer == expected || block.varies.is_some() {
            return Ok(());
        }
        Err(format!("{}: {}", block.name, answer[..answer.len().min(300)].escape_ascii()))
    };
    for exchange in &block.exchanges {
        thread::sleep(Duration::from_secs_f64(exchange.wait));
        let answer = ask(&mut stream, &exchange.sent_whole(), exchange.received.len(), PATIENCE);
        check(answer, &exchange.received)?;
    }
    match block.end.as_str() {
        "open" => check(ask(&mut stream, b"mn\r\n", 4, PATIENCE), b"MN\r\n"),
        "closed" => check(ask(&mut stream, b"", 1, PATIENCE), b""),
        _ => Ok(()),
    }
}

/// A server's own threads and a loaded machine's clock get in the way at times, so there are three tries.
fn replay_patiently(block: &Block) {
    let waits = [0, 0, 1500].map(Duration::from_millis);
    let failures: Vec<_> = waits.into_iter().map_while(|wait| replay(block, wait).err()).collect();
    assert!(failures.len() < waits.len(), "{failures:#?}");
}

#[test]
fn a_live_memcached_still_answers_so() {
    let Some(version) = version() else { return };
    let differ = if version == REFERENCE { HashSet::new() } else { names_that_differ() };
    let reason = |block: &Block| {
        reason(block).or_else(|| differ.contains(&block.name).then_some("differs between versions"))
    };
    let (run, left_out): (Vec<_>, Vec<_>) = blocks().into_iter().partition(|block| reason(block).is_none());
    let queue = Mutex::new(run.iter());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(block) = { queue.lock().unwrap().next() } {
                    replay_patiently(block);
                }
            });
        }
    });
    let left_out: Vec<_> =
        left_out.iter().map(|block| format!("{} ({})", block.name, reason(block).unwrap())).collect();
    println!("{version}: {} blocks; left out: {left_out:#?}", run.len());
    assert_eq!(run.len() + left_out.len(), 303);
    assert!(run.len() >= if differ.is_empty() { 282 } else { 229 }, "{}", run.len());
}
