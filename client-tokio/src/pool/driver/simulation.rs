//! The whole client over byte streams in memory, in a time that only moves when everybody waits: a server that is slow,
//! splits, cuts off and goes silent, callers that give up and go away. A seed tells everything that happens.

use core::{future::poll_fn, pin::pin, time::Duration};
use std::{
    io,
    rc::Rc,
    sync::{Arc, Mutex},
};

use fastrand::Rng;
use memring_client::{config::UnderWay, failure::Error, shares::Share, spec::ServerSpec, watch::Watch};
use memring_core::health::Verdict;
use memring_text::{
    Get, Key, Operation, Store, Ttl, Value,
    request::{Arith, ArithVerb, Delete, GetVerb, StoreVerb},
    server::{Engine, MemoryStore, Next, Session},
    ttl::UnixTime,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    task::LocalSet,
    time::{Instant, sleep, timeout},
};

use crate::{
    batch,
    call::ask,
    client::Client,
    deadline::{CLOCK, Deadline},
    dial::{Connect, Dialer},
    pool::{Pool, mux::Closing},
    socket::{Stream, Transport},
};

impl Transport for DuplexStream {
    fn is_silent(&mut self) -> bool {
        true
    }
}

pub(super) async fn call<O: Operation>(
    pool: &Pool,
    name: &'static str,
    operation: &O,
    deadline: Deadline,
) -> Result<O::Output<Vec<u8>>, Error> {
    ask(pool, name, operation, deadline)
        .await
        .map_err(|failure| pool.watch().failed(name, failure.cause, failure.sent))
}

pub(super) const TIMEOUT: Duration = Duration::from_millis(100);

