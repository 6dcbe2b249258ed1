//! What TLS costs: both clients against a memcached with it and one without, in turns.
//!
//! `cargo bench -p memring-suite --bench tls [--rounds N]`. Each row is one job, of one client and one thread: the median of its
//! rounds without TLS, with it, and the second by the first. `connect` is a first get over a connection of its own;
//! `connect again` is the same with a session that another connection has left.

use core::time::Duration;
use std::{env, time::Instant};

use memring_client::Tls;
use memring_std::{Builder, Config, Ttl};
use memring_suite::{Authority, Memcached};
use tokio::runtime::Runtime;

fn main() {
    let options: Vec<_> = env::args().collect();
    let rounds = options.iter().position(|option| option == "--rounds").and_then(|at| options.get(at + 1));
    // As one of the tests, it only shows that it runs.
    let is_thorough = options.iter().any(|option| option == "--bench");
    let rounds = rounds.map_or(if is_thorough { 41 } else { 1 }, |rounds| rounds.parse().expect("a number"));

    let authority = Authority::new();
    let sides = [
        Side { server: Memcached::start_with(&["-m", "256", "-I", "4m"]), authority: None },
        Side { server: authority.memcached("", &["-m", "256", "-I", "4m"]), authority: Some(&authority) },
    ];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let keys: Vec<_> = (0..100).map(|number| format!("{:x<32}", format!("key:{number}:"))).collect();
    println!("| client | job | plain, µs | TLS, µs | ratio |\n|---|---|---|---|---|");
    for name in ["std", "tokio"] {
        let clients = sides.each_ref().map(|side| Client::new(name, side.config(side.tls()), &runtime));
        for client in &clients {
            client.fill(&keys);
        }
        for (job, passes, each, run) in JOBS {
            let passes = if is_thorough { passes } else { 1 };
            let took = measure(rounds, |side| (0..passes).for_each(|_| run(&clients[side], &keys)));
            print_row(name, job, took.map(|took| took / (passes * each)));
        }
        let first = |side: usize| {
            let side = &sides[side];
            Client::new(name, side.config(side.tls()), &runtime).get(&keys[0]);
        };
        print_row(name, "connect", measure(rounds, first));
        let kept = sides.each_ref().map(Side::tls);
        let again = |side: usize| {
            Client::new(name, sides[side].config(kept[side].clone()), &runtime).get(&keys[0]);
        };
        (0..2).for_each(again);
        print_row(name, "connect again", measure(rounds, again));
    }
}

/// A server, and who certifies it if it speaks TLS.
struct Side<'a> {
    server: Memcached,
    authority: Option<&'a Authority>,
}

impl Side<'_> {
    /// Whom to trust, with no session left.
    fn tls(&self) -> Option<Tls> {
        self.authority.map(|authority| Tls::with_roots(authority.pem()).expect("a certificate"))
    }

    fn config(&self, tls: Option<Tls>) -> Config {
        let builder = Builder::new(Config::default()).servers([self.server.name()]);
        let builder = builder.timeout(LONG).connect_timeout(LONG);
        let builder = match tls {
            Some(tls) => builder.tls(tls),
            None => builder,
        };
        builder.config().expect("a configuration")
    }
}

/// A client under test.
enum Client<'r> {
    Std(memring_std::Client),
    Tokio(memring_tokio::Client, &'r Runtime),
}

/// The same call of either client, and what must be true of its result.
macro_rules! call {
    ($self:expr, $client:ident => $call:expr, $result:ident => $is_right:expr) => {
        match $self {
            Client::Std($client) => {
                let $result = $call.expect("the server is well");
                assert!($is_right);
            }
            Client::Tokio($client, runtime) => {
                let $result = runtime.block_on($call).expect("the server is well");
                assert!($is_right);
            }
        }
    };
}

impl<'r> Client<'r> {
    fn new(name: &str, config: Config, runtime: &'r Runtime) -> Self {
        if name == "std" {
            return Self::Std(memring_std::Client::with_config(config).expect("a client"));
        }
        let _inside = runtime.enter();
        Self::Tokio(memring_tokio::Client::with_config(config).expect("a client"), runtime)
    }

    /// Stores what is read.
    fn fill(&self, keys: &[String]) {
        keys.iter().for_each(|key| self.set(key, SMALL));
        self.set(LARGE_KEY, &vec![b'v'; LARGE]);
    }

    fn get(&self, key: &str) {
        call!(self, client => client.get(key), found => found.is_some());
    }

    fn set(&self, key: &str, value: &[u8]) {
        call!(self, client => client.set(key, value, Ttl::NEVER), _stored => true);
    }

    fn get_all(&self, keys: &[String]) {
        call!(self, client => client.get_many(keys), found => found.hits().count() == keys.len());
    }
}

/// A job's name, how often it is done in a round, how many operations it is, and how it is done.
type Job = (&'static str, u32, u32, fn(&Client<'_>, &[String]));

const JOBS: [Job; 5] = [
    ("get, 100 B", 500, 1, |client, keys| client.get(&keys[0])),
    ("set, 100 B", 500, 1, |client, keys| client.set(&keys[0], SMALL)),
    ("get_many of 100 keys, a key", 20, 100, |client, keys| client.get_all(keys)),
    ("get, 1 MiB", 5, 1, |client, _| client.get(LARGE_KEY)),
    ("set, 1 MiB", 5, 1, |client, _| client.set(LARGE_KEY, &vec![b'v'; LARGE])),
];

const SMALL: &[u8] = &[b'v'; 100];

const LARGE_KEY: &str = "large";

const LARGE: usize = 1 << 20;

/// Nothing takes this long.
const LONG: Duration = Duration::from_secs(20);

/// The medians of both sides, which take turns.
fn measure(rounds: usize, mut run: impl FnMut(usize)) -> [Duration; 2] {
    let mut took = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for (side, took) in took.iter_mut().enumerate() {
            let begun = Instant::now();
            run(side);
            took.push(begun.elapsed());
        }
    }
    took.map(|mut took| {
        took.sort_unstable();
        took[took.len() / 2]
    })
}

fn print_row(client: &str, job: &str, [plain, tls]: [Duration; 2]) {
    let micros = |took: Duration| took.as_secs_f64() * 1e6;
    let (plain, tls) = (micros(plain), micros(tls));
    println!("| {client} | {job} | {plain:.2} | {tls:.2} | {:.2} |", tls / plain);
}
