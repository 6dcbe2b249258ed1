//! Runs a firmware in an emulator, beside three memcacheds on the loopback that it may reach, and does what it asks for.
//!
//! `host EMULATOR FIRMWARE`. Before, the host stores items for the firmware to find; after, it looks for the firmware's: so
//! both place keys alike. A firmware that says `please stop 1` or `please start 1` has its way with that server.

use std::{
    env,
    error::Error,
    io::{BufRead as _, BufReader},
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::{Child, Command, ExitCode, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use memring_std::{Attributes, Client, Ttl};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [emulator, firmware] = &arguments[..] else {
        eprintln!("usage: host EMULATOR FIRMWARE");
        return ExitCode::FAILURE;
    };
    match run(emulator, firmware) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{firmware}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(emulator: &str, firmware: &str) -> Outcome<()> {
    let mut fleet: Vec<_> = (0..3).map(|_| Memcached::start(free_port()?)).collect::<Outcome<_>>()?;
    // The name is what the emulator calls this host; the address, where that is.
    let servers = fleet.iter().map(|server| format!("10.0.2.2:{}=127.0.0.1:{}", server.port, server.port));
    let client = Client::builder()
        .servers(servers)
        .scheme_named("libmemcached-ketama-weighted", [("", ""); 0])
        .build()?;
    for i in 0..KEYS {
        let name = format!("host:{i}");
        client.set(&name, &name, Attributes { flags: i, ttl: Ttl::NEVER })?;
    }

    let said =
        fleet.iter().fold(String::from("arg=firmware"), |said, server| format!("{said},arg={}", server.port));
    let mut board = Process(
        Command::new(emulator)
            .args(["-machine", "mps2-an386", "-display", "none", "-monitor", "none", "-serial", "null"])
            .args(["-semihosting-config", &format!("enable=on,target=native,{said}"), "-nic", "user"])
            .args(["-kernel", firmware])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?,
    );
    let output = board.0.stdout.take().ok_or("the emulator has no output")?;
    let (lines, heard) = mpsc::channel();
    thread::spawn(move || {
        BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| lines.send(line))
    });
    let end = Instant::now() + PATIENCE;
    while let Some(line) = next(&heard, end)? {
        println!("  {line}");
        let wish: Vec<_> = line.split_whitespace().collect();
        let ["please", verb, number] = wish[..] else { continue };
        let server = fleet.get_mut(number.parse::<usize>()?).ok_or("there is no such server")?;
        match verb {
            "stop" => server.stop(),
            "start" => *server = Memcached::start(server.port)?,
            _ => return Err(format!("what is it to {verb} a server?").into()),
        }
    }
    let status = board.0.wait()?;
    if !status.success() {
        return Err(format!("the firmware failed: {status}").into());
    }

    for i in 0..KEYS {
        let name = format!("mcu:{i}");
        let item = client
            .get(&name)?
            .ok_or_else(|| format!("{name} is not where the firmware should have put it"))?;
        if item.value != name.as_bytes() || item.flags != i {
            return Err(format!("{name} is another item").into());
        }
    }
    println!("  {KEYS} items of the firmware's found where it put them");
    Ok(())
}

/// The next line, if there is one before the `end`.
fn next(heard: &mpsc::Receiver<String>, end: Instant) -> Outcome<Option<String>> {
    match heard.recv_timeout(end.saturating_duration_since(Instant::now())) {
        Ok(line) => Ok(Some(line)),
        Err(mpsc::RecvTimeoutError::Disconnected) => Ok(None),
        Err(mpsc::RecvTimeoutError::Timeout) => Err("the firmware did not end".into()),
    }
}

/// A process that ends with this.
struct Process(Child);

impl Process {
    fn end(&mut self) {
        let _already_ended = self.0.kill();
        let _status = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// A real memcached.
struct Memcached {
    process: Process,
    port: u16,
}

impl Memcached {
    fn start(port: u16) -> Outcome<Self> {
        let process = Command::new("memcached")
            .args(["-u", "nobody", "-l", "127.0.0.1", "-p", &port.to_string(), "-U", "0", "-m", "16"])
            .spawn()
            .map_err(|error| format!("memcached: {error}"))?;
        let server = Self { process: Process(process), port };
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if end < Instant::now() {
                return Err("memcached does not start".into());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(server)
    }

    fn stop(&mut self) {
        self.process.end();
    }
}

fn free_port() -> Outcome<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// How many keys each side stores.
const KEYS: u32 = 30;

/// How long a firmware may take.
const PATIENCE: Duration = Duration::from_secs(60);