/// A pool of one connection to a server that answers, more or less.
fn pool(random: &mut Rng) -> Pool {
    let under_way = UnderWay { requests: random.usize(1..50), bytes: random.usize(0..5000) };
    let is_merging = random.bool();
    let engine = Arc::new(Mutex::new(Engine::new(MemoryStore::new(1 << 20))));
    let random = Mutex::new(random.fork());
    pool_with(under_way, is_merging, move || {
        let mut random = random.lock().unwrap();
        if random.u32(..10) == 0 {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (near, far) = duplex(random.usize(1..5000));
        tokio::spawn(serve(far, Arc::clone(&engine), random.fork()));
        Ok(Stream::Memory(Box::new(near)))
    })
}

/// A pool of one connection to what `connect` opens.
pub(super) fn pool_with(
    under_way: UnderWay,
    merge_gets: bool,
    connect: impl Fn() -> io::Result<Stream> + Send + Sync + 'static,
) -> Pool {
    let UnderWay { requests, bytes } = under_way;
    let builder = Client::builder()
        .connect_timeout(TIMEOUT)
        .timeout(TIMEOUT)
        .under_way(requests, bytes)
        .merge_gets(merge_gets)
        .stand_in_ttl(Ttl::NEVER)
        .health_policy(None);
    let (config, dialer) =
        (Arc::new(builder.config().unwrap()), Dialer::in_memory(Connect(Arc::new(connect))));
    let watch = Watch::new(&"nowhere".parse::<ServerSpec>().unwrap(), Arc::clone(&config), CLOCK);
    Pool::over(dialer, watch, &config)
}

/// Answers what comes, in pieces and with pauses, until the end; sometimes cuts off before it, sometimes falls silent.
async fn serve(mut stream: DuplexStream, engine: Arc<Mutex<Engine<MemoryStore>>>, mut random: Rng) {
    let mut session = Session::new(Vec::new());
    let (mut input, mut output) = (Vec::new(), Vec::new());
    let mut left = if random.bool() { random.usize(1..20_000) } else { usize::MAX };
    loop {
        let fed =
            session.feed(&input, &mut engine.lock().unwrap(), &mut output, UnixTime::from_secs(1_000_000));
        input.drain(..fed.consumed);
        let mut rest = &output[..];
        while !rest.is_empty() {
            if random.u32(..10) == 0 {
                sleep(Duration::from_millis(random.u64(..30))).await;
            }
            if random.u32(..500) == 0 {
                // Longer than anybody waits; then late replies, if anybody is there.
                sleep(TIMEOUT * 3).await;
            }
            let most = if random.bool() { 3 } else { 2000 };
            let len = rest.len().min(random.usize(1..=most)).min(left);
            left -= len;
            if len == 0 || stream.write_all(&rest[..len]).await.is_err() {
                return;
            }
            rest = &rest[len..];
        }
        output.clear();
        if fed.next == Next::Close {
            return;
        }
        if fed.next == Next::Read {
            let mut piece = vec![0; random.usize(1..3000)];
            match stream.read(&mut piece).await {
                Ok(len) if len > 0 => input.extend_from_slice(&piece[..len]),
                _ => return,
            }
        }
    }
}

/// A value tells whose it is and whether it is whole.
fn value(key: &str, random: &mut Rng) -> String {
    format!("{key}={}", key.repeat(random.usize(..100)))
}

fn hold(key: &str, value: &[u8]) {
    let value = str::from_utf8(value).unwrap();
    let (owner, filler) = value.split_once('=').unwrap();
    assert_eq!(owner, key);
    assert!(filler.len().is_multiple_of(key.len()) && filler == key.repeat(filler.len() / key.len()));
}

/// One caller, with so many operations to do, of which it gives some up. Gives how many had a result.
async fn work(pool: Rc<Pool>, mut random: Rng, operations: usize) -> usize {
    let mut results = 0;
    for _ in 0..operations {
        let patience = match random.u32(..4) {
            0 => TIMEOUT / 10,
            1 => TIMEOUT * 2,
            _ => TIMEOUT,
        };
        let cut = Duration::from_millis(random.u64(..50));
        let is_cut = random.u32(..5) == 0;
        let operation = pin!(operate(&pool, random.fork(), patience));
        let done = if is_cut { timeout(cut, operation).await.unwrap_or(0) } else { operation.await };
        results += done;
        if random.bool() {
            sleep(Duration::from_millis(random.u64(..10))).await;
        }
    }
    results
}

async fn operate(pool: &Pool, mut random: Rng, patience: Duration) -> usize {
    let deadline = Deadline::after(patience);
    let begin = Instant::now();
    let names: Vec<_> = (0..random.usize(1..20)).map(|_| format!("k{}", random.u32(..30))).collect();
    let key = Key::new(names[0].as_bytes()).unwrap();
    let text = value(&names[0], &mut random);
    let done = match random.u32(..10) {
        0..3 => {
            let value = Value::new(text.as_bytes()).unwrap();
            let store = Store { verb: StoreVerb::Set, key, flags: 0, exptime: 0, value, noreply: false };
            call(pool, "set", &store, deadline).await.map(|_| 1)
        }
        3..6 => call(pool, "get", &Get { verb: GetVerb::Get, key }, deadline).await.map(|item| {
            if let Some(item) = item {
                hold(&names[0], &item.value);
            }
            1
        }),
        6 => call(pool, "gets", &Get { verb: GetVerb::Gets, key }, deadline).await.map(|item| {
            if let Some(item) = item {
                assert!(item.cas.is_some());
                hold(&names[0], &item.value);
            }
            1
        }),
        7 => call(pool, "delete", &Delete { key, noreply: false }, deadline).await.map(|_| 1),
        8 => {
            let key = Key::new(b"counter").unwrap();
            let incr = Arith { verb: ArithVerb::Incr, key, delta: 1, noreply: false };
            call(pool, "incr", &incr, deadline).await.map(|_| 1)
        }
        _ => {
            let keys = names.iter().map(|name| Key::new(name.as_bytes()).unwrap());
            let gets: Vec<_> = keys.map(|key| Get { verb: GetVerb::Get, key }).collect();
            let positions: Vec<_> = (0..gets.len()).collect();
            let share = Share { pool, verdict: Verdict::Up, positions: &positions, items: &gets };
            let found = batch::run("get_many", [share].into_iter(), gets.len(), deadline, Ok).await;
            for (name, result) in names.iter().zip(found.results()) {
                if let Ok(Some(item)) = result {
                    hold(name, &item.value);
                }
            }
            Ok(found.results().iter().filter(|result| result.is_ok()).count())
        }
    };
    let took = begin.elapsed();
    assert!(took <= patience.max(TIMEOUT) + Duration::from_millis(5), "{took:?} of {patience:?}");
    done.unwrap_or_else(|error: Error| {
        assert_ne!(error.kind(), crate::ErrorKind::Protocol, "{error}");
        0
    })
}

fn simulate(seed: u64) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    LocalSet::new().block_on(&runtime.unwrap(), async {
        let mut random = Rng::with_seed(seed);
        let pool = Rc::new(pool(&mut random));
        let mux = Arc::clone(pool.mux());
        let callers: Vec<_> = (0..random.usize(1..30))
            .map(|_| tokio::task::spawn_local(work(Rc::clone(&pool), random.fork(), 20)))
            .collect();
        let mut results = 0;
        for caller in callers {
            results += caller.await.unwrap();
        }
        // Nothing is left behind: every reply was read, or its connection is gone.
        mux.close(Closing::Gently);
        poll_fn(|cx| mux.poll_closed(cx.waker())).await;
        assert_eq!(mux.usage(), (false, 0));
        assert!(mux.is_empty());
        results
    })
}

#[test]
fn every_seed_gives_each_caller_its_own_in_time() {
    let first = fastrand::u64(..);
    let mut results = 0;
    for seed in (0..200).chain(first..first.saturating_add(100)) {
        println!("seed {seed}");
        results += simulate(seed);
    }
    assert!(results > 10_000, "{results}");
}

#[test]
fn the_same_seed_tells_the_same_story() {
    for seed in 0..5 {
        assert_eq!(simulate(seed), simulate(seed), "seed {seed}");
    }
}
