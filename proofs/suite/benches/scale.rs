//! A thousand servers: how long a client takes to begin, what a change of servers costs operations that run meanwhile, and
//! what a connection holds.
//!
//! `cargo bench -p memring-suite --bench scale [--servers N]`. All names lead to one real memcached, so that only the client is
//! large. Every figure is of this machine; the ratios between rows are what to read.

use core::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::{env, fs, thread, time::Instant};

use memring_std::{Builder, Config, Ttl};
use memring_suite::Memcached;

fn main() {
    let options: Vec<_> = env::args().collect();
    let servers = options.iter().position(|option| option == "--servers").and_then(|at| options.get(at + 1));
    // As one of the tests, it only shows that it runs.
    let is_thorough = options.iter().any(|option| option == "--bench");
    let most = servers
        .map_or(if is_thorough { 1000 } else { 10 }, |servers| servers.parse().expect("a number of servers"));

    let memcached = Memcached::start_with(&["-c", "8192", "-m", "256"]);
    println!("| | {} |\n|---|---|", [most / 10, most].map(|count| format!("{count} servers")).join(" | "));
    let fleets = [most / 10, most].map(|count| Fleet { memcached: &memcached, count });
    for (what, measure) in ROWS {
        println!("| {what} | {} |", fleets.each_ref().map(measure).join(" | "));
    }
}

/// What is measured, and how.
type Row = (&'static str, fn(&Fleet<'_>) -> String);

const ROWS: [Row; 6] = [
    ("a blocking client begins, ms", |fleet| millis(median(|| drop(fleet.client())))),
    ("a tokio client begins, ms", |fleet| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let _inside = runtime.enter();
        millis(median(|| drop(memring_tokio::Client::with_config(fleet.config()).expect("a client"))))
    }),
    ("one server more, ms", |fleet| {
        let client = fleet.client();
        let changes = (1..=ROUNDS).map(|more| {
            let begun = Instant::now();
            client.set_servers(fleet.names(fleet.count + more)).expect("names");
            begun.elapsed()
        });
        millis(middle(changes.collect()))
    }),
    ("longest get meanwhile, ms; without a change", |fleet| {
        let client = fleet.client();
        let longest = |change: &dyn Fn()| {
            let is_over = AtomicBool::new(false);
            thread::scope(|scope| {
                let gets = scope.spawn(|| {
                    let mut longest = Duration::ZERO;
                    while !is_over.load(Ordering::Relaxed) {
                        let begun = Instant::now();
                        client.get("key:1").expect("the server is well");
                        longest = longest.max(begun.elapsed());
                    }
                    longest
                });
                change();
                is_over.store(true, Ordering::Relaxed);
                gets.join().expect("it ends")
            })
        };
        client.get("key:1").expect("the server is well");
        let begun = Instant::now();
        let changed = longest(&|| {
            for more in 1..=ROUNDS {
                client.set_servers(fleet.names(fleet.count + more)).expect("names");
            }
        });
        let quiet = begun.elapsed();
        format!("{}; {}", millis(changed), millis(longest(&|| thread::sleep(quiet))))
    }),
    ("get_many of 100,000 keys, ns a key", |fleet| {
        let (client, keys) = (fleet.client(), keys());
        let items: Vec<_> = keys.iter().map(|key| (key, "v")).collect();
        client.set_many(&items, Ttl::NEVER).expect("keys").all().expect("the server is well");
        let took = median(|| {
            let found = client.get_many(&keys).expect("keys");
            assert_eq!(found.hits().count(), keys.len());
        });
        format!("{:.0}", took.as_nanos() as f64 / keys.len() as f64)
    }),
    ("an idle connection, bytes of the process", |fleet| {
        let client = fleet.client();
        let before = resident();
        client.get_many(&keys()).expect("keys");
        let open: usize = client.servers().iter().map(|server| server.connections).sum();
        // Few of them fit into memory that the process has had before.
        match resident().saturating_sub(before) / open.max(1) {
            0 => "not to be seen".to_owned(),
            bytes => bytes.to_string(),
        }
    }),
];

/// Names of one memcached.
struct Fleet<'a> {
    memcached: &'a Memcached,
    count: usize,
}

impl Fleet<'_> {
    fn names(&self, count: usize) -> impl Iterator<Item = String> {
        let address = self.memcached.name();
        (0..count).map(move |number| format!("cache-{number}.example:11211={address}"))
    }

    fn config(&self) -> Config {
        let builder = Builder::new(Config::default()).servers(self.names(self.count));
        builder.timeout(LONG).connect_timeout(LONG).config().expect("a configuration")
    }

    fn client(&self) -> memring_std::Client {
        memring_std::Client::with_config(self.config()).expect("a client")
    }
}

fn keys() -> Vec<String> {
    (0..100_000).map(|number| format!("key:{number}")).collect()
}

const ROUNDS: usize = 7;

/// Nothing takes this long.
const LONG: Duration = Duration::from_secs(60);

fn median(mut run: impl FnMut()) -> Duration {
    let once = |_| {
        let begun = Instant::now();
        run();
        begun.elapsed()
    };
    middle((0..ROUNDS).map(once).collect())
}

fn middle(mut took: Vec<Duration>) -> Duration {
    took.sort_unstable();
    took[took.len() / 2]
}

fn millis(took: Duration) -> String {
    format!("{:.2}", took.as_secs_f64() * 1e3)
}

/// How much of this process is in memory, in bytes; 0 where the system does not say.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok()).map_or(0, |kib| kib * 1024)
}
